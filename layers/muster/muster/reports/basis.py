"""A run of measure and a report's settings → what all parts of the report rest on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from muster.clock import DAY, last_whole_period, next_period
from muster.reports import goal_lines, signals, words
from muster.reports.goal_lines import Judged
from muster.reports.series import Key, Series, all_series, settled
from muster.reports.words import Words
from muster.results import Kpi, Measured, Reading

if TYPE_CHECKING:  # settings bring pydantic, which a report does not need
    from muster.settings import Report, Settings


@dataclass(frozen=True)
class Basis:
    """A report, what was measured (its KPIs in the report's words), and the goals it judges.

    ``series`` and ``readings`` end with the last period whose value no longer moves.
    """

    report: Report
    settings: Settings
    measured: Measured
    as_of: datetime
    say: Words
    start: date
    judged: tuple[Judged, ...]
    series: Mapping[Key, Series]
    readings: Mapping[Key, Reading]

    @property
    def grain(self) -> str:
        return self.report.grain

    @property
    def end(self) -> date:
        """The last day of the period."""
        return next_period(self.start, self.grain) - DAY

    @property
    def here(self) -> ZoneInfo:
        """Where the report is read."""
        zone = self.report.timezone
        return ZoneInfo(zone) if zone else self.settings.zone


def of(
    report: Report,
    settings: Settings,
    measured: Measured,
    as_of: datetime,
    readings: Mapping[Key, Reading],
) -> Basis:
    """The basis of the last whole period before ``as_of`` (exclusive)."""
    say, zone = words.of(report.language, settings.language), settings.zone
    measured = replace(measured, kpis=tuple(map(say.kpi, measured.kpis)))
    series = all_series(measured.kpis, measured.values, report.grain, as_of, zone)
    series, readings = settled(series, readings, settings.longest_windows, as_of, zone)
    judged = goal_lines.of_report(report, settings.goals, measured.goals)
    if _is_of_an_audience(report, judged, measured.kpis):
        measured = replace(measured, waiting=(), waiting_more=0, waiting_old=0)
    return Basis(
        report,
        settings,
        measured,
        as_of,
        say,
        last_whole_period(as_of, zone, report.grain),
        judged,
        series,
        {key: signals.fitting(series[key], one) for key, one in readings.items()},
    )


def _is_of_an_audience(report: Report, judged: Iterable[Judged], kpis: Iterable[Kpi]) -> bool:
    """Whether all it names are an audience's measures, its size among them: of what is remarked
    there most asks for nothing."""
    about = {*report.kpis, *(goal.kpi for goal, _ in judged)}
    asked = [kpi for kpi in kpis if kpi.id in about]
    has_size = any(kpi.table == "audience" for kpi in asked)
    return bool(report.kpis) and has_size and all("audience" in kpi.communities for kpi in asked)
