"""The settings and what each source remembers → the sources to fetch now, and the oldest news."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from muster.lake import state
from muster.project import Project
from muster.settings import Source

# An hourly schedule never fires on the second: without it, every second hour would be left out.
EARLY = timedelta(minutes=5)


@dataclass(frozen=True)
class Plan:
    """The sources that are due; ``lag`` is the age in seconds of the oldest last success.

    A source that never succeeded has no age: it is due, and its failure tells.
    """

    sources: tuple[str, ...]
    lag: float | None


def plan(project: Project) -> Plan:
    """Ask every source's memory once."""
    now = project.clock()
    fetched = [one for one in project.settings.sources if one.platform != "file"]
    last = [(one, state.told(project.lake, one.name).last_success_at) for one in fetched]
    ages = [(now - at).total_seconds() for _, at in last if at is not None]
    due = tuple(one.name for one, at in last if _is_due(one, at, now))
    return Plan(due, max(ages, default=None))


def due(project: Project) -> tuple[str, ...]:
    """The sources whose last success is ``every`` ago or more; files are imported, not fetched."""
    return plan(project).sources


def _is_due(source: Source, last: datetime | None, now: datetime) -> bool:
    # A success in the future was told by a clock that was ahead: nobody knows when it was.
    return last is None or last > now + EARLY or now >= last + source.every - EARLY
