"""A secret is planted wherever the settings take one; afterwards it stands nowhere it should not.

Every platform signs in, is refused, is answered with what it sent, and breaks off; mails and chats
go out or fail. Then every byte that was written, and all that was said or logged, is searched.
"""

from __future__ import annotations

import gzip
import json
import logging
import socket
import threading
import traceback
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import httpx
import pytest
from at_platforms import PLATFORMS, recorded
from canaries import found_in, hunted
from moto import mock_aws
from recorded import Recorded
from thorough import tries

from muster import sources
from muster.lake import cells, parquet, raw
from muster.pipeline import collect, connecting, doctor, latest, publish
from muster.project import Project, open_project
from muster.records import TABLES, Message
from muster.results import Measured
from muster.sources._http import Http
from muster.sources._recording import Recorder

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
OPEN = ("type", "token_uri", "client_email", "private_key", "key_id", "issuer_id", "client_id")


def canary(name: str) -> str:
    """A secret like no other: letters and digits, as tokens are."""
    return f"canary{name.replace('_', '')}x7Qd93kVz"


def planted(one: Recorded) -> tuple[str, dict[str, str]]:
    """A platform's secret with a canary for each secret in it, and what each stands for."""
    told = one.told.get("secret")
    if not isinstance(told, dict):
        mine = canary(one.name) if one.name != "telegram" else f"1:{canary(one.name)}"
        return mine, {mine: one.secret or ""}
    fields = json.loads(one.secret or "")
    stands = {canary(f"{one.name}{key}"): value for key, value in fields.items() if key not in OPEN}
    back = {value: mine for mine, value in stands.items()}
    return json.dumps({key: back.get(value, value) for key, value in fields.items()}), stands


class Disguised(httpx.BaseTransport):
    """The recorded answers, or a trouble; to the recording each canary is the secret it is for."""

    def __init__(self, one: Recorded, stands: Mapping[str, str], trouble: str) -> None:
        self.wire, self.stands, self.trouble = one.wire(is_lenient=True), stands, trouble

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = f"{request.url} {[*request.headers.raw]} {request.read()!r}"
        if self.trouble:
            return TROUBLES[self.trouble](sent, request)
        url, body = str(request.url), request.read().decode()
        for mine, theirs in self.stands.items():
            url, body = url.replace(mine, theirs), body.replace(mine, theirs)
        headers = {
            name: value for name, value in request.headers.items() if name != "content-length"
        }
        return self.wire.handle_request(
            httpx.Request(request.method, url, headers=headers, content=body)
        )


def refused(status: int) -> Callable[[str, httpx.Request], httpx.Response]:
    """A server that answers with all that it was sent."""

    def answer(sent: str, request: httpx.Request) -> httpx.Response:
        told = {"message": sent, "error": {"message": sent}, "errors": [{"message": sent}]}
        return httpx.Response(status, json=told, headers={"x-sent": sent.encode("ascii", "ignore")})

    return answer


def broken(sent: str, request: httpx.Request) -> httpx.Response:
    raise httpx.RemoteProtocolError(f"illegal line {sent}")


def sent_on(sent: str, request: httpx.Request) -> httpx.Response:
    return httpx.Response(302, headers={"location": f"https://evil.example/{sent[:500]!r}"})


def html(sent: str, request: httpx.Request) -> httpx.Response:
    return httpx.Response(
        200, html=f"<h1>{sent}</h1>", headers={"content-type": f"text/html;{sent}"[:900]}
    )


TROUBLES: dict[str, Callable[[str, httpx.Request], httpx.Response]] = {
    "401": refused(401), "403": refused(403), "400": refused(400), "404": refused(404),
    "200": refused(200), "503": refused(503), "sent on": sent_on, "html": html, "broken": broken,
}  # fmt: skip


# By turns: a run of the short suite takes a fifth of the platforms, another every day.
TURN = 0 if tries(0, 1) else datetime.now(UTC).toordinal() % 5


@pytest.mark.parametrize("name", PLATFORMS[TURN :: tries(5, 1)])
def test_no_platform_s_secret_is_written_said_or_logged(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    one = recorded(name)
    secret, stands = planted(one)
    if not one.secret:
        return  # it needs none
    source = {**one.told["options"], "name": "it", "token": "env:IT"}
    (tmp_path / "muster.yaml").write_text(json.dumps({"community": "a", "sources": [source]}))
    said: list[str] = []
    for trouble in ("", *[*TROUBLES][:: tries(4, 1)]):
        http = Http(transport=Disguised(one, stands, trouble), clock=lambda: one.now,
                    sleep=lambda _: None)  # fmt: skip
        project = open_project(
            tmp_path, clock=lambda: one.now, environment={"IT": secret}, http=http
        )
        (fetched,) = collect.fetch(project)
        said += [repr(fetched), repr(project), *signed_in(project)]
        assert bool(fetched.error) == bool(trouble) or trouble in ("200", "404"), fetched
    said += [record.getMessage() for record in caplog.records]
    assert not hunted(tmp_path, said, [*stands, "PRIVATE KEY", *key_lines(secret)])


def signed_in(project: Project) -> Iterator[str]:
    """What a signed-in client shows of itself, and the whole traceback where there is none."""
    try:
        with connecting.connect(project, project.settings.sources[0]) as api:
            yield repr(api) + repr(getattr(api, "http", ""))
            source = project.settings.sources[0]
            yield sources.platform(source.platform).check(api, source)
    except Exception as error:
        yield "".join(traceback.format_exception(error))


def key_lines(secret: str) -> list[str]:
    """A private key's own lines."""
    fields = json.loads(secret) if secret.startswith("{") else {}
    return [line for line in fields.get("private_key", "").splitlines() if len(line) > 30][:3]


@pytest.mark.parametrize("name", ["youtube", "telegram", "discourse", "facebook"])
def test_a_recording_holds_no_secret(name: str, tmp_path: Path) -> None:
    one = recorded(name)
    secret, stands = planted(one)
    path = tmp_path / "recording.json"
    inner = Disguised(one, stands, "")
    with Recorder(inner, path, stands) as recorder:
        http = Http(transport=recorder, clock=lambda: one.now, sleep=lambda _: None)
        list(one.platform.pages(one.platform.connect(one.options, secret, http), one.window()))
        Recorder.handle_request(
            recorder, httpx.Request("GET", "https://x.example/?token=" + [*stands][0])
        )
    assert path.stat().st_size > 1_000
    assert not hunted(tmp_path, (), stands)


@contextmanager
def mail_server(answers: Mapping[str, str]) -> Iterator[tuple[int, list[str]]]:
    """A mail server that says of every secret it hears what it was, and then refuses."""
    heard: list[str] = []
    server = socket.create_server(("127.0.0.1", 0))

    def talk(conversation: socket.socket) -> None:
        with conversation, conversation.makefile("rwb") as lines:
            lines.write(b"220 x\r\n")
            lines.flush()
            for line in iter(lines.readline, b""):
                word = line.split()[0].decode().upper() if line.split() else ""
                if word == "AUTH":
                    heard.append(b64decode(line.split()[-1]).decode().split("\0")[-1])
                told = answers.get(word, "250 ok").replace("SECRET", heard[-1] if heard else "")
                lines.write(
                    b"250-x\r\n250 AUTH PLAIN\r\n" if word == "EHLO" else f"{told}\r\n".encode()
                )
                lines.flush()
                if word == "QUIT":
                    return

    def serve() -> None:
        while True:
            try:
                conversation, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(conversation,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1], heard
    finally:
        server.close()


MAIL = {
    "refused": {"AUTH": "535 no such password: SECRET"},
    "later": {"AUTH": "454 SECRET is busy"},
    "sender": {"AUTH": "235 ok", "MAIL": "550 SECRET may not send"},
    "reader": {"AUTH": "235 ok", "RCPT": "550 SECRET unknown"},
    "data": {"AUTH": "235 ok", "DATA": "554 SECRET looks like spam"},
}


@pytest.mark.parametrize("how", [*MAIL][:: tries(3, 1)])
def test_neither_mail_nor_chat_nor_site_tells_a_secret(
    how: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    with mail_server(MAIL[how]) as (port, heard), chat_server() as (chat_port, posted):
        chat = f"json://desk:{canary('chat')}@127.0.0.1:{chat_port}/{canary('hook')}"
        secrets = {"MAIL": canary("mail"), "LEAVE": canary("leave"), "CHAT": chat}
        (tmp_path / "muster.yaml").write_text(json.dumps(settings(port)))
        project = open_project(tmp_path, clock=lambda: NOW, environment=secrets, http=None)
        said = [repr(project)]
        empty = Measured(NOW, kpis=(), values=(), goals=(), waiting=(), sources=())
        latest.keep(project, empty)
        calls = [lambda: publish.report(project, send=True), lambda: doctor.checkup(project)]
        for call in calls[: tries(1, 2)]:
            try:
                said += map(repr, call())
            except Exception as error:
                said.append("".join(traceback.format_exception(error)))
        assert heard, "the server was asked with the secret"
        assert posted or how in ("refused", "sender"), "and so was the chat, unless no mail goes"
    said += [record.getMessage() for record in caplog.records]
    canaries = [canary(name) for name in ("mail", "leave", "chat", "hook")]
    assert not hunted(tmp_path, said, canaries)


def settings(port: int) -> dict[str, Any]:
    return {
        "community": "a", "mail": "smtp",
        "smtp": {"host": "127.0.0.1", "port": port, "security": "none", "user": "desk",
                 "password": "env:MAIL"},
        "unsubscribe": {"url": "https://x.example/leave", "secret": "env:LEAVE"},
        "reports": [{"name": "weekly", "sender": "desk@example.org", "chat": ["env:CHAT"],
                     "recipients": ["anna@example.org"]}],
    }  # fmt: skip


@contextmanager
def chat_server() -> Iterator[tuple[int, list[bytes]]]:
    """A chat that refuses each post with what it was sent."""
    posted: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                conversation, _ = server.accept()
            except OSError:
                return
            with conversation:
                posted.append(conversation.recv(65536))
                body = b"no: " + posted[-1]
                head = f"HTTP/1.1 401 no\r\nContent-Length: {len(body)}\r\n\r\n"
                conversation.sendall(head.encode() + body)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1], posted
    finally:
        server.close()


def test_a_secret_of_the_cloud_is_told_by_its_name_only(
    tmp_path: Path, aws_account: None, caplog: pytest.LogCaptureFixture
) -> None:
    """SSM and Secrets Manager: one that rotates is replaced there, and stands nowhere else."""
    caplog.set_level(logging.INFO)
    one = recorded("youtube")
    secret, stands = planted(one)
    with mock_aws():
        boto3.client("ssm").put_parameter(Name="/m/it", Value=secret, Type="SecureString")
        boto3.client("secretsmanager").create_secret(Name="it", SecretString=secret)
        said: list[str] = []
        for reference in ("ssm:/m/it", "secretsmanager:it", "ssm:/m/none", "secretsmanager:none"):
            source = {**one.told["options"], "name": "it", "token": reference}
            (tmp_path / "muster.yaml").write_text(
                json.dumps({"community": "a", "sources": [source]})
            )
            for trouble in ("", "401"):
                http = Http(transport=Disguised(one, stands, trouble), clock=lambda: one.now,
                            sleep=lambda _: None)  # fmt: skip
                project = open_project(tmp_path, clock=lambda: one.now, environment={}, http=http)
                said += [*map(repr, collect.fetch(project)), *signed_in(project)]
    said += [record.getMessage() for record in caplog.records]
    assert not hunted(tmp_path, said, stands)


def test_what_replaces_a_secret_lies_in_a_private_file_and_nowhere_else(tmp_path: Path) -> None:
    one = recorded("youtube")
    secret, stands = planted(one)
    new = canary("rotated")

    def rotating(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, json={"access_token": canary("access"), "refresh_token": new,
                                             "expires_in": 3600})  # fmt: skip
        return Disguised(one, stands, "").handle_request(request)

    source = {**one.told["options"], "name": "it", "token": "env:IT"}
    (tmp_path / "muster.yaml").write_text(json.dumps({"community": "a", "sources": [source]}))
    http = Http(
        transport=httpx.MockTransport(rotating), clock=lambda: one.now, sleep=lambda _: None
    )
    project = open_project(tmp_path, clock=lambda: one.now, environment={"IT": secret}, http=http)
    said = map(repr, collect.fetch(project))
    (kept,) = (path for path in (tmp_path / ".secrets").iterdir() if path.suffix == ".json")
    assert new in kept.read_text() and kept.stat().st_mode & 0o777 == 0o600
    assert not hunted(tmp_path, said, [*stands, new, canary("access")])


def test_the_scanner_finds_a_secret_however_it_is_wrapped(tmp_path: Path) -> None:
    """A check that cannot fail is none: one canary in each kind of file."""
    mine = canary("planted") + "+/="
    mail = EmailMessage()
    mail["Subject"] = "é"
    mail.set_content(f"é {mine}", cte="base64")
    row = Message(message_id="1", thread_id="1", created_at=NOW, text=mine)
    table = TABLES["messages"]
    rows = parquet.arrow(table, [cells.cells(row, NOW)])
    files = {
        "plain": mine.encode(), "url": quote(mine, safe="").encode(), "mail": bytes(mail),
        "gzip": gzip.compress(mine.encode()), "zstd": raw.pack([mine]),
        "parquet": parquet.encode(table, rows, limit=10**9), "reversed": mine[::-1].encode(),
        "basic": b64encode(f"desk:{mine}".encode()),
    }  # fmt: skip
    for name, data in files.items():
        assert found_in(data, [mine]) == [mine], name
        assert not found_in(data, [canary("other")]), name
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "x").write_bytes(files["zstd"])
    assert len(hunted(tmp_path, [f"error: {mine}"], [mine])) == 2
