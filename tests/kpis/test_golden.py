"""Hand-worked cases: a few rows, and the conversations and values they must give.

Values are weekly unless the case names another grain.

The cases lie in tests/golden/kpis; dates there are of 2026 and times UTC. A KPI's expected values
are all it has, so that a value that should not exist fails too.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_lake import SOURCE, covers, lay, measured, settings

from muster.kpis import catalogue, engine, given, steps
from muster.records import (
    AdSpend,
    Audience,
    Figure,
    Member,
    Message,
    Order,
    Review,
    Row,
    SiteTraffic,
    SurveyResponse,
    Thread,
)

FOLDER = Path(__file__).parents[1] / "golden" / "kpis"
CASES = [
    pytest.param(case, id=case["name"])
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("case", CASES)
def test_values(case):
    outcome = measured(
        list(_rows(case)),
        as_of=_as_of(case),
        kpis=[*case.get("values", {}), "issues_opened"],
        coverage=[covers(_at(a), _at(b), table) for table, a, b in case.get("coverage", ())],
        grain=case.get("grain", "week"),
        **case.get("settings", {}),
    )
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
            if _as_of(case) < datetime(2026, 3, 9, tzinfo=UTC):
                found |= _running(outcome, kpi)
            assert found == {str(key): value for key, value in expected.items()}, kpi


@pytest.mark.parametrize("case", [case for case in CASES if "conversations" in case.values[0]])
def test_conversations(case):
    connection, own = engine.connect("/nowhere"), settings(**case.get("settings", {}))
    lay(connection, list(_rows(case)))
    given.prepare(connection, own, _as_of(case), (), ())
    shared = steps.load()
    for name in steps.needed(["from conversations"], shared):
        steps.run(connection, name, shared[name], given.parameters(own, _as_of(case)))
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
        key: _at(value).replace(tzinfo=None) if key.endswith("_at") else value
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


def _rows(case: dict[str, Any]):
    for facts in map(dict, case.get("messages", ())):
        yield facts.pop("source", SOURCE), _message(facts)
    for facts in map(dict, case.get("threads", ())):
        place = facts.pop("source", SOURCE)
        yield place, Thread(**{"created_at": _at("03-02 09:00")} | _parsed(facts))
    for facts in case.get("members", ()):
        yield Member(**_parsed(facts))
    for facts in case.get("audience", ()):
        day = date.fromisoformat(f"2026-{facts['measured_on']}")
        yield Audience(**facts | {"measured_on": day})
    for number, facts in enumerate(case.get("surveys", ())):
        known = {"response_id": str(number), "created_at": _at("03-04 12:00")}
        yield SurveyResponse(**known | _parsed(facts))
    for table, (kind, known) in MEASURED.items():
        for number, facts in enumerate(case.get(table, ())):
            own = {key: value(number) for key, value in known.items()} | _parsed(facts)
            yield own.pop("source", SOURCE), kind(**own)


# What a row has if its case says nothing of it; keys and money are of no interest to most.
MEASURED: dict[str, tuple[type, dict[str, Any]]] = {
    "orders": (
        Order, {"order_id": str, "currency": lambda _: "EUR", "revenue": lambda _: Decimal(1)}
    ),
    "ad_spend": (AdSpend, {"campaign_id": str, "currency": lambda _: "EUR"}),
    "site_traffic": (
        SiteTraffic, dict.fromkeys(("sessions", "visitors", "leads"), lambda _: 0)
    ),
    "reviews": (Review, {"review_id": str, "rating_max": lambda _: 5.0}),
    "figures": (Figure, {"unit": lambda _: "EUR"}),
}  # fmt: skip
MONEY = ("revenue", "cost", "spend")


def _message(facts: dict[str, Any]) -> Row:
    role = facts.pop("role", "member")
    known = {
        "message_id": facts.pop("id"),
        "created_at": _at(facts.pop("at")),
        "author_id": facts.pop("by"),
        "author_role": role,
        "thread_id": facts.pop("thread", "t1"),
        "parent_id": facts.pop("parent", None),
        "direction": "outbound" if role == "staff" else "inbound",
    }
    return Message(**known | _parsed(facts))


def _parsed(facts: dict[str, Any]) -> dict[str, Any]:
    return {key: _read(key, value) for key, value in facts.items()}


def _read(key: str, value: Any) -> Any:
    if key.endswith("_at"):
        return _at(value)
    if key == "date":
        return date.fromisoformat(f"2026-{value}")
    if key in MONEY and value is not None:
        return Decimal(str(value))
    return tuple(value) if key == "tags" else value


def _as_of(case: dict[str, Any]) -> datetime:
    return _at(case.get("as_of", "03-09 00:00"))


def _at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)
