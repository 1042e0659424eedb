"""Each function as the state machines call it: in a process of its own, on a bucket."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import httpx
import pytest
from function_calls import Cloud, aws, file_types, told_types
from s3_servers import client, moto

import demo
from bench.simulated_forum import NOW, SETTINGS, Forum
from muster.kpis import engine
from muster.lake import state
from muster.pipeline import collect
from muster.pipeline.collect import Fetched
from muster.pipeline.due import due
from muster.project import Project, open_project
from muster.records import TABLES
from muster.reports.addresses import version_of
from muster.sources._http import Http

MAILING = {"MUSTER_SITE_URL": "https://site.example/", "MUSTER_SENDER": "desk@example.org"}
LEAVING = {
    "MUSTER_UNSUBSCRIBE_URL": "https://leave.example/",
    "MUSTER_UNSUBSCRIBE_SECRET": "ssm:/muster/unsubscribe",
}
OWN_KPI = """\
-- title: Own
-- question: How many of our own?
-- unit: count
-- better: none
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo's settings, with one source that no server answers for, and its running server."""
    folder = tmp_path_factory.mktemp("demo")
    with demo.start(datetime.now(UTC), are_limited=False) as server:
        server.write_project(folder)
        text = (folder / "muster.yaml").read_text()
        recent = f"    since: {datetime.now(UTC).date() - timedelta(days=30)}"
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
        places |= {"MUSTER_SETTINGS": "config", "MUSTER_CATALOGUE": "muster", **MAILING, **LEAVING}
        aws(server, "glue").create_database(DatabaseInput={"Name": "muster"})
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
    found["publish"] = cloud.call("report", {"run": "report-1", "report": "weekly"})
    (mail,) = found["publish"]["result"]["mails"]
    found["report"] = cloud.call("report", {"run": "report-1", **mail})
    return found


def test_the_plan_names_what_is_due_and_no_file(way: dict[str, dict[str, Any]]) -> None:
    assert way["plan"]["result"]["sources"] == ["gone", "forum", "x", "bluesky"]
    assert way["plan again"]["result"]["sources"] == ["gone", "x", "bluesky"]
    assert way["plan"]["result"]["lag"] is None and way["plan again"]["result"]["lag"] < 600


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
    assert len(mails) == 1 and way["report"]["result"]["outcome"] == "put into the outbox"
    assert b"University IT Help Desk" in cloud.get("index.html", "site")
    assert not [key for key in cloud.keys("lake") if key.startswith("site/")]


def test_the_mail_comes_from_the_stack_s_sender_and_leads_to_its_site(
    cloud: Cloud, way: dict[str, dict[str, Any]]
) -> None:
    (name,) = [key for key in cloud.keys("lake") if key.endswith(".eml")]
    mail = message_from_bytes(cloud.get(name), policy=policy.default)
    assert "desk@example.org" in mail["From"]
    assert MAILING["MUSTER_SITE_URL"] in mail.get_body(("html",)).get_content()


def clicked(cloud: Cloud, method: str, url: str) -> dict[str, Any]:
    """The call that a function URL makes of a request."""
    asked = dict([url.partition("?")[2].split("=", 1)])
    event = {"requestContext": {"http": {"method": method}}, "queryStringParameters": asked}
    return cloud.call("unsubscribe", event)


def test_a_click_on_unsubscribe_ends_the_report_for_that_reader(
    cloud: Cloud, way: dict[str, dict[str, Any]]
) -> None:
    """The report's function made up the secret that the other one reads."""
    (name,) = [key for key in cloud.keys("lake") if key.endswith(".eml")]
    mail = message_from_bytes(cloud.get(name), policy=policy.default)
    url = mail["List-Unsubscribe"].strip().strip("<>")
    assert url.startswith("https://leave.example/?u=")
    asked = clicked(cloud, "GET", url)
    assert asked["result"]["statusCode"] == 200 and "<form" in asked["result"]["body"]
    (due,) = way["publish"]["result"]["mails"]
    assert cloud.call("report", due)["result"]["outcome"] == "sent before"
    left = clicked(cloud, "POST", url)
    assert left["result"]["statusCode"] == 200 and "<form" not in left["result"]["body"]
    assert cloud.call("report", due)["result"] == {
        "outcome": "unsubscribed",
        "sent": 0,
        "failed": 0,
    }
    assert clicked(cloud, "POST", url + "x")["result"]["statusCode"] == 404
    told = json.dumps([*asked["log"], *left["log"]])
    assert due["recipient"] not in told and url.partition("=")[2] not in told
    assert set(left["used"]) - {"boto3"} == {"jinja2"}


def test_athena_sees_the_tables_of_the_lake_with_their_partitions(
    cloud: Cloud, way: dict[str, dict[str, Any]]
) -> None:
    glue = aws(cloud, "glue")
    pages = glue.get_paginator("get_tables").paginate(DatabaseName="muster")
    tables = {one["Name"]: one for page in pages for one in page["TableList"]}
    assert set(tables) >= {*TABLES, "kpi_values", "conversations", "waiting", "coverage"}
    messages = tables["messages"]
    assert [key["Name"] for key in messages["PartitionKeys"]] == ["source", "month"]
    assert "forum" in messages["Parameters"]["projection.source.values"].split(",")
    kinds = {one["Name"]: one["Type"] for one in messages["StorageDescriptor"]["Columns"]}
    assert (kinds["created_at"], kinds["tags"]) == ("timestamp", "array<string>")
    again = cloud.call("measure", {"run": "report-2"})
    assert len(way["measure"]["result"]["tables"]) == len(tables)
    assert again["result"]["tables"] == [], "nothing changed"


def test_athena_is_told_the_types_that_the_files_have(
    cloud: Cloud, way: dict[str, dict[str, Any]]
) -> None:
    """It refuses a table that says bigint of a file that holds 32 bits."""
    told, found = told_types(cloud), file_types(cloud)
    assert found.keys() >= {"messages", "conversations", "kpi_values", "suspected_accounts"}
    assert not [name for name in found if not found[name].items() <= told[name].items()]


def test_a_template_of_our_own_stands_in_for_ours(
    cloud: Cloud, way: dict[str, dict[str, Any]]
) -> None:
    cloud.put("config/templates/site/archive.html", "<p>{{ view.community }}: our own</p>")
    night = cloud.call("report", {"run": "report-3"})["result"]
    assert night == {"mails": [], "sent": 0, "failed": 0}, "nobody wants alerts"
    newest = version_of(cloud.get("index.html", "site").decode())
    archive = cloud.get(f"{newest}reports/index.html", "site")
    assert b"<p>University IT Help Desk: our own</p>" in archive
    client(cloud.url).delete_object(Bucket="lake", Key="config/templates/site/archive.html")


def dropped(cloud: Cloud, key: str, text: str) -> dict[str, Any]:
    """The call that follows a file put into the bucket, as EventBridge tells of it."""
    cloud.put(key, text)
    detail = {"bucket": {"name": "lake"}, "object": {"key": key, "size": len(text)}}
    return cloud.call(
        "inbox", {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}
    )


def test_a_file_in_the_inbox_is_imported_and_answered_with_a_receipt(
    cloud: Cloud, way: dict[str, dict[str, Any]]
) -> None:
    text = "response_id,survey,score,score_max,created_at\nr1,csat,5,5,2026-11-01T10:00:00Z\n"
    called = dropped(cloud, "inbox/survey_responses/old/csat.csv", text)
    assert called["result"] == {"outcome": "imported", "problems": 0}
    receipt = json.loads(cloud.get("receipts/survey_responses/old/csat.csv.json"))
    assert (receipt["rows"], receipt["changed"]) == (1, {"old": 1})
    assert "inbox/survey_responses/old/csat.csv" not in cloud.keys("lake")
    found = cloud.call("inbox", {"source": "aws.s3", "detail": {"object": {"key": "inbox/a/b"}}})
    assert found["result"]["outcome"] == "not there", "announced twice, taken once"


def test_a_file_that_cannot_be_taken_stays_and_its_receipt_says_why(
    cloud: Cloud, way: dict[str, dict[str, Any]]
) -> None:
    called = dropped(cloud, "inbox/survey_responses/old/bad.csv", "response_id,score\nr1,5\n")
    assert called["result"] == {"outcome": "refused", "problems": 1}
    receipt = json.loads(cloud.get("receipts/survey_responses/old/bad.csv.json"))
    assert "inbox/survey_responses/old/bad.csv" in receipt["reason"]
    assert "inbox/survey_responses/old/bad.csv" in cloud.keys("lake")
    called = dropped(cloud, "inbox/survey_responses/bad.csv", "")
    assert called["result"]["outcome"] == "refused"


def test_a_mail_that_came_back_is_kept_for_the_report(cloud: Cloud) -> None:
    bounce = {
        "eventType": "Bounce",
        "mail": {"messageId": "0100-abc", "destination": ["gone@example.org"],
                 "timestamp": "2026-11-02T07:30:00Z"},
        "bounce": {"bounceType": "Permanent", "timestamp": "2026-11-02T07:30:02Z",
                   "bouncedRecipients": [{"emailAddress": "gone@example.org"}]},
    }  # fmt: skip
    event = {"source": "aws.ses", "detail-type": "Email Bounced", "detail": bounce}
    assert cloud.call("inbox", event)["result"] == {"outcome": "bounce", "failed": 1}
    kept = json.loads(cloud.get("outbox/returned/0100-abc.json"))
    assert (kept["recipients"], kept["why"]) == (["gone@example.org"], "Permanent")


def test_an_erased_member_is_gone_from_the_bucket_and_its_old_versions(
    cloud: Cloud, way: dict[str, dict[str, Any]]
) -> None:
    member, text = engine.ask(
        "s3://lake",
        "select author_id, text from messages where source = 'forum' and author_role = 'member' "
        "and length(text) > 80 order by created_at limit 1",
        environment=cloud.environment,
    ).rows[0]
    called = cloud.call("erase", {"source": "forum", "member": member})
    assert "result" in called, called
    assert called["result"]["rows"]["members"] == 1
    found = engine.ask(
        "s3://lake",
        f"select count(*) from messages where author_id = '{member}' and source = 'forum'",
        environment=cloud.environment,
    )
    assert found.rows == ((0,),)


@pytest.mark.parametrize(
    ("name", "at_start", "in_the_call"),
    [
        ("plan", set(), set()),
        ("fetch", {"pyarrow"}, {"httpx", "vaderSentiment"}),
        ("measure", set(), {"duckdb", "holidays"}),
        ("publish", {"css_inline", "jinja2", "resvg_py"}, set()),
        ("report", {"css_inline", "jinja2", "resvg_py"}, set()),
    ],
)
def test_a_function_starts_with_its_own_heavy_libraries_only(
    way: dict[str, dict[str, Any]], name: str, at_start: set[str], in_the_call: set[str]
) -> None:
    """What each costs is told by ``make coldstart``."""
    assert set(way[name]["imported"]) == at_start
    assert set(way[name]["used"]) - at_start == in_the_call


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
    forum = Forum.of(posts=1500)

    def fetch(name: str, requests: int) -> tuple[Project, Fetched]:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "muster.yaml").write_text(SETTINGS.format(sentiment="none"))
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

    project, first = fetching("turns", 30)
    assert first.again_in is not None and first.again_in < 2
    assert state.load(project.lake, "forum").last_success_at is None
    kept = sorted(engine.ask(project.lake.url(), query).rows)
    assert 0 < len(kept) < len(expected)
    assert set(kept) <= set(expected), "what was read before the time was up is kept"

    project, second = fetching("turns", 400)
    assert second.again_in is None and not second.error
    assert second.items < whole.items / 2, "it goes on where the first turn ended"
    assert len(expected) == 1500
    assert sorted(engine.ask(project.lake.url(), query).rows) == expected
