"""Goals and KPI values go in; each goal's verdict on the last whole period comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from math import fsum
from zoneinfo import ZoneInfo

from muster.clock import DAY, last_whole_period, next_period, period_start
from muster.errors import BadSettings
from muster.goals import target
from muster.goals.course import Course, Series, outlook, verdict
from muster.measured import GoalStatus, KpiValue
from muster.names import nearest
from muster.results import Kpi
from muster.settings import Goal, Windows

_Key = tuple[str, str, str]


def check(
    goals: Sequence[Goal],
    kpis: Iterable[Kpi],
    has_sales_elsewhere: Callable[[], bool] = lambda: False,
) -> None:
    """Refuse goals that cannot be judged, with the goal's name and the fix (BadSettings).

    ``has_sales_elsewhere`` says whether the lake holds sales of channels other than social, so that
    a sales goal can be told from the site's own ups and downs.
    """
    known = {kpi.id: kpi for kpi in kpis}
    names: set[str] = set()
    for goal in goals:
        if goal.name in names:
            raise BadSettings(f"two goals are called {goal.name!r}: give each its own name")
        names.add(goal.name)
        kpi = _kpi_of(goal, known)
        target.read(goal, kpi)
        _check_dates(goal)
        _check_influence(goal, kpi, has_sales_elsewhere)


def _kpi_of(goal: Goal, known: Mapping[str, Kpi]) -> Kpi:
    if goal.kpi in known:
        return known[goal.kpi]
    advice = nearest(goal.kpi, known, "`muster kpis list` shows them all")
    raise BadSettings(f"goal {goal.name!r}: there is no KPI {goal.kpi!r}: {advice}")


def _check_dates(goal: Goal) -> None:
    if goal.baseline is None:
        return
    if goal.baseline.from_ > goal.baseline.to:
        raise BadSettings(
            f"goal {goal.name!r}: its baseline ends on {goal.baseline.to}, before it begins on "
            f"{goal.baseline.from_}: swap from and to"
        )
    if goal.by <= goal.baseline.to:
        raise BadSettings(
            f"goal {goal.name!r}: it is due on {goal.by}, but its baseline ends on "
            f"{goal.baseline.to}: choose a later date for by"
        )


def _check_influence(goal: Goal, kpi: Kpi, has_sales_elsewhere: Callable[[], bool]) -> None:
    """Sales hang on the shop: who cannot change it cannot answer for them."""
    if not kpi.influence or goal.accept_outside_influence:
        return
    is_without = set(kpi.influence).isdisjoint(word.lower() for word in goal.influence)
    if is_without and not has_sales_elsewhere():
        *firsts, last = kpi.influence
        either = f"{', '.join(firsts)} or {last}" if firsts else last
        raise BadSettings(
            f"goal {goal.name!r}: {goal.kpi} also depends on {either}, "
            "which its owner does not influence, and no sales from other channels are known to "
            f"compare with: add {either} to influence if the owner can change them, "
            "or set accept_outside_influence: true"
        )


def without_goal(goals: Iterable[Goal], measured: Iterable[str]) -> tuple[str, ...]:
    """Of the KPIs that have values, those that serve no goal: measured, but for what?"""
    served = {goal.kpi for goal in goals}
    return tuple(sorted(set(measured) - served))


def judge(
    goals: Sequence[Goal],
    kpis: Iterable[Kpi],
    values: Iterable[KpiValue],
    grain: str,
    as_of: datetime,
    zone: ZoneInfo,
    windows: Windows,
) -> tuple[GoalStatus, ...]:
    """Each goal's verdict on the last whole period before ``as_of`` whose value stands still.

    The period is of ``grain``, or of the KPI's own next coarser one; a KPI that waits for one of
    ``windows`` is judged on the last period after which it has passed. Once the period that holds
    the due date ``by`` is over, it stays the one that is judged. The running period never is.

    * ``met``: the value is at the target or beyond it.
    * ``on_track``: it is at the pace or ahead: at least what the straight line asks for by now,
      from the baseline's mean at the baseline's end (without a baseline: from the first value)
      to the target on ``by``. A goal that began beyond its target is asked to stay there.
    * ``at_risk``: it is behind the pace, but by at most a quarter of the whole way, or the trend
      of the last 8 periods (Theil-Sen, from 4 values on) still arrives in time. A goal that began
      beyond its target and slipped below it is at risk for the first period, or while the trend
      leads back in time.
    * ``off_track``: it is behind by more, and the trend does not arrive in time; or ``by`` has
      passed.
    * ``no_data``: the period has no value, or one that rests on too few (no news from three
      cases), or the baseline has none, or is 0 and a percentage of it is asked for; ``reason``
      says which.
    """
    known, values = {kpi.id: kpi for kpi in kpis}, list(values)
    series, few = _by_key(values), _few(values)
    return tuple(
        _verdict(goal, kpi, series, few, grain, _settled_at(kpi, windows, as_of), zone)
        for goal in goals
        for kpi in [_kpi_of(goal, known)]
    )


def _settled_at(kpi: Kpi, windows: Windows, as_of: datetime) -> datetime:
    """Values of periods that were over by then stand still."""
    return as_of - getattr(windows, kpi.settles) if kpi.settles else as_of


def _by_key(values: Iterable[KpiValue]) -> dict[_Key, list[tuple[date, float]]]:
    found: dict[_Key, list[tuple[date, float]]] = {}
    for value in values:
        if not value.partial:
            key = (value.kpi, value.grain, value.segment)
            found.setdefault(key, []).append((value.period_start, value.value))
    return {key: sorted(points) for key, points in found.items()}


def _few(values: Iterable[KpiValue]) -> Mapping[tuple[_Key, date], int]:
    """What those values rest on that rest on too few."""
    return {
        ((one.kpi, one.grain, one.segment), one.period_start): one.n
        for one in values
        if one.too_few
    }


def _verdict(
    goal: Goal,
    kpi: Kpi,
    series: Mapping[_Key, Series],
    few: Mapping[tuple[_Key, date], int],
    grain: str,
    settled_at: datetime,
    zone: ZoneInfo,
) -> GoalStatus:
    grain = kpi.grain_at(grain)
    last, due = last_whole_period(settled_at, zone, grain), period_start(goal.by, grain)
    period = min(last, due)
    points = [
        point for point in series.get((kpi.id, grain, goal.segment), ()) if point[0] <= period
    ]
    course = _course(goal, kpi, grain, period, last >= due, points)
    if course is None or not points or points[-1][0] != period:
        reason = _why_no_data(goal, kpi, grain, period, points, series)
        return _no_data(goal, kpi, course, period, reason)
    if n := few.get(((kpi.id, grain, goal.segment), period)):
        reason = f"The {grain} from {period} rests on {n} only, fewer than min_n: too few to judge."
        return _no_data(goal, kpi, course, period, reason)
    return _judged(goal, course, points[-1][1])


def _course(
    goal: Goal, kpi: Kpi, grain: str, period: date, is_due: bool, points: Series
) -> Course | None:
    """The goal's course; None without a baseline to start from."""
    baseline = _baseline(goal, grain, points)
    aim = target.apply(goal, target.read(goal, kpi), baseline)
    if aim is None or not points:
        return None
    if goal.baseline and baseline is not None:
        begins, base = goal.baseline.to + DAY, baseline
    else:
        begins, base = next_period(points[0][0], grain), points[0][1]
    is_upward = _is_upward(goal, kpi, base, aim)
    ends = goal.by + DAY
    return Course(kpi, grain, period, is_due, points, begins, base, aim, ends, is_upward)


def _baseline(goal: Goal, grain: str, points: Series) -> float | None:
    """The mean of the values of the periods that lie wholly in the baseline's span."""
    if goal.baseline is None:
        return None
    within = [
        value
        for start, value in points
        if goal.baseline.from_ <= start and next_period(start, grain) - DAY <= goal.baseline.to
    ]
    return fsum(within) / len(within) if within else None


def _is_upward(goal: Goal, kpi: Kpi, base: float, aim: float) -> bool:
    form = goal.target.form
    if form != "reach":
        return form in ("at_least", "increase_by")
    if kpi.better != "none":
        return kpi.better == "up"
    return aim >= base


def _judged(goal: Goal, course: Course, value: float) -> GoalStatus:
    ahead = outlook(course)
    status, reason = verdict(course, value, ahead)
    return GoalStatus(
        goal=goal.name,
        kpi=goal.kpi,
        period_start=course.period,
        status=status,
        value=value,
        target=course.target,
        expected=course.expected,
        projected=ahead.projected,
        arrives_on=None if status == "met" else ahead.arrives_on,
        reason=reason,
    )


def _no_data(goal: Goal, kpi: Kpi, course: Course | None, period: date, reason: str) -> GoalStatus:
    aim = target.apply(goal, target.read(goal, kpi), None)
    return GoalStatus(
        goal=goal.name,
        kpi=goal.kpi,
        period_start=period,
        status="no_data",
        value=None,
        target=course.target if course else aim,
        expected=course.expected if course else None,
        projected=None,
        arrives_on=None,
        reason=reason,
    )


def _why_no_data(
    goal: Goal, kpi: Kpi, grain: str, period: date, points: Series, series: Mapping[_Key, Series]
) -> str:
    if points and points[-1][0] == period and goal.baseline:
        if _baseline(goal, grain, points) == 0:
            return "Its baseline is 0, and a percentage of 0 is 0: set a number as its target."
        span = f"{goal.baseline.from_} to {goal.baseline.to}"
        return f"No {grain} lies within its baseline ({span}) and has a value to start from."
    if points:
        last = points[-1][0]
        return f"The {grain} from {period} has no value; the last is of the {grain} from {last}."
    segments = sorted({key[2] for key in series if key[:2] == (kpi.id, grain)} - {goal.segment})
    if segments:
        known = ", ".join(segments[:5])
        return f"{kpi.title} has no segment {goal.segment!r} yet; it has: {known}."
    return f"{kpi.title} has no value yet."
