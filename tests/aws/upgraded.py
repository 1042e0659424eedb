"""A second deploy over the running stack and its data, a run, and the way back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest
from lakes import keys_of, rows, tables
from passage import download, keys
from world import World, run

FETCHED = ("messages", "members", "threads", "audience")
COLUMN = '    invented_colour: Annotated[str | None, "made up for this test"] = None\n'


@dataclass
class Upgrade:
    """Where the lake was copied to at each step, and how many mails had left by then."""

    before: Path
    after: Path
    back: Path
    mails: list[int] = field(default_factory=list)


@pytest.fixture(scope="module")
def upgrade(cloud: World) -> Iterator[Upgrade]:
    """A library whose messages have one column more, with another parameter; then the old one."""
    found = Upgrade(*(cloud.work / name for name in ("before", "after", "back")))
    copied(cloud, found.before, found)
    make_due(cloud)
    cloud.deploy(grown(cloud.built, cloud.work / "built-2"), LogDays="30")
    run(cloud)
    assert {one.status for one in cloud.ran.values()} == {"SUCCEEDED"}
    copied(cloud, found.after, found)
    make_due(cloud)
    cloud.deploy(cloud.built)
    run(cloud)
    copied(cloud, found.back, found)
    yield found


def copied(cloud: World, folder: Path, found: Upgrade) -> None:
    download(cloud.stack, "LakeBucket", folder)
    found.mails.append(len(cloud.recorder.mails))


def make_due(cloud: World) -> None:
    """As if the last success was long ago: what a platform says is asked for again."""
    s3, bucket = cloud.aws.client("s3"), cloud.stack.resources["LakeBucket"]
    for key in keys(cloud.stack, "LakeBucket", "state/"):
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        year_ago = body.replace('"last_success_at": "2026', '"last_success_at": "2025')
        s3.put_object(Bucket=bucket, Key=key, Body=year_ago.encode())


def grown(built: Path, target: Path) -> Path:
    """What was built, with a library whose messages have one column more."""
    shutil.copytree(built, target)
    package = target / "Library" / "python" / "muster"
    code = (package / "records.py").read_text("utf-8")
    last = next(
        line for line in code.splitlines(keepends=True) if line.startswith("    sentiment:")
    )
    (package / "records.py").write_text(code.replace(last, last + COLUMN, 1), "utf-8")
    for stale in package.glob("__pycache__/records.*"):
        stale.unlink()
    return target


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
    def columns(lake: Path) -> set[str]:
        files = f"{lake}/tables/messages/**/*.parquet"
        found = duckdb.sql(f"describe from read_parquet('{files}', union_by_name = true)")
        return {row[0] for row in found.fetchall()}

    assert "invented_colour" not in columns(upgrade.before)
    kept = columns(upgrade.before) - columns(upgrade.after)
    assert not kept


def test_the_way_back_loses_nothing(cloud: World, upgrade: Upgrade) -> None:
    assert {one.status for one in cloud.ran.values()} == {"SUCCEEDED"}
    for table in sorted(set(FETCHED) & tables(upgrade.after)):
        assert keys_of(upgrade.after, table) == keys_of(upgrade.back, table)
    assert len(rows(upgrade.back, "kpi_values")) >= len(rows(upgrade.before, "kpi_values"))
