"""A template as CloudFormation sees it → what is missing of all that a safe stack must have.

Each rule is of issue size: a bucket in the open, a log kept for ever, a failed call that leaves no
trace. Linters have opinions about some of it, none about all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Properties = Mapping[str, Any]
RUNTIME = "python3.13"  # what the layers are built for and tested with
PRIVATE = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def incomplete(plain: Properties) -> Iterator[str]:
    """What is missing, a line each, with the resource's name."""
    for name, one in plain["Resources"].items():
        check = CHECKS.get(one["Type"])
        for said in check(one.get("Properties", {})) if check else ():
            yield f"{name}: {said}"
    for name in sorted(_of(plain, "AWS::S3::Bucket").keys() - _by_tls_only(plain)):
        yield f"{name}: answers without TLS"
    for name in sorted(_of(plain, "AWS::Lambda::Function").keys() - _looked_after(plain)):
        yield f"{name}: nobody waits for it, and a call that fails leaves no trace"
    yield from _whole(plain)


def _of(plain: Properties, kind: str) -> dict[str, Properties]:
    found = plain["Resources"].items()
    return {name: one.get("Properties", {}) for name, one in found if one["Type"] == kind}


def _by_tls_only(plain: Properties) -> set[str]:
    """The buckets that refuse a call in the open."""
    policies = _of(plain, "AWS::S3::BucketPolicy").values()
    return {
        _ref(policy["Bucket"]) for policy in policies
        for one in policy["PolicyDocument"]["Statement"]
        if one["Effect"] == "Deny" and one["Action"] == "s3:*" and len(one["Resource"]) == 2
        and one.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
    }  # fmt: skip


def _looked_after(plain: Properties) -> set[str]:
    """The functions whose failure is kept, or told to who waits: a machine, a browser."""
    calls = _of(plain, "AWS::Lambda::EventInvokeConfig").values()
    kept = {
        _ref(one["FunctionName"])
        for one in calls
        if one.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    }
    machines = _of(plain, "AWS::StepFunctions::StateMachine").values()
    kept |= {_ref(one["TargetFunctionArn"]) for one in _of(plain, "AWS::Lambda::Url").values()}
    return kept | {_ref(value) for one in machines
                   for value in one.get("DefinitionSubstitutions", {}).values()}  # fmt: skip


def _bucket(one: Properties) -> Iterator[str]:
    if not all(one.get("PublicAccessBlockConfiguration", {}).get(key) for key in PRIVATE):
        yield "not private"
    if not one.get("BucketEncryption"):
        yield "not encrypted"
    if one.get("VersioningConfiguration", {}).get("Status") != "Enabled":
        yield "not versioned"
    rules = one.get("LifecycleConfiguration", {}).get("Rules", ())
    for key in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if not any(key in rule and rule["Status"] == "Enabled" for rule in rules):
            yield f"no {key}"


def _function(one: Properties) -> Iterator[str]:
    if one.get("Runtime") != RUNTIME:
        yield f"runs on {one.get('Runtime')}, not {RUNTIME}"
    if one.get("Architectures") != [{"Ref": "Architecture"}]:
        yield "its processor is not the parameter Architecture"
    if one.get("TracingConfig", {}).get("Mode") != "Active":
        yield "not traced by X-Ray"
    if "LogGroup" not in one.get("LoggingConfig", {}):
        yield "its log is no resource of the template, and so kept for ever"
    if not one.get("Timeout") or not one.get("MemorySize"):
        yield "its time or memory is left to Lambda"


def _schedule(one: Properties) -> Iterator[str]:
    if not one["Target"].get("DeadLetterConfig") or not one["Target"].get("RetryPolicy"):
        yield "a start that fails is neither tried again nor kept"
    if "cron(" in str(one["ScheduleExpression"]) and "ScheduleExpressionTimezone" not in one:
        yield "an hour of the day in no time zone"


def _machine(one: Properties) -> Iterator[str]:
    if not one.get("TracingConfiguration", {}).get("Enabled"):
        yield "not traced by X-Ray"
    if not one.get("LoggingConfiguration", {}).get("Destinations"):
        yield "its failures are not logged"


def _rule(one: Properties) -> Iterator[str]:
    if not all(target.get("DeadLetterConfig") for target in one.get("Targets", ())):
        yield "a target without a queue for what it does not take"


def _log(one: Properties) -> Iterator[str]:
    if not one.get("RetentionInDays"):
        yield "kept for ever"


def _alarm(one: Properties) -> Iterator[str]:
    if not one.get("AlarmActions"):
        yield "tells nobody"


CHECKS: Mapping[str, Callable[[Properties], Iterator[str]]] = {
    "AWS::S3::Bucket": _bucket, "AWS::Lambda::Function": _function,
    "AWS::StepFunctions::StateMachine": _machine, "AWS::Scheduler::Schedule": _schedule,
    "AWS::Events::Rule": _rule, "AWS::Logs::LogGroup": _log, "AWS::CloudWatch::Alarm": _alarm,
}  # fmt: skip


def _whole(plain: Properties) -> Iterator[str]:
    """What there must be once, and that arm64 is what a user gets who chooses nothing."""
    kinds = {one["Type"] for one in plain["Resources"].values()}
    for kind in (
        "AWS::CloudFront::OriginAccessControl", "AWS::CloudFront::KeyValueStore",
        "AWS::CloudWatch::Dashboard", "AWS::SNS::Topic", "AWS::SQS::Queue",
        "AWS::SES::EmailIdentity", "AWS::SES::ConfigurationSet",
        "AWS::SES::ConfigurationSetEventDestination", "AWS::Glue::Database",
        "AWS::Athena::WorkGroup", "AWS::Scheduler::ScheduleGroup",
    ):  # fmt: skip
        if kind not in kinds:
            yield f"no {kind}"
    if plain["Parameters"]["Architecture"]["Default"] != "arm64":
        yield "Architecture: arm64 is cheaper and must be the default"


def _ref(value: Any) -> str:
    """The resource that a value names, in any of CloudFormation's ways."""
    if isinstance(value, Mapping):
        named = value.get("Ref") or value.get("Fn::GetAtt") or value.get("Fn::Sub", "")
        value = named[0] if isinstance(named, list) else str(named)
    return str(value).partition(".")[0].removeprefix("${")
