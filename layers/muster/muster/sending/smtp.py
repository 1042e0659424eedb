"""A mail → your own mail server, encrypted by default; its answers sorted by what to do."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from muster.errors import (
    BadSettings,
    MaybeSent,
    MusterError,
    SourceFailed,
    Unavailable,
    Undeliverable,
)  # fmt: skip
from muster.secret import reveal
from muster.settings import Smtp

PORTS = {"starttls": 587, "tls": 465, "none": 25}
TIMEOUT = 30.0
TAKING = 120.0  # a server may look through a mail before it says that it has it


class _Told:
    """A talk that remembers whether a mail's text was begun: before, it surely was not taken."""

    has_begun = False

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.has_begun = True
        self.sock.settimeout(TAKING)  # type: ignore[attr-defined]
        return super().data(msg)  # type: ignore[misc]


class _Plain(_Told, smtplib.SMTP):
    pass


class _Tls(_Told, smtplib.SMTP_SSL):
    pass


@dataclass(frozen=True)
class SmtpServer:
    """A connection per mail: reports are few, and one that broke costs no other."""

    settings: Smtp
    environment: Mapping[str, str] = field(repr=False)
    outcome: str = "sent by SMTP"

    def check(self) -> str:
        """Signs in, and sends nothing."""
        with self._hushed(), self._connected():
            user = f" as {self.settings.user}" if self.settings.user else ""
            return f"{self._place()} takes it{user}"

    def send(self, message: EmailMessage, recipient: str) -> str:
        with self._hushed(), self._connected() as server, _answers_told(recipient, server):
            server.send_message(message, to_addrs=[recipient])
        return str(message["Message-ID"])

    @contextmanager
    def _hushed(self) -> Iterator[None]:
        """A server that repeats our password in its answer: it stands in no error of ours."""
        try:
            yield
        except MusterError as error:
            word, said = self._password() if self.settings.user else "", str(error)
            # Not even in a traceback, whose causes have the server's own words.
            raise type(error)(said.replace(word, "***") if word else said) from None

    @property
    def port(self) -> int:
        """The port of the settings, else the usual one of this kind of encryption."""
        return self.settings.port or PORTS[self.settings.security]

    @contextmanager
    def _connected(self) -> Iterator[_Plain | _Tls]:
        """A server that takes our mail: signed in, nothing sent yet."""
        with self._trouble_told():
            server = self._open()
        try:
            with self._trouble_told():
                self._sign_in(server)
            yield server
        finally:
            with suppress(OSError, smtplib.SMTPException):  # The mail is taken by now, or never.
                server.quit()
            server.close()

    @contextmanager
    def _trouble_told(self) -> Iterator[None]:
        """Trouble before a mail is sent: later, or wrong settings."""
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise BadSettings(
                f"{self._place()}: its certificate is not trusted: {error.verify_message}. Name "
                "it as its certificate does, or set SSL_CERT_FILE to your authority's file"
            ) from error
        except smtplib.SMTPAuthenticationError as error:
            raise self._sign_in_refused(error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise BadSettings(f"{self._place()}: {error} Check smtp.security and port") from error
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(f"{self._place()} does not take mail now: {error}") from error

    def _open(self) -> _Plain | _Tls:
        where = (self.settings.host, self.port)
        if self.settings.security == "tls":
            context = ssl.create_default_context()
            return _Tls(*where, timeout=TIMEOUT, context=context)
        return _Plain(*where, timeout=TIMEOUT)

    def _sign_in(self, server: smtplib.SMTP) -> None:
        if self.settings.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if self.settings.user:
            server.login(self.settings.user, self._password())

    def _password(self) -> str:
        try:
            return reveal(self.settings.password, self.environment) or ""
        except SourceFailed as error:
            raise BadSettings(f"smtp.password: {error}") from error

    def _sign_in_refused(self, error: smtplib.SMTPAuthenticationError) -> Exception:
        if error.smtp_code < 500:
            return Unavailable(f"{self._place()} cannot sign in now: {error.smtp_code}")
        return BadSettings(
            f"{self._place()} refuses user {self.settings.user!r} ({error.smtp_code}): "
            "check smtp.user and smtp.password"
        )

    def _place(self) -> str:
        return f"mail server {self.settings.host}:{self.port}"


@contextmanager
def _answers_told(recipient: str, server: _Told) -> Iterator[None]:
    """What the server says of a mail, as one of our errors."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, said = error.recipients[recipient]
        raise _refusal(code, said, f"{recipient} is refused") from error
    except smtplib.SMTPSenderRefused as error:
        if error.smtp_code < 500:
            raise _refusal(error.smtp_code, error.smtp_error, "not taken") from error
        raise BadSettings(
            f"the sender {error.sender} is refused: {_said(error.smtp_code, error.smtp_error)}: "
            "write one that this mail server may send for as `sender` of the report"
        ) from error
    except smtplib.SMTPDataError as error:
        raise _refusal(error.smtp_code, error.smtp_error, f"to {recipient}: refused") from error
    except smtplib.SMTPNotSupportedError as error:
        raise Undeliverable(f"{recipient}: the mail server cannot take it: {error}") from error
    except (OSError, smtplib.SMTPException) as error:
        kind = MaybeSent if server.has_begun else Unavailable
        raise kind(f"to {recipient}: the mail server was cut off: {error}") from error


def _refusal(code: int, said: bytes | str, what: str) -> Exception:
    """4xx: later, it was not sent; 5xx: never."""
    kind = Unavailable if code < 500 else Undeliverable
    return kind(f"{what}: {_said(code, said)}")


def _said(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(text.split())[:200]}"
