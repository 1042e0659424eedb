"""A small stack in a local account: buckets, their names as outputs, and the command line on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from s3_servers import KEY, SECRET, moto
from typer.testing import CliRunner, Result

from muster.command_line import app

REGION = "us-east-1"
TEMPLATE = {
    "Resources": {
        name: {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain",
               "Properties": {"BucketName": f"{name.lower()}-of-desk"}}
        for name in ("Lake", "Site")
    },
    "Outputs": {
        name: {"Value": f"s3://{name.lower()}-of-desk"} for name in ("Lake", "Site")
    },
}  # fmt: skip
SETTINGS = "community: Desk\nreports:\n  - {name: weekly, recipients: [a@example.org]}\n"


@dataclass(frozen=True)
class Account:
    """A local AWS account that this process is signed in to."""

    url: str

    def client(self, service: str) -> Any:
        # One patient try: a second one after a slow answer would find its own stack there.
        once = Config(retries={"total_max_attempts": 1}, read_timeout=250)
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id=KEY,
            aws_secret_access_key=SECRET, config=once,
        )  # fmt: skip

    def deploy(
        self, name: str = "desk", parameters: dict[str, str] | None = None, **more: str
    ) -> None:
        """A stack with these parameters, and more outputs than its buckets."""
        given = parameters or {}
        outputs = {**TEMPLATE["Outputs"], **{key: {"Value": one} for key, one in more.items()}}
        asked = {key: {"Type": "String"} for key in given}
        body = json.dumps({**TEMPLATE, "Outputs": outputs, "Parameters": asked})
        self.client("cloudformation").create_stack(
            StackName=name, TemplateBody=body,
            Parameters=[{"ParameterKey": key, "ParameterValue": one} for key, one in given.items()],
        )  # fmt: skip

    def keys(self, bucket: str) -> list[str]:
        found = self.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
        return [one["Key"] for one in found]


@contextmanager
def signed_in(patch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An empty account, and an environment that names it."""
    with moto() as server:
        server_reset(server.url)
        for name, value in server.environment.items():
            patch.setenv(name, value)
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        yield Account(server.url)


def server_reset(url: str) -> None:
    """Servers of one process share their memory."""
    import httpx

    httpx.post(f"{url}/moto-api/reset")


def muster(folder: Any, *words: str, typed: str | None = None) -> Result:
    """The command line in this process; what is typed comes through a pipe."""
    return CliRunner().invoke(app, ["-C", str(folder), *words], input=typed)


def said(result: Result) -> str:
    """What a command said that went well."""
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def refused(result: Result) -> str:
    """The one line of a command that was refused."""
    assert result.exit_code != 0 and result.exception is not None
    return str(result.exception)
