"""The settings' ``keep`` → a lake without what has stayed for long enough.

Every fetch applies it to every source. Whole months (of raw and quarantine: days) go once they are
over for that long, and the source's state says first from when on it still vouches for rows, so
that what is gone is never counted as nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from muster.errors import Conflict, SourceFailed
from muster.lake import state
from muster.pipeline.forgetting import forget
from muster.project import Project
from muster.records import TABLES
from muster.settings_types import KEPT_AS_RECEIVED
from muster.store import Entry


def expire(project: Project) -> dict[str, int]:
    """Delete what is over; how many objects of each table, raw and quarantine went.

    Raw and quarantine first: nothing is written before they go, so a full disk gets room by them.
    """
    gone: dict[str, int] = {}
    for source, kind, entries in sorted(expired(project), key=lambda one: one[1] in TABLES):
        if kind in TABLES:
            try:
                _vouch_less(project, source, kind, max(map(ends, entries)))
            except SourceFailed:  # Nothing goes while its state cannot be read; its fetch says so.
                continue
            forget(project.lake)
        for entry in entries:
            try:
                project.lake.delete(entry.key, if_match=entry.etag)
                gone[kind] = gone.get(kind, 0) + 1
            except Conflict:  # Written just now: the next fetch sees it again.
                continue
    return gone


def expired(project: Project) -> Iterator[tuple[str, str, list[Entry]]]:
    """The objects that are over, by source and by what they hold."""
    now = project.clock()
    for source, spans in _spans(project).items():
        for kind, span in spans.items():
            folder = f"{kind}/" if kind in KEPT_AS_RECEIVED else f"tables/{kind}/"
            entries = project.lake.list(f"{folder}source={source}/")
            if over := [entry for entry in entries if ends(entry) <= now - span]:
                yield source, kind, over


def _spans(project: Project) -> dict[str, Mapping[str, timedelta]]:
    """For each source how long what is kept: its own words before the community's."""
    settings, lake = project.settings, project.lake
    own = {source.name: source.keep for source in settings.sources}
    if not settings.keep and not any(own.values()):
        return {}
    states = (entry.key.removeprefix("state/") for entry in lake.list("state/"))
    there = [name.removesuffix(".json") for name in states if "/" not in name]
    return {name: {**settings.keep, **own.get(name, {})} for name in dict.fromkeys([*own, *there])}


def ends(entry: Entry) -> datetime:
    """When the month or day of an object is over; far away for one that names none."""
    level = entry.key.split("/")[-2]
    name, _, text = level.partition("=")
    try:
        first = date.fromisoformat(f"{text}-01" if name == "month" else text)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
    after = first + timedelta(days=1)
    if name == "month":
        after = (first + timedelta(days=32)).replace(day=1)
    return datetime.combine(after, time(), UTC)


def _vouch_less(project: Project, source: str, table: str, since: datetime) -> None:
    memory = state.load(project.lake, source)
    dropped = {**memory.dropped, table: max(since, memory.dropped.get(table, since))}
    state.save(project.lake, source, replace(memory, dropped=dropped))
