"""A KPI that waits for a window: the report shows the last week that stands still, and says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from measured import LAST, build, goal, kpi, values
from published import whole

from muster.reports import site, wording, words
from muster.settings import Report, Settings

TUESDAY = datetime(2026, 11, 24, 5, tzinfo=UTC)  # week 47 is over, the 7 days after it are not
WAITS = "week 46, the last whose 7 days are over"
RATE = kpi("resolution_rate", "ratio", title="Resolution rate", settles="resolution")
CALM = [0.70, 0.74] * 13


def built(*numbers, definition=RATE, **more):
    """The view of a series that ends with week 47, which is still partial."""
    found = values("resolution_rate", numbers)
    moving = [replace(one, partial=one.period_start == LAST) for one in found]
    return build((definition,), moving, as_of=TUESDAY, **more)


def test_the_week_that_still_moves_is_neither_shown_nor_read():
    (measure,) = built(*CALM, 0.1).measures
    assert (measure.value_text, measure.tone) == ("74.0%", "routine")
    assert measure.why.startswith(f"{WAITS}: within the routine range of ")
    assert measure.points[-1].period_start == date(2026, 11, 9)
    assert (measure.points[-1].label, measure.points[-1].value_text) == ("9 Nov", "74.0%")
    assert [band.end for band in measure.bands] == [len(measure.points)]


def test_a_week_without_a_value_yet_is_no_gap():
    # On a Monday no issue of the week before is old enough to count.
    view = built(*CALM, None)
    assert view.measures[0].value_text == "74.0%"
    assert not [line for line in view.missing if "no data" in line]


def test_comparisons_name_the_week_they_are_with():
    week, quarter, year = built(*CALM, 0.1).measures[0].comparisons
    assert (week.name, week.value_text, week.change_text) == ("week 45", "70.0%", "+4.0 points")
    assert quarter.value_text == "72.3%", "weeks 40 to 46"
    assert year.direction == "none"


def test_a_signal_of_the_settled_week_is_told_with_its_week():
    view = built(*CALM, 0.2, 0.72)
    (change,) = view.changes
    assert (view.measures[0].tone, view.period_start) == ("worse", LAST)
    assert change.text.startswith(f"20.0% – {WAITS}: outside the routine range of ")


def test_goal_and_measure_speak_of_the_same_week():
    aim = goal("Solve", "resolution_rate", {"at_least": "70%"})
    settings = Settings(community="Desk", timezone="Europe/Berlin", goals=(aim,))
    view = built(*CALM, 0.1, settings=settings)
    assert (view.goals[0].status, view.goals[0].value_text) == ("met", "74.0% (week 46)")
    assert view.measures[0].value_text == "74.0%"


def test_a_value_of_another_period_than_the_report_s_says_which():
    say = words.load()
    (week,) = built(*CALM, 0.1).measures
    assert wording.aside(week, say) == "week 46 · of 50 cases"
    months = [date(2025 + month // 12, month % 12 + 1, 1) for month in range(10, 22)]
    monthly = kpi("stickiness", "ratio", grains=("month", "quarter"))
    found = [one for at in months for one in values("stickiness", [0.1], grain="month", last=at)]
    view = build((monthly,), found)
    (measure,) = view.measures
    assert measure.why.startswith("October 2026: within the routine range of ")
    assert wording.aside(measure, say) == "October 2026 · of 50 cases"
    page = whole(site.render([view]))["kpi/stickiness.html"].decode()
    assert 'class="eyebrow">October 2026<' in page


def test_once_the_window_is_over_nothing_is_said():
    sunday = replace(RATE, settles="answer")
    (measure,) = build((sunday,), values("resolution_rate", [*CALM, 0.72]), as_of=TUESDAY).measures
    assert (measure.value_text, measure.comparisons[0].name) == ("72.0%", "last week")
    assert measure.why.startswith("within the routine range of ")


@pytest.mark.parametrize(
    ("name", "hours", "said"),
    [
        ("first_response_median", 29, "from 50 cases"),
        ("first_response_median", 31, "from 50 cases, can still move"),
        ("first_response_business_median", 2, "from 50 cases, can still move"),
    ],
)
def test_a_wait_longer_than_the_week_is_past_can_still_move(name, hours, said):
    # On Tuesday 06:00 in Berlin who came at the end of week 47 has waited 30 hours.
    median = kpi(name, "seconds", "down", statistic="quantile")
    (measure,) = build((median,), values(name, [3600, hours * 3600]), as_of=TUESDAY).measures
    assert (measure.value_text, measure.n_text) == (measure.points[-1].value_text, said)


def test_the_window_that_is_set_counts_and_a_gap_stays_a_gap():
    settings = Settings(community="Desk", windows={"resolution": "14d"})
    (measure,) = build(
        (RATE,), values("resolution_rate", [*CALM, None], last=LAST - timedelta(weeks=1)),
        settings, as_of=TUESDAY,
    ).measures  # fmt: skip
    assert measure.value_text == "74.0%"
    assert measure.why.startswith("week 45, the last whose 14 days are over: ")
    (gap,) = built(*CALM, None, 0.1).measures
    assert (gap.value, gap.tone) == (None, "none")
    assert gap.why == f"{WAITS}: nothing to measure in this period; the last value is of week 45"


def test_nothing_has_settled_yet():
    (measure,) = built(0.1, report=Report(kpis=("resolution_rate",))).measures
    assert (measure.value, measure.why) == (None, "no whole week to measure in messages yet")
