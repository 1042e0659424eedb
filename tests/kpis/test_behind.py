"""The rows behind a value: for every KPI they are as many as its n, and make its value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from small_lake import START, at, covers, lay, measured, message, settings
from test_golden import CASES, _as_of, _at, _rows

from muster.errors import BadSettings
from muster.kpis import behind, catalogue, engine
from muster.measured import KpiValue
from muster.results import Behind, Kpi

KPIS = {kpi.id: kpi for kpi in catalogue.load()}
MEASURED: dict[str, tuple[KpiValue, ...]] = {}  # case → what was measured of it
Table = list[dict[str, Any]]


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
    spans = [covers(_at(start), _at(end), table) for table, start, end in case.get("coverage", ())]
    facts = {"as_of": _as_of(case), "coverage": spans}
    grain, own = case.get("grain", "week"), case.get("settings", {})
    name = case["name"]
    if name not in MEASURED:  # all its KPIs at once
        rows, kpis = list(_rows(case)), list(case["values"])
        MEASURED[name] = measured(rows, kpis=kpis, grain=grain, **facts, **own).values
    key = (kpi.id, grain, date.fromisoformat(day), segment)
    (value,) = [
        one for one in MEASURED[name] if (one.kpi, one.grain, one.period_start, one.segment) == key
    ]
    connection = engine.connect("/nowhere", threads=1)
    lay(connection, list(_rows(case)))
    period = (grain, date.fromisoformat(day))
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


QUESTION = [
    message("q", 0, text="the printer?"),
    message("a", 2, "staff"),
    message("r", 3, text="a printer!", author_id="bob", thread_id="t2"),
    message("late", 24 * 9, text="printers", author_id="bob", thread_id="t3"),
]
OWN = """\
-- title: Own
-- question: ?
-- definition: ?
-- unit: count
-- better: up
-- statistic: count
-- communities: support
-- version: 1
-- table: messages
"""
FINAL = """
with printing as (select * from human_messages where text like '%printer%' and role = 'member'),
final as (
    select periods.period_start, 'all' as segment, count(*) as value, count(*) as n
    from printing
    join periods
        on printing.created_at >= periods.start_at and printing.created_at < periods.end_at
    group by all
)
select * from final
"""


def own(tmp_path: Path, sql: str, **facts: Any) -> Behind:
    """What stands behind a user's own KPI in the first week."""
    (tmp_path / "own.sql").write_text(OWN + sql)
    kpi = {one.id: one for one in catalogue.load(tmp_path)}["own"]
    connection = engine.connect("/nowhere")
    lay(connection, QUESTION)
    return behind.behind(
        connection, settings(timezone="Europe/Berlin"), kpi, ("week", START.date()), "all",
        as_of=at(days=14), coverage=(), **facts,
    )  # fmt: skip


def test_an_own_kpi_of_any_shape_shows_its_rows(tmp_path):
    found = own(tmp_path, FINAL)
    assert (found.value, found.n, found.trouble) == (2, 2, "")
    (part,) = found.parts
    ids = [row[part.columns.index("message_id")] for row in part.rows]
    assert sorted(ids) == ["q", "r"], "neither the staff's nor the week after's"
    assert part.rows[0][part.columns.index("created_at")].utcoffset() == timedelta(hours=1)


def test_only_so_many_rows_are_told_and_how_many_there_are(tmp_path):
    (part,) = own(tmp_path, FINAL, most=1).parts
    assert (len(part.rows), part.total) == (1, 2)


def test_rows_that_an_author_names_are_told_instead(tmp_path):
    sql = "-- rows: select period_start, segment, source, message_id from opened_issues\n" + FINAL
    (part,) = own(tmp_path, sql).parts
    assert (part.table, part.total) == ("opened_issues", 2)


def test_a_value_without_rows_that_can_be_told_still_stands(tmp_path):
    found = own(tmp_path, "-- rows: select nothing from nowhere\n" + FINAL)
    assert (found.value, found.parts) == (2, ())
    assert "add 'rows:'" in found.trouble and "nowhere" in found.trouble


def test_sql_that_cannot_be_run_is_one_clear_error(tmp_path):
    with pytest.raises(BadSettings, match=r"own\.sql cannot be run: .*nope"):
        own(tmp_path, "select nope from messages")


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


# What a row contributes, added up in plain Python: value and n of the rows.


def plainly(rows: Table) -> tuple[float, int]:
    """Each row counts 1, or the value is the mean of what the rows contribute."""
    names = ("contributes", "wait_seconds", "sentiment", "replies", "staff_messages_to_resolution")
    column = next((name for name in names if name in rows[0]), None)
    return (mean(rows, column) if column else len(rows)), len(rows)


def mean(rows: Table, column: str) -> float:
    return float(sum(row[column] for row in rows)) / len(rows)


def total(rows: Table, column: str) -> float:
    return float(sum(row[column] or 0 for row in rows))


def count_of(column: str) -> Callable[[Table], tuple[float, int]]:
    return lambda rows: (len({row[column] for row in rows}),) * 2


def sum_of(column: str) -> Callable[[Table], tuple[float, int]]:
    return lambda rows: (total(rows, column), total(rows, column))


def share_of(one: str, other: str) -> Callable[[Table], tuple[float, int]]:
    return lambda rows: (total(rows, one) / total(rows, other), total(rows, other))


def price_of(outcome: str) -> Callable[[Table, Table], tuple[float, int]]:
    def price(spent: Table, done: Table) -> tuple[float, int]:
        return total(spent, "spend") / total(done, outcome), total(done, outcome)

    return price


def median_of(
    time: str, event: str, left: Fraction = Fraction(1, 2)
) -> Callable[[Table], tuple[float, int]]:
    """Kaplan and Meier's by hand, in exact fractions: when at most ``left`` of all still wait."""

    def median(rows: Table) -> tuple[float, int]:
        surviving = Fraction(1)
        for t in sorted({row[time] for row in rows}):
            at_risk = sum(row[time] >= t for row in rows)
            surviving *= 1 - Fraction(sum(row[time] == t and row[event] for row in rows), at_risk)
            if surviving <= left:
                return t, len(rows)
        raise AssertionError("never reached")

    return median


def grown(now: Table, before: Table) -> tuple[float, int]:
    return total(now, "revenue") / total(before, "revenue") - 1, len(before)


def busiest(rows: Table) -> tuple[float, int]:
    answers = [row["answers"] for row in rows]
    return max(answers) / sum(answers), sum(answers)


def quality(*parts: Table) -> tuple[float, int]:
    """One part is that part; all three are weighed."""
    column = [next(n for n in ("contributes", "part") if n in rows[0]) for rows in parts]
    means = [mean(rows, name) for rows, name in zip(parts, column, strict=True)]
    weights = (0.5, 0.3, 0.2) if len(parts) == 3 else (1,)
    value = sum(weight * one for weight, one in zip(weights, means, strict=True))
    return value, min(len(rows) for rows in parts)


def connected(rows: Table) -> tuple[float, int]:
    pairs = {(row["one"], row["other"]) for row in rows}
    return len(pairs), len(pairs)


RELATIONS: dict[str, Callable[..., tuple[float, int]]] = {
    "first_response_median": median_of("wait_seconds", "is_answered"),
    "first_response_p90": median_of("wait_seconds", "is_answered", Fraction(1, 10)),
    "first_response_business_median": median_of("wait_business_seconds", "is_answered"),
    "time_to_resolution_median": median_of("resolution_seconds", "is_resolved"),
    "delivery_time_median": median_of("wait_seconds", "is_delivered"),
    "active_members": count_of("person"),
    "member_connections": connected,
    "likes": sum_of("likes"),
    "reposts": sum_of("reposts"),
    "leads": sum_of("leads"),
    "sales": sum_of("purchases"),
    "social_visitors": sum_of("visitors"),
    "revenue": lambda rows: (
        total(rows, "revenue"), sum(row["revenue"] is not None for row in rows)
    ),
    "followers": lambda rows: (total(rows, "contributes"), len(rows)),
    "followers_gained": lambda rows: (total(rows, "gained"), len(rows)),
    "follower_growth": share_of("gained", "before_value"),
    "targeted_subscribers_gained": lambda rows: (
        total(rows, "change"), len({row["contributes"] for row in rows})
    ),
    "abandonment_rate": share_of("abandoned_sessions", "sessions"),
    "conversion_rate": share_of("purchases", "sessions"),
    "cost_per_visitor": price_of("visitors"),
    "cost_per_lead": price_of("leads"),
    "cost_per_add_to_cart": price_of("add_to_carts"),
    "cost_per_sale": price_of("purchases"),
    "cost_per_subscriber": share_of("spend", "follows"),
    "acquisition_cost": lambda spent, won: (total(spent, "spend") / len(won), len(won)),
    "announcement_reach": lambda posts, members: (
        mean(posts, "views") / members[0]["members"], len(posts)
    ),
    "contributors_share": lambda rows: (mean(rows, "has_written"), len(rows)),
    "nps": lambda rows: (100 * mean(rows, "contributes"), len(rows)),
    "oldest_wait": lambda rows: (max(row["age_seconds"] for row in rows), len(rows)),
    "profit_margin": lambda rows: (
        total(rows, "contributes") / total(rows, "revenue"), len(rows)
    ),
    "revenue_growth": grown,
    "response_burden": busiest,
    "product_quality_index": quality,
    "stickiness": lambda rows: (total(rows, "days") / 30 / len(rows), len(rows)),
    "profit_per_employee": lambda profits, heads: (
        total(profits, "contributes") / total(heads, "contributes"), total(heads, "contributes")
    ),
}  # fmt: skip
