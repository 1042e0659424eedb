"""What Athena would see: the lake through its Glue tables alone, and the saved questions asked.

The local AWS answers no such question. So partitions are worked out here from what the tables say,
as Athena's documentation of partition projection has it, and the questions are put to DuckDB in its
own words; nothing here looks into the lake's folders to find a table's files.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_httpfs
import pytest
import sqlglot
from built_layers import RESOURCES
from lakes import tables
from passage import download, glue_tables
from world import World

Table = dict[str, Any]
SAVED = {name: one["Properties"] for name, one in RESOURCES.items()
         if one["Type"] == "AWS::Athena::NamedQuery"}  # fmt: skip
# Hive's types as Athena documents them → those under which DuckDB reads the same Parquet.
KINDS = {
    "string": "VARCHAR", "array<string>": "VARCHAR[]", "timestamp": "TIMESTAMP", "date": "DATE",
    "boolean": "BOOLEAN", "bigint": "BIGINT", "int": "INTEGER", "double": "DOUBLE",
    "decimal(18,4)": "DECIMAL(18,4)",
}  # fmt: skip


@pytest.fixture(scope="module")
def lake(cloud: World) -> Path:
    """The stack's lake as a folder."""
    folder = cloud.work / "asked"
    download(cloud.stack, "LakeBucket", folder)
    return folder


@pytest.fixture(scope="module")
def described(cloud: World) -> dict[str, Table]:
    return glue_tables(cloud.stack)


def folders(table: Table) -> Iterator[str]:
    """Every place where Athena would look for files of a table."""
    said, keys = table["Parameters"], [one["Name"] for one in table["PartitionKeys"]]
    if said.get("projection.enabled") != "true":
        assert not keys, "partitions that nobody adds"
        yield table["StorageDescriptor"]["Location"]
        return
    for values in itertools.product(*(_values(said, key) for key in keys)):
        place = said["storage.location.template"]
        for key, value in zip(keys, values, strict=True):
            place = place.replace(f"${{{key}}}", value)
        yield place


def _values(said: dict[str, str], key: str) -> list[str]:
    if said[f"projection.{key}.type"] == "enum":
        return said[f"projection.{key}.values"].split(",")
    assert said[f"projection.{key}.type"] == "date"
    assert (said[f"projection.{key}.format"], said[f"projection.{key}.interval.unit"]) == (
        "yyyy-MM", "MONTHS",
    )  # fmt: skip
    first, last = said[f"projection.{key}.range"].split(",")
    more = re.fullmatch(r"NOW\+(\d+)MONTHS", last)
    assert more, last
    now = datetime.now(UTC).date()
    end = now.year * 12 + now.month - 1 + int(more[1])
    begin = date.fromisoformat(f"{first}-01")
    months = range(
        begin.year * 12 + begin.month - 1, end + 1, int(said[f"projection.{key}.interval"])
    )  # noqa: E501
    return [f"{month // 12}-{month % 12 + 1:02}" for month in months]


def files(table: Table, lake: Path) -> list[Path]:
    """The files of a table as Athena would find them."""
    found = [lake / place.removeprefix("s3://").partition("/")[2] for place in folders(table)]
    return [path for folder in found for path in sorted(folder.glob("*")) if path.is_file()]


def test_every_file_of_the_lake_is_found_once_and_nothing_else(
    lake: Path, described: dict[str, Table]
) -> None:
    assert set(described) > tables(lake) > {"messages", "kpi_values", "conversations"}
    for name, table in described.items():  # those that nothing was written into yet, too
        there = sorted(path for path in (lake / "tables" / name).rglob("*") if path.is_file())
        assert sorted(files(table, lake)) == there, name


def test_columns_have_the_types_that_the_files_have(
    lake: Path, described: dict[str, Table]
) -> None:
    for name, table in described.items():
        told = {one["Name"]: KINDS[one["Type"]] for one in table["StorageDescriptor"]["Columns"]}
        for path in files(table, lake):
            rows = duckdb.read_parquet(str(path), hive_partitioning=False)
            found = {
                column: str(kind).replace(" WITH TIME ZONE", "")
                for column, kind in zip(rows.columns, rows.types, strict=True)
            }
            assert found.items() <= told.items(), (name, path)
        assert not {one["Name"] for one in table["PartitionKeys"]} & set(told), name


def test_the_line_to_paste_into_duckdb_answers(cloud: World, lake: Path) -> None:
    """As it stands in the outputs, but for what needs the internet and a person's credentials."""
    line = cloud.stack.outputs["AskFromDuckDB"]
    asked = [one.strip() for one in line.split(";") if one.strip()]
    away = re.compile(
        r"install \w+|load \w+|create secret \(type s3, provider credential_chain, .+\)"
    )
    (view,) = [one for one in asked if not away.fullmatch(one)]
    here = duckdb.connect()
    (extension,) = Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension")
    here.execute(f"load '{extension}'")
    here.execute(
        "create secret (type s3, key_id 'test', secret 'test', url_style 'path', use_ssl false, "
        f"endpoint '{cloud.aws.url.removeprefix('http://')}', region 'eu-central-1')"
    )
    here.execute(view)
    there = duckdb.sql(f"from '{lake}/tables/messages/**/*.parquet'")
    assert here.sql("select count(*) from messages").fetchone() == (len(there),)


@pytest.mark.parametrize("name", SAVED)
def test_a_saved_question_has_an_answer(lake: Path, described: dict[str, Table], name: str) -> None:
    asked = sqlglot.parse_one(SAVED[name]["QueryString"], read="trino")
    here = duckdb.connect()
    for table in {one.name for one in asked.find_all(sqlglot.exp.Table)}:
        listed = json.dumps([str(path) for path in files(described[table], lake)])
        here.execute(f"create view {table} as from read_parquet({listed}, union_by_name = true)")
    found = here.sql(asked.sql("duckdb"))
    rows = found.fetchall()
    print(name, found.columns, len(rows), rows[:2])
    assert rows and None not in rows[0][:2]
