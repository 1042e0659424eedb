"""What is remembered of each source → what it vouches for, and how fresh it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from muster.lake import raw, state
from muster.lake.state import State
from muster.measured import Coverage
from muster.pipeline import left_behind
from muster.project import Project, all_sources
from muster.results import SourceFacts
from muster.settings import Source

STALE_AFTER = timedelta(hours=26)


def coverage_of(project: Project, as_of: datetime) -> Iterator[Coverage]:
    """What successes vouch for: a fetch to its last success, an import to ``as_of``."""
    for name in all_sources(project):
        source, memory = project.settings.source(name), state.told(project.lake, name)
        is_fetched = _is_fetched(source) if source else left_behind.was_fetched(memory)
        to_at = memory.last_success_at if is_fetched else as_of
        for table in memory.covered:
            from_at = memory.vouched_from(table)
            if to_at is not None and from_at < to_at:
                yield Coverage(source=name, table_name=table, from_at=from_at, to_at=to_at)


def facts_of(project: Project, name: str, as_of: datetime, connection: object) -> SourceFacts:
    """What a report tells of a source: how it stands, and how many messages it has."""
    source, memory = project.settings.source(name), state.told(project.lake, name)
    return SourceFacts(
        name=name,
        platform=source.platform if source else "file",
        last_success_at=memory.last_success_at if _is_fetched(source) else memory.last_run_at,
        last_error=memory.last_error,
        is_stale=_is_stale(source, memory, as_of),
        messages=_messages(connection, name),
        quarantined=raw.quarantined(project.lake, name),
        timezone=source.timezone if source else None,
        trouble=memory.last_trouble,
    )


def _is_fetched(source: Source | None) -> bool:
    return source is not None and source.platform != "file"


def _messages(connection: object, name: str) -> int:
    sql = "select count(*) from messages where source = ?"
    return int(connection.execute(sql, [name]).fetchall()[0][0])  # type: ignore[attr-defined]


def _is_stale(source: Source | None, memory: State, as_of: datetime) -> bool:
    """Fetched, and a day and two hours without a success, or twice its interval."""
    if source is None or not _is_fetched(source):
        return False
    patience = max(STALE_AFTER, 2 * source.every)
    return memory.last_success_at is None or as_of - memory.last_success_at > patience
