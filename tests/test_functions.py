"""Each function as the state machines call it: in a process of its own, on a bucket."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from s3_servers import client, moto

import demo
from bench.fetch import NOW, SETTINGS, Forum
from muster.kpis import engine
from muster.lake import state
from muster.pipeline import collect
from muster.pipeline.collect import Fetched
from muster.pipeline.due import due
from muster.project import Project, open_project
from muster.sources._http import Http

FUNCTIONS = Path(__file__).resolve().parents[1] / "functions"
HEAVY = {"boto3", "css_inline", "duckdb", "httpx", "jinja2", "pyarrow"}
LIMIT_MS = 900_000
OWN_KPI = """\
-- title: Own
-- question: How many of our own?
-- unit: count
-- better: none
"""
CALL = """
import json, sys
# No layer has these: libraries of tests bring them, and DuckDB and pyarrow take what is there.
sys.modules.update(numpy=None, pandas=None, polars=None)

def heavy():
    return sorted(name for name in sys.argv[4].split() if sys.modules.get(name))

sys.path.insert(0, sys.argv[1])
import app
imported = heavy()

class Context:
    function_name = "muster-function"
    aws_request_id = "6f1c1f0e-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self):
        return int(sys.argv[3])

try:
    answer = {"result": app.handler(json.loads(sys.argv[2]), Context())}
except Exception as error:
    answer = {"error": type(error).__name__, "said": str(error)}
print(json.dumps({**answer, "imported": imported, "used": heavy()}))
"""


@dataclass(frozen=True)
class Cloud:
    """A bucket for the lake, one for the site, and platforms that answer."""

    environment: dict[str, str]
    url: str

    def call(self, name: str, event: dict[str, Any], left_ms: int = LIMIT_MS) -> dict[str, Any]:
        """What a function answers, what it imported, and its log lines."""
        ended = subprocess.run(
            [sys.executable, "-c", CALL, str(FUNCTIONS / name), json.dumps(event), str(left_ms),
             " ".join(HEAVY)],
            capture_output=True, text=True, timeout=120, env=self.environment,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        *said, answer = [json.loads(line) for line in ended.stdout.splitlines()]
        log = [line for line in said if "_aws" not in line]
        return {**answer, "log": log, "metrics": [line for line in said if "_aws" in line]}

    def put(self, key: str, text: str) -> None:
        client(self.url).put_object(Bucket="lake", Key=key, Body=text.encode())

    def keys(self, bucket: str) -> set[str]:
        pages = client(self.url).get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {one["Key"] for page in pages for one in page.get("Contents", ())}

    def get(self, key: str, bucket: str = "lake") -> bytes:
        found: bytes = client(self.url).get_object(Bucket=bucket, Key=key)["Body"].read()
        return found


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo's settings, with one source that no server answers for, and its running server."""
    folder = tmp_path_factory.mktemp("demo")
    with demo.start(datetime.now(UTC), are_limited=False) as server:
        server.write_project(folder)
        text = (folder / "muster.yaml").read_text()
        recent = f"    since: {datetime.now(UTC).date() - timedelta(days=60)}"
        yield re.sub("^    since: .*", recent, text, flags=re.MULTILINE).replace(
            "sources:\n",
            "sources:\n"
            "  - {name: old, platform: file}\n"
            "  - {name: gone, platform: discourse, base_url: 'http://127.0.0.1:9/secret'}\n",
        )


@pytest.fixture(scope="module")
def cloud(settings: str) -> Iterator[Cloud]:
    """The buckets with the settings in them, before the first run."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with moto() as server:
        for bucket in ("lake", "site"):
            client(server.url).create_bucket(Bucket=bucket)
        places = {"MUSTER_LAKE": "s3://lake", "MUSTER_SITE": "s3://site"}
        running = Cloud({**clean, **server.environment, **places, **demo.TOKENS}, server.url)
        running.put("config/muster.yaml", settings)
        yield running


@pytest.fixture(scope="module")
def way(cloud: Cloud) -> dict[str, dict[str, Any]]:
    """Every function called once, in the order of the state machines."""
    run = {"run": "collect-1"}
    found = {"plan": cloud.call("plan", run)}
    found["fetch"] = cloud.call("fetch", {**run, "source": "forum", "turn": 1})
    found["plan again"] = cloud.call("plan", run)
    found["measure"] = cloud.call("measure", {"run": "report-1"})
    found["report"] = cloud.call("report", {"run": "report-1"})
    return found


def test_the_plan_names_what_is_due_and_no_file(way: dict[str, dict[str, Any]]) -> None:
    assert way["plan"]["result"] == {"sources": ["gone", "forum", "x", "bluesky"]}
    assert way["plan again"]["result"] == {"sources": ["gone", "x", "bluesky"]}


def test_a_fetch_fills_the_lake(cloud: Cloud, way: dict[str, dict[str, Any]]) -> None:
    result = way["fetch"]["result"]
    assert result["done"] and result["wait"] == 0
    assert result["items"] > 100 and result["rows"] > 100
    assert any(key.startswith("tables/messages/source=forum/") for key in cloud.keys("lake"))


def test_measure_and_report_write_values_site_and_mail(
    cloud: Cloud, way: dict[str, dict[str, Any]]
) -> None:
    assert way["measure"]["result"]["values"] > 500
    assert not way["measure"]["result"]["problems"]
    assert {"index.html", "data/kpi_values.parquet"} <= cloud.keys("site")
    mails = [key for key in cloud.keys("lake") if key.endswith(".eml")]
    assert len(mails) == way["report"]["result"]["mails"] > 0
    assert b"University IT Help Desk" in cloud.get("index.html", "site")
    assert not [key for key in cloud.keys("lake") if key.startswith("site/")]


@pytest.mark.parametrize(
    ("name", "imported"),
    [
        ("plan", set()),
        ("fetch", {"httpx", "pyarrow"}),
        ("measure", {"duckdb"}),
        ("report", {"css_inline", "jinja2"}),
    ],
)
def test_a_function_uses_its_own_heavy_libraries_only(
    way: dict[str, dict[str, Any]], name: str, imported: set[str]
) -> None:
    assert set(way[name]["used"]) - {"boto3"} == imported, "boto3 is for secrets and mails only"
    assert set(way[name]["imported"]) <= imported


def test_log_lines_name_run_and_source_and_nobody(
    cloud: Cloud, way: dict[str, dict[str, Any]]
) -> None:
    (line,) = way["fetch"]["log"]
    assert (line["run"], line["source"], line["message"]) == ("collect-1", "forum", "done")
    counts = {"items", "rows", "quarantined", "requests"}
    assert set(line["result"]) == {"done", "wait"} | counts
    (counted,) = way["fetch"]["metrics"]
    assert counted["Items"] == [way["fetch"]["result"]["items"]]
    assert way["measure"]["log"][-1]["run"] == "report-1"


def test_a_fetch_without_time_left_is_to_be_continued(
    cloud: Cloud, way: dict[str, dict[str, Any]]
) -> None:
    called = cloud.call("fetch", {"run": "r", "source": "x", "turn": 1}, left_ms=10_000)
    assert called["result"]["done"] is False
    assert called["result"]["items"] == 0
    assert "x" in cloud.call("plan", {"run": "r"})["result"]["sources"]


def test_a_source_that_cannot_be_fetched_is_an_error_with_its_name(
    cloud: Cloud, way: dict[str, dict[str, Any]]
) -> None:
    called = cloud.call("fetch", {"run": "r", "source": "gone", "turn": 1})
    assert called["error"] == "SourceFailed"
    assert called["said"].startswith("gone: no answer from 127.0.0.1:9")
    (line,) = [one for one in called["log"] if one["level"] == "ERROR"]
    assert (line["run"], line["source"], line["error"]) == ("r", "gone", "SourceFailed")


@pytest.mark.parametrize("name", ["plan", "measure"])
def test_wrong_settings_are_one_line_that_names_the_object(
    cloud: Cloud, settings: str, name: str, way: dict[str, dict[str, Any]]
) -> None:
    cloud.put("config/muster.yaml", settings.replace("timezone:", "timezon:"))
    called = cloud.call(name, {"run": "r"})
    cloud.put("config/muster.yaml", settings)
    assert called["error"] == "BadSettings"
    assert called["said"].startswith("s3://lake/config/muster.yaml:")
    assert "did you mean 'timezone'?" in called["said"]


def test_a_kpi_of_our_own_is_read_from_the_bucket(
    cloud: Cloud, way: dict[str, dict[str, Any]]
) -> None:
    """It is a broken one, to see that it is read, and named."""
    cloud.put("config/kpis/own.sql", OWN_KPI)
    called = cloud.call("measure", {"run": "r"})
    client(cloud.url).delete_object(Bucket="lake", Key="config/kpis/own.sql")
    assert called["error"] == "BadKpi"
    assert "kpis/own.sql" in called["said"]


@pytest.mark.parametrize(
    ("minutes", "is_due"), [(0, False), (54, False), (55, True), (60, True), (600, True)]
)
def test_an_hourly_source_is_due_every_hour_though_no_schedule_is_exact(
    tmp_path: Path, minutes: int, is_due: bool
) -> None:
    (tmp_path / "muster.yaml").write_text(SETTINGS.format(sentiment="vader"))
    project = open_project(tmp_path, clock=lambda: NOW, environment={}, http=None)
    assert due(project) == ("forum",), "one that never succeeded is due"
    last = state.State(last_success_at=NOW - timedelta(minutes=minutes))
    state.save(project.lake, "forum", last)
    assert due(project) == (("forum",) if is_due else ())


@pytest.fixture
def fetching(tmp_path: Path) -> Callable[..., tuple[Project, Fetched]]:
    """Fetch once, in a time that is good for so many requests."""
    forum = Forum.of(posts=4000)

    def fetch(name: str, requests: int) -> tuple[Project, Fetched]:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "muster.yaml").write_text(SETTINGS.format(sentiment="vader"))
        asked: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.path)
            # The list of members is read whole in one turn, so it is left out here.
            is_list = request.url.path.startswith("/admin/")
            return httpx.Response(403) if is_list else forum.answer(request)

        def clock() -> datetime:
            return NOW + timedelta(seconds=len(asked))

        http = Http(
            httpx.MockTransport(answer),
            clock=clock,
            sleep=lambda _: None,
            deadline=NOW + timedelta(seconds=requests - 1),
        )
        project = open_project(folder, clock=lambda: NOW, environment={}, http=http)
        (fetched,) = collect.fetch(project)
        return project, fetched

    return fetch


def test_a_fetch_in_two_turns_ends_with_the_lake_of_one(
    fetching: Callable[..., tuple[Project, Fetched]],
) -> None:
    query = "select source, message_id, thread_id, author_id, created_at, text from messages"
    project, whole = fetching("whole", 10_000)
    assert whole.again_in is None and not whole.error
    expected = sorted(engine.ask(project.lake.url(), query).rows)

    project, first = fetching("turns", 80)
    assert first.again_in is not None and first.again_in < 2
    assert state.load(project.lake, "forum").last_success_at is None
    kept = sorted(engine.ask(project.lake.url(), query).rows)
    assert 0 < len(kept) < len(expected)
    assert set(kept) <= set(expected), "what was read before the time was up is kept"

    project, second = fetching("turns", 400)
    assert second.again_in is None and not second.error
    assert second.items < whole.items / 2, "it goes on where the first turn ended"
    assert len(expected) == 4000
    assert sorted(engine.ask(project.lake.url(), query).rows) == expected
