"""KPIs and steps in other engines' SQL: all of them carry over, and mean there what they mean here.

That Spark gives equal values is shown by `make test-spark`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlglot
from small_lake import settings
from sqlglot import exp

from muster.errors import BadKpi, BadSettings
from muster.kpis import catalogue, given, phrases, spark, steps, valuing
from muster.kpis.dialects import carried, pattern

STATEMENTS = {f"shared/{name}": sql for name, sql in steps.load().items()} | {
    kpi.id: kpi.sql for kpi in catalogue.load()
}
WRAPPED = {"found": valuing.FOUND.format(sql="select * from values_of"), "inserted": valuing.INSERT}
OWN = settings(brand_terms=["Σύστημα", "Bob's"], auto_replies=["out of office"])
PARAMETERS = given.parameters(OWN, datetime(2026, 3, 9, 8, 30, 0, 123456, tzinfo=UTC))
TRINO = {
    line
    for line in (Path(__file__).parent / "trino_functions.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
}


@pytest.mark.parametrize("name", STATEMENTS)
@pytest.mark.parametrize("dialect", ["spark", "trino"])
def test_every_statement_is_carried_over(dialect, name):
    told = carried(STATEMENTS[name], dialect, PARAMETERS)
    tree = sqlglot.parse_one(told, read=dialect)
    assert not list(tree.find_all(exp.Placeholder, exp.Parameter))


@pytest.mark.parametrize("name", STATEMENTS)
def test_trino_documents_every_function_used(name):
    assert called(carried(STATEMENTS[name], "trino", PARAMETERS)) <= TRINO


@pytest.mark.parametrize("name", WRAPPED)
@pytest.mark.parametrize("dialect", ["spark", "trino"])
def test_what_the_runner_makes_of_a_kpi_s_rows_is_carried_over(dialect, name):
    """`make test-spark` rests on these two."""
    facts = dict.fromkeys(("kpi", "grain", "zero", "table_name"), "text") | {"version": 1}
    facts |= {"is_estimate": True, "settled_at": PARAMETERS["as_of"]}
    told = carried(WRAPPED[name], dialect, PARAMETERS | facts)
    assert not list(sqlglot.parse_one(told, read=dialect).find_all(exp.Placeholder))


def test_a_function_that_trino_lacks_is_seen():
    told = carried("select epoch_us(a), date_diff('day', b, c), list_contains(d, 1)", "trino", {})
    assert called(told) - TRINO == {"epoch_us"}


def called(sql: str) -> set[str]:
    """The functions that a statement of Trino calls."""
    tree = sqlglot.parse_one(sql, read="trino")
    calls = (one for one in tree.find_all(exp.Func) if not isinstance(one, exp.If | exp.Exists))
    written = (one.sql("trino").lower() for one in calls)
    return {name[1] for one in written if (name := re.match(r"(\w+)\(", one))}


def test_parameters_become_literals_of_their_type():
    told = carried(
        "select $at, $text, $number, $whole, $none", "trino",
        {"at": datetime(2026, 3, 9, 8, 30, 0, 123456), "text": "it's", "number": 0.5, "whole": 4,
         "none": None},
    )  # fmt: skip
    assert told == (
        "SELECT CAST('2026-03-09 08:30:00.123456' AS TIMESTAMP(6)), 'it''s', "
        "CAST(0.5 AS DOUBLE), 4, CAST(NULL AS VARCHAR)"
    )


def test_a_hostile_parameter_stays_one_string():
    hostile = "\\' or 1 = 1 --\n\\"
    for dialect in ("spark", "trino"):
        told = carried("select $text", dialect, {"text": hostile})
        (found,) = sqlglot.parse_one(told, read=dialect).expressions
        assert (type(found), found.name) == (exp.Literal, hostile)


@pytest.mark.parametrize(
    "sql, said",
    [
        ("select $nobody", "no parameter"),
        ("select regexp_replace(a, 'x', 'y')", "say so with 'g'"),
        ("select regexp_matches(a, b)", "a pattern is written out"),
        ("select from where", "does not carry over"),
    ],
)
def test_what_has_no_equal_is_refused(sql, said):
    with pytest.raises(BadKpi, match=said):
        carried(sql, "spark", {})


@pytest.mark.parametrize(
    "expression, spark, trino",
    [
        (r"(?is)a\sb$", r"(?ius)a[\t\n\f\r ]b\z", r"(?is)a[\t\n\f\r ]b\z"),
        (r"[\s\w&[]", r"[\t\n\f\r 0-9A-Za-z_\&\[]", None),
        (r"(?i:ä)ı", r"(?iu:ä)(?-i:ı)", "(?i:ä)ı"),
        (r"(?i)i[a-z]", r"(?iu)(?:(?!(?-i:[İı]))i)(?:(?!(?-i:[İı]))[a-z])", "(?i)i[a-z]"),
        (r"(?i)[^\p{L}_][^a]", r"(?iu)[^\p{L}_](?:[^a]|(?-i:[İı]))", r"(?i)[^\p{L}_][^a]"),
        (r"[]^.$]\]", r"[\]^.$]\]", None),
        (r"a.b", r"a[^\n]b", r"a[^\n]b"),
        (r"(?s).", r"(?s).", r"(?s)."),
        (r"(?m)^a$", r"(?md)^a$", r"(?m)^a$"),
        (r"(?P<word>\d)\$\\s", r"(?<word>[0-9])\$\\s", None),
        (r"\Qa.$\s\E.", r"\Qa.$\s\E[^\n]", None),
        (phrases.BEFORE, r"(?:^|[^\p{L}\p{N}_])", r"(?:^|[^\p{L}\p{N}_])"),
    ],
)
def test_a_pattern_says_what_re2_takes_for_granted(expression, spark, trino):
    assert pattern(expression, "spark") == spark
    assert trino is None or pattern(expression, "trino") == trino


@pytest.mark.parametrize("expression", ["[[:alpha:]]", r"[\S,]"])
def test_a_class_that_others_read_otherwise_is_refused(expression):
    with pytest.raises(BadKpi, match="write its letters out"):
        pattern(expression, "spark")


def test_rows_that_are_numbered_in_no_order_are_numbered_in_that_of_a_constant_by_spark():
    sql = "select row_number() over () as a, row_number() over (order by b) as c from x"
    first, second = sqlglot.parse_one(carried(sql, "spark", {})).find_all(exp.Order)
    assert (first.sql(), second.sql()) == ("ORDER BY 1 NULLS LAST", "ORDER BY b NULLS LAST")
    assert carried(sql, "trino", {}).startswith("SELECT ROW_NUMBER() OVER () AS a")


def test_sqlglot_is_not_loaded_by_measuring():
    code = (
        "import sys, muster.pipeline.measure, muster.kpis.runner; print('sqlglot' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.stdout.strip() == "False", ended.stderr


def test_without_spark_the_settings_are_told_to_do_without(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(BadSettings, match="pip install pyspark"):
        spark.session()
