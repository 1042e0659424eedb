"""A mail → Amazon SES, as it lies in the outbox; its answers sorted by what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from functools import cached_property
from typing import Any

from muster import services
from muster.errors import BadSettings, MaybeSent, RateLimited, Unavailable, Undeliverable

PAUSE = 60.0
_LATER = {
    "TooManyRequestsException", "ThrottlingException", "Throttling", "LimitExceededException",
    "RequestLimitExceeded", "SlowDown",
}  # fmt: skip
_PAUSED = {"SendingPausedException", "AccountSuspendedException"}
_ADDRESS = {"BadRequestException", "ValidationException", "InvalidParameterValue"}


def client(url: str | None = None) -> Any:
    """A client of SES v2 that tries once: its second try could be a second mail."""
    from botocore.config import Config

    once = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=60)
    return services.client("sesv2", endpoint_url=url, config=once)


@dataclass(frozen=True)
class Ses:
    """``connect`` is asked for a client when the first mail is sent."""

    configuration_set: str = ""
    connect: Callable[[], Any] = client
    outcome: str = "sent by SES"

    @cached_property
    def _client(self) -> Any:
        return self.connect()

    def check(self) -> str:
        """Only a mail would tell whether SES takes it: `muster deploy` looks further."""
        return "by SES, with this machine's credentials; not tried"

    def send(self, message: EmailMessage, recipient: str) -> str:
        """The recipient's mail; SES replaces its Message-ID by the id that is returned."""
        self._refuse_suppressed(recipient)
        named = {"ConfigurationSetName": self.configuration_set} if self.configuration_set else {}
        sender = message["From"].addresses[0].addr_spec
        raw = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
        with _answers_told(sender, recipient):
            answer = self._client.send_email(
                FromEmailAddress=sender,
                Destination={"ToAddresses": [recipient]},
                Content={"Raw": {"Data": raw}},
                **named,
            )
        return str(answer["MessageId"])

    def _refuse_suppressed(self, recipient: str) -> None:
        """SES takes a mail to a suppressed address and drops it: only asking tells."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._client.get_suppressed_destination(EmailAddress=recipient)
            found = answer["SuppressedDestination"]
        except (BotoCoreError, ClientError):
            return  # Not on the list, or no right to see it: then the sending itself tells.
        raise Undeliverable(
            f"{recipient}: SES sends it nothing since {found['LastUpdateTime']:%F} "
            f"({found['Reason'].lower()}): ask the reader, then take the address off the "
            "account's suppression list"
        )


@contextmanager
def _answers_told(sender: str, recipient: str) -> Iterator[None]:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectTimeoutError,
        EndpointConnectionError,
        NoCredentialsError,
        NoRegionError,
    )  # fmt: skip

    try:
        yield
    except ClientError as error:
        raise _named(error, sender, recipient) from error
    except (ConnectTimeoutError, EndpointConnectionError) as error:
        raise Unavailable(f"SES cannot be reached: {error}") from error
    except (NoCredentialsError, NoRegionError) as error:
        raise BadSettings(f"SES: {error} Set AWS_PROFILE and AWS_REGION, or the keys") from error
    except BotoCoreError as error:
        raise MaybeSent(f"to {recipient}: SES did not answer: {error}") from error


def _named(error: Any, sender: str, recipient: str) -> Exception:
    told = error.response.get("Error", {})
    code, said = str(told.get("Code", "")), str(told.get("Message", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _LATER:
        return RateLimited(f"SES takes no more mail now: {code}: {said}", PAUSE)
    if code in _PAUSED:
        return Unavailable(f"SES sends nothing for this account: {said}: see the SES console")
    if status == 503:
        return Unavailable(f"SES is not available: {code}: {said}")
    if status >= 500:
        return MaybeSent(f"to {recipient}: SES failed: {code}: {said}")
    if code == "MessageRejected" and sender not in said or code in _ADDRESS:
        return Undeliverable(f"{recipient} is refused: {said}")
    return BadSettings(
        f"SES refuses to send from {sender}: {code}: {said} "
        "(is the address or its domain verified in this region, and may this role send?)"
    )
