"""The view: comparisons, tones, readings and what is missing, from a run of measure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from measured import AS_OF, LAST, build, campus, goal, kpi, source, values, waiting

from muster.errors import BadSettings
from muster.reports import series, view, wording, words
from muster.reports.recent import recent
from muster.settings import Report, Settings

MEMBERS = kpi("members")
CALM = [10, 12] * 13


def only(*numbers_or_values, definition=MEMBERS, **more):
    """The single measure of a series."""
    found = build((definition,), values(definition.id, numbers_or_values), **more)
    (measure,) = found.measures
    return measure


# -- comparisons ------------------------------------------------------------------------------


def test_a_value_stands_beside_last_week_quarter_and_year():
    # Weeks 41 to 47 (their Thursdays from 1 October on: weeks 40 to 47) make the quarter so far.
    numbers = [70.0] * 53
    numbers[-8:] = [1, 2, 3, 4, 5, 6, 8, 11]
    numbers[0] = 40
    last_week, quarter, year = only(*numbers).comparisons
    assert (last_week.name, last_week.value_text, last_week.change_text) == ("last week", "8", "+3")
    assert quarter.name == "the quarter so far"
    assert (quarter.value_text, quarter.change_text) == ("5", "+6")
    assert (year.name, year.value_text, year.change_text) == ("a year before", "40", "−29")
    assert [one.direction for one in (last_week, quarter, year)] == ["up", "up", "down"]


def test_a_comparison_without_a_value_says_so_and_never_zero():
    week, quarter, year = only(7, None, 9).comparisons
    assert (week.value_text, week.change_text, week.direction) == ("–", "–", "none")
    assert year.value_text == "–"
    assert quarter.value_text == "8"
    alone = only(9).comparisons[1]
    assert (alone.name, alone.value_text) == ("the quarter so far", "–"), "itself is no comparison"


@pytest.mark.parametrize(
    ("week", "other"),
    [
        (date(2026, 11, 16), date(2025, 11, 17)),  # week 47 and week 47
        (date(2021, 1, 4), date(2019, 12, 30)),  # week 1, the year before had 53
        (date(2026, 12, 28), date(2025, 12, 22)),  # week 53 and the last one, 52
    ],
)
def test_a_year_before_is_the_same_iso_week(week, other):
    assert series.year_before(week, "week") == other
    assert series.year_before(date(2026, 11, 1), "month") == date(2025, 11, 1)


def test_the_running_week_is_never_shown():
    running = values("members", [999], last=LAST + timedelta(weeks=1))
    found = build((MEMBERS,), [*values("members", [1, 2]), *running])
    assert found.measures[0].value == 2
    assert found.measures[0].points[-1].period_start == LAST
    assert (found.period_start, found.period_end) == (LAST, date(2026, 11, 22))


def test_a_value_measured_while_its_week_ran_is_not_shown_as_whole():
    stale = [replace(value, partial=True) for value in values("members", [2])]
    earlier = values("members", [1], last=LAST - timedelta(weeks=1))
    assert build((MEMBERS,), [*earlier, *stale]).measures[0].value is None


def test_a_week_is_over_at_local_midnight():
    midnight = datetime(2026, 11, 22, 23, tzinfo=UTC)  # in Berlin
    numbers = values("members", [1, 2, 3])
    assert build((MEMBERS,), numbers, as_of=midnight).period_start == LAST
    before = build((MEMBERS,), numbers, as_of=midnight - timedelta(seconds=1))
    assert before.period_start == LAST - timedelta(weeks=1)
    assert before.measures[0].value == 2


# -- readings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("better", "number", "tone"),
    [
        ("up", 30, "better"),
        ("up", 0, "worse"),
        ("down", 30, "worse"),
        ("down", 0, "better"),
        ("none", 30, "changed"),
        ("up", 11, "routine"),
    ],
)
def test_colour_follows_the_good_direction_and_only_signals_have_it(better, number, tone):
    measure = only(*CALM, number, definition=kpi("members", better=better))
    assert measure.tone == measure.points[-1].tone == tone
    assert {point.tone for point in measure.points[:-1]} == {"routine"}


def test_readings_say_the_rule_and_the_routine_range():
    assert only(*CALM, 30).why == "outside the routine range of 6 to 16"
    assert only(*CALM, 11).why == "within the routine range of 6 to 16"
    assert only(*CALM, 14, 14, 11, 14).why == (
        "3 of the last 4 weeks nearer to the upper limit than to the average (routine 6 to 16)"
    )
    assert only(1, 2, 3).why == "3 of the 6 weeks needed"
    assert only(1, 2, 1, 2, 1, 2, 1).why.endswith("; the range rests on 7 weeks only")
    assert only(1, 2, 1, 2, 1, 2, 99).why.endswith("; the range rests on 7 weeks only"), "a signal"


def test_a_run_is_told_against_the_average_it_left():
    run = only(*CALM, 10, *[13] * 8)
    assert run.why == (
        "8 weeks in a row above the earlier average of 11 (a new level, routinely 13 to 13)"
    )
    first, second = run.bands
    assert (first.end, second.end - second.start) == (second.start, 8)
    assert only(*CALM, 10, *[13] * 9).tone == "routine", "news once"


def test_a_run_that_left_too_short_a_baseline_names_no_average():
    measure = only(1, 2, 1, 2, *[8, 9] * 4)
    assert measure.why == "8 weeks in a row above the average until then"
    assert measure.tone == "better"


def test_a_value_that_rests_on_too_few_is_no_signal():
    found = build((MEMBERS,), values("members", [*CALM, 99], few=(26,)))
    (measure,) = found.measures
    assert (measure.tone, measure.is_too_few) == ("early", True)
    assert measure.reading == "Too few to tell"
    assert measure.why == "rests on 2 cases only; it takes 5"
    assert found.changes == ()
    assert any("too few to read: Members (2)" in line for line in found.missing)


def test_no_data_is_a_dash_with_its_reason_and_never_zero():
    measure = only(1, 2, None)
    assert measure.value is None, "no value shown for the last week"
    gap = build((MEMBERS,), values("members", [1, 2], last=LAST - timedelta(weeks=1)))
    (measure,) = gap.measures
    assert (measure.value, measure.value_text, measure.tone) == (None, "–", "none")
    assert measure.why == "nothing to measure in this period; the last value is of week 46"
    assert measure.points[-1].value is None
    (never,) = build((MEMBERS,), (), report=Report(kpis=("members",))).measures
    assert (never.value_text, never.why) == ("–", "no whole week to measure in messages yet")


def shown(*numbers):
    """The one measure as mail and overview show it."""
    return recent(build((MEMBERS,), values("members", numbers))).measures[0]


def test_charts_of_mail_and_overview_show_27_weeks_and_their_bands():
    measure = shown(*CALM, *[10, 12] * 20)
    assert len(only(*CALM, *[10, 12] * 20).points) == len(CALM) + 40, "its own page shows all"
    assert len(measure.points) == 27
    assert [(band.start, band.end) for band in measure.bands] == [(0, 27)]
    assert measure.bands[0].is_locked
    assert measure.bands[0].lower_text == "6"
    assert measure.points[-1].label == "16 Nov"


def test_marks_and_bands_lie_on_the_weeks_shown():
    measure = shown(*CALM, 30, *[10, 12] * 7)
    assert [i for i, point in enumerate(measure.points) if point.tone == "better"] == [12]
    assert measure.points[12].value == 30
    stepped = shown(*CALM, 10, *[20, 21] * 20)
    assert [(band.start, band.end) for band in stepped.bands] == [(0, 27)], "the old one is past"


def test_a_kpi_that_is_never_summed_gives_a_measure_for_each_part():
    followers = kpi("followers", table="audience", statistic="state")
    found = build(
        (followers,),
        [*values("followers", [1], segment="x"), *values("followers", [2], segment="bluesky")],
    )
    assert [(one.segment, one.title) for one in found.measures] == [
        ("bluesky", "Followers: bluesky"), ("x", "Followers: x"),
    ]  # fmt: skip


def test_a_whole_shows_its_parts_beside_it():
    wait = kpi("wait", "seconds", "down")
    parts = values("wait", [60], segment="outreach", n=3)
    (measure,) = build((wait,), [*values("wait", [90, 120]), *parts]).measures
    assert [(part.name, part.value_text, part.n) for part in measure.segments] == [
        ("we helped unasked", "1 min", 3)
    ]


def test_a_monthly_kpi_stands_in_a_weekly_report_with_its_last_month():
    stickiness = kpi("stickiness", "ratio", grains=("month", "quarter", "year"))
    october = values("stickiness", [0.3], grain="month", last=date(2026, 10, 1))
    (measure,) = build((stickiness,), october).measures
    assert (measure.grain, measure.value_text) == ("month", "30.0%")
    assert measure.comparisons[0].name == "last month"


# -- the whole --------------------------------------------------------------------------------


def test_goals_stand_in_measures_and_lines():
    found = campus()
    wait = found.measures[0]
    assert (wait.target, wait.target_text, wait.target_label) == (
        14_400,
        "at most 4 h – met",
        "4 h",
    )
    line = found.goals[0]
    assert (line.status_text, line.target_text, line.by_text, line.owner) == (
        "Met", "at most 4 h", "by 31 December 2026", "team",
    )  # fmt: skip
    assert line.reason == "2 h 30 min meets the target (at most 4 h)."
    assert line.value_at < line.target_at < line.expected_at <= 1
    behind = found.goals[1]
    assert behind.reason.startswith("The straight pace asks for 92.6% by now;")
    assert (behind.value_at, behind.target_at) == (0.84, 0.95)
    without = found.goals[3]
    assert (without.status, without.value_text, without.value_at) == ("no_data", "–", None)


def line_of(numbers, target, by="2026-12-31", definition=MEMBERS, **more):
    """The line of one goal, and the view."""
    goals = (goal("G", definition.id, target, by=by, **more),)
    found = build(
        (definition,), values(definition.id, numbers), Settings(community="C", goals=goals)
    )
    return found.goals[0], found


def test_a_goal_says_where_its_trend_leads():
    # Three a week since 100: 121 on 23 November, 137 at the end of the year.
    rising = [100, 103, 106, 109, 112, 115, 118, 121]
    arriving, _ = line_of([130, 140, *rising], {"at_least": 135})
    assert arriving.status_text == "At risk"
    assert arriving.reason.endswith("at the present trend it arrives on 25 December 2026.")
    missing, _ = line_of([130, 140, *[121] * 8], {"at_least": 135})
    assert missing.reason.endswith("the present trend leads to 121 by then.")
    # A line of eight weeks drawn on for five more would end at 84: no number to frighten with.
    away, _ = line_of([130, 140, *reversed(rising)], {"at_least": 135})
    assert away.reason.endswith("; the present trend leads away from the target.")
    young, _ = line_of([100, 101], {"at_least": 135})
    assert young.reason.endswith("there are too few values for a trend.")


def test_a_trend_that_gets_worse_has_no_day_of_arrival():
    falling, found = line_of([124, 122, 120, 118, 116, 114, 112, 90], {"at_least": 100})
    assert falling.reason.endswith("; the present trend leads to 99 by then.")
    assert "arrives" not in str(found)
    meets, _ = line_of([50, 104, 105, 106, 107, 108, 109, 60], {"at_least": 100})
    assert meets.reason.endswith("; the present trend still meets the target.")
    late, _ = line_of([20, 20, 24, 28, 32, 36, 40, 44], {"at_least": 100})
    assert late.reason.endswith("; at the present trend it arrives only on 28 February 2027.")
    far, _ = line_of([20, 20, 20.5, 21, 21.5, 22, 22.5, 23], {"at_least": 100})
    assert far.reason.endswith("; at the present trend it arrives only in 2029.")


@pytest.mark.parametrize(
    ("numbers", "aim", "unit", "pace"),
    [
        # One week of six and a bit gone: the pace is a hair away from what is shown.
        ([20, 19], {"at_most": 10.8}, "count", "18.6"),
        ([0.5, 0.49], {"at_most": "43.23%"}, "ratio", "48.97%"),
        ([20, 19], {"at_most": 13.3}, "count", "a little less than 19"),
        ([14_600, 14_430], {"at_most": "3h 41min"}, "seconds", "a little less than 4 h"),
    ],
)
def test_a_pace_that_would_read_like_the_value_is_told_apart(numbers, aim, unit, pace):
    line, _ = line_of(numbers, aim, definition=kpi("open", unit, better="down"))
    assert line.status == "at_risk", line
    assert line.expected_text == pace
    assert line.reason.startswith(f"The straight pace asks for {pace} by now;")


def test_a_goal_past_its_due_date_says_so():
    line, _ = line_of([100, 120, 500], {"at_least": 135}, by="2026-11-13")
    assert line.reason == (
        "120 when it was due on 13 November 2026; the target (at least 135 a week) was not reached."
    )


def test_a_goal_on_a_segment_draws_no_target_on_the_whole():
    line, found = line_of([100, 120], {"at_least": 110}, segment="forum")
    assert line.status == "no_data"
    assert found.measures[0].target is None
    assert line_of([100, 120], {"at_least": 110})[1].measures[0].target == 110


def test_what_is_missing_or_stale_is_said():
    assert campus().missing == (
        "x has brought nothing new since 20 Nov 2026, 06:00: the token was refused (401).",
        "forum: 12 items could not be read and wait in quarantine.",
        "No data for Satisfied after support: no whole week to measure in survey responses yet.",
        "Fewer than 5 cases, too few to read: Active members (2).",
        "Measures that serve no goal: Active members; Followers; Messages by members; Revenue; "
        "Sentiment, mean.",
    )
    never = build((MEMBERS,), (), sources=(source(is_stale=True, last=None, error="no route"),))
    assert never.missing[0] == "forum has never been fetched: no route."
    assert never.freshness[0].last_success_text == "never"


def test_events_inside_the_shown_span_are_marked():
    assert campus().events == (("Outage", date(2026, 10, 1), date(2026, 10, 1)),)


def test_a_report_shows_the_kpis_it_names_in_that_order():
    kpis = (kpi("a"), kpi("b"), kpi("c"))
    numbers = [*values("a", [1]), *values("b", [1]), *values("c", [1])]
    found = build(kpis, numbers, report=Report(kpis=("c", "a")))
    assert [measure.kpi for measure in found.measures] == ["c", "a"]
    goals = (goal("G", "b", {"at_least": 1}),)
    found = build(kpis, numbers, Settings(community="C", goals=goals))
    assert [measure.kpi for measure in found.measures] == ["b", "a", "c"], "goals first"


def test_a_report_on_an_unknown_kpi_is_refused_with_the_nearest():
    with pytest.raises(BadSettings, match="report 'weekly'.*'memberz': did you mean 'members'"):
        view.check([Report(kpis=("memberz",))], [MEMBERS])
    view.check([Report(kpis=("members",))], [MEMBERS])


@pytest.mark.parametrize("grain", ["month", "quarter"])
def test_reports_of_longer_periods(grain):
    last = date(2026, 10, 1) if grain == "month" else date(2026, 7, 1)
    numbers = values("members", [5], grain=grain, last=last)
    found = build((MEMBERS,), numbers, report=Report(grain=grain))
    assert found.period_start == last
    assert found.measures[0].value_text == "5"
    assert found.subject.startswith(f"First {grain}s: too early to tell")


def test_when_no_source_could_be_read_the_subject_says_so():
    never = source(is_stale=True, last=None, error="no route")
    old = source("x", is_stale=True, last=AS_OF - timedelta(days=9))
    found = build((), (), sources=(never, old))
    assert found.subject == "No source could be read (week 47)"
    assert found.opening[0] == "No source could be read, so nothing can be told of this week yet."
    routine = build((MEMBERS,), values("members", CALM), sources=(never,))
    assert routine.subject == "No source could be read (week 47)"
    assert routine.opening[0] == (
        "No source could be read of late, so this week may only look like a routine one."
    )
    one_left = build((), (), sources=(never, source("x")))
    assert one_left.subject == "No numbers yet (week 47)"


def test_an_empty_community_gets_a_report_all_the_same():
    found = build((), ())
    assert found.subject == "No numbers yet (week 47)"
    assert found.headline is None
    assert found.as_of == AS_OF


def test_a_report_tells_its_own_goals_in_its_own_time_zone():
    settings = Settings(
        community="c", timezone="Europe/Berlin",
        goals=(goal("Grow", "members", {"at_least": 5}), goal("Stay", "members", {"at_least": 9})),
    )  # fmt: skip
    report = Report(goals=("Stay",), timezone="Asia/Kolkata")
    found = build((MEMBERS,), values("members", CALM), settings, report, waiting=(waiting(1),))
    assert [line.name for line in found.goals] == ["Stay"]
    assert found.waiting[0].opened_text == "23 Nov 2026, 09:30"
    assert not [line for line in found.missing if "serves no goal" in line], "another report's goal"
    every = build((MEMBERS,), values("members", CALM), settings, Report())
    assert [line.name for line in every.goals] == ["Grow", "Stay"]
    with pytest.raises(BadSettings, match="there is no goal 'Stey': did you mean 'Stay'"):
        view.check([Report(goals=("Stey",))], (MEMBERS,), settings.goals)


def test_a_measure_says_what_it_rests_on_once():
    say = words.load("en")
    rate = only(*[0.8, 0.9] * 9, definition=kpi("rate", "ratio"))
    assert wording.aside(rate, say) == "of 50 cases"
    assert wording.in_full(rate, say).endswith(" · of 50 cases")
    few = build((kpi("rate", "ratio"),), values("rate", [0.8, 0.9], few=(1,))).measures[0]
    assert wording.aside(few, say).count("case") == 1 and few.is_too_few
    assert wording.aside(only(*CALM), say) == "", "a count is its own number of cases"
