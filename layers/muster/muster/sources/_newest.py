"""Newest-first streams and known messages in; steps to fetch, and the cursor that resumes them.

The cursor of a source that reads such streams is one JSON object::

    {"streams": {"mentions": {"mark": place, "walk": {...}, "done": [since, until]}, ...},
     "checked": instant, "recheck": {...}, ...the platform's own facts}

``mark`` is the newest place up to which a stream is wholly stored. It moves only when a walk has
come down to the old mark; until then ``walk`` keeps the token to go on from, so that a killed or
checkpointed run resumes. ``done`` marks the streams that an unfinished fetch has read to the end,
and when: the run that goes on with it soon does not read them again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from muster.clock import DAY
from muster.errors import Rejected, Unavailable
from muster.records import Item, KnownMessage, Page
from muster.sources import Window
from muster.sources._answer import Answer
from muster.sources._http import CLOCKS_AGREE
from muster.sources._paging import Step, walk

# As long goes on what was cut off by the time of a function. A fetch that fails at its last stream
# every hour reads the others every hour all the same.
GOES_ON = timedelta(minutes=50)
CHECK_AGES = (1, 3, 7, 30)  # days after which a message's counts, edits and deletion are looked at

State = dict[str, Any]
Place = list[str]  # [instant, id]: sorts as the stream does
OPEN: list[str | None] = [None, None]


@dataclass(frozen=True)
class Stream:
    """One newest-first list: how a page is asked for and read, and where an item stands in it.

    ``asked`` tells, from the mark, the parameters of a whole walk; it resumes with the same.
    Items after ``settled`` may still change, and do not move the mark. ``is_read_once`` where a
    run that goes on with a fetch need not have read it itself.
    """

    name: str
    ask: Callable[[Mapping[str, Any], str | None], Answer]
    read: Callable[[Answer], tuple[Sequence[Any], str | None]]
    place: Callable[[Any], Place]
    asked: Callable[[Place | None], Mapping[str, Any]]
    is_old: Callable[[Mapping[str, Any], Any], bool] = lambda asked, item: False
    settled: str = "9999"
    is_read_once: bool = False


def begin(window: Window) -> State:
    """The cursor as a state that may be advanced; nobody else's copy changes."""
    return copy.deepcopy(dict(window.cursor))


def page(state: State, items: Sequence[Item] = ()) -> Page:
    """A page with the cursor as it stands now."""
    return Page(tuple(items), copy.deepcopy(state))


def finish(state: State) -> Page:
    """The last page: a fetch that came this far is over, and the next one reads every stream."""
    for entry in state.get("streams", {}).values():
        entry.pop("done", None)
        entry.pop("done_at", None)
    return page(state)


def stamp(instant: datetime) -> str:
    """An instant as text that sorts by time."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def instant(text: str) -> datetime:
    """An ISO 8601 time of a platform as UTC; ``ValueError`` if it is none."""
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)


def start_of(window: Window) -> datetime | None:
    """From when the window is to be read: its own bound, else what the settings ask for."""
    if window.since or window.options.since is None:
        return window.since
    return datetime.combine(window.options.since, time(), UTC)


def given(window: Window) -> list[str | None]:
    """The bounds of a backfill; the start that the settings name for every run is none."""
    since, asked = window.since, window.options.since
    if since and asked and abs(since - datetime.combine(asked, time(), UTC)) <= DAY:
        since = None
    return [stamp(bound) if bound else None for bound in (since, window.until)]


def follow(state: State, stream: Stream, window: Window) -> Iterator[Step[str]]:
    """The steps of a stream down to its end; ``state`` is advanced before each is yielded.

    An unfinished walk of the same window is resumed first; where its token is no longer taken,
    the walk starts anew. Unless it was a backfill, what came since then is read as well.
    """
    entry = state.setdefault("streams", {}).setdefault(stream.name, {})
    if "mark" in entry and entry["mark"][0] > _latest(window.now):
        del entry["mark"]  # of an item with a time to come: all that is written now would be old
    bounds = given(window)
    is_backfill = bounds != OPEN
    begun = entry.get("walk")
    is_over = is_backfill or (stream.is_read_once and _is_fresh(entry, window.now))
    if not begun and entry.get("done") == bounds and is_over:
        return
    if begun and begun["bounds"] == bounds:
        yield from _resumed(entry, stream, begun, window.now)
        if is_backfill:
            return
    fresh = {
        "bounds": bounds,
        "asked": dict(stream.asked(entry.get("mark"))),
        "token": None,
        "high": None,
    }
    yield from _walked(entry, stream, fresh, window.now)


def _is_fresh(entry: State, now: datetime) -> bool:
    """Whether a stream was read to the end by the fetch that this run goes on with."""
    at = entry.get("done_at")
    return at is not None and timedelta() <= now - instant(at) < GOES_ON


def _resumed(entry: State, stream: Stream, begun: State, now: datetime) -> Iterator[Step[str]]:
    """The rest of a walk; a token that is refused (Bluesky: with a 500) costs a new start."""
    steps = _walked(entry, stream, begun, now)
    try:
        first = next(steps)
    except (Rejected, Unavailable):
        steps = _walked(entry, stream, {**begun, "token": None}, now)
        first = next(steps)
    yield first
    yield from steps


def _walked(entry: State, stream: Stream, begun: State, now: datetime) -> Iterator[Step[str]]:
    entry["walk"] = begun
    steps = walk(
        lambda token: stream.ask(begun["asked"], token),
        stream.read,
        start=begun["token"],
        is_old=lambda item: stream.is_old(begun["asked"], item),
    )
    for step in steps:
        places = [place for item in step.items if (place := _place(stream, item, _latest(now)))]
        begun["high"] = max([*places, *filter(None, [begun["high"]])], default=None)
        begun["token"] = step.token
        if step.token is None:
            _finished(entry, begun, now)
        yield step


def _latest(now: datetime) -> str:
    """No time after this is one at which something was written, whatever clock told it."""
    return stamp(now + CLOCKS_AGREE)


def _place(stream: Stream, item: Any, latest: str) -> Place | None:
    try:
        place = stream.place(item)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # an item of unknown shape has no say in where the stream stands
    return place if place[0] <= min(stream.settled, latest) else None


def _finished(entry: State, begun: State, now: datetime) -> None:
    del entry["walk"]
    mark, high = entry.get("mark"), begun["high"]
    since, until = begun["bounds"]
    is_gapless = until is None and (since is None or mark is None or since <= mark[0])
    if high and is_gapless:
        entry["mark"] = max(high, mark) if mark else high
    entry["done"], entry["done_at"] = begun["bounds"], stamp(now)


def mapped(rows: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    """What the mapping of an item yields; a value of the wrong shape is a ``TypeError``."""
    try:
        yield from rows()
    except AttributeError as error:
        raise TypeError(str(error)) from error


def came_of_age(known: KnownMessage, last: datetime, now: datetime) -> bool:
    """Whether the message became 1, 3, 7 or 30 days old since the last look."""
    return any(last < known.created_at + days * DAY <= now for days in CHECK_AGES)


def recheck(
    state: State,
    window: Window,
    size: int,
    is_due: Callable[[KnownMessage, datetime, datetime], bool] = came_of_age,
    reach: timedelta = CHECK_AGES[-1] * DAY,
) -> Iterator[list[KnownMessage]]:
    """Batches of known messages to look at again, once a UTC day; resumes like a stream.

    ``reach`` is the age up to which any is due. A backfill re-reads its window anyway and looks at
    nothing else.
    """
    if given(window) != OPEN or not (begun := _look(state, window.now, reach)):
        return
    state["recheck"] = begun
    last, now, after = instant(begun["from"]), instant(begun["to"]), begun["after"]
    due = sorted(
        (stamp(known.created_at), known.message_id, known)
        for known in window.known(instant(after[0]))
        if is_due(known, last, now) and [stamp(known.created_at), known.message_id] > after
    )
    for at in range(0, len(due), size):
        batch = due[at : at + size]
        begun["after"] = list(batch[-1][:2])
        yield [known for _, _, known in batch]
    del state["recheck"]
    state["checked"] = begun["to"]


def _look(state: State, now: datetime, reach: timedelta) -> State | None:
    """The look under way, or a new one if today has had none."""
    if begun := state.get("recheck"):
        return dict(begun)
    last = instant(state["checked"]) if "checked" in state else now - DAY
    if "checked" in state and last.date() == now.astimezone(UTC).date():
        return None
    return {
        "from": stamp(last),
        "to": stamp(now),
        "after": [stamp(last - reach), ""],
    }
