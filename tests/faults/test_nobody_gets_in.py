"""What guards the stack, read from its template: closed by default, private, encrypted, explained.

What cannot be read but only run is `make test-aws` (roles beside the calls made) and
`make lint-aws` (SAM's own view of the template through four linters).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

HOUSE = Path(__file__).resolve().parents[2]


class Template(yaml.SafeLoader):
    """CloudFormation's short forms as what they hold, after the form's name."""


def _form(loader: Any, name: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


Template.add_multi_constructor("!", _form)
TEMPLATE = yaml.load((HOUSE / "template.yaml").read_text("utf-8"), Loader=Template)
RESOURCES = TEMPLATE["Resources"]
SITE = RESOURCES["Site"]["Properties"]["DistributionConfig"]
DOOR = {"If": ["HasPassword", {"GetAtt": "Doorkeeper.FunctionARN"},
               {"GetAtt": "Doorman.FunctionARN"}]}  # fmt: skip
# Who may call the stack's own doors from outside, and what each of them asks first.
OPEN = {"UnsubscribeFunction": "a token that the stack signed"}


def of(kind: str) -> dict[str, dict[str, Any]]:
    found = {name: one.get("Properties", {}) for name, one in RESOURCES.items()
             if one["Type"] == kind}  # fmt: skip
    assert found, kind
    return found


def test_a_site_nobody_decided_about_asks_for_a_password_that_nobody_has():
    assert TEMPLATE["Parameters"]["SiteAccess"]["Default"] == "password"
    assert TEMPLATE["Conditions"]["HasPassword"] == {"Equals": [{"Ref": "SiteAccess"}, "password"]}
    assert set(RESOURCES["SiteUsers"]["Properties"]) == {"Name"}, "no reader is deployed with it"
    store = RESOURCES["Doorkeeper"]["Properties"]["FunctionConfig"]["KeyValueStoreAssociations"]
    assert store == [{"KeyValueStoreARN": {"GetAtt": "SiteUsers.Arn"}}]
    assert RESOURCES["Doorkeeper"]["Properties"]["AutoPublish"] is True


def test_every_path_of_the_site_goes_by_the_door_before_any_cache():
    behaviours = [SITE["DefaultCacheBehavior"], *SITE["CacheBehaviors"]]
    assert len(behaviours) == 2
    for one in behaviours:
        told = [(each["EventType"], each["FunctionARN"]) for each in one["FunctionAssociations"]]
        assert told == [("viewer-request", DOOR)]
        assert one["ViewerProtocolPolicy"] == "redirect-to-https"
        assert one["AllowedMethods"] == ["GET", "HEAD"]


def test_the_bucket_of_the_site_is_read_by_its_distribution_alone():
    """And by its own signature always: a reader's password is never taken to the bucket for one."""
    (origin,) = SITE["Origins"]
    assert origin["OriginAccessControlId"] == {"Ref": "SiteReader"}
    reader = RESOURCES["SiteReader"]["Properties"]["OriginAccessControlConfig"]
    assert (reader["SigningBehavior"], reader["SigningProtocol"]) == ("always", "sigv4")
    allowed = [one for name, one in statements("AWS::S3::BucketPolicy") if one["Effect"] == "Allow"]
    (only,) = allowed
    assert only["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert only["Action"] == "s3:GetObject"
    (condition,) = only["Condition"]["StringEquals"].items()
    assert condition[0] == "aws:SourceArn" and "distribution/${Site}" in condition[1]["Sub"]
    for policy in of("AWS::CloudFront::CachePolicy").values():
        told = policy["CachePolicyConfig"]["ParametersInCacheKeyAndForwardedToOrigin"]
        assert told["HeadersConfig"] == {"HeaderBehavior": "none"}


def test_every_bucket_is_private_and_takes_no_word_in_the_open():
    refused = {one["Resource"][0]["GetAtt"] for name, one in statements("AWS::S3::BucketPolicy")
               if one["Effect"] == "Deny" and one["Action"] == "s3:*" and one["Principal"] == "*"
               and one["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}}  # fmt: skip
    for name, one in of("AWS::S3::Bucket").items():
        assert set(one["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert len(one["PublicAccessBlockConfiguration"]) == 4, name
        assert one["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        assert one["BucketEncryption"]["ServerSideEncryptionConfiguration"], name
        assert f"{name}.Arn" in refused, name


def test_no_role_may_do_everything_nor_touch_what_is_not_the_stack_s():
    """Minimal is shown by running it; here, that no star stands where a name could."""
    found = list(statements("AWS::Serverless::Function", "AWS::IAM::Role"))
    assert len(found) > 20
    wide = set()
    for name, one in found:
        for action in _listed(one.get("Action", ())):
            assert not re.fullmatch(r"\*|\w+:\*", action), (name, action)
            if "*" in _listed(one.get("Resource", ())):
                wide.add(action)
    # These know no narrower resource; what limits them stands in a condition, or they only list.
    assert wide == WIDE


WIDE = {
    "scheduler:ListSchedules", "comprehend:BatchDetectSentiment", "ses:GetSuppressedDestination",
}  # fmt: skip


def test_no_door_is_open_that_is_not_on_the_list():
    urls = {name: one["FunctionUrlConfig"] for name, one in of("AWS::Serverless::Function").items()
            if "FunctionUrlConfig" in one}  # fmt: skip
    assert set(urls) == set(OPEN)
    kinds = {one["Type"] for one in RESOURCES.values()}
    assert not {
        kind for kind in kinds if re.search(r"ApiGateway|HttpApi|Serverless::Api|Elastic|EC2", kind)
    }
    for name, one in statements("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
        assert one["Principal"] != "*" or one["Effect"] == "Deny", name
        assert one["Effect"] == "Deny" or set(one["Principal"]) == {"Service"}, name


def statements(*kinds: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every policy of resources of these kinds."""
    for name, one in RESOURCES.items():
        if one["Type"] in kinds:
            for statement in _statements(one["Properties"]):
                yield name, statement


def _statements(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("Effect") in ("Allow", "Deny"):
            yield value
        for one in value.values():
            yield from _statements(one)
    elif isinstance(value, list):
        for one in value:
            yield from _statements(one)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if isinstance(value, (str, dict)) else []


def skipped() -> dict[str, str]:
    """The checks of checkov that are left out, with the words beside each."""
    text = (HOUSE / "infra" / "checkov.yaml").read_text("utf-8")
    left_out = yaml.safe_load(text)["skip-check"]
    words = dict(re.findall(r"- (CKV\w+) +# (.+)", text))
    assert sorted(words) == sorted(left_out), "each with its reason in a word"
    return words


def explained() -> dict[str, str]:
    """The last table of exceptions in docs/decisions.md."""
    text = (HOUSE / "docs" / "decisions.md").read_text("utf-8")
    table = re.findall(r"(?:^\| `CKV\w+` \| .+ \|\n)+", text, re.MULTILINE)[-1]
    return dict(re.findall(r"^\| `(CKV\w+)` \| (.+) \|$", table, re.MULTILINE))


def test_every_exception_to_checkov_is_explained_and_every_explanation_is_of_one():
    assert explained().keys() == skipped().keys()
    assert all(len(why) > 60 for why in explained().values())


@pytest.mark.parametrize("place", ["template.yaml", "infra/checkov.yaml"])
def test_no_linter_is_silenced_elsewhere(place):
    text = (HOUSE / place).read_text("utf-8")
    assert not re.search(r"checkov:skip|cfn-lint:|cfn_nag|nosec|ignore_checks|soft-fail", text)
    assert not list(HOUSE.glob(".cfnlintrc*")) + list(HOUSE.glob(".checkov*"))
