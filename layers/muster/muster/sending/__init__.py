"""A mail and one recipient → delivered by SES, by your mail server, or left in the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol

from muster.errors import BadSettings
from muster.settings import Settings


class Mailer(Protocol):
    """Whatever takes one mail to one recipient."""

    @property
    def outcome(self) -> str:
        """What a delivery is called."""

    def check(self) -> str:
        """How mails leave, tried as far as it can be without sending one; raises as ``send``."""

    def send(self, message: EmailMessage, recipient: str) -> str:
        """Deliver once and return the message's id.

        Raises ``Undeliverable`` if this address will not get it, ``Retry`` if it surely was not
        sent and may be later, ``MaybeSent`` if nobody can say, ``BadSettings`` if no mail will go.
        """


@dataclass(frozen=True)
class Outbox:
    """Nothing leaves the house: the mail lies in the outbox already."""

    outcome: str = "put into the outbox"

    def check(self) -> str:
        return "written into the outbox only; mail: smtp sends it"

    def send(self, message: EmailMessage, recipient: str) -> str:
        return str(message["Message-ID"])


def mailer(settings: Settings, environment: Mapping[str, str]) -> Mailer:
    """What ``mail:`` names; ``MUSTER_MAIL`` overrules it, as a function's environment does."""
    match environment.get("MUSTER_MAIL") or settings.mail:
        case "outbox":
            return Outbox()
        case "ses":
            from muster.sending.ses import Ses

            return Ses(environment.get("MUSTER_SES_CONFIGURATION_SET", ""))
        case "smtp" if settings.smtp:
            from muster.sending.smtp import SmtpServer

            return SmtpServer(settings.smtp, environment)
        case "smtp":
            raise BadSettings("mail by smtp needs a server: add smtp: {host: mail.example.org}")
        case other:
            raise BadSettings(f"MUSTER_MAIL is {other!r}: write outbox, smtp or ses")
