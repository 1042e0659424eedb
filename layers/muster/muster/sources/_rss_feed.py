"""The text of a feed in; what it says of itself, and each entry as it stands there and parsed, out.

An entry is kept as its own piece of XML with the feed's opening tag, which holds the namespaces
and the language, so that it can be read again without the rest.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from time import struct_time
from typing import Any

from muster.sources._answer import text_body

_ROOT = re.compile(r"<((?:\w+:)?(?:rss|feed|RDF))\b[^>]*>", re.IGNORECASE)
_ENTRY = re.compile(r"<(/?)((?:\w+:)?(?:item|entry))(?=[\s/>])")
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
    begin, spans = _ROOT.search(text), [*_entries(text)]
    edges = [0, *chain.from_iterable(spans), len(text)]
    between = zip(edges[::2], edges[1::2], strict=True)
    told, version = _parse("".join(text[start:end] for start, end in between))
    entries = [text[start:end] for start, end in spans]
    return Feed(
        is_feed=bool(version and begin),
        facts={name: told["feed"][name] for name in _FACTS if told["feed"].get(name)},
        links=tuple(told["feed"].get("links") or ()),
        entries=tuple({"root": begin[0] if begin else "", "xml": one} for one in entries),
    )


def _entries(text: str) -> Iterator[tuple[int, int]]:
    """Where each entry begins and ends; seen once, since thousands may begin that never end."""
    start, name = -1, ""
    for tag in _ENTRY.finditer(text):
        is_end = bool(tag[1])
        if start < 0 and not is_end:
            start, name = tag.start(), tag[2]
        elif start >= 0 and is_end and tag[2] == name:
            end = text.find(">", tag.end()) + 1
            yield start, end or len(text)
            start = -1


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
