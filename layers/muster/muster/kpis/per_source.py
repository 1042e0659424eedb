"""What a source's settings say of their own → the rows and expressions that the SQL reads.

Spans and business hours of a source stand instead of the community's; its tags, patterns and
phrases beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from muster.kpis import phrases
from muster.kpis.worktime import pieces
from muster.settings import Schedule, Settings, Source

COLUMNS: Mapping[str, str] = {
    "source": "varchar", "episode_gap": "double", "lang": "varchar", "calendar": "bigint",
    "answer_window": "double", "resolution_window": "double", "reopen_window": "double",
    "quiet": "double",
}  # fmt: skip


def rows(sources: Sequence[Source]) -> Iterator[tuple[Any, ...]]:
    """One row per source, its columns ``COLUMNS``; null where the community's settings hold."""
    numbers = {schedules: number for number, schedules in calendars(sources)}
    for one in sources:
        spans = (one.windows.answer, one.windows.resolution, one.windows.reopen, one.windows.quiet)
        gap = one.episode_gap if isinstance(one.episode_gap, timedelta) else None
        yield (
            one.name, _seconds(gap), one.lang, numbers.get(_key(one.business_hours)),
            *map(_seconds, spans),
        )  # fmt: skip


def calendars(sources: Iterable[Source]) -> list[tuple[int, str]]:
    """The business hours that sources have of their own, numbered; 0 is the community's."""
    own = dict.fromkeys(_key(one.business_hours) for one in sources if one.business_hours)
    return list(enumerate(own, 1))


def work_pieces(settings: Settings, first: datetime, last: datetime) -> Iterator[tuple[Any, ...]]:
    """The pieces of every calendar between two instants."""
    by_key = {_key(one.business_hours): one.business_hours for one in settings.sources}
    own = ((number, by_key[key]) for number, key in calendars(settings.sources))
    for number, schedules in ((0, settings.business_hours), *own):
        for piece in pieces(schedules, settings.zone, first, last):
            yield number, *vars(piece).values()


def tags(
    everywhere: Iterable[str], own: Iterable[tuple[str, Iterable[str]]]
) -> Iterator[tuple[str | None, str]]:
    """Tags with the source they count on; none for all."""
    yield from ((None, tag) for tag in everywhere)
    yield from ((name, tag) for name, found in own for tag in found)


def expressions(sources: Sequence[Source]) -> dict[str, str | None]:
    """The expressions over ``<source> newline <text>`` of what sources have of their own."""
    escalations = {one.name: one.escalation.patterns for one in sources}
    auto_replies = {one.name: one.auto_replies for one in sources}
    closing = {one.name: one.closing_phrases for one in sources}
    return {
        "own_escalation": phrases.by_source(escalations, phrases.at_words),
        "own_auto_replies": phrases.by_source(auto_replies, phrases.any_of),
        "own_closing_phrases": phrases.by_source(closing, phrases.of_language),
    }


def patterns(sources: Iterable[Source]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every pattern that a source has of its own, with where it stands."""
    for one in sources:
        yield f"sources: {one.name}: auto_replies", one.auto_replies
        yield f"sources: {one.name}: escalation", one.escalation.patterns


def _key(schedules: tuple[Schedule, ...]) -> str:
    return "\n".join(one.model_dump_json() for one in schedules)


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()
