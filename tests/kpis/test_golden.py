"""Hand-worked cases: a few rows, and the conversations and values they must give.

Values are weekly unless the case names another grain. The cases lie in tests/golden/kpis. A KPI's
expected values are all it has, so that a value that should not exist fails too. The rows behind a
value are as many as its n, and make its value: they are asked of here, where it is measured.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from contributions import RELATIONS, plainly
from golden_cases import CASES, as_of, coverage, instant, outcome_of, rows_of
from small_lake import lay, settings

from muster.kpis import behind, catalogue, engine, given, steps
from muster.results import Behind, Kpi

KPIS = {kpi.id: kpi for kpi in catalogue.load()}


@pytest.mark.parametrize("case", CASES)
def test_values(case):
    outcome = outcome_of(case)
    assert outcome.problems == ()
    for part in ("values", "n"):
        for kpi, expected in case.get(part, {}).items():
            found = {
                str(one.period_start) + ("" if one.segment == "all" else f" {one.segment}"): (
                    one.n if part == "n" else pytest.approx(one.value)
                )
                for one in outcome.values
                if (one.kpi, one.grain) == (kpi, case.get("grain", "week")) and not one.partial
            }
            if part == "n":
                found = {key: found[str(key)] for key in map(str, expected)}
            if as_of(case) < datetime(2026, 3, 9, tzinfo=UTC):
                found |= _running(outcome, kpi)
            assert found == {str(key): value for key, value in expected.items()}, kpi


@pytest.mark.parametrize("case", [case for case in CASES if "conversations" in case.values[0]])
def test_conversations(case):
    connection, own = engine.connect("/nowhere"), settings(**case.get("settings", {}))
    lay(connection, list(rows_of(case)))
    given.prepare(connection, own, as_of(case), (), ())
    shared = steps.load()
    for name in steps.needed(["from conversations"], shared):
        steps.run(connection, name, shared[name], given.parameters(own, as_of(case)))
    asked = ", ".join(ASKED)
    order = f"select {asked} from conversations order by opened_at, message_id"
    found = [
        {key: value for key, value in zip(ASKED, row, strict=True) if value not in (None, False)}
        for row in connection.execute(order).fetchall()
    ]
    assert found == [_expected(one) for one in case["conversations"]]


ASKED = (
    "opened_at", "first_response_at", "first_peer_answer_at", "escalated_at", "resolved_at",
    "resolved_by", "is_reopening", "reopened_at",
)  # fmt: skip


def test_every_kpi_has_a_case_that_expects_a_value_of_it():
    worked = {kpi for case in CASES for kpi, found in _said(case, "values").items() if found}
    assert {kpi.id for kpi in catalogue.load()} - worked == set()


def test_every_case_speaks_of_kpis_that_exist():
    named = {kpi for case in CASES for part in ("values", "n") for kpi in _said(case, part)}
    assert named - {kpi.id for kpi in catalogue.load()} == set()


def _said(case: Any, part: str) -> dict[str, Any]:
    return case.values[0].get(part, {})


def _expected(case: dict[str, Any]) -> dict[str, Any]:
    return {
        key: instant(value).replace(tzinfo=None) if key.endswith("_at") else value
        for key, value in case.items()
    }


def _running(outcome, kpi):
    return {
        str(one.period_start) + ("" if one.segment == "all" else f" {one.segment}"): pytest.approx(
            one.value
        )
        for one in outcome.values
        if (one.kpi, one.grain) == (kpi, "week")
    }


def picked() -> Iterable[Any]:
    """For every KPI and segment the first golden case with a value that rests on something."""
    seen: set[tuple[str, str]] = set()
    for case in (param.values[0] for param in CASES):
        for kpi, expected in case.get("values", {}).items():
            for name in expected or ():
                day, _, segment = str(name).partition(" ")
                key = (kpi, segment if segment in ("", "inbound", "outreach") else "part")
                if key not in seen and expected[name]:
                    seen.add(key)
                    told = f"{kpi} {segment}".strip()
                    yield pytest.param(case, kpi, day, segment or "all", id=told)


def asked(case: dict[str, Any], kpi: Kpi, day: str, segment: str) -> tuple[Any, Behind]:
    """The measured value and what stands behind it."""
    grain, own = case.get("grain", "week"), case.get("settings", {})
    period = (grain, date.fromisoformat(day))
    key = (kpi.id, *period, segment)
    (value,) = [
        one
        for one in outcome_of(case).values
        if (one.kpi, one.grain, one.period_start, one.segment) == key
    ]
    connection = engine.connect("/nowhere", threads=1)
    lay(connection, list(rows_of(case)))
    facts = {"as_of": as_of(case), "coverage": coverage(case)}
    return value, behind.behind(connection, settings(**own), kpi, period, segment, **facts)


@pytest.mark.parametrize(("case", "name", "day", "segment"), list(picked()))
def test_the_rows_make_the_value_and_are_as_many_as_its_n(case, name, day, segment):
    kpi = KPIS[name]
    value, found = asked(case, kpi, day, segment)
    assert not found.trouble
    assert (found.value, found.n) == (pytest.approx(value.value), value.n)
    tables = [
        [dict(zip(part.columns, row, strict=True)) for row in part.rows] for part in found.parts
    ]
    assert all(part.total == len(part.rows) for part in found.parts)
    told = RELATIONS.get(name, plainly)(*tables)
    assert told == (pytest.approx(value.value), value.n)


def test_every_kpi_is_asked():
    assert {param.values[1] for param in picked()} == set(KPIS)


def test_the_longest_wait_comes_first():
    case = next(
        param.values[0] for param in CASES if "stay in the median" in param.values[0]["name"]
    )
    _, found = asked(case, KPIS["first_response_mean"], "2026-03-02", "all")
    (part,) = found.parts
    waits = [row[part.columns.index("wait_seconds")] for row in part.rows]
    assert waits == [10800, 7200, 3600]
    assert part.contributions == ("wait_seconds",)
    assert found.formula == ("avg(wait_seconds)", "count(*)")
