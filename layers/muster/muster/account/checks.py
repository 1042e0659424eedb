"""An account and a clone → what stands in the way of a deploy, and how to mend it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from muster.account.aws import client, code_of, described, parameters, said_plainly
from muster.errors import AccountRefused, MusterError
from muster.pipeline.doctor import Finding, look
from muster.settings import Settings

TOOLS = {
    "sam": "install the AWS SAM CLI: pip install aws-sam-cli",
    "uv": "install uv: pip install uv",
    "make": "install make",
}
AT_ONCE = 20  # ten fetches, and the other functions beside them


# States of a stack that no deploy can begin from, and what to do instead.
STUCK = {
    "ROLLBACK_COMPLETE": "its first deploy failed: {delete}, then deploy again",
    "ROLLBACK_FAILED": "its first deploy failed: {delete}, then deploy again",
    "DELETE_FAILED": "it could not be deleted whole: {delete}, and see its events for why not",
    "UPDATE_ROLLBACK_FAILED": "aws cloudformation continue-update-rollback --stack-name {stack}",
}


@dataclass(frozen=True)
class Plan:
    """What is to be deployed: the stack's name, the parameters named now, the settings if any.

    ``there`` is the stack as CloudFormation describes it; parameters that are not named now keep
    the values they have there.
    """

    stack: str
    parameters: Mapping[str, str]
    settings: Settings | None
    there: Mapping[str, Any] | None = None

    @property
    def values(self) -> Mapping[str, str]:
        """The parameters as they will be."""
        return {**parameters(self.there), **self.parameters}

    @property
    def sender(self) -> str:
        """Who the mails come from; empty if none are sent."""
        return self.values.get("Sender", "")

    @property
    def recipients(self) -> tuple[str, ...]:
        """Everybody the settings or the parameters mail to."""
        given = map(str.strip, self.values.get("Recipients", "").split(","))
        named = [one for report in self.settings.reports for one in report.recipients] if (
            self.settings
        ) else []  # fmt: skip
        return tuple(dict.fromkeys(filter(None, [*named, *given])))


def plan(stack: str, given: Mapping[str, str], settings: Settings | None) -> Plan:
    """A plan for a stack as it is; one that cannot be looked at counts as new.

    Why it cannot be, :func:`before_build` tells.
    """
    try:
        return Plan(stack, given, settings, described(stack))
    except AccountRefused:
        return Plan(stack, given, settings)


def before_build(plan: Plan) -> Iterator[Finding]:
    """Tools, account, mail, quotas. A finding that is no hindrance is well, and says so."""
    for tool, advice in TOOLS.items():
        path = shutil.which(tool)
        yield Finding(tool, path is not None, path or advice, 2)
    account = look("account", _account)
    yield account
    if account.is_well:
        yield _stack(plan)
        yield _advise("functions at once", _concurrency)
        yield from _mail(plan)
        yield Finding("alarms", True, _told_of_alarms(plan))


def _told_of_alarms(plan: Plan) -> str:
    """Who hears of them; a new address must agree first."""
    reader, before = plan.values.get("AlarmMail", ""), parameters(plan.there).get("AlarmMail", "")
    if not reader:
        return "nobody is told when something fails: --param AlarmMail=you@example.org"
    if reader != before:
        return f"{reader} is mailed a link to confirm; nobody is told before it is followed"
    return f"{reader} is told, if the link that AWS mailed was followed"


def _advise(what: str, check: Callable[[], str]) -> Finding:
    """A check that no deploy depends on: where it cannot be made, that is said."""
    try:
        return Finding(what, True, check())
    except MusterError as error:
        return Finding(what, True, f"not checked: {error}")


def _stack(plan: Plan) -> Finding:
    """Whether a deploy can begin from the state that the stack is in."""
    what, status = f"stack {plan.stack}", (plan.there or {}).get("StackStatus", "")
    delete = f"aws cloudformation delete-stack --stack-name {plan.stack}"
    if status in STUCK:
        advice = STUCK[status].format(delete=delete, stack=plan.stack)
        return Finding(what, False, f"{status}: {advice}", 1)
    if status in ("", "REVIEW_IN_PROGRESS"):
        return Finding(what, True, "will be made")
    if status.endswith("_IN_PROGRESS"):
        return Finding(what, False, f"{status}: somebody is changing it now; try again later", 1)
    return Finding(what, True, f"is there ({status}) and will be updated")


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
        yield Finding("mail", True, "no Sender: as muster.yaml says, by smtp or into outbox/")
        return
    ses = client("sesv2")
    try:
        with said_plainly("SES"):
            account = ses.get_account()
    except AccountRefused as error:
        yield Finding("mail", True, f"not checked: {error}")
        return
    yield _sending(account)
    yield look(f"sender {plan.sender}", partial(_sender, ses, plan))
    if not account.get("ProductionAccessEnabled"):
        for one in plan.recipients:
            yield look(f"recipient {one}", partial(_in_sandbox, ses, one))


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
    if plan.values.get("SenderIdentity", "create") == "create":
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
