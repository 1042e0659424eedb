"""Every KPI, of every grain, by `engine: athena`: the values DuckDB gives (`make test-athena`).

Athena is played by a loopback server that puts the SQL back into DuckDB's words (athena_server.py
says what that shows and what not), over the same Parquet in a local S3 and a Glue on loopback.
"""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path

import athena_server
import pytest
import s3_servers
import seeded_lake
import small_lake
from equal import assert_same_lake

from muster import services
from muster.kpis import engine
from muster.pipeline import measure
from muster.pipeline.athena import sync_lake
from muster.project import open_project

# Athena tells instants to the millisecond.
AS_OF = seeded_lake.AS_OF.replace(microsecond=123_000)
# A source that neither the settings nor a fetch or import told of is none to Athena's partitions.
SOURCES = ("007", "bird", "books", "desk", "google_ads", "meta", "polls", "shop", "site", "stall",
           "stars")  # fmt: skip
AT = {"database": "muster", "workgroup": "muster"}


@pytest.fixture
def s3(monkeypatch):
    with s3_servers.moto() as server:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        s3_servers.client(server.url).create_bucket(Bucket="lake")
        services.client("glue").create_database(DatabaseInput={"Name": AT["database"]})
        yield server


def project_of(folder: Path, engine_name: str, lake: str):
    # A pattern that looks behind itself is Joni's, and DuckDB has none such.
    escalation = {"tags": ["desk"], "patterns": ["KOMM vorbei", "zimmer [0-9]+"]}
    named = {one["name"] for one in seeded_lake.SETTINGS["sources"]}
    others = [{"name": name, "platform": "file"} for name in SOURCES if name not in named]
    said = {
        **seeded_lake.SETTINGS,
        "engine": engine_name,
        "lake": lake,
        "athena": AT,
        "escalation": escalation,
        "sources": [*seeded_lake.SETTINGS["sources"], *others],
    }
    folder.mkdir()
    (folder / "muster.yaml").write_text(json.dumps(said, default=str), "utf-8")
    return open_project(folder, clock=lambda: AS_OF, environment=os.environ, http=None)


def in_milliseconds(rows):
    """Rows whose instants Athena can tell."""
    for source, row in rows:
        told = ((one.name, getattr(row, one.name)) for one in fields(row))
        changed = {
            name: value.replace(microsecond=value.microsecond // 1000 * 1000)
            for name, value in told if isinstance(value, datetime)
        }  # fmt: skip
        yield source, replace(row, **changed)


def test_a_project_measured_by_athena_has_the_lake_of_one_measured_by_duckdb(
    s3, tmp_path, monkeypatch
):
    small_lake.write(tmp_path / "rows", list(in_milliseconds(seeded_lake.rows(7))))
    found = []
    for name in ("duckdb", "athena"):
        lake = f"s3://lake/{name}"
        for path in (tmp_path / "rows").rglob("*.parquet"):
            key = f"{name}/{path.relative_to(tmp_path / 'rows')}"
            s3_servers.client(s3.url).upload_file(str(path), "lake", key)
        project = project_of(tmp_path / name, name, lake)
        if name == "duckdb":
            found.append((measure.measure(project), lake))
            continue
        sync_lake(project, services.client("glue"), AT["database"])
        connection = engine.without_views(lake, os.environ)
        glue = services.client("glue")
        results = f"{lake}/athena/"
        with athena_server.athena(connection, glue, AT["database"], results) as (url, database):
            monkeypatch.setenv("AWS_ENDPOINT_URL_ATHENA", url)
            found.append((measure.measure(project), lake))
    assert_same_lake(*found)
    read = sum(one["Statistics"]["DataScannedInBytes"] for one in database.queries.values())
    values, statements = len(found[1][0].values), len(database.said)
    print(f"\n{values} values, {statements} statements, {read:,} bytes read")
    left = database.connection.execute("select view_name from duckdb_views() where not internal")
    assert not [name for (name,) in left.fetchall() if name.startswith("muster_")]
