"""Theil-Sen: against exact fractions and SciPy; what it reaches, and when."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.goals.trend import theil_sen

MONDAY = date(2026, 9, 7)


def exact_median(numbers):
    numbers = sorted(numbers)
    middle = len(numbers) // 2
    return numbers[middle] if len(numbers) % 2 else (numbers[middle - 1] + numbers[middle]) / 2


series = st.lists(
    st.tuples(st.integers(0, 60), st.integers(-500, 500)), min_size=4, max_size=8,
    unique_by=lambda point: point[0],
)  # fmt: skip


@given(series)
def test_the_trend_is_that_of_scipy(points):
    from scipy.stats import theilslopes

    days, values = zip(*sorted(points), strict=True)
    expected = theilslopes(values, days, method="joint")
    trend = theil_sen([(MONDAY + timedelta(days=x), float(y)) for x, y in sorted(points)])
    assert trend.per_day == pytest.approx(expected.slope)
    assert trend.on(MONDAY) == pytest.approx(expected.intercept)


@given(series)
def test_the_trend_is_the_median_of_all_slopes(points):
    points = sorted(points)
    slopes = [
        Fraction(points[j][1] - points[i][1], points[j][0] - points[i][0])
        for i in range(len(points))
        for j in range(i + 1, len(points))
    ]
    slope = exact_median(slopes)
    start = exact_median([Fraction(y) - slope * x for x, y in points])
    trend = theil_sen([(MONDAY + timedelta(days=x), float(y)) for x, y in points])
    for day in (0, 30, 400):
        assert trend.on(MONDAY + timedelta(days=day)) == pytest.approx(float(start + slope * day))


def test_one_outlier_does_not_turn_the_trend():
    days = [(MONDAY + timedelta(weeks=week), 100.0 + 7 * week) for week in range(8)]
    days[4] = (days[4][0], 9_999.0)
    assert theil_sen(days).per_day == pytest.approx(1.0)


def test_a_trend_needs_four_values_and_arrives_only_forwards():
    days = [(MONDAY + timedelta(days=day), 10.0 + day) for day in range(4)]
    assert theil_sen(days[:3]) is None
    trend = theil_sen(days)
    assert trend.reaches(20.5) == MONDAY + timedelta(days=11)
    assert trend.reaches(0) is None
    assert trend.reaches(1e9) is None
    flat = theil_sen([(day, 5.0) for day, _ in days])
    assert flat.reaches(6) is None
