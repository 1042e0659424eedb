"""Platforms → the lake: raw first, map, merge, cursor last; a broken source costs only itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import uuid4

from muster import sources
from muster.clock import local_midnight
from muster.errors import BadSettings, RateLimited, Retry, SourceFailed, WrongClock
from muster.lake import erasing, known, merge, parquet, raw, state, suppression
from muster.lake.observed import Sighted
from muster.lake.probing import check_writable
from muster.lake.state import State
from muster.pipeline import connecting, left_behind, moods, people, retention
from muster.pipeline.batches import BATCH_ITEMS, Cursor, batches
from muster.pipeline.beside import Beside, Meanwhile, after
from muster.pipeline.forgetting import forget
from muster.pipeline.mapping import Read, Refusals, mapper, reader
from muster.pipeline.repeats import Repeats
from muster.pipeline.sweeping import seldom_swept
from muster.pipeline.whose import is_theirs
from muster.project import Progress, Project
from muster.records import Page
from muster.sentiment import Mood
from muster.settings import Source

# A paid scorer is slow: less of it is left to do when the time of a function is up.
BATCH_PAID = 1_000
AT_ONCE = 4


@dataclass(frozen=True)
class Fetched:
    """What one fetch of one source brought; ``error`` is empty if all went well.

    ``again_in`` is set if only time ran out: the seconds after which the fetch may go on.
    ``unscored`` texts got no score, because of ``trouble``; a replay scores them.
    ``is_clock_wrong`` if this computer's clock is not the platform's.
    """

    source: str
    items: int = 0
    changed: Mapping[str, int] = field(default_factory=dict)
    quarantined: int = 0
    error: str = ""
    again_in: float | None = None
    unscored: int = 0
    trouble: str = ""
    is_clock_wrong: bool = False


def chosen(project: Project, names: Sequence[str]) -> tuple[Source, ...]:
    """The sources of these names, or all; ``BadSettings`` names those there are."""
    there = {source.name: source for source in project.settings.sources}
    for name in names:
        if name not in there:
            raise BadSettings(f"no source {name!r}: there are {', '.join(there) or 'none yet'}")
    return tuple(there[name] for name in names) if names else tuple(there.values())


def fetch(
    project: Project,
    names: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[Fetched, ...]:
    """Fetch each source into the lake; what went wrong is told in its own result."""
    picked = chosen(project, names)
    check_writable(project.lake)
    # Most of a fetch is waiting for the platform, so sources go side by side.
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        with seldom_swept():
            told = pool.map(lambda one: _fetch_or_say_why(project, one, since, until), picked)
            found = tuple(told)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    people.settle_after(project)
    if not any(one.is_clock_wrong for one in found):  # by a clock that is ahead all would be old
        retention.expire(project)
    return found


def _fetch_or_say_why(
    project: Project, source: Source, since: datetime | None, until: datetime | None
) -> Fetched:
    fetched = Fetched(source.name)
    try:
        for fetched in _visit(project, source, since, until):
            step = Progress("fetch", source.name, fetched.items, "items")
            project.notify(step)
    except (Retry, SourceFailed) as error:
        message = str(error).removeprefix(f"{source.name}: ")
        with suppress(SourceFailed):  # A state that cannot be read is what the message is about.
            memory = state.load(project.lake, source.name)
            memory = replace(memory, last_error=message, last_trouble=error.trouble)
            state.save(project.lake, source.name, memory)
        again_in = error.seconds if isinstance(error, RateLimited) else None
        is_wrong = isinstance(error, WrongClock)
        return replace(fetched, error=message, again_in=again_in, is_clock_wrong=is_wrong)
    return fetched


def _visit(
    project: Project, source: Source, since: datetime | None, until: datetime | None
) -> Iterator[Fetched]:
    """Store one source's window batch by batch, telling the sum so far after each.

    Each batch is stored, its cursor last, in a thread of its own while the next is read.
    """
    lake, started, platform = project.lake, project.clock(), sources.platform(source.platform)
    memory = state.load(lake, source.name)
    if memory == State() and source.platform != "file":
        left_behind.warn_of_new_name(project, source.name)
    memory = replace(memory, last_run_at=started, rows=0, quarantined=0)
    is_backfill = since is not None or until is not None
    echoed = project.http.echoed if project.http else ()
    meanwhile = Meanwhile(mapper(source, echoed))
    api = connecting.connect(project, source, meanwhile.use)
    run, fetched = run_name(started), Fetched(source.name)
    mood = moods.mood(project, source.name)
    first = since or _start(project, source)

    def keep(numbered: tuple[int, tuple[list[Read], Cursor]]) -> Fetched:
        nonlocal memory, fetched
        number, (reads, reached) = numbered
        fetched, covered = _store(project, source, run, number, reads, fetched, mood)
        covered = _asked_for(covered, first)
        cursor = memory.cursor if is_backfill or reached is None else reached
        memory = replace(memory, cursor=cursor, covered=first_of(memory.covered, covered))
        memory = state.save(lake, source.name, _counted(memory, fetched))
        return fetched

    beside = Beside(keep)
    cursor = {} if is_backfill else memory.cursor
    window = _window(project, source, cursor, first, until, beside.settle)
    told = platform.pages(api, window)
    read = meanwhile.each(told, sources.is_metered(platform), beside.settle)
    with closing(api) if api is not None else nullcontext(), closing(read) as pages:
        found = batches(pages, reader(Repeats()), _most(project, source), echoed)
        yield from beside.each(enumerate(found))
    if until is None:  # A window that ends in the past vouches for nothing up to now.
        covered = _vouched(memory.covered, first, started)
        memory = replace(memory, covered=covered, last_success_at=started)
        memory = replace(memory, last_error="", last_trouble="")
    state.save(lake, source.name, _counted(memory, fetched))
    yield fetched


def _window(
    project: Project,
    source: Source,
    cursor: Mapping[str, Any],
    since: datetime | None,
    until: datetime | None,
    settle: Callable[[], None],
) -> sources.Window:
    """What is to be read; what the lake holds is told once all that was read before is in it."""
    return sources.Window(
        options=source,
        now=project.clock(),
        cursor=cursor,
        since=since,
        until=until,
        known=lambda at: after(settle, known.known(project.lake, source.name, at)),
        reviews=lambda: after(settle, known.reviews(project.lake, source.name)),
        responses=lambda: after(settle, known.responses(project.lake, source.name)),
        groups=_groups(project, source),
    )


def _start(project: Project, source: Source) -> datetime | None:
    """From when on the settings want the source."""
    return local_midnight(source.since, project.settings.zone) if source.since else None


def _groups(project: Project, source: Source) -> tuple[str, ...]:
    """The platform's groups that the settings mean on this source."""
    settings = project.settings
    named = (*settings.staff, *settings.bots, *settings.not_bots)
    here = {one.group for one in named if one.group and one.source in (None, source.name)}
    return tuple(sorted(here))


def _most(project: Project, source: Source) -> int:
    return BATCH_PAID if moods.is_paid(project, [source.name]) else BATCH_ITEMS


def _store(
    project: Project,
    source: Source,
    run: str,
    number: int,
    reads: list[Read],
    so_far: Fetched,
    mood: Mood,
) -> tuple[Fetched, Mapping[str, datetime]]:
    """Raw first, then the tables, then what was refused; also the earliest row of each table."""
    count = _count(reads)
    reads[:] = _of_the_present(project, source, reads)
    raw.write_lines(project.lake, source.name, run, number, _lines(reads))
    found, refused = _told(reads)
    reads.clear()  # Lines are the larger part of a batch; merging needs the memory.
    covered = earliest(found)
    told = _let_go(found)
    changed = merge.merge_sighted(project.lake, source.name, [told], derive=mood.read)
    raw.quarantine(project.lake, source.name, run, number, refused)
    return _brought(so_far, count, changed, len(refused), mood), covered


def _let_go(found: list[Sighted]) -> Iterator[Sighted]:
    """What was sighted, which whoever takes it has alone."""
    while found:
        yield found.pop(0)


def _count(reads: Iterable[Read]) -> int:
    return sum(read.count for read in reads)


def _told(reads: Sequence[Read]) -> tuple[list[Sighted], Refusals]:
    """What all of them brought, and what was refused."""
    found = [one for read in reads for one in read.found]
    return found, [one for read in reads for one in read.refused]


def _lines(reads: Iterable[Read]) -> Iterator[tuple[date, bytes]]:
    return (lines for read in reads for lines in read.lines)


def _of_the_present(project: Project, source: Source, reads: list[Read]) -> list[Read]:
    """What was read without items of erased members, and without their names in the others."""
    suppressed = suppression.load(project.lake, source.name)
    if not suppressed:
        return reads
    theirs, map_again = is_theirs(source, suppressed), mapper(source)
    items = (raw.item_of(line) for _, lines in _lines(reads) for line in raw.split(lines))
    cleaned = (erasing.clean_item(item, suppressed, theirs) for item in items)
    return [reader()([map_again(item) for item in cleaned if item is not None])]


def _brought(
    so_far: Fetched, items: int, changed: Mapping[str, int], refused: int, mood: Mood
) -> Fetched:
    """The sum after one more batch."""
    return replace(
        so_far,
        items=so_far.items + items,
        changed=added(so_far.changed, changed),
        quarantined=so_far.quarantined + refused,
        unscored=mood.unscored,
        trouble=mood.trouble(),
    )


def replay(
    project: Project,
    names: Sequence[str] = (),
    since: date | None = None,
    *,
    rescore: bool = False,
) -> tuple[Fetched, ...]:
    """Map the raw items again, for a mending of the mapping; needs no platform.

    Texts without a score get one; with ``rescore`` all do, for a change of the scorer.
    """
    check_writable(project.lake)
    picked = chosen(project, names)
    made = [(one, moods.mood(project, one.name, again=rescore)) for one in picked]
    with seldom_swept():
        found = tuple(_replay(project, source, since, mood) for source, mood in made)
    people.settle_after(project)
    forget(project.lake)  # a mended mapping changes rows, not when they were observed
    return found


def replay_cost(
    project: Project, names: Sequence[str] = (), since: date | None = None, *, rescore: bool = False
) -> moods.Cost:
    """What the same replay would pay for scores: it is gone through, and nothing is written."""
    cost, dry = moods.Cost(), replace(project, lake=moods.Untouched(project.lake))
    for source in chosen(project, names):
        if moods.is_paid(project, [source.name]):
            _replay(dry, source, since, Mood(cost.scorer(), source.lang, rescore))
    return cost


def _replay(project: Project, source: Source, since: date | None, mood: Mood) -> Fetched:
    fetched, run = Fetched(source.name), run_name(project.clock())
    items = map(mapper(source), raw.read(project.lake, source.name, since))
    pages = ((Page(()), (item,)) for item in items)
    try:
        for number, (reads, _) in enumerate(batches(pages, reader())):
            found, refused = _told(reads)
            changed = merge.merge_sighted(project.lake, source.name, [found], derive=mood.read)
            raw.quarantine(project.lake, source.name, run, number, refused)
            fetched = _brought(fetched, _count(reads), changed, len(refused), mood)
    except (Retry, SourceFailed) as error:
        return replace(fetched, error=str(error).removeprefix(f"{source.name}: "))
    return fetched


def run_name(started: datetime) -> str:
    """A name no other run has, in the order of time."""
    return f"{started:%Y%m%dT%H%M%S%fZ}-{uuid4().hex[:8]}"


def added(before: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """The sums per table."""
    return {table: before.get(table, 0) + more.get(table, 0) for table in {**before, **more}}


def earliest(found: Iterable[Sighted]) -> dict[str, datetime]:
    """When the first row of each table is of, in UTC."""
    seen = ((one.table.name, parquet.earliest(one.table, one.rows)) for one in found)
    return first_of(*({name: _instant(at)} for name, at in seen if at))


def _instant(value: date | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time(), UTC)


def first_of(*covers: Mapping[str, datetime]) -> dict[str, datetime]:
    """The earliest instant each table is covered from."""
    tables = {table for cover in covers for table in cover}
    return {table: min(cover[table] for cover in covers if table in cover) for table in tables}


def _vouched(
    covered: Mapping[str, datetime], since: datetime | None, started: datetime
) -> dict[str, datetime]:
    """A success vouches for messages from ``since`` or the first one; with neither, from now on."""
    return first_of(covered, {"messages": since or started})


def _asked_for(covered: Mapping[str, datetime], since: datetime | None) -> Mapping[str, datetime]:
    """A message from before what was asked for came along with another: it vouches for nothing."""
    if since is None or "messages" not in covered:
        return covered
    return {**covered, "messages": max(since, covered["messages"])}


def _counted(memory: State, fetched: Fetched) -> State:
    return replace(memory, rows=sum(fetched.changed.values()), quarantined=fetched.quarantined)
