"""Text written by strangers goes in, text that can do no harm in mail, page, CSV or JSON comes out.

Escaping for HTML is Jinja's job and quoting for CSV is ``csv``'s; what neither of them does is
done here, once: control and bidi characters, endless strings, odd URLs, spreadsheet formulas.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from hashlib import blake2b
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

#: Characters a field may hold; a field not named here may hold ``LONGEST``.
LONGEST = 600
LIMITS = {
    "title": 120, "subject": 160, "name": 120, "community": 80, "label": 40, "value_text": 40,
    "definition": 2_000, "kpi": 80, "url": 2_000, "site_url": 2_000, "unsubscribe_url": 2_000,
}  # fmt: skip
#: Characters a quote of somebody's words may have.
QUOTE = 160
_ADDRESSES = re.compile(r"\S*(?:://|www\.)\S+|\S+@\S+\.\S+")
SEVERAL_LINES = frozenset({"sql"})
URLS = frozenset({"url", "site_url"})
JOINERS = "\u200c\u200d"
JOINED = frozenset({"So", "Sk", "Lo", "Mn", "Mc"})  # symbols, letters without case, their marks
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # wide ones in East Asia


def text(raw: str, longest: int = LONGEST) -> str:
    """One line without control, bidi or invisible characters, at most ``longest`` long."""
    line = " ".join(_visible(raw[: longest * 4], keep="").split())
    return line if len(line) <= longest else line[: longest - 1].rstrip(" " + JOINERS) + "…"


def excerpt(raw: str, longest: int = QUOTE) -> str:
    """A quote that fits a line: no address that a mail program would make a link of, cut at a word
    (in the middle of it where words have no spaces between them).

    What it gives is stored, shown and found again when its writer is to be forgotten.
    """
    plain = _ADDRESSES.sub("…", text(raw, longest * 3))
    if len(plain) <= longest:
        return plain
    cut = plain[: longest - 1]
    words = cut.rpartition(" ")[0]
    return (words if len(words) > longest // 2 else cut).rstrip(" ,.;:–-" + JOINERS) + " …"


def lines(raw: str) -> str:
    """The same for text of several lines (SQL), which keeps its line ends and indents."""
    return _visible(raw, keep="\n")


def web_url(raw: str | None) -> str:
    """The URL if it leads to a web page, else nothing: no script, no file, no white space."""
    found = (raw or "").strip()
    is_plain = re.fullmatch(r"https?://[^\s\"'<>\\`{}|^]+", found) and _visible(found, "") == found
    try:
        return found if is_plain and urlsplit(found).hostname else ""
    except ValueError:
        return ""


def unsubscribe_url(raw: str | None) -> str:
    """A web page or a mailto address, else nothing."""
    found = (raw or "").strip()
    if re.fullmatch(r"mailto:[\w.+%@?=&-]+", found, re.ASCII):
        return found
    return web_url(found)


def csv_cell(value: object) -> object:
    """Text that a spreadsheet would run as a formula is marked as text; numbers stay numbers."""
    if isinstance(value, str) and value.lstrip().startswith(FORMULA_STARTS):
        return "'" + value
    return value


def slug(raw: str) -> str:
    """A file name of letters, digits, ``_`` and ``-``."""
    return re.sub(r"[^a-z0-9_-]+", "-", raw.lower()).strip("-")[:80] or "unnamed"


def distinct(raw: str) -> str:
    """The same, but no two texts share it: what lost letters (Hilfe/помощь) ends with a digest."""
    found = slug(raw)
    if found == raw.replace("=", "-"):
        return found
    return f"{found}-{blake2b(raw.encode('utf-8', 'replace'), digest_size=4).hexdigest()}"


def everything(value: T) -> T:
    """The same value with every text in it made harmless (dataclasses, mappings, sequences)."""
    harmless: T = _walk("", value)
    return harmless


def _walk(name: str, value: Any) -> Any:
    """Harmless values are kept as they are: nearly all of a report's many numbers."""
    if isinstance(value, str):
        found = _field(name, value)
        return value if found == value else found
    if is_dataclass(value) and not isinstance(value, type):
        kept = ((field.name, getattr(value, field.name)) for field in fields(value))
        walked = {key: (item, _walk(key, item)) for key, item in kept}
        changed = {key: new for key, (old, new) in walked.items() if new is not old}
        return replace(value, **changed) if changed else value
    if isinstance(value, Mapping):
        return {_walk("", key): _walk(str(key), item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_walk(name, item) for item in value]
        is_same = all(new is old for new, old in zip(items, value, strict=True))
        return value if is_same else type(value)(items)
    return value


def _field(name: str, value: str) -> str:
    if name in SEVERAL_LINES:
        return lines(value)
    if name in URLS:
        return web_url(value)
    if name == "unsubscribe_url":
        return unsubscribe_url(value)
    return text(value, LIMITS.get(name, LONGEST))


def _visible(raw: str, keep: str) -> str:
    """Control (Cc), format (Cf: bidi, zero width) and half characters (Cs) become a space.

    A joiner stays where writing needs it: within an emoji, or a word in Persian or Hindi.
    """
    if raw.isprintable():
        return raw
    return "".join(
        mark if mark in keep or not _is_unseen(mark) or _joins(raw, at) else _blank(mark)
        for at, mark in enumerate(raw)
    )


def _is_unseen(mark: str) -> bool:
    return unicodedata.category(mark) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _joins(raw: str, at: int) -> bool:
    beside = (raw[max(at - 1, 0)], raw[min(at + 1, len(raw) - 1)])
    return raw[at] in JOINERS and all(unicodedata.category(mark) in JOINED for mark in beside)


def _blank(mark: str) -> str:
    """White space parts words; what has no width leaves nothing behind."""
    return " " if mark in "\t\n\r\v\f\x85\u2028\u2029" else ""
