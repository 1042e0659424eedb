"""The file of Kaggle's "Customer Support on Twitter" → messages, one source a brand.

Brands are the authors whose id is no number. A conversation belongs to the brand that writes most
in it, else to the one its tweets name; its thread is the topmost tweet that the file holds.
"""

from __future__ import annotations

import html
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from muster.errors import BadImport, Refused
from muster.lake.cells import accept
from muster.lake.files import Record, open_file
from muster.lake.taken import Extra, Refusal, Taken
from muster.records import Message

TABLE = "messages"
NO_BRAND = "no-brand"
_COLUMNS = ("tweet_id", "author_id", "created_at", "text", "in_response_to_tweet_id")
_ID = re.compile(r"(\d+)(?:\.0)?")
_MENTION = re.compile(r"@(\w+)")

Parents = dict[int, int | None]


def read(path: Path) -> Iterator[Taken | Refusal | Extra]:
    """Every tweet as a message with its brand as ``source``; reads the file three times.

    It holds one number per tweet and one per conversation, not the texts.
    """
    opened = open_file(path)
    if missing := [name for name in _COLUMNS if name not in (opened.columns or ())]:
        raise BadImport(f"{path}, line 1: no column {missing[0]!r}: this is no twcs file")
    return _taken(path)


def _taken(path: Path) -> Iterator[Taken | Refusal | Extra]:
    roots = _roots(_parents(path))
    sources = _sources(path, roots)
    for record in open_file(path).records:
        try:
            tweet = _id(record, "tweet_id")
            message = _message(record, roots[tweet])
            accept(message)
            yield Taken(message, sources.get(roots[tweet], NO_BRAND), record.line)
        except Refused as refused:
            yield Refusal(record.line, str(refused), record.cells)


def _parents(path: Path) -> Parents:
    found: Parents = {}
    for record in _readable(path):
        found[_id(record, "tweet_id")] = _parent(record)
    return found


def _readable(path: Path) -> Iterator[Record]:
    for record in open_file(path).records:
        try:
            _id(record, "tweet_id")
            _parent(record)
        except Refused:
            continue
        yield record


def _roots(parents: Parents) -> dict[int, int]:
    """Tweet → the topmost tweet of its chain that the file holds."""
    roots: dict[int, int] = {}
    for tweet in parents:
        chain: dict[int, None] = {}
        at = tweet
        while at not in roots and at not in chain:
            chain[at] = None
            parent = parents[at]
            at = parent if parent in parents else at
        for passed in chain:
            roots[passed] = roots.get(at, at)
    return roots


def _sources(path: Path, roots: Mapping[int, int]) -> dict[int, str]:
    """Conversation → its brand as the name of a source."""
    wrote: dict[int, Counter[str]] = defaultdict(Counter)
    named: dict[int, Counter[str]] = defaultdict(Counter)
    for record in _readable(path):
        root = roots[_id(record, "tweet_id")]
        author = record.cells["author_id"]
        if author and not author.isdigit():
            wrote[root][_slug(author)] += 1
        named[root].update(map(_slug, _MENTION.findall(record.cells["text"] or "")))
    brands = {brand for counts in wrote.values() for brand in counts}
    choice = {root: _first(counts, brands) for root, counts in named.items()}
    choice |= {root: _first(counts, brands) for root, counts in wrote.items()}
    return {root: brand for root, brand in choice.items() if brand}


def _first(counts: Counter[str], brands: set[str]) -> str:
    """The brand counted most, the alphabet's first at a tie."""
    return min(counts.keys() & brands, key=lambda brand: (-counts[brand], brand), default="")


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:63] or NO_BRAND


def _id(record: Record, column: str) -> int:
    match = _ID.fullmatch(record.cells.get(column) or "")
    if record.fault or not match:
        raise Refused(record.fault or f"{column} is {ascii(record.cells.get(column))[:60]}, no id")
    return int(match[1])


def _parent(record: Record) -> int | None:
    name = "in_response_to_tweet_id"
    return _id(record, name) if record.cells.get(name) else None


def _message(record: Record, root: int) -> Message:
    cells = record.cells
    parent = _parent(record)
    author = cells["author_id"]
    if not author:
        raise Refused("author_id is missing")
    is_brand = not author.isdigit()
    return Message(
        message_id=str(_id(record, "tweet_id")),
        thread_id=str(root),
        parent_id=None if parent is None else str(parent),
        author_id=author,
        author_role="staff" if is_brand else "member",
        created_at=_time(cells["created_at"]),
        kind="post" if parent is None else "reply",
        direction="outbound" if is_brand else "inbound",
        text=html.unescape(cells["text"]),
        replies=len([part for part in cells.get("response_tweet_id", "").split(",") if part]),
    )


def _time(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y").astimezone(UTC)
    except ValueError as error:
        raise Refused(f"created_at is {ascii(text)[:60]}, no time of this format") from error
