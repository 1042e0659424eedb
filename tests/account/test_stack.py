"""A stack is made and unmade around a ``sam`` that only writes down how it is called."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from account_stack import SETTINGS, Account, muster, refused, said, signed_in
from loopback import answering

from muster.account import built, checks, costs
from muster.errors import AccountRefused
from muster.settings import Settings

HOUSE = Path(__file__).resolve().parents[2]
SAM = """#!/bin/sh
echo "$ARCH $@" >> "$SAM_CALLS"
[ "$1" = "$SAM_FAILS" ] && exit 3
mkdir -p .aws-sam/build/Library/python .aws-sam/build/PlanFunction
head -c 2000000 /dev/zero > .aws-sam/build/Library/python/heavy.so
cp "$SAM_BUILT" .aws-sam/build/template.yaml
"""
BUILT = """
Resources:
  Library: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: Library}}
  PlanFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: PlanFunction, Layers: [!Ref Library]}
"""
SENDER = "desk@example.org"


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with signed_in(monkeypatch) as found:
        yield found


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like a clone, with a ``sam`` that writes its calls into ``calls``."""
    place = tmp_path / "clone"
    (place / "infra").mkdir(parents=True)
    (place / "template.yaml").write_text(BUILT)
    for name in ("prices.json", "measured.json"):
        (place / "infra" / name).write_bytes((HOUSE / "infra" / name).read_bytes())
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sam", "uv", "make"):
        (tools / name).write_text(SAM if name == "sam" else "#!/bin/sh\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SAM_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("SAM_BUILT", str(place / "template.yaml"))
    monkeypatch.setenv("SAM_FAILS", "")
    return place


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """SES and Lambda as a test sets them: the account, and who is verified."""
    state: dict[str, Any] = {
        "account": {"ProductionAccessEnabled": True, "SendingEnabled": True,
                    "SendQuota": {"Max24HourSend": 50000}},
        "verified": {SENDER}, "at_once": 1000,
    }  # fmt: skip

    def answer(path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if state.get("denied"):
            return 403, {"code": "AccessDeniedException", "message": "not authorized"}
        if path.endswith("/account-settings"):
            return 200, {"AccountLimit": {"ConcurrentExecutions": state["at_once"]}}
        if path.endswith("/email/account"):
            return 200, dict(state["account"])
        address = path.rpartition("/")[2].replace("%40", "@")
        if address in state["verified"]:
            return 200, {"VerifiedForSendingStatus": True}
        return 404, {"code": "NotFoundException", "message": "no such identity"}

    with answering(answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", url)
        yield state


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "desk"
    place.mkdir()
    (place / "muster.yaml").write_text(SETTINGS)
    return place


def calls(folder: Path) -> list[str]:
    """How ``sam`` was called."""
    file = folder.parent / "calls"
    return file.read_text().splitlines() if file.exists() else []


def deploy(folder: Path, clone: Path, *words: str) -> Any:
    return muster(folder, "deploy", "--stack", "desk", "--clone", str(clone), *words)


def test_a_deploy_checks_says_costs_builds_deploys_and_pushes(
    account: Account, folder: Path, clone: Path, mail: dict[str, Any]
) -> None:
    account.deploy()
    given = ("--param", f"Sender={SENDER}", "--param", "Timezone=Europe/Berlin")
    told = said(deploy(folder, clone, *given, "--push", "--yes"))
    assert calls(folder) == [
        "arm64 build",
        " deploy --stack-name desk --region us-east-1 --no-confirm-changeset "
        "--no-fail-on-empty-changeset "
        f"--parameter-overrides Sender={SENDER} Timezone=Europe/Berlin",
    ]
    for line in ("ok   account: 123456789012 in us-east-1", f"ok   sender {SENDER}: verified",
                 "ok   mail: 50,000 mails a day", "ok   plans: ", "together ",
                 "Sizes: PlanFunction 1 MB", "Lake: s3://lake-of-desk",
                 "put: muster.yaml"):  # fmt: skip
        assert line in told
    assert "lambda_gb_second" in told
    assert account.keys("lake-of-desk") == ["config/muster.yaml"]


def test_layers_are_built_for_the_processor_that_is_asked_for(
    account: Account, folder: Path, clone: Path, mail: dict[str, Any]
) -> None:
    account.deploy()
    said(deploy(folder, clone, "--param", "Architecture=x86_64", "--yes"))
    assert calls(folder)[0] == "x86_64 build"


def test_what_is_not_named_stays_as_the_stack_has_it(
    account: Account, folder: Path, clone: Path, mail: dict[str, Any]
) -> None:
    """Layers of another processor, or a sender that is not looked at, would break what runs."""
    account.deploy(parameters={"Architecture": "x86_64", "Sender": SENDER})
    told = said(deploy(folder, clone, "--param", "LogDays=30", "--yes"))
    assert calls(folder)[0] == "x86_64 build"
    assert calls(folder)[1].endswith("--parameter-overrides LogDays=30")
    assert f"ok   sender {SENDER}: verified" in told
    assert "ok   stack desk: is there (CREATE_COMPLETE) and will be updated" in told


def test_it_is_said_who_hears_of_alarms(
    account: Account, folder: Path, clone: Path, mail: dict[str, Any]
) -> None:
    account.deploy()
    told = said(deploy(folder, clone, "--yes"))
    assert "ok   alarms: nobody is told when something fails: --param AlarmMail=" in told
    told = said(deploy(folder, clone, "--param", "AlarmMail=anna@example.org", "--yes"))
    assert "ok   alarms: anna@example.org is mailed a link to confirm" in told


def test_who_hears_of_alarms_already_is_said_too(
    account: Account, folder: Path, clone: Path, mail: dict[str, Any]
) -> None:
    account.deploy(parameters={"AlarmMail": "anna@example.org"})
    told = said(deploy(folder, clone, "--yes"))
    assert "ok   alarms: anna@example.org is told, if the link" in told


def test_a_value_with_a_space_and_an_empty_one_reach_sam_whole(
    account: Account, folder: Path, clone: Path, mail: dict[str, Any]
) -> None:
    """Unquoted, SAM cuts the first after the comma and takes the second for no parameter."""
    account.deploy()
    readers = ("--param", "Recipients=b@example.org, c@example.org", "--param", "AlarmMail=")
    said(deploy(folder, clone, *readers, "--yes"))
    assert calls(folder)[1].endswith('Recipients="b@example.org, c@example.org" AlarmMail=""')


@pytest.mark.parametrize(
    ("status", "says"),
    [("ROLLBACK_COMPLETE", "aws cloudformation delete-stack --stack-name desk"),
     ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name desk"),
     ("UPDATE_IN_PROGRESS", "try again later")],
)  # fmt: skip
def test_a_stack_that_nothing_can_be_deployed_over_is_told_with_the_way_out(
    status: str, says: str
) -> None:
    there = {"StackStatus": status}
    found = checks._stack(checks.Plan("desk", {}, None, there))
    assert not found.is_well and found.says.startswith(status) and says in found.says


def test_what_nobody_may_look_at_is_said_and_stops_no_deploy(
    account: Account, folder: Path, clone: Path, mail: dict[str, Any]
) -> None:
    account.deploy()
    mail["denied"] = True
    told = said(deploy(folder, clone, "--param", f"Sender={SENDER}", "--yes"))
    for what in ("functions at once", "mail"):
        assert f"ok   {what}: not checked: " in told
    assert len(calls(folder)) == 2


def test_nothing_is_built_without_a_yes_or_with_wrong_settings(
    account: Account, folder: Path, clone: Path, mail: dict[str, Any]
) -> None:
    assert "add --yes" in refused(deploy(folder, clone))
    (folder / "muster.yaml").write_text(SETTINGS + "kpi: 1\n")
    assert "unknown key 'kpi'" in refused(deploy(folder, clone, "--yes"))
    (folder / "muster.yaml").write_text(SETTINGS)
    assert "KEY=VALUE" in refused(deploy(folder, clone, "--yes", "--param", "Sender"))
    assert "no template.yaml" in refused(deploy(folder, folder, "--yes"))
    assert not calls(folder)


def test_what_sam_refuses_ends_the_deploy(
    account: Account, folder: Path, clone: Path, mail: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("SAM_FAILS", "build")
    assert refused(deploy(folder, clone, "--yes")) == "sam build ended with 3: see above"
    assert len(calls(folder)) == 1


def test_a_sandbox_an_unverified_reader_and_few_functions_are_said_and_stop_nothing(
    account: Account, folder: Path, clone: Path, mail: dict[str, Any]
) -> None:
    account.deploy()
    mail["account"] |= {"ProductionAccessEnabled": False, "SendQuota": {"Max24HourSend": 200}}
    mail["verified"] = {"example.net"}
    mail["at_once"] = 10
    told = said(deploy(folder, clone, "--param", "Sender=desk@example.net", "--yes"))
    assert "SES is in its sandbox: 200 mails a day" in told
    assert "ok   sender desk@example.net: verified" in told, "its domain is"
    assert "ok   recipient a@example.org: gets nothing while SES is in its sandbox" in told
    assert "only 10: fetches wait for one another" in told


def test_a_sender_nobody_verifies_and_paused_sending_stop_the_deploy(
    account: Account, folder: Path, clone: Path, mail: dict[str, Any]
) -> None:
    given = ("--param", "Sender=x@example.net", "--param", "SenderIdentity=exists", "--yes")
    ended = deploy(folder, clone, *given)
    assert "BAD  sender x@example.net: not verified in this region" in ended.output
    assert ended.exit_code == 1
    mail["account"] |= {"SendingEnabled": False}
    ended = deploy(folder, clone, "--param", f"Sender={SENDER}", "--yes")
    assert "BAD  mail: SES has paused sending" in ended.output
    assert not calls(folder)


def test_a_function_that_is_too_heavy_is_found_before_aws_refuses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "template.yaml").write_text(BUILT)
    for name, size in (("Library", 600), ("PlanFunction", 400)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_bytes(b"0" * size)
    assert built.check_sizes(tmp_path) == {"PlanFunction": 1000}
    monkeypatch.setattr(built, "LIMIT", 999)
    with pytest.raises(AccountRefused, match="PlanFunction weighs"):
        built.check_sizes(tmp_path)


def test_costs_grow_with_sources_and_are_what_the_price_list_says() -> None:
    source = {"platform": "discourse", "base_url": "https://f.example"}
    named = [{"name": f"s{number}", **source} for number in range(10)]
    settings = Settings.model_validate({"community": "Desk"})
    many = settings.model_copy(
        update={"sources": Settings.model_validate({"community": "D", "sources": named}).sources}
    )
    infra = HOUSE / "infra"
    prices, measured = costs.price_list(infra / "prices.json"), infra / "measured.json"
    table = {line.what: line for line in costs.month(many, prices, measured)}
    listed = json.loads((infra / "prices.json").read_text())["prices"]
    asked = json.loads((infra / "measured.json").read_text())["requests"]
    calls = {"plan": 730, "fetch": 730 * 10, "measure": 30.4 + 4.35, "report": 30.4 + 4.35}
    writes = sum(count * asked[name]["writes"] for name, count in calls.items())
    assert table["s3_write"].listed == pytest.approx(writes * listed["s3_write"]["price"])
    assert table["metric"].paid == 0 and table["metric"].listed == pytest.approx(3.0)
    template = (HOUSE / "template.yaml").read_text()
    for what, kind in (("alarm", "Alarm"), ("dashboard", "Dashboard")):
        assert table[what].amount == template.count(f"Type: AWS::CloudWatch::{kind}\n")
    events = writes - calls["report"] * asked["report"]["writes"]
    assert table["lake_event"].paid == pytest.approx(events * 1e-6)
    # 416 messages a source and month, of 120 bytes: each is a new version of what came before it.
    replaced = 10 * 416.67 * (416.67 * 120 / 2) + calls["measure"] * 39e6
    now = 100_000 * 120 + 100_000 / 24 * 3 * 130 + 30e6
    kept = {one.what: one.amount for one in costs.month(many, prices, measured, 100_000)}
    assert kept["s3_gb_month"] == pytest.approx((now + replaced) / 1e9, rel=1e-4)
    always = [one.model_copy(update={"every": timedelta()}) for one in many.sources]
    as_often = costs.month(many.model_copy(update={"sources": tuple(always)}), prices, measured)
    assert {one.what: one for one in as_often} == table, "the hour is the shortest there is"
    few = costs.month(settings, prices, measured)
    big = costs.month(many, prices, measured, 100_000_000)
    paid = [sum(one.paid for one in lines) for lines in (few, table.values(), big)]
    assert paid == sorted(paid) and len(set(paid)) == 3


def test_prices_may_be_your_own_and_it_is_told_where_ours_are_from(
    account: Account, folder: Path, clone: Path, mail: dict[str, Any], tmp_path: Path
) -> None:
    account.deploy()
    assert "(list prices of us-east-1, 2026-11: as AWS's price pages have them" in said(
        deploy(folder, clone, "--yes")
    )
    mine = json.loads((HOUSE / "infra" / "prices.json").read_text())
    mine |= {"currency": "EUR", "region": "eu-central-1", "source": "our own contract"}
    for one in mine["prices"].values():
        one |= {"price": 0.0, "free": 0}
    mine["prices"]["mail"] |= {"price": 100.0}
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(mine))
    told = said(deploy(folder, clone, "--prices", str(file), "--yes"))
    assert "in EUR (list prices of eu-central-1, 2026-11: our own contract)" in told
    assert "together 435.00" in told, "one reader, 4.35 weeks"
    del mine["prices"]["mail"]
    file.write_text(json.dumps(mine))
    line = refused(deploy(folder, clone, "--prices", str(file), "--yes"))
    assert line == f"{file}: 'mail' is missing: see infra/prices.json"


def test_costs_rest_on_the_memory_that_the_template_gives() -> None:
    measured = json.loads((HOUSE / "infra" / "measured.json").read_text())["functions"]
    template = (HOUSE / "template.yaml").read_text()
    for name, one in measured.items():
        part = template.partition(f"\n  {name.title()}Function:\n")[2]
        (memory,) = re.findall(r"MemorySize: (\d+)", part)[:1]
        assert one["gb"] == pytest.approx(int(memory) / 1024, abs=0.01), name


def full_stack(account: Account) -> None:
    """A stack whose buckets hold objects, older versions and a deletion mark."""
    account.deploy()
    s3 = account.client("s3")
    for bucket in ("site-of-desk", "lake-of-desk"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for text in (b"1", b"2"):
            s3.put_object(Bucket=bucket, Key="index.html", Body=text)
        s3.delete_object(Bucket=bucket, Key="index.html")
        s3.put_object(Bucket=bucket, Key="data.json", Body=b"{}")
    account.client("ssm").put_parameter(Name="/desk/FORUM", Value="x", Type="SecureString")


def there(account: Account) -> set[str]:
    return {one["Name"] for one in account.client("s3").list_buckets()["Buckets"]}


def secrets(account: Account) -> list[str]:
    return [one["Name"] for one in account.client("ssm").describe_parameters()["Parameters"]]


def test_a_destroy_leaves_the_lake_and_the_secrets(account: Account, folder: Path) -> None:
    full_stack(account)
    told = said(muster(folder, "destroy", "--stack", "desk", "--yes"))
    assert "bucket site-of-desk: 4 objects and versions are gone" in told
    assert "The lake stays: s3://lake-of-desk" in told
    assert there(account) == {"lake-of-desk"}
    assert account.keys("lake-of-desk") == ["data.json"]
    assert secrets(account) == ["/desk/FORUM"]
    line = refused(muster(folder, "destroy", "--stack", "desk", "--yes"))
    assert line.startswith("there is no stack 'desk'")


def test_a_destroy_takes_lake_and_secrets_if_told(account: Account, folder: Path) -> None:
    full_stack(account)
    said(muster(folder, "destroy", "--stack", "desk", "--with-lake", "--with-secrets", "--yes"))
    assert not there(account)
    assert not secrets(account)


def test_nothing_is_destroyed_unasked(account: Account, folder: Path) -> None:
    full_stack(account)
    assert "add --yes" in refused(muster(folder, "destroy", "--stack", "desk"))
    assert there(account) == {"lake-of-desk", "site-of-desk"}
    assert account.client("cloudformation").describe_stacks(StackName="desk")["Stacks"]


def test_a_stack_that_is_none_of_ours_is_left_alone(account: Account, folder: Path) -> None:
    body = json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
    account.client("cloudformation").create_stack(StackName="shop", TemplateBody=body)
    line = refused(muster(folder, "destroy", "--stack", "shop", "--yes"))
    assert line == "stack 'shop' is none of Muster's: it has no lake and no site"
    assert account.client("cloudformation").describe_stacks(StackName="shop")["Stacks"]
