"""The lake through DuckDB: typed views over any set of files, and reading that cannot write."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest
from s3_servers import client, moto
from small_lake import TYPE_NAMES, at, found, message, settings, write

from muster import scratch
from muster.clock import system_clock
from muster.errors import Abort, BadSettings
from muster.kpis import engine
from muster.kpis.catalogue import load
from muster.kpis.runner import measure
from muster.measured import DERIVED
from muster.pipeline import measure as measuring
from muster.project import open_project
from muster.records import TABLES, Thread, columns
from muster.store import FolderStore


def test_every_table_has_its_columns_and_types_even_without_a_file(tmp_path):
    connection = engine.connect(str(tmp_path))
    for table in TABLES.values():
        described = connection.execute(f"describe {table.name}").fetchall()
        expected = [("source", "string"), *((one.name, one.type) for one in columns(table.row))]
        assert [row[0] for row in described] == [name for name, _ in expected]
        assert [row[1] for row in described] == [TYPE_NAMES[kind] for _, kind in expected]


def test_a_file_from_before_a_column_reads_as_null_there(tmp_path):
    folder = tmp_path / "tables" / "members" / "source=007"
    folder.mkdir(parents=True)
    old = "select 'ada' as member_id, 'Ada' as handle"
    engine.copy(duckdb.connect(), old, folder / "part-0.parquet")
    rows = engine.ask(
        str(tmp_path), "select source, member_id, handle, person_id from members"
    ).rows
    assert rows == (("007", "ada", "Ada", None),)


def test_all_sources_and_months_are_one_table_with_times_in_utc(tmp_path):
    url = write(tmp_path, [("x", message("m1", 0)), ("forum", message("m1", 1))])
    rows = engine.ask(url, "select source, created_at from messages order by created_at").rows
    assert rows == tuple(
        (name, at(n).replace(tzinfo=None)) for n, name in enumerate(("x", "forum"))
    )


@pytest.mark.parametrize(
    "sql",
    [
        "drop view messages",
        "copy (select 1) to '{folder}/x.parquet'",
        "select 1; select 2",
        "attach '{folder}/other.db'",
        "set threads = 1",
        "create table mine as select 1",
        "explain analyze select 1",
        "",
    ],
)
def test_anything_but_one_select_is_refused(tmp_path, sql):
    url = write(tmp_path, [message("m1", 0)])
    with pytest.raises(BadSettings, match="one select statement"):
        engine.ask(url, sql.format(folder=tmp_path))
    assert not (tmp_path / "x.parquet").exists()


def test_a_select_sees_nothing_beside_the_lake(tmp_path):
    lake, outside = tmp_path / "lake", tmp_path / "secret.csv"
    outside.write_text("a\n1\n")
    url = write(lake, [message("m1", 0)])
    for sql in (f"select * from '{outside}'", f"select * from read_text('{outside}')"):
        with pytest.raises(BadSettings, match="cannot be answered"):
            engine.ask(url, sql)


@pytest.mark.parametrize("sql", ["select nonsense from messages", "selec 1", "select '1 day'::int"])
def test_sql_that_fails_says_so_in_one_error(tmp_path, sql):
    with pytest.raises(BadSettings, match="the SQL cannot be"):
        engine.ask(str(tmp_path), sql)


def test_describe_show_and_instants_with_a_zone_are_answered(tmp_path):
    url = write(tmp_path, [message("m1", 0)])
    assert engine.ask(url, "describe messages").rows[0][0] == "source"
    assert ("messages",) in engine.ask(url, "show tables").rows
    answer = engine.ask(url, "select timestamptz '2026-03-02 10:00:00+01' as \"a b\";")
    assert (answer.columns, answer.rows) == (("a b",), ((at(0).replace(tzinfo=None),),))


def test_an_answer_as_parquet_holds_the_same_rows(tmp_path):
    url = write(tmp_path / "lake", [message("m1", 0)])
    path = tmp_path / "answer.parquet"
    path.write_bytes(engine.ask_parquet(url, "select message_id, created_at from messages"))
    rows = duckdb.connect().execute(f"select message_id, created_at from '{path}'").fetchall()
    assert rows == [("m1", at(0).replace(tzinfo=None))]


def test_a_folder_name_with_a_quote_is_a_folder_name(tmp_path):
    url = write(tmp_path / "ada's lake", [message("m1", 0)])
    assert engine.ask(url, "select count(*) from messages").rows == ((1,),)


def test_a_lake_in_a_bucket_is_read_and_asked_alike(tmp_path):
    write(tmp_path, [message("m1", 0), message("m2", 1, "staff")])
    with moto() as server:
        bucket = client(server.url)
        bucket.create_bucket(Bucket="lakes")
        for path in tmp_path.rglob("*.parquet"):
            key = f"desk/{path.relative_to(tmp_path).as_posix()}"
            bucket.put_object(Bucket="lakes", Key=key, Body=path.read_bytes())
        asked = "select count(*) as n from messages"
        answer = engine.ask("s3://lakes/desk", asked, environment=server.environment)
        assert answer.rows == ((2,),)
        connection = engine.connect("s3://lakes/desk", environment=server.environment)
        outcome = measure(connection, settings(), load(), as_of=at(days=7), coverage=())
        assert [one.value for one in found(outcome, "first_response_mean")] == [3600]
        with pytest.raises(engine.Replaced), engine.reached("s3://lakes/desk"):
            connection.execute("select * from read_parquet('s3://lakes/desk/gone.parquet')")
        with pytest.raises(BadSettings, match="cannot be answered"):
            engine.ask(
                "s3://lakes/desk",
                "from 's3://lakes/other/*.parquet'",
                environment=server.environment,
            )


def test_a_question_looks_at_the_tables_it_names_and_no_other(tmp_path):
    write(tmp_path, [message("m1", 0), Thread(thread_id="t1", created_at=at())])
    asked = []
    with moto(asked) as server:
        bucket = client(server.url)
        bucket.create_bucket(Bucket="lakes")
        for path in tmp_path.rglob("*.parquet"):
            bucket.upload_file(str(path), "lakes", path.relative_to(tmp_path).as_posix())
        asked.clear()
        with engine.reading("s3://lakes", environment=server.environment) as reader:
            for question in ("select count(*) from Messages", "select max(text) from messages"):
                assert reader.ask(question).rows[0][0]
            assert any("/tables/messages/" in path for _, path in asked)
            assert not any("/tables/threads/" in path for _, path in asked)
            assert len(reader.ask("show tables").rows) > 10


def test_which_tables_there_are_is_told_though_one_is_named(tmp_path):
    lake = write(tmp_path, [message("m1", 0)])
    asked = "select count(*) from information_schema.tables where table_name <> 'messages'"
    assert engine.ask(lake, asked).rows == ((len(TABLES) + len(DERIVED) - 1,),)


def test_of_an_unknown_name_the_nearest_table_is_told(tmp_path):
    lake = write(tmp_path, [message("m1", 0)])
    with pytest.raises(BadSettings, match="threads"):
        engine.ask(lake, "select * from messages join treads using (source)")


SETTINGS = "community: Desk\nlake: ./lake\nsources:\n  - {name: x, platform: file}\n"


@pytest.mark.parametrize(("mended_at", "is_measured"), [(2, True), (6, True), (7, False)])
def test_measuring_begins_again_where_an_object_was_replaced_while_it_was_read(
    tmp_path, monkeypatch, mended_at, is_measured
):
    (tmp_path / "muster.yaml").write_text(SETTINGS)
    write(tmp_path / "lake", [("x", message(f"m{n}", n)) for n in range(50)])
    (part,) = (tmp_path / "lake").rglob("messages/**/*.parquet")
    whole, connect, tried = part.read_bytes(), engine.connect, []

    def looked_at(*place, **how):
        """Its pages are another object's than its footer tells of, until that is there whole."""
        tried.append(1)
        part.write_bytes(whole if len(tried) >= mended_at else spoiled(whole))
        return connect(*place, **how)

    monkeypatch.setattr(engine, "connect", looked_at)
    project = open_project(tmp_path, clock=system_clock, environment={}, http=None)
    project = replace(project, sleep=lambda seconds: None)
    if is_measured:
        assert measuring.compute(project, at(100), is_kept=True).values
    else:
        with pytest.raises(engine.Replaced, match="try again"):
            measuring.compute(project, at(100), is_kept=True)
    assert len(tried) == min(mended_at, 6)


def spoiled(parquet: bytes) -> bytes:
    """The same footer, and something else where its pages were."""
    return parquet[:4] + bytes([13] * (len(parquet) // 3)) + parquet[4 + len(parquet) // 3 :]


def test_an_object_that_another_measuring_takes_away_is_one_that_was_replaced(tmp_path):
    connection = engine.connect(FolderStore(tmp_path).url())
    gone = f"select * from read_parquet(['{tmp_path}/kept/daily_authors/part-0.parquet'])"
    for read in (connection.execute, lambda sql: engine.plain_times(connection, sql)):
        with pytest.raises(engine.Replaced), engine.reached(str(tmp_path)):
            read(gone)
    connection.close()


def test_what_duckdb_says_of_replaced_bytes_may_be_no_text():
    said = UnicodeDecodeError("utf-8", b"\xb2", 0, 1, "invalid start byte")
    with pytest.raises(engine.Replaced), engine.reached("s3://lake"):
        raise said


def test_a_lake_too_large_for_memory_and_disk_says_where_to_make_room(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch, "place", lambda: tmp_path)
    connection = engine.connect("/nowhere", memory="30MB")
    connection.execute("set max_temp_directory_size = '1MB'")
    with pytest.raises(Abort, match=f"and {tmp_path}, .* set TMPDIR"), engine.reached("s3://lake"):
        connection.execute("create table t as select hash(i) as h, i from range(9_000_000) as r(i)")


def test_a_full_disk_says_where_to_make_room():
    said = duckdb.IOException("IO Error: Could not write file: No space left on device")
    with pytest.raises(Abort, match="set TMPDIR"), engine.reached("s3://lake"):
        raise said
