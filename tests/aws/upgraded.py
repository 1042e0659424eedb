"""A second deploy over the running stack and its data, a run, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest
from lakes import keys_of, rows, tables
from passage import Ended, download, glue_tables, keys
from stack import CHOSEN, clone
from world import World, run

FETCHED = ("messages", "members", "threads", "audience")
COLUMN = '    invented_colour: Annotated[str | None, "made up for this test"] = "violet"\n'


@dataclass
class Upgrade:
    """Where the lake was copied to at each step, and how many mails had left by then."""

    before: Path
    after: Path
    back: Path
    mails: list[int] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    ran: list[dict[str, Ended]] = field(default_factory=list)


@pytest.fixture(scope="module")
def upgrade(cloud: World) -> Iterator[Upgrade]:
    """A library whose messages have one column more, with another parameter; then the old one."""
    found = Upgrade(*(cloud.work / name for name in ("before", "after", "back")))
    copied(cloud, found.before, found)
    for place, folder, chosen in (
        (grown(cloud.work / "clone-2"), found.after, {"LogDays": "30"}),
        (cloud.clone, found.back, {}),
    ):
        make_due(cloud)
        found.said.append(cloud.deploy(place, **chosen))
        run(cloud, wanted=collects_or_mails_the_weekly)
        copied(cloud, folder, found)
    yield found
    bring_back(cloud, found.before)


def bring_back(cloud: World, folder: Path) -> None:
    """The messages as they were: the older library, which stays, may write every month again."""
    s3, bucket = cloud.aws.client("s3"), cloud.stack.resources["LakeBucket"]
    for key in keys(cloud.stack, "LakeBucket", "tables/messages/"):
        was = folder / key
        if was.is_file():
            s3.put_object(Bucket=bucket, Key=key, Body=was.read_bytes())
        else:
            s3.delete_object(Bucket=bucket, Key=key)


def collects_or_mails_the_weekly(cloud: World, schedule: Mapping[str, Any]) -> bool:
    """Enough of a week: the others start the same machine."""
    target = schedule["Target"]
    return target["Arn"] == cloud.stack.resources["Collect"] or "weekly" in target["Input"]


def copied(cloud: World, folder: Path, found: Upgrade) -> None:
    download(cloud.stack, "LakeBucket", folder)
    found.mails.append(len(cloud.recorder.mails))
    found.tables.append(glue_tables(cloud.stack))
    found.ran.append(dict(cloud.ran))
    cloud.ran.clear()


def make_due(cloud: World) -> None:
    """As if the last success was long ago: what a platform says is asked for again."""
    s3, bucket = cloud.aws.client("s3"), cloud.stack.resources["LakeBucket"]
    for key in keys(cloud.stack, "LakeBucket", "state/"):
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        year_ago = body.replace('"last_success_at": "2026', '"last_success_at": "2025')
        s3.put_object(Bucket=bucket, Key=key, Body=year_ago.encode())


def grown(folder: Path) -> Path:
    """The repository, with a library whose messages have one column more."""
    records = clone(folder) / "layers" / "muster" / "muster" / "records.py"
    code = records.read_text("utf-8")
    last = next(
        line for line in code.splitlines(keepends=True) if line.startswith("    sentiment:")
    )
    records.write_text(code.replace(last, last + COLUMN, 1), "utf-8")
    return folder


def test_the_second_deploy_says_that_it_updates_and_keeps_what_is_not_named(
    cloud: World, upgrade: Upgrade
) -> None:
    for said in upgrade.said:
        assert "stack muster-local: is there" in said and "will be updated" in said
        assert f"sender {CHOSEN['Sender']}: verified" in said
    kept = {key: cloud.stack.parameters[key] for key in CHOSEN}
    assert kept == CHOSEN
    assert cloud.stack.parameters["LogDays"] == "30", "the way back names none, and keeps this one"


def test_nothing_is_lost_and_nothing_doubled(upgrade: Upgrade) -> None:
    for table in sorted(set(FETCHED) & tables(upgrade.before)):
        first, second = keys_of(upgrade.before, table), keys_of(upgrade.after, table)
        assert set(first) <= set(second), table
        assert len(second) == len(set(second)), table


def test_no_object_of_the_lake_went(upgrade: Upgrade) -> None:
    def there(folder: Path) -> set[str]:
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

    assert there(upgrade.before) <= there(upgrade.after) <= there(upgrade.back)


def test_no_report_is_mailed_a_second_time(upgrade: Upgrade) -> None:
    assert len(set(upgrade.mails)) == 1


def test_a_table_grows_by_a_column_in_place(upgrade: Upgrade) -> None:
    """Rows that are read again have it, rows that are not are empty there, in lake and Athena."""
    (before, after), column = upgrade.tables[:2], "invented_colour"
    assert column not in columns_of(before) and columns_of(after)[column] == "string"
    assert {**columns_of(after), **columns_of(before)} == columns_of(after), "and none went"
    old, new = (f"{lake}/tables/messages/**/*.parquet" for lake in (upgrade.before, upgrade.after))
    assert column not in duckdb.read_parquet(old, union_by_name=True).columns
    found = duckdb.read_parquet(new, union_by_name=True, hive_partitioning=True)
    counts = dict(found.aggregate(f"{column}, count(*)", column).fetchall())
    assert set(counts) == {None, "violet"} and min(counts.values()) > 10, counts
    same, grown_files = old_and_new_files(upgrade.before, upgrade.after)
    assert len(same) > len(grown_files) > 0, "no file is rewritten for the column alone"


def old_and_new_files(before: Path, after: Path) -> tuple[list[Path], list[Path]]:
    """The messages' files that are byte for byte as before, and those that have the new column."""
    files = sorted((after / "tables" / "messages").rglob("*.parquet"))
    old = {path: before / path.relative_to(after) for path in files}
    same = [one for one, was in old.items()
            if was.is_file() and was.read_bytes() == one.read_bytes()]  # fmt: skip
    return same, [one for one in files
                  if "invented_colour" in duckdb.read_parquet(str(one)).columns]  # fmt: skip


def columns_of(tables: dict[str, Any]) -> dict[str, str]:
    """Name and type of every column that Athena sees in the messages."""
    found = tables["messages"]["StorageDescriptor"]["Columns"]
    return {one["Name"]: one["Type"] for one in found}


def test_after_an_upgrade_everything_runs(upgrade: Upgrade) -> None:
    assert {one.status for one in upgrade.ran[1].values()} == {"SUCCEEDED"}


def test_an_older_library_leaves_a_grown_table_alone_and_reports_go_on(upgrade: Upgrade) -> None:
    collect, *reporting = upgrade.ran[2].values()
    assert (collect.status, collect.error) == ("FAILED", "SomeSourcesFailed")
    assert {one.status for one in reporting} == {"SUCCEEDED"}


def test_the_way_back_loses_nothing(upgrade: Upgrade) -> None:
    for table in sorted(set(FETCHED) & tables(upgrade.after)):
        assert keys_of(upgrade.after, table) == keys_of(upgrade.back, table)
    for folder in (upgrade.after, upgrade.back):
        assert len(rows(folder, "kpi_values")) >= len(rows(upgrade.before, "kpi_values"))
    grown_after = f"{upgrade.back}/tables/messages/**/*.parquet"
    found = duckdb.read_parquet(grown_after, union_by_name=True)
    assert "invented_colour" in found.columns
