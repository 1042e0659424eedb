"""One run of measure goes in, the view model that mail, site and JSON render comes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from muster.errors import BadSettings
from muster.measured import GoalStatus, KpiValue
from muster.names import nearest
from muster.reports import (
    basis,
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
from muster.reports.basis import Basis
from muster.reports.data import to_json
from muster.reports.model import Change, Event, GoalLine, Measure, ReportView, Waiting
from muster.reports.series import Key, Series, all_series
from muster.reports.words import Words
from muster.results import LATELY, Kpi, Measured, Reading, WaitingIssue

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
    base = basis.of(report, settings, measured, as_of, readings)
    view = _quoted(base, _told(base, _findings(base, _measures(base))))
    site_url = site_url or report.site_url or ""
    return replace(view, site_url=site_url, unsubscribe_url=unsubscribe_url)


def _findings(base: Basis, found: Sequence[Measure]) -> opening.Findings:
    measured = base.measured
    return opening.Findings(
        grain=base.grain,
        period_start=base.start,
        measures=found,
        signals=_signals(base, found),
        goals=goal_lines.count(status for _, status in base.judged),
        verdicts=goal_lines.verdicts(base.judged),
        behind=goal_lines.behind(base.judged),
        waiting=measured.waiting_in_all,
        longest=_longest(measured.waiting, base.say),
        old=measured.waiting_old,
        sources=len(measured.sources),
        stale=sum(source.is_stale for source in measured.sources),
        words=base.say,
    )


def _told(base: Basis, findings: opening.Findings) -> ReportView:
    """All but what people said, and links."""
    report, say, found = base.report, base.say, tuple(findings.measures)
    sentences = opening.opening(findings, report.voice)
    marked = events.shown(base.settings, found, base.end)
    fresh = missing.freshness(base.measured.sources, base.here, say)
    return ReportView(
        name=report.name,
        community=base.settings.community,
        note=base.settings.note or "",
        title=report.title or say.TITLE,
        voice=report.voice,
        grain=base.grain,
        period_start=base.start,
        period_end=base.end,
        period_text=dates.period_text(base.grain, base.start, say),
        as_of=base.as_of,
        subject=opening.subject(findings),
        preheader=opening.preheader(findings, sentences, report.voice),
        opening=sentences,
        goals=_goal_lines(base),
        changes=tuple(_change(*sign, marked, say) for sign in opening.ranked(findings)),
        headline=opening.headline(findings),
        measures=found,
        unchanged=opening.unchanged(findings),
        missing=missing.missing(found, fresh, base.measured, base.settings, say),
        suspected=missing.suspected(base.measured.suspected, say),
        freshness=fresh,
        events=marked,
        event_texts=events.texts(marked, say),
        how_to_read=tuple(say.filled(text, grain=base.grain) for text in say.HOW_TO),
        language=say.tag,
    )


def _quoted(base: Basis, view: ReportView) -> ReportView:
    """With who waits, and what people said: for the team alone."""
    if base.report.voice != "team":
        return view
    said = quoted.of_period(base.measured.voices, base.grain, base.start)
    listed, old = quoted.waiting(base.measured.waiting, base.measured.waiting_in_all)
    left, old_text = _left(base.measured, len(listed), base.say)
    return replace(
        view,
        waiting=_waiting(listed, base.here, base.say),
        waiting_left=left,
        waiting_old=_waiting(old, base.here, base.say),
        old_text=old_text,
        praise=quoted.praise(said.answers, base.say),
        complaints=quoted.complaints(said.unhappy, base.say),
    )


def _measures(base: Basis) -> tuple[Measure, ...]:
    values: dict[str, list[KpiValue]] = {}
    for value in base.measured.values:
        values.setdefault(value.kpi, []).append(value)
    return tuple(one for kpi in _chosen(base) for one in _of_kpi(base, kpi, values.get(kpi.id, ())))


def _of_kpi(base: Basis, kpi: Kpi, values: Iterable[KpiValue]) -> Iterator[Measure]:
    """A measure for each of its series, or the one that says why there is none."""
    style = numbers.style_of(kpi, base.settings.currency, base.say, base.grain)
    breaks = events.breaks(base.measured.definitions, kpi.id, base.say)
    keys = [key for key in base.series if key[0] == kpi.id]
    for key in keys:
        aim = goal_lines.aim(base.judged, *key, style)
        known = base.series[key], base.readings[key], style, base.settings.min_n
        yield measures.measure(*known, values, aim, breaks)
    if not keys:
        yield replace(measures.unmeasured(kpi, base.grain, style), breaks=breaks)


def _chosen(base: Basis) -> tuple[Kpi, ...]:
    """The report's KPIs in order: those named, else goals' first, then all with data by title.

    An executive reads the KPIs of goals, and money.
    """
    report, known = base.report, {kpi.id: kpi for kpi in base.measured.kpis}
    if report.kpis:
        return tuple(known[kpi] for kpi in dict.fromkeys(report.kpis) if kpi in known)
    of_goals = [goal.kpi for goal, _ in base.judged]
    with_data = {kpi for kpi, _ in base.series} & known.keys()
    by_title = sorted(with_data, key=lambda one: known[one].title.casefold())
    chosen = tuple(known[kpi] for kpi in dict.fromkeys((*of_goals, *by_title)) if kpi in known)
    if report.voice == "executive":
        kept = tuple(kpi for kpi in chosen if kpi.id in of_goals or kpi.unit == "money")
        return kept or chosen
    return chosen


def _goal_lines(base: Basis) -> tuple[GoalLine, ...]:
    known = {kpi.id: kpi for kpi in base.measured.kpis}
    return tuple(
        _goal_line(base, goal, status, known[goal.kpi])
        for goal, status in base.judged
        if goal.kpi in known
    )


def _goal_line(base: Basis, goal: Goal, status: GoalStatus, kpi: Kpi) -> GoalLine:
    style = numbers.style_of(kpi, base.settings.currency, base.say, base.grain)
    empty = Series(kpi, goal.segment, kpi.grain_at(base.grain), (), ())
    found = base.series.get((goal.kpi, goal.segment), empty)
    line = goal_lines.goal_line(goal, status, kpi, base.grain, style, found)
    own = kpi.grain_at(base.grain)
    if status.value is None or (own, status.period_start) == (base.grain, base.start):
        return line
    period = dates.period_name(own, status.period_start, base.say)
    return replace(line, value_text=base.say("of_period", value=line.value_text, period=period))


def _signals(base: Basis, found: Iterable[Measure]) -> Signals:
    """The measures whose last period is a signal, the strongest first."""
    signs = []
    for measure in found:
        key = (measure.kpi, measure.segment)
        if key in base.series and (signal := signals.signal(base.series[key], base.readings[key])):
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


def _left(measured: Measured, listed: int, say: Words) -> tuple[str, str]:
    """How many wait beside those listed: of late, and for long."""
    if listed == measured.waiting_in_all:
        return "", ""
    old = measured.waiting_old
    lately = measured.waiting_in_all - listed - old
    span = numbers.window_text(LATELY, say)
    return (
        say("more_waiting", n=lately) if lately else "",
        say("old_waiting", n=old, span=span) if old else "",
    )


def _waiting(waiting: Iterable[WaitingIssue], zone: ZoneInfo, say: Words) -> tuple[Waiting, ...]:
    return tuple(
        Waiting(
            (issue.title or "").strip() or ("" if issue.quote else say.UNTITLED),
            issue.url,
            issue.source,
            numbers.span_text(issue.waited_seconds, say),
            dates.moment_text(issue.opened_at.astimezone(zone), say),
            issue.quote,
        )
        for issue in waiting
    )
