"""A template as CloudFormation sees it → each role's policies as plain JSON, to be linted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

HERE = "eu-central-1:123456789012"
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "eu-central-1", "AWS::AccountId": "123456789012",
          "AWS::StackName": "muster"}  # fmt: skip
# What a resource's ARN looks like; a name stands where CloudFormation would put its own.
ARNS = {
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{HERE}:{{}}",
    "AWS::SNS::Topic": f"arn:aws:sns:{HERE}:{{}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{HERE}:function:{{}}",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{HERE}:stateMachine:{{}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{HERE}:log-group:{{}}",
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/{}",
    "AWS::CloudFront::Distribution": "arn:aws:cloudfront::123456789012:distribution/{}",
}
# Those whose Ref is their ARN already.
REF_IS_ARN = {"AWS::SNS::Topic", "AWS::StepFunctions::StateMachine"}


def policies(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every inline policy of every role, by a name of its own."""
    for name, one in template["Resources"].items():
        if one["Type"] == "AWS::IAM::Role":
            for number, policy in enumerate(one["Properties"].get("Policies", ())):
                document = plain(policy["PolicyDocument"], template)
                # SAM's own policies leave out the version, which only variables would need.
                yield f"{name}-{number}", {"Version": "2012-10-17", **document}


def plain(value: Any, template: dict[str, Any]) -> Any:
    """The value with every intrinsic function filled in."""
    if isinstance(value, list):
        return [plain(one, template) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((kind, asked),) = value.items()
        if kind == "Ref":
            return _named(asked, template)
        if kind == "Fn::GetAtt":
            parts = asked.split(".") if isinstance(asked, str) else asked
            return _attribute(parts[0], ".".join(parts[1:]), template)
        if kind == "Fn::Sub":
            return _filled(asked, template)
        if kind == "Fn::If":
            return plain(asked[1], template)
        if kind == "Fn::Join":
            return asked[0].join(map(str, plain(asked[1], template)))
    return {key: plain(one, template) for key, one in value.items()}


def _filled(asked: Any, template: dict[str, Any]) -> str:
    text, own = (asked, {}) if isinstance(asked, str) else asked
    given = {key: plain(one, template) for key, one in own.items()}

    def fill(found: re.Match[str]) -> str:
        name, _, attribute = found[1].partition(".")
        if name in given:
            return str(given[name])
        return _attribute(name, attribute, template) if attribute else _named(name, template)

    return re.sub(r"\$\{([\w:.]+)\}", fill, text)


def _named(name: str, template: dict[str, Any]) -> str:
    if name in PSEUDO:
        return PSEUDO[name]
    kind = template["Resources"].get(name, {}).get("Type", "")
    return ARNS[kind].format(name.lower()) if kind in REF_IS_ARN else name.lower()


def _attribute(name: str, attribute: str, template: dict[str, Any]) -> str:
    if attribute == "Arn":
        kind = template["Resources"][name]["Type"]
        return ARNS.get(kind, f"arn:aws:{kind.split('::')[1].lower()}:{HERE}:{{}}").format(
            name.lower()
        )
    return name.lower()
