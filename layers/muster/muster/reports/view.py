"""One run of measure goes in, the view model that mail, site and JSON render comes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from muster.clock import DAY, last_whole_period, next_period
from muster.errors import BadSettings
from muster.measured import KpiValue
from muster.names import nearest
from muster.reports import (
    dates,
    events,
    goal_lines,
    measures,
    missing,
    numbers,
    opening,
    quoted,
    signals,
    words,
)  # fmt: skip
from muster.reports.data import to_json
from muster.reports.goal_lines import Judged
from muster.reports.model import Change, Event, GoalLine, Measure, ReportView, Waiting
from muster.reports.series import Key, Series, all_series, settled
from muster.reports.words import Words
from muster.results import Kpi, Measured, Reading, WaitingIssue

if TYPE_CHECKING:  # settings bring pydantic, which a report does not need
    from muster.settings import Goal, Report, Settings

__all__ = ["all_series", "build", "check", "to_json"]

Signals = list[tuple[Measure, signals.Signal]]


def check(reports: Iterable[Report], kpis: Iterable[Kpi], goals: Iterable[Goal] = ()) -> None:
    """Refuse a report that names a KPI or a goal that does not exist, with the nearest one."""
    known, set_goals = [kpi.id for kpi in kpis], [goal.name for goal in goals]
    for report in reports:
        words.load(report.language or "en")
        for kpi in report.kpis:
            _refuse_unknown(report, "KPI", kpi, known, "`muster kpis list` shows them all")
        for goal in report.goals:
            _refuse_unknown(report, "goal", goal, set_goals, "see goals: in muster.yaml")


def _refuse_unknown(report: Report, what: str, name: str, known: Sequence[str], where: str) -> None:
    if name not in known:
        advice = nearest(name, known, where)
        raise BadSettings(f"report {report.name!r}: there is no {what} {name!r}: {advice}")


def build(
    report: Report,
    settings: Settings,
    measured: Measured,
    as_of: datetime,
    readings: Mapping[Key, Reading],
    site_url: str = "",
    unsubscribe_url: str = "",
) -> ReportView:
    """The report on the last whole period of its grain before ``as_of`` (exclusive).

    ``readings`` are the XmR readings of the ``numbers`` of ``all_series`` for the same grain and
    ``as_of``, by the same keys. A KPI that waits for a window is shown as of the last period whose
    window is over, and says so. Everything that is shown is computed here, nothing in a template.
    """
    say, grain = words.of(report.language, settings.language), report.grain
    zone = settings.zone
    measured = replace(measured, kpis=tuple(map(say.kpi, measured.kpis)))
    start = last_whole_period(as_of, zone, grain)
    end = next_period(start, grain) - DAY
    judged = goal_lines.of_report(report, settings.goals, measured.goals)
    here = ZoneInfo(report.timezone) if report.timezone else zone
    series = all_series(measured.kpis, measured.values, grain, as_of, zone)
    series, readings = settled(series, readings, settings.longest_windows, as_of, zone)
    readings = {
        key: signals.of_total(one) if series[key].is_running_total else one
        for key, one in readings.items()
    }
    shown = _chosen(report, settings, measured, judged, series)
    found = _measures(shown, series, readings, settings, measured, judged, grain, say)
    goals = _goal_lines(measured.kpis, judged, series, grain, settings.currency, say)
    signs = _signals(found, series, readings)
    marked = events.shown(settings, found, end)
    is_team = report.voice == "team"
    said = quoted.of_period(measured.voices if is_team else (), grain, start)
    fresh = missing.freshness(measured.sources, here, say)
    findings = opening.Findings(
        grain=grain,
        period_start=start,
        measures=found,
        signals=signs,
        goals=goal_lines.count(status for _, status in judged),
        verdicts=goal_lines.verdicts(judged),
        behind=goal_lines.behind(judged),
        waiting=len(measured.waiting) + measured.waiting_more,
        longest=_longest(measured.waiting, say),
        sources=len(measured.sources),
        stale=sum(source.is_stale for source in measured.sources),
        words=say,
    )
    sentences = opening.opening(findings, report.voice)
    return ReportView(
        name=report.name,
        community=settings.community,
        note=settings.note or "",
        title=report.title or say.TITLE,
        voice=report.voice,
        grain=grain,
        period_start=start,
        period_end=end,
        period_text=dates.period_text(grain, start, say),
        as_of=as_of,
        subject=opening.subject(findings),
        preheader=opening.preheader(findings, sentences, report.voice),
        opening=sentences,
        goals=goals,
        changes=tuple(_change(*sign, marked, say) for sign in opening.ranked(findings)),
        headline=opening.headline(findings),
        measures=found,
        waiting=_waiting(measured.waiting, here, say) if is_team else (),
        waiting_left=_left(measured, say) if is_team else "",
        unchanged=opening.unchanged(findings),
        missing=missing.missing(
            found, fresh, measured.problems, measured.other_money, settings, say
        ),
        suspected=missing.suspected(measured.suspected, say),
        freshness=fresh,
        events=marked,
        how_to_read=tuple(say.filled(text, grain=grain) for text in say.HOW_TO),
        site_url=site_url or report.site_url or "",
        unsubscribe_url=unsubscribe_url,
        event_texts=events.texts(marked, say),
        language=say.tag,
        praise=quoted.praise(said.answers, say),
        complaints=quoted.complaints(said.unhappy, say),
    )  # fmt: skip


def _chosen(
    report: Report,
    settings: Settings,
    measured: Measured,
    judged: Sequence[Judged],
    series: Mapping[Key, Series],
) -> tuple[Kpi, ...]:
    """The report's KPIs in order: those named, else goals' first, then all with data by title.

    An executive reads the KPIs of goals, and money.
    """
    known = {kpi.id: kpi for kpi in measured.kpis}
    of_goals = [goal.kpi for goal, _ in judged]
    if report.kpis:
        order: Iterable[str] = report.kpis
    else:
        with_data = {kpi for kpi, _ in series}
        by_title = sorted(with_data & known.keys(), key=lambda one: known[one].title.casefold())
        order = [*of_goals, *by_title]
    chosen = tuple(known[kpi] for kpi in dict.fromkeys(order) if kpi in known)
    if report.voice == "executive" and not report.kpis:
        kept = tuple(kpi for kpi in chosen if kpi.id in of_goals or kpi.unit == "money")
        return kept or chosen
    return chosen


def _measures(
    kpis: Iterable[Kpi],
    series: Mapping[Key, Series],
    readings: Mapping[Key, Reading],
    settings: Settings,
    measured: Measured,
    judged: Sequence[Judged],
    grain: str,
    say: Words,
) -> tuple[Measure, ...]:
    values: dict[str, list[KpiValue]] = {}
    for value in measured.values:
        values.setdefault(value.kpi, []).append(value)
    found = []
    for kpi in kpis:
        style = numbers.style_of(kpi, settings.currency, say)
        keys = [key for key in series if key[0] == kpi.id]
        breaks = events.breaks(measured.definitions, kpi.id, say)
        for key in keys:
            aim = goal_lines.aim(judged, *key, style)
            found.append(
                measures.measure(
                    series[key], readings[key], style, settings.min_n, values[kpi.id], aim, breaks
                )
            )
        if not keys:
            found.append(replace(measures.unmeasured(kpi, grain, style), breaks=breaks))
    return tuple(found)


def _goal_lines(
    kpis: Iterable[Kpi],
    judged: Iterable[Judged],
    series: Mapping[Key, Series],
    grain: str,
    currency: str,
    say: Words,
) -> tuple[GoalLine, ...]:
    known = {kpi.id: kpi for kpi in kpis}
    lines = []
    for goal, status in judged:
        if kpi := known.get(goal.kpi):
            style = numbers.style_of(kpi, currency, say)
            empty = Series(kpi, goal.segment, kpi.grain_at(grain), (), ())
            found = series.get((goal.kpi, goal.segment), empty)
            lines.append(goal_lines.goal_line(goal, status, kpi, grain, style, found))
    return tuple(lines)


def _signals(
    found: Iterable[Measure], series: Mapping[Key, Series], readings: Mapping[Key, Reading]
) -> Signals:
    """The measures whose last period is a signal, the strongest first."""
    signs = []
    for measure in found:
        key = (measure.kpi, measure.segment)
        signal = signals.signal(series[key], readings[key]) if key in series else None
        if signal:
            signs.append((measure, signal))
    return sorted(signs, key=lambda sign: sign[1].strength, reverse=True)


def _change(
    measure: Measure, signal: signals.Signal, marked: Sequence[Event], say: Words
) -> Change:
    text = f"{measure.value_text} – {measure.why}"
    beside = events.beside(measure, signal, marked, say)
    names = events.within(measure, signal, marked)
    text = f"{text}; {beside}" if beside else text
    return Change(measure.kpi, measure.title, measure.tone, text, names)


def _longest(waiting: Sequence[WaitingIssue], say: Words) -> str:
    seconds = max((issue.waited_seconds for issue in waiting), default=0.0)
    return numbers.span_text(seconds, say)


def _left(measured: Measured, say: Words) -> str:
    left = len(measured.waiting) + measured.waiting_more - quoted.WAITING_SHOWN
    return say("more_waiting", n=left) if left > 0 else ""


def _waiting(waiting: Iterable[WaitingIssue], zone: ZoneInfo, say: Words) -> tuple[Waiting, ...]:
    """The issues that wait longest, longest first."""
    longest = sorted(waiting, key=lambda issue: (-issue.waited_seconds, issue.message_id))
    return tuple(
        Waiting(
            (issue.title or "").strip() or ("" if issue.quote else say.UNTITLED),
            issue.url,
            issue.source,
            numbers.span_text(issue.waited_seconds, say),
            dates.moment_text(issue.opened_at.astimezone(zone), say),
            issue.quote,
        )
        for issue in longest[: quoted.WAITING_SHOWN]
    )
