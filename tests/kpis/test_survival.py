"""Kaplan-Meier agrees with exact fractions, with lifelines, and with the plain median."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from statistics import median_low

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from thorough import tries

from muster.kpis import catalogue, engine, steps

wait = st.tuples(st.integers(0, 12), st.booleans())


def exact(waits: list[tuple[int, bool]], p: Fraction) -> int | None:
    """The smallest t with S(t) <= 1 - p, by fractions; None if never reached."""
    events, leaving = Counter(t for t, seen in waits if seen), Counter(t for t, _ in waits)
    at_risk, surviving = len(waits), Fraction(1)
    for t in sorted(leaving):
        surviving *= 1 - Fraction(events[t], at_risk)
        if surviving <= 1 - p:
            return t
        at_risk -= leaving[t]
    return None


@pytest.fixture(scope="module")
def connection():
    return engine.connect("/nowhere")


def survive(connection, waits: list[tuple[int, bool]]) -> None:
    """The step ``issue_quantiles`` over these waits."""
    rows = ", ".join(f"({t}.0, {seen})" for t, seen in waits)
    connection.execute(
        "create or replace temp table issues as select date '2026-03-02' as opened_day, "
        "'inbound' as issue_kind, t as wait_seconds, null as wait_business_seconds, "
        "seen as is_answered, t as resolution_seconds, null as resolved_at "
        f"from (values {rows}) as v(t, seen)"
    )
    connection.execute(
        "create or replace temp table period_days as "
        "select distinct opened_day as day, opened_day as period_start from issues"
    )
    connection.execute(
        "create or replace temp table periods as select distinct period_start from period_days"
    )
    shared = steps.load()
    for name in ("queues", "issue_waits", "issue_quantiles"):
        steps.run(connection, name, shared[name], {})


def quantile(connection, waits: list[tuple[int, bool]], kpi: str) -> float | None:
    survive(connection, waits)
    sql = next(one.sql for one in catalogue.load() if one.id == kpi)
    found = [row for row in connection.execute(sql).fetchall() if row[1] == "all"]
    assert all(row[3] == len(waits) for row in found)
    return found[0][2] if found else None


@settings(max_examples=tries(20, 500), deadline=None)
@given(waits=st.lists(wait, min_size=1, max_size=40))
@example(waits=[(t, True) for t in range(1, 21)])
@example(waits=[(1, True), (2, False)])
def test_median_and_p90_agree_with_fractions(connection, waits):
    found = [quantile(connection, waits, f"first_response_{name}") for name in ("median", "p90")]
    assert found == [exact(waits, Fraction(1, 2)), exact(waits, Fraction(9, 10))]


@settings(max_examples=tries(10, 100), deadline=None)
@given(waits=st.lists(wait, min_size=1, max_size=40))
@example(waits=[(t, True) for t in range(1, 21)])
def test_the_quantiles_are_where_the_curve_of_lifelines_reaches_them(connection, waits):
    """Its own percentiles are no yardstick: they err by rounding (of 20, the 19th for the p90)."""
    from lifelines import KaplanMeierFitter

    times, events = zip(*waits, strict=True)
    curve = KaplanMeierFitter().fit(times, events).survival_function_["KM_estimate"]
    for p, kpi in ((0.5, "first_response_median"), (0.9, "first_response_p90")):
        reached = [t for t, left in curve.items() if left <= 1 - p + 1e-9]
        assert quantile(connection, waits, kpi) == min(reached, default=None)


@settings(max_examples=tries(20, 300), deadline=None)
@given(waits=st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_while_nobody_waits_the_median_is_the_plain_lower_one(connection, waits):
    found = quantile(connection, [(t, True) for t in waits], "first_response_median")
    assert found == median_low(waits)


@settings(max_examples=tries(200, 2000))
@given(waits=st.lists(wait, min_size=1, max_size=20), longer=st.integers(0, 9))
def test_who_waits_on_moves_a_quantile_only_by_passing_it(waits, longer):
    """So a measuring that goes on leaves old periods alone (``kpis/stale.py``)."""
    for share in (Fraction(1, 2), Fraction(9, 10)):
        told = exact(waits, share)
        if told is None or all(seen or t >= told for t, seen in waits):
            later = [(t if seen else t + longer, seen) for t, seen in waits]
            assert exact(later, share) == told


@pytest.mark.parametrize("n", range(1, 13))
def test_the_median_of_n_answered_issues_is_the_lower_middle_one(connection, n):
    waits = [(t * 10, True) for t in range(1, n + 1)]
    assert quantile(connection, waits, "first_response_median") == (n + 1) // 2 * 10


def test_the_p90_of_twenty_is_the_eighteenth(connection):
    waits = [(t, True) for t in range(1, 21)]
    assert quantile(connection, waits, "first_response_p90") == 18


def test_a_median_never_reached_is_no_value(connection):
    assert (
        quantile(connection, [(5, True), (9, False), (9, False)], "first_response_median") is None
    )


def test_a_long_unanswered_issue_lengthens_the_median(connection):
    answered = [(1, True), (2, True), (3, True)]
    assert quantile(connection, answered, "first_response_median") == 2
    assert quantile(connection, [*answered, (9, False), (9, False)], "first_response_median") == 3
