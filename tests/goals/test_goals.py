"""Goals: targets as people write them, verdicts, trends, and what is refused with which words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.errors import BadSettings
from muster.goals import goals, target
from muster.goals.trend import theil_sen
from muster.measured import KpiValue
from muster.results import Kpi
from muster.settings import Goal, Windows

ZONE = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 9, 7)
UNITS = {
    "wait": ("seconds", "down", 0.0, None),
    "answered": ("ratio", "up", 0.0, 1.0),
    "members": ("count", "up", 0.0, None),
    "cost": ("money", "down", 0.0, None),
    "mood": ("score", "up", -1.0, 1.0),
    "mentions": ("count", "none", 0.0, None),
    "sales": ("count", "up", 0.0, None),
}


def kpi(name: str, grains=("day", "week", "month")) -> Kpi:
    unit, better, lowest, highest = UNITS[name]
    return Kpi(
        name, name.title(), "?", "def", unit, better, (), 1, "messages", grains, lowest, highest,
        "", influence=("site", "catalogue", "sales") if name == "sales" else (),
    )  # fmt: skip


KPIS = tuple(kpi(name) for name in UNITS)


def goal(name: str = "wait", by: str = "2026-11-29", **more) -> Goal:
    aim = more.pop("target", {"at_most": "4h"})
    fields = {"name": "The goal", "objective": "Help", "kpi": name, "target": aim, "by": by}
    return Goal.model_validate(fields | more)


def weekly(name: str, numbers, first: date = MONDAY, segment: str = "all", grain: str = "week"):
    return [
        KpiValue(
            kpi=name, version=1, grain=grain, period_start=first + timedelta(weeks=week),
            segment=segment, value=float(number), n=50, too_few=False, partial=False,
        )
        for week, number in enumerate(numbers)
        if number is not None
    ]  # fmt: skip


def judged(the_goal: Goal, values, weeks: int | None = None, grain: str = "week"):
    """The verdict as of the Monday after so many weeks."""
    weeks = len(values) if weeks is None else weeks
    as_of = datetime(2026, 9, 7, 5, tzinfo=UTC) + timedelta(weeks=weeks)
    (status,) = goals.judge([the_goal], KPIS, values, grain, as_of, ZONE, Windows())
    return status


# -- targets ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("wait", "4h", 14_400), ("wait", "30 min", 1800), ("wait", "90s", 90),
        ("wait", "2d", 172_800),
        ("wait", "1h 30min", 5400), ("wait", "1.5h", 5400),
        ("answered", "90%", 0.9), ("answered", "90 %", 0.9), ("answered", 0.9, 0.9),
        ("answered", "0.9", 0.9), ("members", 300, 300), ("members", "1,200", 1200),
        ("members", "1,200,300", 1_200_300),
        ("cost", 12.5, 12.5), ("mood", "-0.1", -0.1),
    ],
)  # fmt: skip
def test_a_target_is_read_in_the_unit_of_its_kpi(name, written, value):
    the_goal = goal(name, target={"at_least": written})
    assert target.read(the_goal, kpi(name)).value == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "aim", "fix"),
    [
        ("wait", {"at_most": 300}, "4h or 30min"),
        ("wait", {"at_most": "90%"}, "4h or 30min"),
        ("wait", {"at_most": "about 4h"}, "4h or 30min"),
        ("wait", {"at_most": "four hours"}, "4h or 30min"),
        ("wait", {"at_most": "4 fortnights"}, "4h or 30min"),
        ("wait", {"at_most": "-4h"}, "at least 0"),
        ("answered", {"at_least": "4h"}, "90% or 0.9"),
        ("answered", {"at_least": 90}, "90% or 0.9"),
        ("answered", {"at_least": "120%"}, "at most 1"),
        ("members", {"at_least": "90%"}, "300"),
        ("members", {"at_least": "lots"}, "300"),
        ("wait", {"at_most": "1,5h"}, "4h or 30min"),
        ("answered", {"at_least": "2,5%"}, "90% or 0.9"),
        ("cost", {"at_most": "12,50"}, "12.50"),
        ("members", {"at_least": "1,20,000"}, "300"),
        ("members", {"at_least": ""}, "300"),
        ("cost", {"at_most": "4h"}, "12.50"),
        ("answered", {"increase_by": 0.1}, "10% (of the baseline) or 5 points"),
        ("members", {"increase_by": "-10%"}, "decrease_by"),
        ("members", {"decrease_by": 0}, "above 0"),
    ],
)
def test_a_target_that_does_not_fit_is_refused_with_goal_and_fix(name, aim, fix):
    span = {"from": "2026-04-01", "to": "2026-06-30"}
    with pytest.raises(BadSettings) as refusal:
        goals.check([goal(name, target=aim, baseline=span)], KPIS)
    assert "'The goal'" in str(refusal.value)
    assert fix in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "aim", "baseline", "value"),
    [
        ("members", {"increase_by": "10%"}, 300, 330),
        ("members", {"increase_by": 50}, 300, 350),
        ("wait", {"decrease_by": "25%"}, 14_400, 10_800),
        ("wait", {"decrease_by": "30min"}, 14_400, 12_600),
        ("answered", {"increase_by": "10%"}, 0.8, 0.88),
        ("answered", {"increase_by": "5 points"}, 0.8, 0.85),
        ("mood", {"increase_by": "50%"}, -0.2, -0.1),
    ],
)
def test_a_step_starts_from_the_baseline(name, aim, baseline, value):
    the_goal = goal(name, target=aim, baseline={"from": "2026-04-01", "to": "2026-06-30"})
    amount = target.read(the_goal, kpi(name))
    assert target.apply(the_goal, amount, baseline) == pytest.approx(value)
    assert target.apply(the_goal, amount, None) is None


# -- what is refused --------------------------------------------------------------------------


def test_an_unknown_kpi_names_the_nearest():
    with pytest.raises(BadSettings, match="no KPI 'memberz': did you mean 'members'"):
        goals.check([goal("memberz")], KPIS)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"baseline": {"from": "2026-06-30", "to": "2026-04-01"}}, "swap"),
        ({"baseline": {"from": "2026-04-01", "to": "2026-12-01"}}, "later date"),
    ],
)
def test_dates_that_cannot_be_are_refused(more, word):
    with pytest.raises(BadSettings, match=word):
        goals.check([goal(**more)], KPIS)


def test_two_goals_of_one_name_are_refused():
    with pytest.raises(BadSettings, match="two goals"):
        goals.check([goal(), goal()], KPIS)


def test_a_sales_goal_needs_influence_on_the_shop():
    aim = {"target": {"at_least": 10}}
    with pytest.raises(BadSettings, match="accept_outside_influence: true"):
        goals.check([goal("sales", influence=["social"], **aim)], KPIS)
    goals.check([goal("sales", influence=["social", "Site"], **aim)], KPIS)
    goals.check([goal("sales", accept_outside_influence=True, **aim)], KPIS)
    goals.check([goal("sales", **aim)], KPIS, has_sales_elsewhere=lambda: True)
    goals.check([goal("members", **aim)], KPIS)


def test_kpis_that_serve_no_goal_are_named():
    measured = ["wait", "members", "answered", "members"]
    assert goals.without_goal([goal("wait")], measured) == ("answered", "members")


# -- verdicts ---------------------------------------------------------------------------------
# Twelve weeks from 7 September to 29 November; the first value stands on 14 September, the
# target on 30 November: eleven weeks of way.


def test_expected_by_now_lies_on_the_straight_pace():
    status = judged(goal(target={"at_most": "4h"}), weekly("wait", [36_400, 30_000, 30_000]))
    # Two of eleven weeks gone, 22,000 s to go.
    assert status.expected == pytest.approx(36_400 - 22_000 * 2 / 11)
    assert status.period_start == date(2026, 9, 21)


@pytest.mark.parametrize(
    ("numbers", "status"),
    [
        # From 100 to 210 in eleven weeks: 130 is asked for in the fourth.
        ([100, 100, 100, 210], "met"),
        ([100, 100, 100, 130], "on_track"),
        ([100, 160, 145, 129], "at_risk"),  # behind by 1 of 110
        ([100, 160, 145, 103], "at_risk"),  # behind by 27 of 110
        ([100, 160, 145, 102], "off_track"),  # behind by 28 of 110
        ([100, 40, 60, 80], "off_track"),
        ([100, 100, 100, None], "no_data"),
    ],
)
def test_verdicts_of_a_rising_goal(numbers, status):
    the_goal = goal("members", target={"at_least": 210})
    assert judged(the_goal, weekly("members", numbers), weeks=4).status == status


def test_behind_the_pace_but_arriving_in_time_is_at_risk():
    numbers = [100, 40, 60, 80, 100]  # 20 a week: 240 by the end of November
    status = judged(goal("members", target={"at_least": 210}), weekly("members", numbers))
    assert status.status == "at_risk"
    assert status.projected == pytest.approx(240, abs=5)
    assert date(2026, 11, 15) <= status.arrives_on <= date(2026, 11, 29)


@pytest.mark.parametrize("name", ["wait", "members"])
def test_falling_and_rising_goals_mirror_each_other(name):
    numbers = [100, 99, 98, 97, 96]
    falling = judged(goal("mentions", target={"at_most": 50}), weekly("mentions", numbers))
    rising = judged(
        goal("mentions", target={"at_least": 150}),
        weekly("mentions", [200 - number for number in numbers]),
    )
    assert falling.status == rising.status
    assert falling.expected == pytest.approx(200 - rising.expected)


def test_reach_follows_the_good_direction_of_its_kpi():
    down = judged(goal(target={"reach": "4h"}), weekly("wait", [20_000, 14_000]))
    up = judged(goal("members", target={"reach": 300}), weekly("members", [200, 310]))
    neither = judged(goal("mentions", target={"reach": 50}), weekly("mentions", [80, 49]))
    assert (down.status, up.status, neither.status) == ("met", "met", "met")
    assert (
        judged(goal("mentions", target={"reach": 50}), weekly("mentions", [80, 79])).status != "met"
    )


def test_a_baseline_is_the_mean_of_the_weeks_wholly_inside_it():
    # The week of 31 August straddles the start, that of 28 September the end.
    values = weekly("members", [900, 100, 120, 140, 900, 130], first=date(2026, 8, 31))
    span = {"from": "2026-09-02", "to": "2026-10-01"}
    status = judged(goal("members", target={"increase_by": "50%"}, baseline=span), values, weeks=5)
    assert status.target == pytest.approx(180)
    # It stands on 2 October; 12 October is 10 of 59 days on.
    assert status.expected == pytest.approx(120 + 60 * 10 / 59)


def test_a_goal_that_began_beyond_its_target_is_asked_to_stay():
    the_goal = goal("members", target={"at_least": 100})
    assert judged(the_goal, weekly("members", [120, 120])).expected == 100
    assert judged(the_goal, weekly("members", [120, 120, 99])).status == "at_risk"
    assert judged(the_goal, weekly("members", [120, 99, 98, 97, 96])).status == "off_track"
    assert judged(the_goal, weekly("members", [120, 60, 70, 80, 90])).status == "at_risk"


def test_the_running_week_is_never_judged():
    values = weekly("members", [100, 150])
    running = weekly("members", [999], first=date(2026, 9, 21))[0]
    values.append(replace(running, partial=True))
    status = judged(goal("members", target={"at_least": 300}), values, weeks=2)
    assert (status.period_start, status.value) == (date(2026, 9, 14), 150)


def test_a_value_measured_while_its_week_ran_is_not_judged():
    (early,) = weekly("members", [150])
    stale = replace(early, partial=True)
    assert judged(goal("members", target={"at_least": 1}), [stale], weeks=1).status == "no_data"


def test_the_trend_looks_at_eight_periods_and_names_its_day():
    # Long flat, then mostly one a day for eight weeks: the line passes 149 on 30 November.
    numbers = [100] * 20 + [107, 114, 121, 128, 135, 135, 135]
    values = weekly("members", numbers, first=date(2026, 5, 25))
    status = judged(goal("members", by="2027-01-31", target={"at_least": 160}), values, weeks=12)
    assert status.projected == pytest.approx(149 + 63)
    # Eleven days later is midnight before 11 December.
    assert status.arrives_on == date(2026, 12, 10)


def outlook(numbers, **more):
    """The verdict on at least 100 members, due at the end of the year."""
    the_goal = goal("members", by="2026-12-31", target={"at_least": 100}, **more)
    return judged(the_goal, weekly("members", numbers))


def test_a_trend_that_falls_through_the_target_arrives_nowhere():
    # The line falls by 2 a week and still lies above 100; only the last week fell out.
    status = outlook([124, 122, 120, 118, 116, 114, 112, 90])
    assert status.status == "at_risk"
    assert status.arrives_on is None
    assert status.projected < 100
    assert status.reason == (
        "The target was met so far; this period it was missed; "
        "the present trend does not lead to the target."
    )


def test_a_trend_that_still_meets_the_target_does_not_arrive_at_it():
    status = outlook([50, 104, 105, 106, 107, 108, 109, 60])
    assert (status.status, status.arrives_on) == ("at_risk", None)
    assert status.projected > 100
    assert status.reason == (
        "The value is behind the pace; the present trend still meets the target."
    ), "off by more than a quarter of the way"


def test_a_falling_goal_that_gets_worse_arrives_nowhere_either():
    numbers = [76, 78, 80, 82, 84, 86, 88, 110]
    aim = goal("mentions", by="2026-12-31", target={"at_most": 100})
    assert judged(aim, weekly("mentions", numbers)).arrives_on is None


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([20, 55], "there are too few values for a trend."),
        ([20, 20, 24, 28, 32, 36, 40, 44], "the present trend arrives too late."),
        ([20, 38, 0, 10, 20, 30, 40, 50], "the present trend arrives in time."),
        ([50, 48, 46, 44, 42, 40, 38, 36], "the present trend does not lead to the target."),
    ],
)
def test_the_reason_says_where_the_trend_leads(numbers, said):
    the_goal = goal("members", by="2026-12-31" if len(numbers) > 2 else "2026-09-28",
                    target={"at_least": 100})  # fmt: skip
    status = judged(the_goal, weekly("members", numbers))
    assert status.status in ("at_risk", "off_track")
    assert status.reason.endswith(said)


@given(st.lists(st.integers(0, 200), min_size=4, max_size=8), st.booleans())
def test_a_day_of_arrival_is_only_told_of_a_trend_on_its_way(numbers, is_upward):
    aim = {"at_least": 100} if is_upward else {"at_most": 100}
    status = judged(goal("mentions", target=aim), weekly("mentions", numbers))
    line = theil_sen(
        [(MONDAY + timedelta(weeks=week + 1), float(n)) for week, n in enumerate(numbers)]
    )
    short = 100 - line.value if is_upward else line.value - 100
    way = line.per_day if is_upward else -line.per_day
    if status.arrives_on is not None:
        assert short > 0
        assert way > 0
    if status.status != "met" and short > 1e-6 and way > 1e-6 and short / way < 3000:
        assert status.arrives_on is not None
        is_in_time = short <= way * (date(2026, 11, 30) - line.at).days + 1e-6
        assert (status.arrives_on <= date(2026, 11, 29)) == is_in_time


def test_after_the_due_date_the_verdict_stands():
    the_goal = goal("members", by="2026-09-20", target={"at_least": 140})
    missed = judged(the_goal, weekly("members", [100, 139, 500, 500]))
    assert (missed.status, missed.period_start) == ("off_track", date(2026, 9, 14))
    assert "due date" in missed.reason
    assert missed.projected is None
    assert judged(the_goal, weekly("members", [100, 140, 5, 5])).status == "met"


def test_a_kpi_of_a_coarser_grain_is_judged_on_its_own():
    monthly = kpi("members", grains=("month", "quarter"))
    values = weekly("members", [100], first=date(2026, 10, 1), grain="month")
    as_of = datetime(2026, 11, 23, 5, tzinfo=UTC)
    aim = goal("members", target={"at_least": 90})
    (status,) = goals.judge([aim], [monthly], values, "week", as_of, ZONE, Windows())
    assert (status.status, status.period_start) == ("met", date(2026, 10, 1))


@pytest.mark.parametrize(
    ("values", "more", "word"),
    [
        ([], {}, "no value yet"),
        (weekly("members", [1, 2]), {}, "the last is of the week from 2026-09-14"),
        (weekly("members", [1], segment="forum"), {}, "it has: forum"),
        (
            weekly("members", [1, 2, 3, 4]),
            {"target": {"increase_by": 5}, "baseline": {"from": "2026-01-01", "to": "2026-02-01"}},
            "baseline (2026-01-01 to 2026-02-01)",
        ),
    ],
)
def test_no_data_says_why(values, more, word):
    the_goal = goal("members", **({"target": {"at_least": 3}} | more))
    status = judged(the_goal, values, weeks=4)
    assert status.status == "no_data"
    assert word in status.reason
    assert status.value is None


def test_an_absolute_target_is_known_even_without_data():
    assert judged(goal("members", target={"at_least": 3}), [], weeks=4).target == 3


def test_a_projection_stays_within_what_is_possible():
    status = judged(
        goal("answered", target={"at_least": "99%"}), weekly("answered", [0.1, 0.3, 0.5, 0.7])
    )
    assert status.projected == 1.0
