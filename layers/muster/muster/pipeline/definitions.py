"""The catalogue at hand and what was measured before → since when each KPI is defined as it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

import msgspec

from muster.project import Project
from muster.remembered import Remembered
from muster.results import Definition, Kpi

KEY = "measured/definitions.json"
DEFINITIONS = Remembered(
    partial(msgspec.json.decode, type=tuple[Definition, ...]),
    "charts then no longer mark when a KPI got another definition",
)


def noted(project: Project, kpis: Iterable[Kpi], as_of: datetime) -> tuple[Definition, ...]:
    """Every version known so far and those of ``kpis`` that are new as of ``as_of``."""
    known = DEFINITIONS.get(project.lake, KEY) or ()
    latest = {one.kpi: one.version for one in known}
    day = as_of.astimezone(project.settings.zone).date()
    new = (Definition(kpi.id, kpi.version, day) for kpi in kpis)
    return (*known, *(one for one in new if latest.get(one.kpi) != one.version))


def keep(project: Project, definitions: tuple[Definition, ...]) -> None:
    """Remember them beside the measurement."""
    project.lake.put(KEY, msgspec.json.encode(definitions))
