"""Mails leave through a real mail server and through SES, and their answers are told apart."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from loopback import answering
from mailing import READERS, measured_project
from s3_servers import KEY, SECRET, free_ports, moto

from muster.errors import (
    BadSettings,
    MaybeSent,
    MusterError,
    RateLimited,
    Unavailable,
    Undeliverable,
)  # fmt: skip
from muster.pipeline import reporting
from muster.sending import Outbox, mailer
from muster.sending.ses import Ses
from muster.sending.smtp import SmtpServer
from muster.settings import Settings, Smtp

ANNA = READERS[0]


def mail(text: str = "Grüße: 50 % besser\n.\nzwei") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Help desk <desk@example.org>"
    message["To"] = ANNA
    message["Subject"] = "Zwei Dinge änderten sich"
    message["Message-ID"] = "<weekly-1@example.org>"
    message.set_content(text)
    return message


class Mailbox:
    """A mail server's memory; ``answers`` says what it replies to a step of the talk."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.got: list[Any] = []

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str,  # noqa: N802
                          options: list[str]) -> str:  # fmt: skip
        envelope.mail_from = address
        return self._said(server, "mail")

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str,  # noqa: N802
                          options: list[str]) -> str:  # fmt: skip
        envelope.rcpt_tos.append(address)
        return self._said(server, "rcpt")

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self._said(server, "data")
        if answer[0] == "2" or answer == "cut":
            self.got.append(envelope)
        return answer

    def _said(self, server: SMTP, step: str) -> str:
        answer = self.answers.get(step, "250 OK")
        if answer == "cut":
            server.transport.close()
        return answer


@contextmanager
def mail_server(box: Mailbox, **how: Any) -> Iterator[Smtp]:
    """A running server and the settings that name it."""
    (port,) = free_ports(1)
    security = how.pop("security", "none")
    controller = Controller(box, "127.0.0.1", port, **how)
    controller.start()
    try:
        yield Smtp(host="127.0.0.1", port=port, security=security)
    finally:
        controller.stop()


def test_a_mail_arrives_whole_at_one_recipient() -> None:
    box = Mailbox()
    with mail_server(box) as settings:
        told = SmtpServer(settings, {}).send(mail(), ANNA)
    (envelope,) = box.got
    assert told == "<weekly-1@example.org>"
    assert (envelope.mail_from, envelope.rcpt_tos) == ("desk@example.org", [ANNA])
    read: Any = message_from_bytes(envelope.content, policy=default)
    assert read["Subject"] == "Zwei Dinge änderten sich"
    assert read.get_content().splitlines() == ["Grüße: 50 % besser", ".", "zwei"]


@pytest.mark.parametrize(
    ("step", "answer", "kind", "says"),
    [
        ("rcpt", "550 5.1.1 no such user", Undeliverable, "550 5.1.1 no such user"),
        ("rcpt", "450 4.2.0 greylisted", Unavailable, "greylisted"),
        ("mail", "550 not your address", BadSettings, "sender desk@example.org is refused"),
        ("mail", "451 try again", Unavailable, "451 try again"),
        ("data", "554 looks like spam", Undeliverable, "looks like spam"),
        ("data", "452 disk full", Unavailable, "disk full"),
        ("mail", "cut", Unavailable, "cut off"),
        ("rcpt", "cut", Unavailable, "cut off"),
        ("data", "cut", MaybeSent, "cut off"),
    ],
)
def test_what_a_mail_server_says_decides_what_to_do(
    step: str, answer: str, kind: type[MusterError], says: str
) -> None:
    with mail_server(Mailbox(**{step: answer})) as settings, pytest.raises(kind, match=says):
        SmtpServer(settings, {}).send(mail(), ANNA)


def test_no_mail_server_is_a_reason_to_try_later() -> None:
    (port,) = free_ports(1)
    with pytest.raises(Unavailable, match=f"mail server 127.0.0.1:{port} does not take mail now"):
        SmtpServer(Smtp(host="127.0.0.1", port=port), {}).send(mail(), ANNA)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate for ``localhost``, signed by nobody but itself."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem",
         "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder


@contextmanager
def secure_server(box: Mailbox, certificate: Path, security: str) -> Iterator[dict[str, Any]]:
    """A server that asks for TLS and a password; yields what the settings say of it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")

    def signed_in(server: Any, session: Any, envelope: Any, kind: str, data: Any) -> AuthResult:
        is_right = isinstance(data, LoginPassword) and data == LoginPassword(b"desk", b"hush")
        return AuthResult(success=is_right, handled=is_right)

    tls = {"tls": {"ssl_context": context}, "starttls": {"tls_context": context}}[security]
    how = {"authenticator": signed_in, "auth_required": True, "hostname": "localhost"}
    if security == "tls":
        how["auth_require_tls"] = False  # It does not count the encryption it runs in.
    (port,) = free_ports(1)
    controller = Controller(box, port=port, **how, **tls)
    controller.start()
    try:
        yield {"host": "localhost", "port": port, "security": security, "user": "desk",
               "password": "env:MAIL_PASSWORD"}  # fmt: skip
    finally:
        controller.stop()


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_password_travels_encrypted_to_a_trusted_server_only(
    certificate: Path, security: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Mailbox()
    with secure_server(box, certificate, security) as said:
        server = SmtpServer(Smtp(**said), {"MAIL_PASSWORD": "hush"})
        with pytest.raises(BadSettings, match="its certificate is not trusted"):
            server.send(mail(), ANNA)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
        server.send(mail(), ANNA)
        assert server.check() == f"mail server localhost:{said['port']} takes it as desk"
        with pytest.raises(BadSettings, match=r"refuses user 'desk' \(535\)"):
            SmtpServer(Smtp(**said), {"MAIL_PASSWORD": "wrong-one"}).check()
        with pytest.raises(BadSettings, match=r"refuses user 'desk' \(535\)") as refused:
            SmtpServer(Smtp(**said), {"MAIL_PASSWORD": "wrong-one"}).send(mail(), ANNA)
        with pytest.raises(BadSettings, match="MAIL_PASSWORD is empty"):
            SmtpServer(Smtp(**said), {}).send(mail(), ANNA)
    assert "wrong-one" not in str(refused.value)
    assert len(box.got) == 1


def test_a_server_without_encryption_is_refused_unless_told() -> None:
    wrong = pytest.raises(BadSettings, match="Check smtp.security")
    with mail_server(Mailbox(), security="starttls") as settings, wrong:
        SmtpServer(settings, {}).send(mail(), ANNA)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An account with a verified sender, on loopback."""
    import boto3

    for name, value in {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
                        "AWS_REGION": "eu-central-1"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with moto() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        client = boto3.client("sesv2", region_name="eu-central-1")
        client.create_email_identity(EmailIdentity="desk@example.org")
        yield server


def test_ses_takes_the_mail_as_it_lies_in_the_outbox(tmp_path: Path, account: Any) -> None:
    environment = {"MUSTER_MAIL": "ses"}
    project = measured_project(tmp_path, environment=environment)
    told = reporting.deliver(project, "weekly", ANNA)
    assert told.outcome == "sent by SES"
    kept = backend().sent_messages
    assert [set(one.destinations) for one in kept] == [{ANNA}]
    raw = kept[0].raw_data
    assert Path(told.path).read_text().splitlines() == raw.splitlines()


def backend() -> Any:
    """What the loopback account holds."""
    from moto.backends import get_backend
    from moto.core import DEFAULT_ACCOUNT_ID

    return get_backend("ses")[DEFAULT_ACCOUNT_ID]["eu-central-1"]


def ses_at(url: str, configuration_set: str = "") -> Ses:
    """SES at an address, with the real client's own settings."""
    from muster.sending import ses

    return Ses(configuration_set, lambda: ses.client(url))


def nobody_suppressed(path: str) -> tuple[int, dict[str, Any]] | None:
    return (404, {"code": "NotFoundException"}) if "/suppression/" in path else None


@pytest.mark.parametrize(
    ("status", "code", "said", "kind"),
    [
        (429, "TooManyRequestsException", "Too many requests.", RateLimited),
        (400, "LimitExceededException", "Daily message quota exceeded.", RateLimited),
        (400, "SendingPausedException", "Sending is paused.", Unavailable),
        (503, "ServiceUnavailable", "Down.", Unavailable),
        (500, "InternalFailure", "Oops.", MaybeSent),
        (400, "BadRequestException", "Missing final '@domain'", Undeliverable),
        (400, "MessageRejected",
         "Email address is not verified. The following identities failed the check in region "
         "EU-CENTRAL-1: anna@example.org", Undeliverable),
        (400, "MessageRejected",
         "Email address is not verified. The following identities failed the check in region "
         "EU-CENTRAL-1: Help desk <desk@example.org>", BadSettings),
        (403, "AccessDeniedException", "not authorized to perform ses:SendEmail", BadSettings),
        (404, "NotFoundException", "Configuration set <muster> does not exist.", BadSettings),
    ],
)  # fmt: skip
def test_what_ses_says_decides_what_to_do_and_it_is_asked_once(
    status: int, code: str, said: str, kind: type[MusterError], account: Any
) -> None:
    calls: list[str] = []

    def answer(path: str, body: bytes) -> tuple[int, dict[str, Any]] | None:
        calls.append(path)
        return nobody_suppressed(path) or (status, {"code": code, "message": said})

    with answering(answer) as url, pytest.raises(kind, match=said.partition(".")[0]):
        ses_at(url).send(mail(), ANNA)
    assert calls.count("/v2/email/outbound-emails") == 1


def test_a_connection_that_ends_in_the_middle_may_have_sent(account: Any) -> None:
    calls: list[str] = []

    def answer(path: str, body: bytes) -> tuple[int, dict[str, Any]] | None:
        calls.append(path)
        return nobody_suppressed(path)

    with answering(answer) as url, pytest.raises(MaybeSent, match="SES did not answer"):
        ses_at(url).send(mail(), ANNA)
    assert calls.count("/v2/email/outbound-emails") == 1


def test_where_nobody_listens_nothing_was_sent(account: Any) -> None:
    (port,) = free_ports(1)
    with pytest.raises(Unavailable, match="SES cannot be reached"):
        ses_at(f"http://127.0.0.1:{port}").send(mail(), ANNA)


def test_a_suppressed_address_is_refused_before_ses_would_drop_the_mail(account: Any) -> None:
    calls: list[str] = []

    def answer(path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        calls.append(path)
        found = {"EmailAddress": ANNA, "Reason": "BOUNCE", "LastUpdateTime": 1795000000}
        return 200, {"SuppressedDestination": found}

    with answering(answer) as url, pytest.raises(Undeliverable, match=r"since 2026.*\(bounce\)"):
        ses_at(url).send(mail(), ANNA)
    assert calls == ["/v2/email/suppression/addresses/anna%40example.org"]


def test_ses_is_told_sender_recipient_and_configuration_set(account: Any) -> None:
    bodies: list[dict[str, Any]] = []

    def answer(path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if refused := nobody_suppressed(path):
            return refused
        bodies.append(json.loads(body))
        return 200, {"MessageId": "0107-1"}

    with answering(answer) as url:
        assert ses_at(url, "muster").send(mail(), ANNA) == "0107-1"
    (body,) = bodies
    assert body["FromEmailAddress"] == "desk@example.org"
    assert body["Destination"] == {"ToAddresses": [ANNA]}
    assert body["ConfigurationSetName"] == "muster"
    assert list(body["Content"]) == ["Raw"]


@pytest.mark.parametrize(
    ("said", "environment", "kind"),
    [
        ({}, {}, Outbox),
        ({"mail": "ses"}, {}, Ses),
        ({}, {"MUSTER_MAIL": "ses"}, Ses),
        ({"mail": "smtp", "smtp": {"host": "mail.example.org"}}, {}, SmtpServer),
        ({"mail": "ses"}, {"MUSTER_MAIL": "outbox"}, Outbox),
    ],
)
def test_settings_choose_the_way_and_the_environment_overrules_them(
    said: dict[str, Any], environment: dict[str, str], kind: type
) -> None:
    settings = Settings.model_validate({"community": "Desk", **said})
    assert isinstance(mailer(settings, environment), kind)


def test_a_way_that_is_not_there_is_told() -> None:
    settings = Settings(community="Desk", mail="smtp")
    with pytest.raises(BadSettings, match="needs a server"):
        mailer(settings, {})
    with pytest.raises(BadSettings, match="write outbox, smtp or ses"):
        mailer(settings, {"MUSTER_MAIL": "pigeon"})
