"""The text of a feed in; what it says of itself, and each entry as it stands there and parsed, out.

An entry is kept as its own piece of XML with the feed's opening tag, which holds the namespaces
and the language, so that it can be read again without the rest.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from time import struct_time
from typing import Any

from muster.sources._answer import text_body

_ROOT = re.compile(r"<((?:\w+:)?(?:rss|feed|RDF))\b[^>]*>", re.IGNORECASE)
_ENTRY = re.compile(r"<((?:\w+:)?(?:item|entry))(?=[\s/>]).*?</\1\s*>", re.DOTALL)
_END = re.compile(r"</(?:\w+:)?(?:rss|feed|RDF)\s*>\s*(?:<!--(?:(?!-->).)*-->\s*)*\Z", re.DOTALL)
_FACTS = ("title", "language", "link")


@dataclass(frozen=True)
class Feed:
    """A page of a feed: is it one, its facts, its links, and its entries' XML."""

    is_feed: bool
    facts: Mapping[str, str]
    links: tuple[Mapping[str, str], ...]
    entries: tuple[Mapping[str, str], ...]


def whole(kind: str, raw: bytes) -> tuple[Any, str]:
    """The text of a feed that has its end, and ``""``; else what is wrong with it."""
    text, flaw = text_body(kind, raw)
    if flaw:
        return None, flaw
    if "<!ENTITY" in text:
        return None, "XML that defines entities"
    return (text, "") if _END.search(text[-10_000:]) else (None, "no feed, or a cut one")


def feed(text: str) -> Feed:
    """The page a text holds."""
    begin = _ROOT.search(text)
    told, version = _parse(_ENTRY.sub("", text))
    entries = [found[0] for found in _ENTRY.finditer(text)]
    return Feed(
        is_feed=bool(version and begin),
        facts={name: told["feed"][name] for name in _FACTS if told["feed"].get(name)},
        links=tuple(told["feed"].get("links") or ()),
        entries=tuple({"root": begin[0] if begin else "", "xml": one} for one in entries),
    )


def entry(body: Any) -> dict[str, Any]:
    """What an entry says, by feedparser's names; empty if it cannot be read."""
    if not isinstance(body, Mapping) or not isinstance(body.get("xml"), str):
        return {}
    root = str(body.get("root") or "")
    name = _ROOT.match(root)
    is_atom = bool(name and name[1].lower().endswith("feed"))
    inner = body["xml"] if is_atom else f"<channel>{body['xml']}</channel>"
    told, _ = _parse(f"{root}{inner}</{name[1]}>" if name else inner)
    return dict(told["entries"][0]) if told["entries"] else {}


def _parse(text: str) -> tuple[dict[str, Any], str]:
    """What feedparser reads, as JSON values, and the version it takes it for.

    A stream is handed over, since it would open a text that is an address.
    """
    import feedparser

    headers = {"content-type": "application/xml; charset=utf-8"}
    found = feedparser.parse(io.BytesIO(text.encode()), response_headers=headers)
    told = {"feed": _plain(found.feed), "entries": _plain(found.entries)}
    return told, found.get("version") or ""


def _plain(value: Any) -> Any:
    if isinstance(value, struct_time):
        return list(value[:6])
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
