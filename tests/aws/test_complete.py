"""What a safe stack must have is missed when gone; every alarm has its way out in the docs."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from built_layers import RESOURCES
from complete import incomplete

from muster.cloud import METRICS

HOUSE = Path(__file__).resolve().parents[2]
OF_TYPE = (
    "CloudFront::OriginAccessControl", "CloudFront::KeyValueStore", "CloudWatch::Dashboard",
    "SNS::Topic", "SQS::Queue", "SES::EmailIdentity", "SES::ConfigurationSet",
    "SES::ConfigurationSetEventDestination", "Glue::Database", "Athena::WorkGroup",
    "Scheduler::ScheduleGroup",
)  # fmt: skip
ALARMS = {name: one["Properties"] for name, one in RESOURCES.items()
          if one["Type"] == "AWS::CloudWatch::Alarm"}  # fmt: skip


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


WHOLE = {
    "Parameters": {"Architecture": {"Default": "arm64"}},
    "Resources": {
        "Lake": resource(
            "S3::Bucket",
            PublicAccessBlockConfiguration=dict.fromkeys(
                ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls",
                 "RestrictPublicBuckets"), True),
            BucketEncryption={"ServerSideEncryptionConfiguration": []},
            VersioningConfiguration={"Status": "Enabled"},
            LifecycleConfiguration={"Rules": [
                {"Status": "Enabled", "NoncurrentVersionExpiration": {},
                 "AbortIncompleteMultipartUpload": {}}]},
        ),
        "Policy": resource("S3::BucketPolicy", Bucket={"Ref": "Lake"}, PolicyDocument={
            "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": ["a", "a/*"],
                           "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}),
        "Fetch": resource(
            "Lambda::Function", Runtime="python3.13", Architectures=[{"Ref": "Architecture"}],
            TracingConfig={"Mode": "Active"}, LoggingConfig={"LogGroup": {"Ref": "Log"}},
            Timeout=60, MemorySize=512,
        ),
        "Collect": resource(
            "StepFunctions::StateMachine", TracingConfiguration={"Enabled": True},
            LoggingConfiguration={"Destinations": [{}]},
            DefinitionSubstitutions={"FetchArn": {"Fn::GetAtt": ["Fetch", "Arn"]}},
        ),
        "Daily": resource(
            "Scheduler::Schedule", ScheduleExpression="cron(30 3 * * ? *)",
            ScheduleExpressionTimezone={"Ref": "Timezone"},
            Target={"DeadLetterConfig": {"Arn": "q"}, "RetryPolicy": {"MaximumRetryAttempts": 3}},
        ),
        "Bounce": resource("Events::Rule", Targets=[{"DeadLetterConfig": {"Arn": "q"}}]),
        "Log": resource("Logs::LogGroup", RetentionInDays={"Ref": "LogDays"}),
        "Stale": resource("CloudWatch::Alarm", AlarmActions=[{"Ref": "Alarms"}]),
        **{kind.replace(":", ""): resource(kind) for kind in OF_TYPE},
    },
}  # fmt: skip


def gone(name: str, *keys: str) -> Callable[[dict[str, Any]], None]:
    """Something of a resource taken away."""

    def take(template: dict[str, Any]) -> None:
        place = template["Resources"][name]["Properties"]
        for key in keys[:-1]:
            place = place[int(key) if isinstance(place, list) else key]
        del place[keys[-1]]

    return take


def set_to(name: str, key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda template: template["Resources"][name]["Properties"].update({key: value})


def test_a_whole_template_lacks_nothing() -> None:
    assert list(incomplete(WHOLE)) == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (gone("Lake", "PublicAccessBlockConfiguration", "BlockPublicAcls"), "Lake: not private"),
        (gone("Lake", "BucketEncryption"), "Lake: not encrypted"),
        (set_to("Lake", "VersioningConfiguration", {"Status": "Suspended"}), "Lake: not versioned"),
        (gone("Lake", "LifecycleConfiguration"), "Lake: no NoncurrentVersionExpiration"),
        (gone("Policy", "PolicyDocument", "Statement", "0", "Condition"),
         "Lake: answers without TLS"),
        (set_to("Fetch", "Runtime", "python3.9"), "Fetch: runs on python3.9, not python3.13"),
        (set_to("Fetch", "Architectures", ["x86_64"]), "Fetch: its processor is not the parameter"),
        (gone("Fetch", "TracingConfig"), "Fetch: not traced"),
        (gone("Fetch", "LoggingConfig"), "Fetch: its log is no resource"),
        (gone("Fetch", "MemorySize"), "Fetch: its time or memory is left to Lambda"),
        (set_to("Collect", "DefinitionSubstitutions", {}), "Fetch: nobody waits for it"),
        (gone("Collect", "TracingConfiguration"), "Collect: not traced"),
        (gone("Collect", "LoggingConfiguration"), "Collect: its failures are not logged"),
        (gone("Daily", "Target", "DeadLetterConfig"), "Daily: a start that fails is neither"),
        (gone("Daily", "ScheduleExpressionTimezone"), "Daily: an hour of the day in no time zone"),
        (gone("Bounce", "Targets", "0", "DeadLetterConfig"), "Bounce: a target without a queue"),
        (gone("Log", "RetentionInDays"), "Log: kept for ever"),
        (gone("Stale", "AlarmActions"), "Stale: tells nobody"),
        (lambda all_: all_["Resources"].pop("SQSQueue"), "no AWS::SQS::Queue"),
        (lambda all_: all_["Parameters"]["Architecture"].update(Default="x86_64"), "Architecture:"),
    ],
)  # fmt: skip
def test_what_is_missing_is_told(broken: Callable[[Any], Any], said: str) -> None:
    template = copy.deepcopy(WHOLE)
    broken(template)
    told = list(incomplete(template))
    assert told and told[0].startswith(said), told


def test_every_alarm_has_its_cause_and_what_to_do_in_the_docs() -> None:
    text = (HOUSE / "docs" / "aws.md").read_text("utf-8")
    part = text.partition("## When an alarm comes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", part, re.MULTILINE)
    assert sorted(name for name, _, _ in rows) == sorted(ALARMS)
    for name, cause, action in rows:
        assert len(cause) > 20 and len(action) > 40, name
    assert all("See docs/aws.md" in one["AlarmDescription"] for one in ALARMS.values())


def test_what_a_row_of_the_docs_names_is_there() -> None:
    """Functions, queue, outputs and errors that somebody in trouble will look for."""
    text = (HOUSE / "docs" / "aws.md").read_text("utf-8")
    part = text.partition("## When an alarm comes")[2].partition("\n## ")[0]
    template = (HOUSE / "template.yaml").read_text("utf-8")
    machines = "".join(path.read_text("utf-8") for path in (HOUSE / "infra").glob("*.asl.json"))
    named = set(re.findall(r"`([A-Z]\w+)`", part))
    assert {"FetchFunction", "MissedCalls", "ReportNow", "SomeMailsFailed"} <= named
    assert not [one for one in named if f"\n  {one}:" not in template and one not in machines]


def test_alarms_look_at_metrics_that_the_functions_write_and_all_stand_on_the_board() -> None:
    ours = {one["MetricName"] for one in ALARMS.values() if one["Namespace"] == "Muster"}
    assert ours and ours <= set(METRICS.values())
    board = RESOURCES["Board"]["Properties"]["DashboardBody"]
    assert set(re.findall(r"\$\{(\w+)\.Arn\}", board)) == set(ALARMS)
