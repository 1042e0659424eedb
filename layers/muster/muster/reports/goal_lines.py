"""Goals and their verdicts go in, the lines and bullet bars of the report come out."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from muster.clock import DAY, next_period, period_start
from muster.measured import GoalStatus
from muster.reports import dates, numbers, signals
from muster.reports.model import GoalLine
from muster.reports.numbers import Style
from muster.reports.series import Series
from muster.reports.words import Words
from muster.results import Kpi

if TYPE_CHECKING:  # settings bring pydantic, which a report does not need
    from muster.settings import Baseline, Goal, Report

Judged: TypeAlias = "tuple[Goal, GoalStatus]"

_FAR = timedelta(days=366)


def judged(goals: Iterable[Goal], statuses: Iterable[GoalStatus]) -> tuple[Judged, ...]:
    """Each goal with its verdict, in the settings' order."""
    by_name = {status.goal: status for status in statuses}
    return tuple((goal, by_name[goal.name]) for goal in goals if goal.name in by_name)


def of_report(
    report: Report, goals: Iterable[Goal], statuses: Iterable[GoalStatus]
) -> tuple[Judged, ...]:
    """The goals that a report names, or all, each with its verdict."""
    every = judged(goals, statuses)
    return tuple(one for one in every if not report.goals or one[0].name in report.goals)


def goal_line(
    goal: Goal,
    status: GoalStatus,
    kpi: Kpi,
    grain: str,
    style: Style,
    series: Series | None = None,
) -> GoalLine:
    """One goal as a report of ``grain`` tells it; ``series`` is what is known of its KPI."""
    # Only the period that holds the due date is judged from then on.
    is_due = status.period_start == period_start(goal.by, kpi.grain_at(grain))
    words = style.words
    value_at, target_at, expected_at = _places(kpi, status)
    return GoalLine(
        name=goal.name,
        objective=goal.objective,
        kpi=goal.kpi,
        status=status.status,  # type: ignore[arg-type]
        status_text=words.STATUSES[status.status],
        value_text=_value(goal, status, style),
        target_text=target_text(goal, status, style),
        expected_text=_pace(status, style),
        by_text=words.BY.format(dates.day_text(goal.by, words)),
        owner=goal.owner or "",
        reason=_reason(goal, status, is_due, style, series),
        value_at=value_at,
        target_at=target_at,
        expected_at=expected_at,
    )


def target_text(goal: Goal, status: GoalStatus, style: Style) -> str:
    """at least 90 %; at least 100 a week; 5 % more than the baseline, while that has no value."""
    if status.target is None:
        return _target_ahead(goal, style.words)
    text = numbers.target_text(_target(goal, status.target, style), style)
    if style.per:
        text = style.words("per_period", value=text, grain=style.per)
    return str(style.words.TARGETS[goal.target.form].format(text))


def _target_ahead(goal: Goal, words: Words) -> str:
    if goal.target.form not in words.TARGETS_AHEAD:
        return str(words.NO_VALUE)
    asked = str(getattr(goal.target, goal.target.form))
    if asked.endswith("%"):
        asked = words.PERCENT.format(number=asked.rstrip(" %"))
    return str(words.TARGETS_AHEAD[goal.target.form].format(asked))


def _target(goal: Goal, target: float, style: Style) -> float:
    """A count is reached whole: at least 12.1 members are 13."""
    if style.unit != "count" or style.decimals:
        return target
    if goal.target.form in ("at_least", "increase_by"):
        return float(math.ceil(round(target, 9)))
    if goal.target.form in ("at_most", "decrease_by"):
        return float(math.floor(round(target, 9)))
    return target


def _value(goal: Goal, status: GoalStatus, style: Style) -> str:
    """The value; one that misses its target by a hair does not read like it."""
    if status.target is None or status.status == "met":
        return numbers.value_text(status.value, style)
    return numbers.text_apart(status.value, _target(goal, status.target, style), style)


def aim(
    judged: Iterable[Judged], kpi: str, segment: str, style: Style
) -> tuple[float | None, str, str]:
    """The target drawn in a measure's chart: its value, with status, and bare."""
    for goal, status in judged:
        if (goal.kpi, goal.segment) == (kpi, segment) and status.target is not None:
            verdict = style.words.VERDICTS[status.status]
            text = style.words.TARGET_WITH_STATUS.format(target_text(goal, status, style), verdict)
            target = _target(goal, status.target, style)
            return target, text, numbers.target_text(target, style)
    return None, "", ""


def count(statuses: Iterable[GoalStatus]) -> Mapping[str, int]:
    """How many goals have which status."""
    found: dict[str, int] = {}
    for status in statuses:
        found[status.status] = found.get(status.status, 0) + 1
    return found


def behind(judged: Iterable[Judged]) -> Sequence[tuple[str, str]]:
    """(name, verdict) of the goals that want a look, the gravest first."""
    order = ("off_track", "at_risk", "no_data")
    found = [(goal.name, status.status) for goal, status in judged if status.status in order]
    return sorted(found, key=lambda one: order.index(one[1]))


def _pace(status: GoalStatus, style: Style) -> str:
    """What the pace asks for, told apart from a value that is behind it."""
    if status.status in ("at_risk", "off_track"):
        return numbers.text_apart(status.expected, status.value, style)
    return numbers.value_text(status.expected, style)


def verdicts(judged: Iterable[Judged]) -> Mapping[str, Collection[str]]:
    """The verdicts of the goals on each KPI, by its id."""
    found: dict[str, set[str]] = {}
    for goal, status in judged:
        found.setdefault(goal.kpi, set()).add(status.status)
    return found


def _reason(
    goal: Goal, status: GoalStatus, is_due: bool, style: Style, series: Series | None
) -> str:
    words = style.words
    if status.status == "no_data" or status.value is None:
        return _why_no_data(goal, status, style, series)
    value = _value(goal, status, style)
    expected = _pace(status, style)
    target = target_text(goal, status, style)
    if status.status == "met":
        return words("goal_met", value=value, target=target)
    if status.status == "on_track":
        return words("goal_on_track", expected=expected)
    if is_due:
        day = dates.day_text(goal.by, words)
        return words("goal_missed", value=value, target=target, day=day)
    return words("goal_behind", expected=expected, trend=_trend(goal, status, style))


def _why_no_data(goal: Goal, status: GoalStatus, style: Style, series: Series | None) -> str:
    if status.target is None and goal.baseline and series is not None and series.starts:
        if _has_value(series, goal.baseline):
            return str(style.words.goal_zero_baseline)
        days = dates.days_text(goal.baseline.from_, goal.baseline.to, style.words)
        return style.words("goal_no_baseline", days=days)
    if series is not None and series.last is not None and series.last.too_few:
        return style.words("goal_too_few", n=series.last.n)
    if series is None or series.last is not None:
        return str(style.words.goal_no_value)
    said = signals.no_data(series, style.words)
    return f"{said[:1].upper()}{said[1:]}."


def _has_value(series: Series, span: Baseline) -> bool:
    """Whether a period that lies wholly in the span has a value."""
    return any(
        value and span.from_ <= start and next_period(start, series.grain) - DAY <= span.to
        for start, value in zip(series.starts, series.values, strict=True)
    )


def _trend(goal: Goal, status: GoalStatus, style: Style) -> str:
    """Where the trend leads, from the same facts as the verdict's own words."""
    words = style.words
    if status.projected is None:
        return str(words.NO_TREND)
    if status.arrives_on is not None:
        if status.arrives_on - goal.by > _FAR:  # no line knows its day
            return words("trend_far", year=str(status.arrives_on.year))
        is_late = status.arrives_on > goal.by
        day = dates.day_text(status.arrives_on, words)
        return words("trend_late" if is_late else "trend_arrives", day=day)
    if _is_met_by_trend(status):
        return str(words.TREND_MEETS)
    if _is_led_away(status):
        return str(words.TREND_AWAY)
    return words("trend_misses", projected=numbers.value_text(status.projected, style))


def _is_led_away(status: GoalStatus) -> bool:
    """Whether the trend ends farther from the target than the value is: a line drawn on through
    weeks to come tells that much, and no number worth quoting."""
    if status.projected is None or status.value is None or status.target is None:
        return False
    return abs(status.projected - status.target) > abs(status.value - status.target)


def _is_met_by_trend(status: GoalStatus) -> bool:
    """Whether the trend ends at the target or beyond, where the value itself falls short."""
    if status.projected is None or status.value is None or status.target is None:
        return False
    beyond, short = status.projected - status.target, status.value - status.target
    return abs(beyond) <= 1e-9 * abs(status.target) or (beyond > 0) != (short > 0)


def _places(kpi: Kpi, status: GoalStatus) -> tuple[float | None, float | None, float | None]:
    """Where value, target and pace lie on a bar from 0 (or the least) to a little beyond all."""
    numbers_known = [
        number for number in (status.value, status.target, status.expected) if number is not None
    ]
    low = min(0.0, *numbers_known, 0.0)
    high = max(0.0, *numbers_known, 0.0) * 1.1
    if kpi.unit == "ratio" and kpi.highest is not None:
        high = max(high / 1.1, kpi.highest)

    def place(number: float | None) -> float | None:
        if number is None:
            return None
        if high <= low:  # nothing but zeros
            return 0.0
        return round(min(1.0, max(0.0, (number - low) / (high - low))), 4)

    return place(status.value), place(status.target), place(status.expected)
