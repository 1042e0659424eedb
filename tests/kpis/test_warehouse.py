"""Measuring by an engine that takes Trino's SQL, played by a DuckDB of its own: DuckDB's values.

That the whole catalogue comes out equal through Athena's API is shown by `make test-athena`.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import duckdb
import pytest
import small_lake
import sqlglot
from loopback import answering
from small_lake import at, message
from sqlglot import exp

from muster import services
from muster.errors import AccountRefused, BadKpi, BadSettings
from muster.kpis import athena, catalogue, engine, given, runner, steps, warehouse
from muster.kpis.dialects import carried, over, recursion
from muster.measured import Coverage
from muster.settings import Settings
from muster.store import FolderStore

SEEN = {"messages", "first_response_median", "replies_per_thread", "issues_opened"}


class There:
    """A warehouse in another DuckDB, which is told everything in Trino's SQL."""

    prefix = "t_"

    def __init__(self, lake: str) -> None:
        self.connection = engine.connect(lake)
        self.made: list[str] = []

    def put(self, name, kinds, rows):
        self.made.append(name)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rows.parquet"
            file.write_bytes(rows)
            plain = engine.plain_times(self.connection, f"select * from '{file}'")
            self.connection.execute(f"create table {name} as {plain}")

    def keep(self, name, kinds, sql):
        self.made.append(name)
        self.connection.execute(f"create table {name} as {back(sql)}")

    def bring(self, connection, name, kinds, sql):
        given.fill(connection, name, kinds, self.connection.execute(back(sql)).fetchall())

    def drop(self):
        while self.made:
            self.connection.execute(f"drop table {self.made.pop()}")


def back(sql: str) -> str:
    (told,) = sqlglot.transpile(sql, read="trino", write="duckdb")
    return told


def deep(levels: int):
    """An announcement of staff, and answers that hang below one another."""
    yield message("t1", 0, "staff", thread_id="t1", kind="post", parent_id=None)
    for number in range(1, levels + 1):
        role = "staff" if number % 5 == 0 else "member"
        parent = "t1" if number == 1 else f"m{number - 1}"
        yield message(
            f"m{number}", number / 10, role, thread_id="t1", parent_id=parent, kind="reply"
        )
    yield message("t2", 2, thread_id="t2", kind="post")
    yield message("t2-1", 5, "staff", thread_id="t2", parent_id="t2", kind="reply")


class Refusing(There):
    """One that does not run a certain KPI."""

    def bring(self, connection, name, kinds, sql):
        if name == "found" and "issue_quantiles" in sql:
            raise warehouse.refused("Athena: line 1:8: no such thing")
        super().bring(connection, name, kinds, sql)


KPIS = [kpi for kpi in catalogue.load() if kpi.id in SEEN]
REFUSED = "first_response_median"


def measured(tmp_path, there=None, left=None):
    covered = (Coverage(source="desk", table_name="messages", from_at=at(), to_at=at(days=9)),)
    lake = FolderStore(tmp_path / "lake")

    def elsewhere(connection, wanted, parameters):
        try:
            return warehouse.compute(connection, wanted, parameters, lake, there, is_kept=True)
        finally:
            tables = connection.execute("select table_name from duckdb_tables()").fetchall()
            (left if left is not None else []).extend(name for (name,) in tables)

    return runner.measure(
        engine.connect(lake.url()), small_lake.settings(), KPIS, as_of=at(days=9), coverage=covered,
        elsewhere=elsewhere if there else None,
    )  # fmt: skip


def test_values_are_duckdb_s_however_deep_answers_hang_and_a_refused_kpi_is_named(tmp_path):
    lake = small_lake.write(tmp_path / "lake", list(deep(25)))
    there = Refusing(lake)
    left: list[str] = []
    mine, theirs = measured(tmp_path), measured(tmp_path, there, left)
    assert {one.kpi for one in mine.values} == SEEN
    others = tuple(one for one in mine.values if one.kpi != REFUSED)
    assert theirs.values == others and len(others) > 15
    assert theirs.waiting == mine.waiting and theirs.suspected == mine.suspected
    assert {one.partition(" by")[0] for one in theirs.problems} == {
        f"KPI {REFUSED}: its SQL cannot be run: Athena: line 1:8: no such thing"
    }
    assert there.made == [], "nothing is left there"
    assert set(left) & set(steps.load()) == set(warehouse.BROUGHT), "and nothing empty here"
    told = "select root_id, sum(messages) from conversations where thread_id = 't1' group by all"
    assert engine.ask(lake, told).rows == (("m1", 25),), "the answer and all that hangs below it"


def test_answers_that_hang_too_deep_are_a_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr(warehouse, "DEEPEST", 7)
    there = There(small_lake.write(tmp_path / "lake", list(deep(25))))
    with pytest.raises(BadKpi, match="more than 7 answers hang below one another"):
        measured(tmp_path, there)
    assert there.made == []


def test_what_stands_for_a_name_is_read_under_that_name():
    placed = {"issues": "t_issues", "periods": "t_periods_day"}
    told = over("with own as (select 1 as a) select issues.n from issues join own on true, "
                "periods as p", placed)  # fmt: skip
    tables = {table.name: table.alias for table in sqlglot.parse_one(told).find_all(exp.Table)}
    assert tables == {"t_issues": "issues", "own": "", "t_periods_day": "p"}


def test_a_recursion_is_taken_apart_and_no_other_statement_is():
    told = {name: recursion(sql) for name, sql in steps.load().items()}
    assert {name for name, one in told.items() if one} == {"roots"}
    roots = told["roots"]
    assert roots.name == "tree" and {"announcements", "below"} <= set(roots.before)
    assert "recursive" not in (roots.first + roots.more + roots.rest).lower()


def test_no_column_is_called_star_once_carried_over():
    """What sqlglot writes for a recursive "select *": a column of that name, in Trino's eyes."""
    for name, sql in steps.load().items():
        told = carried(sql, "trino", given.parameters(small_lake.settings(), at()))
        assert '"*"' not in told, name


class Lake(FolderStore):
    """A folder that says it lies in S3."""

    def url(self, key: str = "") -> str:
        return "s3://lake/" + key if key else "s3://lake"


def athena_of(url: str, tmp_path: Path) -> athena.Athena:
    client = services.client("athena", endpoint_url=url, region_name="eu-central-1",
                             aws_access_key_id="k", aws_secret_access_key="s")  # fmt: skip
    return athena.Athena(client, "muster", "muster", Lake(tmp_path), sleep=lambda _: None)


def test_a_statement_is_asked_about_until_it_has_ended(tmp_path):
    said = []

    def answer(path: str, body: bytes):
        asked = json.loads(body)
        said.append(asked)
        if "QueryString" in asked:
            return 200, {"QueryExecutionId": "q1"}
        state = ("QUEUED", "RUNNING", "SUCCEEDED")[min(len(said) - 2, 2)]
        return 200, {"QueryExecution": {
            "QueryExecutionId": "q1", "Status": {"State": state},
            "Statistics": {"DataScannedInBytes": 12_000_000 if state == "SUCCEEDED" else 0},
            "ResultConfiguration": {"OutputLocation": "s3://lake/athena/q1.csv"},
        }}  # fmt: skip

    with answering(answer) as url:
        there = athena_of(url, tmp_path)
        there.keep("t_x", {"n": "bigint", "at": "timestamp"}, "select 1 as n, now() as at")
        there.drop()
    first, last = said[0], [one for one in said if "QueryString" in one][-1]
    assert first["QueryString"] == (
        "create table t_x with (format = 'PARQUET') as select cast(n as bigint) as n, "
        "cast(at as timestamp(3)) as at from (select 1 as n, now() as at)"
    )
    assert first["WorkGroup"] == "muster"
    assert first["QueryExecutionContext"] == {"Database": "muster"}
    assert last["QueryString"] == "drop table if exists `t_x`"
    assert there.scanned == 24_000_000 and there.statements == 2


def test_what_athena_says_of_a_failure_is_told(tmp_path):
    def answer(path: str, body: bytes):
        if "QueryString" in json.loads(body):
            return 200, {"QueryExecutionId": "q1"}
        status = {"State": "FAILED", "StateChangeReason": "line 1:8:\n  Column 'x' no"}
        return 200, {"QueryExecution": {"QueryExecutionId": "q1", "Status": status}}

    with answering(answer) as url, pytest.raises(BadKpi, match="Athena: line 1:8: Column 'x' no"):
        athena_of(url, tmp_path).keep("t_x", {"n": "bigint"}, "select 1 as n")


def test_who_may_not_ask_is_told_so(tmp_path):
    def answer(path: str, body: bytes):
        refusal = "not authorized to perform: athena:StartQueryExecution"
        return 400, {"code": "AccessDeniedException", "message": refusal}

    with answering(answer) as url, pytest.raises(AccountRefused, match="not authorized"):
        athena_of(url, tmp_path).keep("t_x", {"n": "bigint"}, "select 1 as n")


def test_an_answer_keeps_no_value_apart_from_an_empty_text(tmp_path):
    rows = tmp_path / "q1.csv"
    rows.write_text('"a","n","seen_at"\n"","3","2026-03-09 08:30:00.123"\n,,\n"x ""y"",\nz","1",\n')

    def answer(path: str, body: bytes):
        if "QueryString" in json.loads(body):
            return 200, {"QueryExecutionId": "q1"}
        return 200, {"QueryExecution": {
            "QueryExecutionId": "q1", "Status": {"State": "SUCCEEDED"},
            "ResultConfiguration": {"OutputLocation": str(rows)},
        }}  # fmt: skip

    connection = duckdb.connect()
    kinds = {"a": "varchar", "n": "bigint", "seen_at": "timestamp"}
    with answering(answer) as url:
        athena_of(url, tmp_path).bring(connection, "told", kinds, "select * from x")
    found = connection.execute("select a, n, cast(seen_at as varchar) from told").fetchall()
    assert found == [("", 3, "2026-03-09 08:30:00.123"), (None, None, None), ('x "y",\nz', 1, None)]


def test_athena_needs_a_lake_in_s3_and_to_be_told_where(tmp_path):
    with pytest.raises(BadSettings, match="set lake to s3"):
        athena.Athena(None, "muster", "muster", FolderStore(tmp_path))
    with pytest.raises(ValueError, match="AthenaDatabase and AthenaWorkgroup"):
        Settings.model_validate({"community": "Desk", "engine": "athena"})
