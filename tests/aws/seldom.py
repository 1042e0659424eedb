"""What seldom happens, made to happen: so that every right of a role is seen to be needed."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from emulator import free_port
from passage import Ended, download, drop, keys, schedules, start
from recorder import SEND, Request
from world import World

from muster.sending import leaving

MOOD = {"Positive": 0.9, "Negative": 0.05, "Neutral": 0.03, "Mixed": 0.02}
MESSAGES = """\
message_id,thread_id,created_at,text,lang
one,one,2026-11-20T10:00:00Z,What a lovely and helpful answer that was,en
two,two,on a Tuesday,Nobody knows when this was written,en
"""
MEMBERS = f"""\
source,member_id,handle,email_hash
crm,c-1,ada,{"f0" * 32}
shop,s-9,lovelace,{"f0" * 32}
"""
PASSWORD = "not-in-any-log"


@pytest.fixture(scope="module")
def collected(cloud: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """A second look at X, a post of which is broken, scored by Comprehend; and one report less."""
    with spoiled(cloud.platforms.port) as url:
        block = cloud.settings.partition("  - name: x\n")[2].partition("  - name:")[0]
        recent = f"{datetime.now(UTC) - timedelta(days=9):%F}"
        block = re.sub(r"since: .*", f"since: {recent}\n    sentiment: comprehend", block)
        block = re.sub(r"base_url: .*", f"base_url: {url}", block)
        less = re.sub(r"  - name: executive\n(    .*\n)+", "", cloud.settings)
        cloud.put_settings(less.replace("sources:\n", f"sources:\n  - name: recent\n{block}", 1))
        cloud.recorder.refuse = scored
        ended = start(cloud.stack, "Collect", {})
        folder = tmp_path_factory.mktemp("files")
        (folder / "messages.csv").write_text(MESSAGES, "utf-8")
        (folder / "members.csv").write_text(MEMBERS, "utf-8")
        drop(cloud.stack, {"inbox/messages/recent/messages.csv": folder / "messages.csv",
                           "inbox/members/members.csv": folder / "members.csv"})  # fmt: skip
        yield ended
    cloud.recorder.refuse = lambda _: None
    cloud.put_settings(cloud.settings)


@pytest.fixture(scope="module")
def lake(cloud: World, collected: Ended) -> Path:
    """The lake after that, as a folder."""
    folder = cloud.work / "seldom"
    download(cloud.stack, "LakeBucket", folder)
    return folder


@contextmanager
def spoiled(port: int) -> Iterator[str]:
    """The platforms, but that the first post of every answer was written at no time at all."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            behind = HTTPConnection("127.0.0.1", port, timeout=60)
            behind.request("GET", self.path, headers=dict(self.headers.items()))
            answer = behind.getresponse()
            body = answer.read()
            with suppress(ValueError, KeyError, TypeError, IndexError):
                told = json.loads(body)
                told["data"][0]["created_at"] = "soon"
                body = json.dumps(told).encode()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def scored(request: Request) -> tuple[int, bytes] | None:
    """Comprehend, which the local AWS has not: every text is a friendly one."""
    if request.service != "comprehend":
        return None
    texts = json.loads(request.body)["TextList"]
    found = [{"Index": number, "Sentiment": "POSITIVE", "SentimentScore": MOOD}
             for number in range(len(texts))]  # fmt: skip
    return 200, json.dumps({"ResultList": found, "ErrorList": []}).encode()


def test_comprehend_scores_what_is_fetched_and_what_is_imported(
    collected: Ended, lake: Path
) -> None:
    assert collected.status == "SUCCEEDED", collected.cause
    files = f"{lake}/tables/messages/source=recent/**/*.parquet"
    rows = duckdb.sql(
        f"select message_id = 'one', sentiment, count(*) from read_parquet('{files}') "
        "where sentiment is not null group by all order by 1"
    ).fetchall()
    assert [(imported, round(mood, 6)) for imported, mood, _ in rows] == [
        (False, 0.85), (True, 0.85),
    ]  # fmt: skip
    assert rows[0][2] > 3


def test_what_cannot_be_mapped_or_taken_lies_in_quarantine(cloud: World, lake: Path) -> None:
    found = sorted(path.name for path in (lake / "quarantine").rglob("*") if path.is_file())
    assert len(found) >= 2, found
    told = json.loads((lake / "receipts/messages/recent/messages.csv.json").read_text())
    assert told["outcome"] == "imported" and len(told["refused"]) == 1


def test_two_accounts_with_one_address_become_one_person(lake: Path) -> None:
    decisions = (lake / "people" / "decisions.json").read_text("utf-8")
    assert "c-1" in decisions and "s-9" in decisions


def test_a_report_that_left_the_settings_has_no_schedule(cloud: World, collected: Ended) -> None:
    mine = [one for one in schedules(cloud.stack) if one["GroupName"] != "default"]
    assert [json.loads(one["Target"]["Input"])["report"] for one in mine] == ["weekly"]
    assert {one["ScheduleExpressionTimezone"] for one in mine} == {"Europe/Berlin"}


def bounced(stack: str) -> dict[str, Any]:
    """What SES tells EventBridge of a mail that came back."""
    at = "2026-11-27T07:00:05.000Z"
    mail = {"messageId": "0102-bounce", "timestamp": at, "destination": ["gone@nordufer.example"],
            "tags": {"ses:configuration-set": [f"{stack}-mails"]}}  # fmt: skip
    bounce = {"bounceType": "Permanent", "bounceSubType": "General", "timestamp": at,
              "bouncedRecipients": [{"emailAddress": "gone@nordufer.example"}]}  # fmt: skip
    return {
        "version": "0", "id": "1", "account": "000000000000", "time": at, "region": "eu-central-1",
        "source": "aws.ses", "detail-type": "Email Bounced", "resources": [],
        "detail": {"eventType": "Bounce", "mail": mail, "bounce": bounce},
    }  # fmt: skip


def test_a_mail_that_came_back_is_kept_for_the_report(cloud: World) -> None:
    """Nobody but AWS may send events of aws.ses, so rule and function are asked one by one."""
    events, event = cloud.aws.client("events"), json.dumps(bounced(cloud.stack.name))
    rules = {one["Name"]: one["EventPattern"] for one in events.list_rules()["Rules"]}
    (rule,) = (
        name
        for name, pattern in rules.items()
        if events.test_event_pattern(EventPattern=pattern, Event=event)["Result"]
    )
    (target,) = events.list_targets_by_rule(Rule=rule)["Targets"]
    assert target["DeadLetterConfig"]["Arn"]
    answer = cloud.aws.client("lambda").invoke(FunctionName=target["Arn"], Payload=event.encode())
    assert json.load(answer["Payload"]) == {"outcome": "bounce", "failed": 1}
    assert "outbox/returned/0102-bounce.json" in keys(cloud.stack, "LakeBucket", "outbox/returned/")


def delivered(cloud: World, report: str) -> dict[str, Any]:
    """The call of the state machine that mails a report to its only reader."""
    event = {"run": "seldom", "report": report, "recipient": "team@nordufer.example"}
    answer = cloud.aws.client("lambda").invoke(
        FunctionName=cloud.stack.resources["ReportFunction"], Payload=json.dumps(event).encode()
    )
    return dict(json.load(answer["Payload"]))


def with_report(cloud: World, name: str, more: str = "") -> None:
    """The settings with a report that nobody got yet."""
    text = cloud.settings.replace("reports:\n", f"reports:\n  - name: {name}\n"
                                  "    recipients: [team@nordufer.example]\n"
                                  "    sender: muster@nordufer.example\n", 1)  # fmt: skip
    cloud.put_settings(f"{more}{text}")


def test_a_reader_who_leaves_by_the_link_of_their_mail_gets_no_other(cloud: World) -> None:
    """The call is the one that a function URL makes; links are signed by the stack's own secret."""
    name = f"/{cloud.stack.name}/unsubscribe"
    kept = cloud.aws.client("ssm").get_parameter(Name=name, WithDecryption=True)
    token = leaving.token(kept["Parameter"]["Value"], "left", "team@nordufer.example")
    http = {"requestContext": {"http": {"method": "POST"}}, "queryStringParameters": {"u": token}}
    with_report(cloud, "left")
    try:
        answer = cloud.aws.client("lambda").invoke(
            FunctionName=cloud.stack.resources["UnsubscribeFunction"],
            Payload=json.dumps(http).encode(),
        )
        told = delivered(cloud, "left")
    finally:
        cloud.put_settings(cloud.settings)
    assert json.load(answer["Payload"])["statusCode"] == 200
    assert keys(cloud.stack, "LakeBucket", "subscriptions/left/left/")
    assert told == {"outcome": "unsubscribed", "sent": 0, "failed": 0}


def test_a_mail_that_ses_takes_later_is_sent_once(cloud: World) -> None:
    refused: list[Request] = []

    def busy(request: Request) -> tuple[int, bytes] | None:
        if request.path != SEND or refused:
            return None
        refused.append(request)
        return 429, json.dumps({"code": "TooManyRequestsException", "message": "later"}).encode()

    with_report(cloud, "later")
    cloud.recorder.refuse, before = busy, len(cloud.recorder.mails)
    try:
        first = delivered(cloud, "later")
        again = [delivered(cloud, "later")["outcome"] for _ in range(2)]
    finally:
        cloud.recorder.refuse = lambda _: None
        cloud.put_settings(cloud.settings)
    assert refused and first["errorType"] == "RateLimited"
    assert again == ["sent by SES", "sent before"]
    assert len(cloud.recorder.mails) == before + 1


class Mailbox:
    """A mail server's memory."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(envelope.content)
        return "250 OK"


def knows(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
    is_ours = isinstance(given, LoginPassword) and given.password == PASSWORD.encode()
    return AuthResult(success=is_ours)


def test_a_stack_without_a_sender_mails_by_smtp_if_its_settings_say_so(cloud: World) -> None:
    """The built function talks to a real mail server, with a password out of SSM."""
    box, client = Mailbox(), cloud.aws.client("lambda")
    function = cloud.stack.resources["ReportFunction"]
    before = client.get_function_configuration(FunctionName=function)["Environment"]
    changed = {**before["Variables"], "MUSTER_MAIL": "", "MUSTER_SES_CONFIGURATION_SET": ""}
    port = free_port()
    server = Controller(
        box, "127.0.0.1", port, authenticator=knows, auth_required=True, auth_require_tls=False
    )
    server.start()
    cloud.muster("secret", "set", "MAIL", "--stack", cloud.stack.name, said=PASSWORD)
    smtp = (
        f"mail: smtp\nsmtp: {{host: 127.0.0.1, port: {port}, security: none, user: muster, "
        f"password: 'ssm:/{cloud.stack.name}/MAIL'}}\n"
    )
    try:
        client.update_function_configuration(
            FunctionName=function, Environment={"Variables": changed}
        )
        with_report(cloud, "posted", smtp)
        answer = delivered(cloud, "posted")
    finally:
        server.stop()
        client.update_function_configuration(FunctionName=function, Environment=before)
        cloud.put_settings(cloud.settings)
    assert answer == {"outcome": "sent by SMTP", "sent": 1, "failed": 0}
    (mail,) = box.mails
    assert b"University IT Help Desk" in mail


def test_settings_of_the_first_day_can_be_had_back(cloud: World) -> None:
    """By a person who starts in an empty folder, with the stack's own bucket."""
    stack, folder = ("--stack", cloud.stack.name), "another-desk"
    (cloud.work / folder).mkdir(exist_ok=True)
    pushed = (cloud.work / "project" / "muster.yaml").read_text("utf-8")
    told = json.loads(cloud.muster("config", "history", *stack, "--json", folder=folder))
    versions = [one for one in told if one["file"] == "muster.yaml"]
    assert len(versions) > 2 and versions[0]["is_now"]
    cloud.muster("config", "pull", *stack, "--version", versions[-1]["id"], folder=folder)
    assert (cloud.work / folder / "muster.yaml").read_text("utf-8") == pushed
    cloud.muster("config", "push", *stack, folder=folder)
    bucket = cloud.stack.resources["LakeBucket"]
    now = cloud.aws.client("s3").get_object(Bucket=bucket, Key="config/muster.yaml")["Body"].read()
    assert now.decode("utf-8") == pushed
