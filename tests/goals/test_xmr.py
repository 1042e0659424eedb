"""XmR: limits and signals worked by hand, and against a second computation in exact fractions."""

from __future__ import annotations

import re
import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.goals.xmr import read

CALM = [10, 12] * 13
whole = st.integers(-50, 50)
series = st.one_of(
    st.lists(whole, max_size=70),
    # Levels that shift, so that runs and baselines occur often.
    st.lists(st.tuples(whole, st.lists(st.integers(-3, 3), max_size=20)), max_size=5).map(
        lambda steps: [level + wobble for level, wobbles in steps for wobble in wobbles]
    ),
)


def marks(reading) -> list[str]:
    """The rules of each point by their first letters: o, r, n."""
    return ["".join(rule[0] for rule in rules) for rules in reading.rules]


# -- worked by hand ---------------------------------------------------------------------------


def test_limits_are_the_mean_and_2_66_mean_moving_ranges():
    # 10 12 11 13 12 14: mean 12, ranges 2 1 2 1 2, their mean 1.6, 2.66 × 1.6 = 4.256.
    (limits,) = read([10, 12, 11, 13, 12, 14], None, None).limits
    assert (limits.start, limits.end) == (0, 6)
    assert limits.mean == pytest.approx(12)
    assert (limits.lower, limits.upper) == pytest.approx((7.744, 16.256))
    assert not limits.is_locked


def test_below_six_points_it_is_too_early_to_tell():
    reading = read([1, 100, 1, 100, 9999], None, None)
    assert (reading.maturity, reading.limits) == ("early", ())
    assert set(marks(reading)) == {""}


def test_six_to_eleven_points_know_only_the_first_rule():
    low_then_high = [1, 1, 1, 9, 9, 9, 9, 9, 9, 9, 9]
    reading = read(low_then_high, None, None)
    assert reading.maturity == "limits"
    assert not any("r" in mark or "n" in mark for mark in marks(reading))
    assert read([*low_then_high, 9], None, None).rules[-1] != ()


def test_outside_is_beyond_the_limit_and_exactly_on_it_is_inside():
    # 10 and 12 in turns: mean 11, range 2, limits 5.68 and 16.32, locked at 26 points.
    assert marks(read([*CALM, 16.33], None, None))[-1] == "o"
    assert marks(read([*CALM, 16.32], None, None))[-1] == ""
    assert marks(read([*CALM, 5.67], None, None))[-1] == "o"
    assert marks(read([*CALM, 5.68], None, None))[-1] == ""


def test_eight_in_a_row_are_a_run_and_seven_are_not():
    assert set(marks(read([*CALM, 10.9, *[11.5] * 7], None, None))[-7:]) == {""}
    assert marks(read([*CALM, 10.9, *[11.5] * 8], None, None))[-9:] == ["", *["r"] * 8]


def test_a_point_exactly_on_the_mean_breaks_a_run():
    broken = [*CALM, 10.9, *[11.5] * 4, 11, *[11.5] * 4]
    assert set(marks(read(broken, None, None))) == {""}


def test_three_of_four_nearer_to_the_same_limit_are_marked():
    # Half of the way from 11 to 16.32 is 13.66.
    assert marks(read([*CALM, 14, 11.5, 14, 14], None, None))[-4:] == ["n", "", "n", "n"]
    assert set(marks(read([*CALM, 14, 11.5, 14, 13.66], None, None))) == {""}
    assert set(marks(read([*CALM, 14, 8, 14, 8], None, None))) == {""}, "not the same limit"
    assert set(marks(read([*CALM, 14, 11.5, 11.5, 14, 14], None, None))) == {""}, "3 of 5"


def test_a_run_of_eight_starts_a_new_baseline_at_its_first_point():
    reading = read([*CALM, 10, *[20, 21] * 5], None, None)
    old, new = reading.limits
    assert (old.start, old.end, old.mean, old.is_locked) == (0, 27, 11, True)
    assert (new.start, new.end, new.is_locked) == (27, 37, False)
    assert new.mean == pytest.approx(20.5)
    assert (new.lower, new.upper) == pytest.approx((17.84, 23.16))
    # The eight are marked, seen from the baseline they left; the ninth belongs to the new one.
    assert all("r" in mark and "o" in mark for mark in marks(reading)[27:35])
    assert marks(reading)[35:] == ["", ""]
    assert reading.sides[27:35] == (1,) * 8


def test_a_baseline_left_before_it_was_locked_rests_on_its_own_points():
    old, new = read([*[10, 12] * 6, 10, *[20] * 8], None, None).limits
    assert (old.end, new.start) == (13, 13)
    assert old.mean == pytest.approx(142 / 13)
    assert not old.is_locked


def test_limits_are_locked_by_the_first_26_points():
    before = read(CALM, None, None).limits
    after = read([*CALM, 12, 12, 12, 10, 10, 10], None, None).limits
    assert before[0].is_locked
    assert (before[0].lower, before[0].upper) == (after[0].lower, after[0].upper)
    assert not read(CALM[:25], None, None).limits[0].is_locked


def test_the_way_between_two_baselines_is_no_second_signal():
    # The 12 is still above the old mean, so the run starts with it; the 20s follow.
    reading = read([*CALM, *[20, 21] * 10], None, None)
    assert len(reading.limits) == 2
    assert set(marks(reading)[33:]) == {""}


def test_limits_are_clipped_to_what_is_possible_but_judged_unclipped():
    # Mean 0.03, range 0.06: the lower limit would be below 0. Zero is then no unusual place.
    ratios = [0.0, 0.06] * 13
    reading = read([*ratios, 0.0, 0.0, 0.0, 0.0], 0.0, 1.0)
    assert reading.limits[0].lower == 0.0
    assert set(marks(reading)) == {""}
    high = read([0.94, 1.0] * 13, 0.0, 1.0)
    assert high.limits[0].upper == 1.0


def test_a_constant_series_is_routine_and_any_move_is_a_signal():
    reading = read([0.1] * 40, 0.0, 1.0)
    assert reading.limits[0].lower == reading.limits[0].upper == pytest.approx(0.1)
    assert set(marks(reading)) == {""}
    assert set(reading.sides) == {0}
    assert marks(read([*[5] * 30, 6], None, None))[-1] == "o"


def test_no_points_are_no_reading():
    assert read([], None, None).maturity == "early"
    assert read([None, None], 0.0, None).sides == (0, 0)


def test_four_hundred_weeks_are_read_at_once():
    began = time.process_time()
    reading = read([100 + (week * 37 % 23) for week in range(400)], 0.0, None)
    assert len(reading.rules) == 400
    assert time.process_time() - began < 2


# -- against a second computation -------------------------------------------------------------


def signs(points, mean) -> str:
    return "".join("0" if x == mean else "+" if x > mean else "-" for x in points)


def stretches(points, mean):
    return [m.span() for m in re.finditer(r"\+{8,}|-{8,}", signs(points, mean))]


def mean_and_reach(base):
    base = [Fraction(x) for x in base]
    ranges = [abs(b - a) for a, b in zip(base, base[1:], strict=False)]
    reach = Fraction(266, 100) * sum(ranges) / len(ranges) if ranges else Fraction(0)
    return sum(base) / len(base), reach


def leaves(here):
    """The runs that leave a baseline of these points, none while it is too young."""
    if len(here) < 12:
        return []
    mean, _ = mean_and_reach(here[:26])
    return [span for span in stretches(here, mean) if span[0] > 0]


def by_week(points):
    """The baselines as a reader of each week's chart would have drawn them."""
    found, start = [], 0
    for week in range(1, len(points) + 1):
        while leaving := leaves(points[start:week]):
            first, end = leaving[0]
            found.append((start, start + first, start + end))
            start += first
    return [*found, (start, len(points), len(points))]


def near_a_limit(judged, mean, reach):
    """Points of every window of four of which three lie beyond the same half way."""
    for first in range(len(judged) - 3):
        window = range(first, first + 4)
        high = [i for i in window if judged[i] > mean + reach / 2]
        low = [i for i in window if judged[i] < mean - reach / 2]
        if reach:
            yield from (high if len(high) >= 3 else low if len(low) >= 3 else [])


def rules_of(points, start, end, run_end):
    """What one baseline says of the points it judges, by position."""
    own, judged = points[start:end], points[start:run_end]
    mean, reach = mean_and_reach(points[start : start + 26] if run_end - start >= 26 else own)
    found = [set() for _ in judged]
    if len(own) >= 6:
        [found[i].add("outside") for i, x in enumerate(judged) if abs(x - mean) > reach]
    if len(own) >= 12:
        [found[i].add("run") for span in stretches(judged, mean) for i in range(*span)]
        [found[i].add("near_limit") for i in near_a_limit(judged, mean, reach)]
    if start == 0 or len(own) >= 6:
        [found[i].add("run") for i in range(len(own), len(judged))]
    return found, (start, end, mean, reach)


def second_reading(points):
    rules, limits = [set() for _ in points], []
    for start, end, run_end in reversed(by_week(points)):
        if start == end:
            continue
        rules[start:run_end], lines = rules_of(points, start, end, run_end)
        if end - start >= 6:
            limits.insert(0, lines)
    return rules, limits


@settings(max_examples=400, deadline=None)
@given(series)
def test_it_reads_as_a_second_computation_in_exact_fractions(points):
    reading = read(points, None, None)
    rules, limits = second_reading(points)
    assert [set(found) for found in reading.rules] == rules
    assert len(reading.limits) == len(limits)
    for got, (start, end, mean, reach) in zip(reading.limits, limits, strict=True):
        assert (got.start, got.end) == (start, end)
        assert got.mean == pytest.approx(float(mean))
        assert (got.lower, got.upper) == pytest.approx((float(mean - reach), float(mean + reach)))


@given(series, st.lists(st.integers(0, 70), max_size=8))
def test_periods_without_a_value_are_skipped(points, gaps):
    with_gaps = list(points)
    for gap in sorted(gap for gap in gaps if gap <= len(points)):
        with_gaps.insert(gap, None)
    reading = read(with_gaps, None, None)
    kept = [i for i, value in enumerate(with_gaps) if value is not None]
    assert [reading.rules[i] for i in kept] == list(read(points, None, None).rules)
    assert all(reading.rules[i] == () for i, value in enumerate(with_gaps) if value is None)


@given(series)
def test_upside_down_it_reads_the_same_with_sides_swapped(points):
    reading, mirrored = read(points, None, None), read([-value for value in points], None, None)
    assert reading.rules == mirrored.rules
    assert reading.sides == tuple(-side for side in mirrored.sides)


@given(series, st.sampled_from([0.25, 3, 1024]), st.integers(-1000, 1000))
def test_the_unit_does_not_matter(points, scale, offset):
    moved = read([value * scale + offset for value in points], None, None)
    assert moved.rules == read(points, None, None).rules


@given(series, st.integers(0, 70))
def test_a_later_point_never_undoes_a_baseline_that_is_over(points, cut):
    def over(reading):
        return [(limits.start, limits.end) for limits in reading.limits[:-1]]

    before, after = read(points[:cut], None, None), read(points, None, None)
    assert over(before) == over(after)[: len(over(before))]


@given(series)
def test_limits_never_overlap_and_lie_within_what_is_possible(points):
    reading = read(points, -10, 10)
    edges = [edge for limits in reading.limits for edge in (limits.start, limits.end)]
    assert edges == sorted(edges)
    assert len(reading.rules) == len(reading.sides) == len(points)
    for limits in reading.limits:
        assert limits.lower >= -10
        assert limits.upper <= 10
