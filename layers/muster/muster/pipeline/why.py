"""A project and a KPI → its definition and last values, or one value with the rows behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from muster.clock import parse_period
from muster.errors import BadSettings
from muster.kpis import catalogue
from muster.lake.nearby import nearby
from muster.measured import KpiValue
from muster.names import nearest
from muster.pipeline import freshness, lake_views, latest
from muster.project import Project
from muster.reports import dates, events, numbers, words
from muster.reports.model import Break
from muster.results import Behind, Kpi, Measured

SHOWN_VALUES = 24
WHOLE = "all"


@dataclass(frozen=True)
class Why:
    """One value with all that explains it.

    ``value`` and ``n`` are the lake's now, seen as of the last measurement; ``measured`` is what
    that measurement found (None: no value). Where both differ, the lake has changed since.
    """

    kpi: Kpi
    grain: str
    period_start: date
    segment: str
    as_of: datetime
    value: float | None
    value_text: str
    n: int
    period_text: str
    measured: KpiValue | None
    behind: Behind
    breaks: tuple[Break, ...]

    @property
    def has_changed(self) -> bool:
        """Whether the lake gives another value now than when it was measured."""
        before = self.measured.value if self.measured else None
        if before is None or self.value is None:
            return before != self.value
        return abs(before - self.value) > 1e-9 * max(1.0, abs(before))

    @property
    def sentence(self) -> str:
        """The value with all that a reader must know of it."""
        if self.value is None:
            said = "no value"
        else:
            said = f"{self.value_text} ({self.value:.12g} {self.kpi.unit}), n = {self.n:,}"
        notes = [
            text
            for text, holds in (
                ("rests on too few", self.measured and self.measured.too_few),
                ("the period still moves", self.measured and self.measured.partial),
                (f"the lake has changed since it was measured: {self._before}", self.has_changed),
            )
            if holds
        ]
        return "; ".join([said, *notes])

    @property
    def _before(self) -> str:
        return "it had no value" if self.measured is None else f"it was {self.measured.value:.12g}"


def shown(project: Project, kpi_id: str) -> tuple[Kpi, tuple[Break, ...], tuple[KpiValue, ...]]:
    """A KPI, its new definitions and its last values, weeks first; ``BadSettings`` names all."""
    kpi, seen = _kpi(project, kpi_id), latest.read(project)
    values = sorted((one for one in seen.values if one.kpi == kpi_id), key=_newest_first)
    return kpi, _breaks(seen, kpi), tuple(values[:SHOWN_VALUES])


def _breaks(measured: Measured, kpi: Kpi) -> tuple[Break, ...]:
    return events.breaks(measured.definitions, kpi.id, words.load())


def why(
    project: Project, kpi_id: str, period: str, segment: str | None = None, most: int | None = None
) -> Why:
    """A period's value (2026-W47, 2026-11 …) and at most ``most`` rows of each table behind it.

    Without a ``segment`` it is the whole, or the only one there is.
    """
    from muster.kpis import behind

    kpi, seen = _kpi(project, kpi_id), latest.read(project)
    if unset := [need for need in kpi.needs if not getattr(project.settings, need)]:
        raise BadSettings(f"{kpi.id} has no values: muster.yaml has no {', '.join(unset)}")
    grain, start = _period(kpi, period)
    chosen = segment or _segment(kpi, seen, grain, start)
    with nearby(project.lake) as lake:
        found = behind.behind(
            lake_views.connected(replace(project, lake=lake)),
            project.settings,
            kpi,
            (grain, start),
            chosen,
            as_of=seen.as_of,
            coverage=freshness.coverage_of(project, seen.as_of),
            most=most,
        )
    before = _measured(seen, kpi_id, grain, start, chosen)
    # Where nothing happened and a fetch covers the period, only the measurement knows of the 0.
    is_zero = found.value is None and before is not None and before.n == 0
    value = before.value if is_zero and before else found.value
    style = numbers.style_of(kpi, project.settings.currency, words.load())
    text = numbers.value_text(value, style)
    named = dates.period_text(grain, start, words.load())
    return Why(
        kpi, grain, start, chosen, seen.as_of, value, text, found.n, named, before, found,
        _breaks(seen, kpi),
    )  # fmt: skip


def _kpi(project: Project, kpi_id: str) -> Kpi:
    found = {kpi.id: kpi for kpi in catalogue.load(project.kpi_folder)}
    if kpi_id not in found:
        advice = nearest(kpi_id.lower(), found, "muster kpis list shows them all")
        raise BadSettings(f"no KPI {kpi_id!r}: {advice}")
    return found[kpi_id]


def _newest_first(value: KpiValue) -> tuple[bool, int, str]:
    return value.grain != "week", -value.period_start.toordinal(), value.segment


def _period(kpi: Kpi, text: str) -> tuple[str, date]:
    grain, start = parse_period(text)
    if grain not in kpi.grains:
        raise BadSettings(f"{kpi.id} has no values by {grain}: it has {', '.join(kpi.grains)}")
    return grain, start


def _segment(kpi: Kpi, measured: Measured, grain: str, start: date) -> str:
    """The whole, or the only segment there is; ``BadSettings`` names them if there are several."""
    values = [one for one in measured.values if (one.kpi, one.grain) == (kpi.id, grain)]
    known = sorted({one.segment for one in values if one.period_start == start})
    known = known or sorted({one.segment for one in values})
    if WHOLE in known or not known:
        return WHOLE
    if len(known) == 1:
        return known[0]
    raise BadSettings(f"{kpi.id} has no whole: choose --segment {', '.join(known)}")


def _measured(
    measured: Measured, kpi_id: str, grain: str, start: date, segment: str
) -> KpiValue | None:
    key = (kpi_id, grain, start, segment)
    values: Sequence[KpiValue] = measured.values
    return next(
        (one for one in values if (one.kpi, one.grain, one.period_start, one.segment) == key), None
    )
