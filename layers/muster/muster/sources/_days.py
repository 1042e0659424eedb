"""Days of an account in; the spans to read or read again, and the cursor that resumes them.

Figures of ads, visits and audiences are counted by days of the account's own time zone and
change for weeks. The cursor of a source that reads such days is part of its state::

    {"days": {"123": {"through": "2026-11-20", "walk": {...}}}}

``through`` is the last day read; ``walk`` keeps what a killed or checkpointed run has still to
read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from muster.sources import Window
from muster.sources._newest import OPEN, State, given

ONE = timedelta(days=1)
Span = tuple[date, date]  # first and last day, both included


@dataclass(frozen=True)
class Plan:
    """How days are read: ``recent`` ones every time, ``settling`` ones by each day's first run.

    ``history`` is how far back a first fetch without ``since`` reads, ``most`` how many days
    one request may ask for, ``behind`` how many days the platform's newest one lies back, and
    ``reach`` how many it keeps at all: who asks for more may be refused.
    """

    recent: int
    settling: int
    history: int
    most: int
    behind: int = 0
    reach: int = 20_000


def spans(
    state: State, window: Window, zone: ZoneInfo, plan: Plan, account: str = ""
) -> Iterator[Span]:
    """The spans to read, oldest first; ``state`` is advanced before each is yielded.

    Whoever reads a span must store it whole before a cursor is given out.
    """
    entry = state.setdefault("days", {}).setdefault(account, {})
    today = window.now.astimezone(zone).date() - plan.behind * ONE
    begun = entry.get("walk")
    if begun and begun["bounds"] == given(window):
        yield from _walked(entry, begun, plan)
        if begun["bounds"] != OPEN or begun["last"] >= str(today):
            return
    first, last = _asked(entry, window, zone, plan, today)
    fresh = {"bounds": given(window), "next": str(first), "last": str(last)}
    yield from _walked(entry, fresh, plan)


def _asked(entry: State, window: Window, zone: ZoneInfo, plan: Plan, today: date) -> Span:
    """First and last day of a whole walk; a start in the settings is a day of the account's."""
    kept, start = today - (plan.reach - 1) * ONE, window.options.since
    start = max(start, kept) if start else None
    oldest = max(today - (plan.history - 1) * ONE, kept)
    if given(window) != OPEN:
        since, until = window.since, window.until
        last = _day(until - timedelta(microseconds=1), zone) if until else today
        return (max(_day(since, zone), kept) if since else start or oldest), min(last, today)
    through = entry.get("through")
    if not through:
        return start or oldest, today
    back = plan.recent if through == str(today) else plan.settling
    again = min(date.fromisoformat(through), today) - (back - 1) * ONE
    return max(again, start or again), today


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def _walked(entry: State, begun: State, plan: Plan) -> Iterator[Span]:
    entry["walk"] = begun
    first, last = date.fromisoformat(begun["next"]), date.fromisoformat(begun["last"])
    while first <= last:
        end = min(first + (plan.most - 1) * ONE, last)
        begun["next"] = str(end + ONE)
        if end == last:
            _finished(entry, begun)
        yield first, end
        first = end + ONE
    _finished(entry, begun)


def _finished(entry: State, begun: State) -> None:
    entry.pop("walk", None)
    if begun["bounds"] == OPEN:
        entry["through"] = max(begun["last"], entry.get("through", ""))


def days_of(span: Span) -> Iterator[date]:
    """Every day of a span."""
    first, last = span
    for number in range((last - first).days + 1):
        yield first + number * ONE
