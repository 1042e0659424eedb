"""A service's name → a client of it; a stack's name → its outputs; refusals in one line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from muster import services
from muster.errors import AccountRefused

DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


def client(service: str) -> Any:
    """A boto3 client; region, credentials and endpoint come from the environment."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import NoRegionError

    once_more = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=10)
    try:
        # boto3 alone would not look at AWS_REGION, which everything else of AWS does.
        return boto3.client(service, region_name=services.region(), config=once_more)
    except NoRegionError as error:
        raise AccountRefused("no AWS region is set: set AWS_REGION, e.g. eu-central-1") from error


@contextmanager
def said_plainly(what: str, *, without: str = "") -> Iterator[None]:
    """Whatever AWS says about ``what`` as one line; ``without`` never stands in it."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except NoCredentialsError as error:
        raise AccountRefused(
            "no AWS credentials found: sign in (aws sso login) and set AWS_PROFILE, or set "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from error
    except ClientError as error:
        raise AccountRefused(f"{what}: {_said(error, without)}") from error
    except BotoCoreError as error:
        raise AccountRefused(f"{what}: {error}") from error


def _said(error: Any, without: str) -> str:
    told = error.response.get("Error", {})
    code, text = told.get("Code", ""), told.get("Message", "")
    if without:
        text = text.replace(without, "(secret)")
    if code in DENIED:
        return f"you may not do that: {text}: sign in as somebody who may"
    return f"{code}: {text}"


def code_of(error: Any) -> str:
    """The code of a refusal: NoSuchBucket, ValidationError …"""
    return str(error.response.get("Error", {}).get("Code", ""))


def outputs(stack: str) -> Mapping[str, str]:
    """What a deployed stack tells of itself; ``AccountRefused`` if there is none."""
    found = described(stack)
    if found is None:
        where = client("cloudformation").meta.region_name
        raise AccountRefused(
            f"there is no stack {stack!r} in {where}: deploy it (muster deploy), name another "
            "with --stack, or set AWS_REGION"
        )
    return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}


def described(stack: str) -> Mapping[str, Any] | None:
    """The stack as CloudFormation knows it; none if there is none."""
    from botocore.exceptions import ClientError

    with said_plainly(f"stack {stack!r}"):
        try:
            (found,) = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if code_of(error) == "ValidationError" and "does not exist" in str(error):
                return None
            raise
    return dict(found)


def parameters(found: Mapping[str, Any] | None) -> Mapping[str, str]:
    """The parameters of a described stack; of none, none."""
    told = (found or {}).get("Parameters", ())
    return {one["ParameterKey"]: one["ParameterValue"] for one in told}


def settings_place(stack: str) -> str:
    """Where a stack's settings lie: ``s3://LAKE/config``."""
    said = parameters(described(stack))
    return f"{output(stack, 'Lake')}/{said.get('SettingsFolder', 'config')}"


def environment_of(stack: str) -> Mapping[str, str]:
    """What the stack's functions are told of where its lake, site and settings are."""
    told = parameters(described(stack))
    return {
        **os.environ,
        "MUSTER_LAKE": output(stack, "Lake"),
        "MUSTER_SITE": output(stack, "Site"),
        "MUSTER_SITE_URL": outputs(stack).get("SiteUrl", ""),
        "MUSTER_SETTINGS": told.get("SettingsFolder", "config"),
        "MUSTER_RECIPIENTS": told.get("Recipients", ""),
    }


def output(stack: str, name: str) -> str:
    """One output of a stack, e.g. ``Lake``."""
    found = outputs(stack)
    if name not in found:
        raise AccountRefused(f"stack {stack!r} has no output {name!r}: is it a stack of Muster?")
    return found[name]
