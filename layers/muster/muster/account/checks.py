"""An account and a clone → what stands in the way of a deploy, and how to mend it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from muster.account.aws import client, code_of, said_plainly
from muster.errors import AccountRefused, MusterError
from muster.pipeline.doctor import Finding
from muster.settings import Settings

TOOLS = {
    "sam": "install the AWS SAM CLI: pip install aws-sam-cli",
    "uv": "install uv: pip install uv",
    "make": "install make",
}
AT_ONCE = 20  # ten fetches, and the other functions beside them


@dataclass(frozen=True)
class Plan:
    """What is to be deployed: the stack's name, its parameters, and the settings if there are."""

    stack: str
    parameters: Mapping[str, str]
    settings: Settings | None

    @property
    def sender(self) -> str:
        """Who the mails come from; empty if none are sent."""
        return self.parameters.get("Sender", "")

    @property
    def recipients(self) -> tuple[str, ...]:
        """Everybody the settings or the parameters mail to."""
        given = self.parameters.get("Recipients", "").split(",")
        named = [one for report in self.settings.reports for one in report.recipients] if (
            self.settings
        ) else []  # fmt: skip
        return tuple(dict.fromkeys(filter(None, [*named, *given])))


def before_build(plan: Plan) -> Iterator[Finding]:
    """Tools, account, mail, quotas. A finding that is no hindrance is well, and says so."""
    for tool, advice in TOOLS.items():
        path = shutil.which(tool)
        yield Finding(tool, path is not None, path or advice, 2)
    account = _look("account", _account)
    yield account
    if account.is_well:
        yield _look("functions at once", _concurrency)
        yield from _mail(plan)


def _look(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, check())
    except MusterError as error:
        return Finding(what, False, str(error), error.exit_code)


def _account() -> str:
    with said_plainly("account"):
        sts = client("sts")
        return f"{sts.get_caller_identity()['Account']} in {sts.meta.region_name}"


def _concurrency() -> str:
    with said_plainly("Lambda"):
        limit = client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    if limit < AT_ONCE:
        return (
            f"only {limit}: fetches wait for one another. Ask for more: Service Quotas, Lambda, "
            "Concurrent executions"
        )
    return f"{limit}"


def _mail(plan: Plan) -> Iterator[Finding]:
    if not plan.sender:
        yield Finding("mail", True, "no Sender: reports are written, none is sent")
        return
    ses = client("sesv2")
    try:
        with said_plainly("SES"):
            account = ses.get_account()
    except AccountRefused as error:
        yield Finding("mail", False, str(error), error.exit_code)
        return
    yield _sending(account)
    yield _look(f"sender {plan.sender}", partial(_sender, ses, plan))
    if not account.get("ProductionAccessEnabled"):
        for one in plan.recipients:
            yield _look(f"recipient {one}", partial(_in_sandbox, ses, one))


def _sending(account: Mapping[str, Any]) -> Finding:
    if not account.get("SendingEnabled", True):
        return Finding("mail", False, "SES has paused sending for this account: see its console", 1)
    a_day = int(account.get("SendQuota", {}).get("Max24HourSend", 0))
    if account.get("ProductionAccessEnabled"):
        return Finding("mail", True, f"{a_day:,} mails a day" if a_day > 0 else "no daily limit")
    return Finding(
        "mail", True,
        f"SES is in its sandbox: {a_day} mails a day, to verified addresses only. "
        "Ask for production access in its console",
    )  # fmt: skip


def _sender(ses: Any, plan: Plan) -> str:
    if _is_verified(ses, plan.sender):
        return "verified"
    if plan.parameters.get("SenderIdentity", "create") == "create":
        return "not verified yet: SES mails it a link; no report leaves before it is followed"
    raise AccountRefused("not verified in this region: verify it, or leave SenderIdentity=create")


def _in_sandbox(ses: Any, recipient: str) -> str:
    if _is_verified(ses, recipient):
        return "verified"
    return (
        "gets nothing while SES is in its sandbox. Verify it: aws sesv2 create-email-identity "
        f"--email-identity {recipient}"
    )


def _is_verified(ses: Any, address: str) -> bool:
    """The address itself, or its domain."""
    from botocore.exceptions import ClientError

    for identity in (address, address.rpartition("@")[2]):
        with said_plainly(f"SES identity {identity}"):
            try:
                if ses.get_email_identity(EmailIdentity=identity).get("VerifiedForSendingStatus"):
                    return True
            except ClientError as error:
                if code_of(error) != "NotFoundException":
                    raise
    return False
