"""The lake → what is not as it should be (check), and the same lake mended (repair).

A check reads every object of every table once and writes nothing. A repair mends what a check
finds and can be mended without loss, sets the rest aside, and checks again what it has touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any

from muster.errors import Conflict
from muster.lake import across, checking, cursors, mending, parquet
from muster.lake.aside import ASIDE
from muster.lake.findings import Finding
from muster.lake.merge import Key
from muster.lake.places import Place, place_of
from muster.lake.probing import check_writable
from muster.pipeline import damaged
from muster.pipeline.forgetting import forget
from muster.project import Progress, Project
from muster.records import TABLES, Table
from muster.store import Store

ROUNDS = 5
PROBE = "probe-"
BATCH = 5_000
REWRITTEN = ("old_schema", "broken", "unsorted", "statistics", "twice")


@dataclass(frozen=True)
class Checked:
    """How many objects were read, and what was found in them and between them."""

    objects: int
    found: tuple[Finding, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong; what is only worth knowing does not count."""
        return not any(one.is_wrong for one in self.found)


@dataclass(frozen=True)
class Repaired:
    """What was mended, which objects and rows were set aside where, and what is left."""

    mended: tuple[Finding, ...] = ()
    aside: tuple[str, ...] = ()
    left: tuple[Finding, ...] = field(default=())

    @property
    def is_well(self) -> bool:
        """Whether nothing wrong is left."""
        return not any(one.is_wrong for one in self.left)


@dataclass(frozen=True)
class _Looked:
    """One object: what is wrong with it, and if its rows can be read its place and fullness."""

    faults: tuple[Finding, ...] = ()
    place: Place | None = None
    is_full: bool = False


def check(project: Project) -> Checked:
    """Look at every object of the lake; nothing is written."""
    return _examined(project)[0]


def repair(project: Project) -> Repaired:
    """Mend what can be mended; killed anywhere and run again, the lake is the same."""
    check_writable(project.lake)
    mended: list[Finding] = []
    aside: list[str] = []
    for _ in range(ROUNDS):
        checked, places = _examined(project)
        todo = [one for one in checked.found if one.is_mended]
        if not todo:
            break
        forget(project.lake)  # rows of the past change without a new observed_at
        with suppress(Conflict):  # Somebody was faster: the next round sees what is left.
            aside += _mend(project, todo, places)
        mended += todo
    return Repaired(tuple(mended), tuple(dict.fromkeys(filter(None, aside))), checked.found)


def _examined(project: Project) -> tuple[Checked, list[Place]]:
    """What is wrong anywhere, and the places of all objects that can be read."""
    looked = []
    for number, key in enumerate(_keys(project), 1):
        project.notify(Progress("check", key.split("/")[1], number, "objects"))
        looked.append(_look(project, key))
    places = [one.place for one in looked if one.place]
    found = [fault for one in looked for fault in one.faults]
    found += _open_before_others(looked)
    found += _between(project, places)
    found += cursors.states(project.lake, {place.source for place in places})
    found += damaged.found(project)
    found += _left_lying(project.lake)
    return Checked(len(looked), tuple(found)), places


def _keys(project: Project) -> Iterator[str]:
    """The keys below every table whose schema is in one place; derived ones are made anew."""
    for name in TABLES:
        yield from (entry.key for entry in project.lake.list(f"tables/{name}/"))


def _look(project: Project, key: str) -> _Looked:
    place = place_of(key)
    if place is None:
        return _Looked((Finding("foreign", key),))
    stored = project.lake.get(key)
    if stored is None:  # Gone since it was listed.
        return _Looked()
    faults = tuple(checking.faults(place, stored.data, project.clock()))
    if {one.kind for one in faults} & {"foreign", "unreadable", "newer"}:
        return _Looked(faults)
    return _Looked(faults, place, parquet.is_full(stored.data))


def _open_before_others(looked: Iterable[_Looked]) -> Iterator[Finding]:
    """Months in which a part is missing, or takes new keys though others follow it."""
    full = {one.place: one.is_full for one in looked if one.place}
    newer = {fault.where.rpartition("/")[0] for one in looked for fault in one.faults
             if fault.kind == "newer"}  # fmt: skip
    for folder, parts in _by_folder(full).items():
        if folder in newer:  # its parts are for another version to count
            continue
        closed = sum(full[place] for number, place in parts.items() if number < max(parts))
        if count := max(parts) - closed:
            yield Finding("parts", folder, count)


def _between(project: Project, places: Sequence[Place]) -> Iterator[Finding]:
    """What is wrong between objects that are well by themselves."""
    engine = _engine(project)
    for table, source, urls in _by_source(project.lake, places):
        if count := sum(1 for _ in across.copies(engine, table, urls)):
            where = f"tables/{table.name}/source={source}"
            yield Finding("twice", where, count, "in several objects")
    yield from across.orphans(engine, {project.lake.url(one.key): one for one in places})


def _by_folder(places: Iterable[Place]) -> dict[str, dict[int, Place]]:
    found: dict[str, dict[int, Place]] = {}
    for place in places:
        found.setdefault(place.folder, {})[place.part] = place
    return found


def _by_source(lake: Store, places: Iterable[Place]) -> Iterator[tuple[Table, str, list[str]]]:
    for (name, source), found in groupby(sorted(places), lambda one: (one.name, one.source)):
        yield TABLES[name], source, [lake.url(one.key) for one in found]


def _engine(project: Project) -> Any:
    from muster.kpis import engine

    return engine.without_views(project.lake.url(), project.environment)


def _left_lying(lake: Store) -> Iterator[Finding]:
    yield from (Finding("left_over", entry.key) for entry in lake.list(PROBE))
    yield from (Finding("aside", entry.key) for entry in lake.list(ASIDE))


def _mend(project: Project, todo: Sequence[Finding], places: Sequence[Place]) -> Iterator[str]:
    """Mend, in an order in which every step leaves less to do; tells what was set aside."""
    lake = project.lake
    kinds: dict[str, list[str]] = {}
    for one in todo:
        kinds.setdefault(one.kind, []).append(one.where)
    for key in (*kinds.get("foreign", ()), *kinds.get("unreadable", ()), *kinds.get("state", ())):
        yield mending.set_aside(lake, key)
    for key in kinds.get("left_over", ()):
        lake.delete(key)
    for key in dict.fromkeys(key for kind in REWRITTEN for key in kinds.get(kind, ())):
        if place := place_of(key):
            yield mending.rewrite(lake, place)
    folders = _by_folder(places)
    for folder in kinds.get("parts", ()):
        mending.close_parts(lake, folders[folder].values())
    _gather(project, places, kinds.get("wrong_month", ()))
    for key in kinds.get("too_large", ()):
        if place := place_of(key):
            mending.split(lake, place, max(folders[place.folder]))


def _gather(project: Project, places: Sequence[Place], misplaced: Iterable[str]) -> None:
    """Bring together the rows of keys that stand in several objects or in the wrong month."""
    lake = project.lake
    for key in misplaced:
        if place := place_of(key):
            for batch in _batches((one, {key}) for one in mending.misplaced(lake, place)):
                mending.gather(lake, place.table, batch)
    there = {entry.key for entry in lake.list("tables/")}  # an open part that is empty is gone
    _bring_together(project, [one for one in places if one.key in there])


def bring_together(project: Project, table: str, sources: Iterable[str]) -> int:
    """Settle keys of some sources that stand in two months, as after a correction of their times;
    how many they were."""
    folders = [f"tables/{table}/source={source}/" for source in sources if TABLES[table].month]
    found = [place_of(entry.key) for folder in folders for entry in project.lake.list(folder)]
    places = [place for place in found if place]
    return _bring_together(project, places) if len(places) > 1 else 0


def _bring_together(project: Project, places: Sequence[Place]) -> int:
    lake, engine, count = project.lake, _engine(project), 0
    keys = {lake.url(one.key): one.key for one in places}
    for table, _, urls in _by_source(lake, places):
        found = across.copies(engine, table, urls)
        for batch in _batches((key, {keys[url] for url in there}) for key, there in found):
            if not count:
                forget(lake)  # rows of the past change without a new observed_at
            mending.gather(lake, table, batch)
            count += len(batch)
    return count


def _batches(found: Iterable[tuple[Key, set[str]]]) -> Iterator[dict[Key, set[str]]]:
    pairs = iter(found)
    while batch := dict(islice(pairs, BATCH)):
        yield batch
