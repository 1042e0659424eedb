"""The catalogue at hand and what was measured before → since when each KPI is defined as it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from muster.errors import StoreRefused
from muster.project import Project
from muster.results import Definition, Kpi

KEY = "measured/definitions.json"


def noted(project: Project, kpis: Iterable[Kpi], as_of: datetime) -> tuple[Definition, ...]:
    """Every version known so far and those of ``kpis`` that are new as of ``as_of``."""
    known = _known(project)
    latest = {one.kpi: one.version for one in known}
    day = as_of.astimezone(project.settings.zone).date()
    new = (Definition(kpi.id, kpi.version, day) for kpi in kpis)
    return (*known, *(one for one in new if latest.get(one.kpi) != one.version))


def _known(project: Project) -> tuple[Definition, ...]:
    stored = project.lake.get(KEY)
    if stored is None:
        return ()
    try:
        return msgspec.json.decode(stored.data, type=tuple[Definition, ...])
    except msgspec.DecodeError as error:
        raise StoreRefused(
            f"{project.lake.url(KEY)} cannot be read: bring an earlier version of it back, or "
            "delete it (charts then no longer mark when a KPI got another definition)"
        ) from error


def keep(project: Project, definitions: tuple[Definition, ...]) -> None:
    """Remember them beside the measurement."""
    project.lake.put(KEY, msgspec.json.encode(definitions))
