"""The hand-worked cases of tests/golden/kpis, their rows, and what is measured of them, once.

Dates there are of 2026 and times UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_lake import SOURCE, covers, measured

from muster.kpis import runner
from muster.measured import Coverage
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
    for case in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
]
OUTCOMES: dict[str, runner.Outcome] = {}  # case → what was measured of it


def outcome_of(case: dict[str, Any]) -> runner.Outcome:
    """All KPIs of a case, measured once for all who ask in this process."""
    if case["name"] not in OUTCOMES:
        OUTCOMES[case["name"]] = measured(
            list(rows_of(case)),
            as_of=as_of(case),
            kpis=case.get("values") or ["issues_opened"],
            coverage=coverage(case),
            grain=case.get("grain", "week"),
            **case.get("settings", {}),
        )
    return OUTCOMES[case["name"]]


def coverage(case: dict[str, Any]) -> list[Coverage]:
    """The successes of a case."""
    return [covers(instant(a), instant(b), table) for table, a, b in case.get("coverage", ())]


def rows_of(case: dict[str, Any]):
    for facts in map(dict, case.get("messages", ())):
        yield facts.pop("source", SOURCE), _message(facts)
    for facts in map(dict, case.get("threads", ())):
        place = facts.pop("source", SOURCE)
        yield place, Thread(**{"created_at": instant("03-02 09:00")} | _parsed(facts))
    for facts in case.get("members", ()):
        yield Member(**_parsed(facts))
    for facts in case.get("audience", ()):
        day = date.fromisoformat(f"2026-{facts['measured_on']}")
        yield Audience(**facts | {"measured_on": day})
    for number, facts in enumerate(case.get("surveys", ())):
        known = {"response_id": str(number), "created_at": instant("03-04 12:00")}
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
        "created_at": instant(facts.pop("at")),
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
        return instant(value)
    if key == "date":
        return date.fromisoformat(f"2026-{value}")
    if key in MONEY and value is not None:
        return Decimal(str(value))
    return tuple(value) if key == "tags" else value


def as_of(case: dict[str, Any]) -> datetime:
    return instant(case.get("as_of", "03-09 00:00"))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)
