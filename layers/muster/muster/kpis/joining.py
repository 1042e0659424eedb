"""Lines of a chat, in order of time → the conversation of each, and the line it goes on from.

A chat tells no threads. A line that replies to another belongs where that one does. Any other joins
the channel's latest conversation (the one last spoken in) if its author wrote in it within the
window or if it names (@) one of those who spoke there; else it opens its own. The answer rests on
the lines alone, so late ones and their order of arrival change nothing that follows from the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import duckdb

from muster.kpis.periods import naive
from muster.settings import Settings

COLUMNS: Mapping[str, str] = {
    "source": "varchar", "message_id": "varchar", "thread_id": "varchar", "parent_id": "varchar",
}  # fmt: skip
_LINES = r"""
select
    messages.source, messages.channel, messages.message_id, messages.thread_id,
    messages.parent_id, coalesce(members.person_id, messages.author_id) as author,
    [lower(messages.author_id), lower(trim(leading '@' from members.handle))] as called,
    messages.created_at,
    regexp_extract_all(lower(messages.text), '@([\p{L}\p{N}_.-]*[\p{L}\p{N}_])', 1) as names
from messages
left join members
    on members.source = messages.source and members.member_id = messages.author_id
where list_contains($chats, messages.source)
    and messages.channel is not null
    and messages.created_at < $as_of
order by messages.source, messages.channel, messages.created_at, messages.message_id
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a channel; ``called`` are the names its author goes by, ``names`` whom it names,
    all in small letters."""

    message_id: str
    thread_id: str
    parent_id: str | None
    author: str | None
    called: tuple[str, ...]
    at: datetime
    names: tuple[str, ...]


@dataclass
class _Conversation:
    """What was said: an author's last line, that of a name, and the last that goes on, in however
    many steps, from one of an author's (``below``); ``above`` a line are the authors it follows."""

    thread_id: str
    by_author: dict[str, Line] = field(default_factory=dict)
    by_name: dict[str, Line] = field(default_factory=dict)
    below: dict[str, Line] = field(default_factory=dict)
    above: dict[str, frozenset[str]] = field(default_factory=dict)

    def hear(self, line: Line, parent_id: str | None) -> None:
        authors = self.above.get(parent_id or "", frozenset())
        if line.author is not None:
            self.by_author[line.author] = line
            authors = authors if line.author in authors else authors | {line.author}
        self.above[line.message_id] = authors
        self.below.update(dict.fromkeys(authors, line))
        self.by_name.update(dict.fromkeys(line.called, line))

    def goes_on_from(self, line: Line, window: timedelta) -> Line | None:
        """The line that this one goes on from: the named one's last, else what was last said to
        the author's own."""
        named = [self.by_name[name] for name in line.names if name in self.by_name]
        others = [one for one in named if one.author != line.author]
        if others:
            return max(others, key=lambda one: (one.at, one.message_id))
        if line.author is None or line.author not in self.by_author:
            return None
        is_near = line.at - self.by_author[line.author].at <= window
        return self.below[line.author] if is_near else None


def threads(lines: Iterable[Line], window: timedelta) -> Iterator[tuple[Line, str, str | None]]:
    """Each line of one channel (in order) with its conversation's id and the line it answers."""
    placed: dict[str, _Conversation] = {}
    latest: _Conversation | None = None
    for line in lines:
        parent_id = line.parent_id
        if parent_id is not None or line.thread_id != line.message_id:
            latest = _of_reply(line, placed)
        else:
            before = latest.goes_on_from(line, window) if latest else None
            parent_id = before.message_id if before else None
            if latest is None or before is None:
                latest = _Conversation(line.thread_id)
        placed[line.message_id] = latest
        latest.hear(line, parent_id)
        yield line, latest.thread_id, parent_id


def _of_reply(line: Line, placed: dict[str, _Conversation]) -> _Conversation:
    """Where the line's parent is, else where its thread began, else a place kept for the thread."""
    if line.parent_id in placed:
        return placed[line.parent_id]
    return placed.setdefault(line.thread_id, _Conversation(line.thread_id))


def joined_lines(
    connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime
) -> Iterator[tuple[str, str, str, str | None]]:
    """A row (``COLUMNS``) for each line before ``as_of`` whose thread or parent is found here.

    Rows are read as they are asked for: the connection is free again after the last.
    """
    default = settings.windows.join
    windows = {one.name: one.windows.join or default for one in settings.sources if one.chat}
    if not windows:
        return
    asked = {"chats": list(windows), "as_of": naive(as_of)}
    rows = _fetched(connection.execute(_LINES, asked))
    for (source, _), channel in groupby(rows, key=lambda row: row[:2]):
        lines = (_line(row) for row in channel)
        for line, thread_id, parent_id in threads(lines, windows[source]):
            if (thread_id, parent_id) != (line.thread_id, line.parent_id):
                yield source, line.message_id, thread_id, parent_id


def _line(row: tuple[Any, ...]) -> Line:
    _, _, message_id, thread_id, parent_id, author, called, at, names = row
    known = tuple(name for name in called if name)
    return Line(message_id, thread_id, parent_id, author, known, at, tuple(names or ()))


def _fetched(answer: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while rows := answer.fetchmany(10_000):
        yield from rows
