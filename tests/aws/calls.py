"""A recorded request → the IAM actions it needs, each with the resource it needs it on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import botocore.session
from emulator import REGION
from recorder import Request

ACCOUNT = "000000000000"
# What signs as one service is described as another.
DESCRIBED_AS = {"ses": "sesv2", "scheduler": "scheduler", "lambda": "lambda"}
SUB = ("uploads", "uploadId", "partNumber", "versionId", "list-type", "delimiter", "prefix")


@dataclass(frozen=True, order=True)
class Call:
    """One action on one resource."""

    action: str
    resource: str


def calls(request: Request) -> Iterator[Call]:
    """Everything a role must allow for this request to be answered."""
    if request.service == "s3":
        yield from _s3(request)
        return
    name, asked = _operation(request)
    for resource in _resources(request.service, name, asked):
        yield Call(f"{request.service}:{name}", resource)
    if request.service == "scheduler" and "Target" in asked:
        yield Call("iam:PassRole", asked["Target"]["RoleArn"])


def _s3(request: Request) -> Iterator[Call]:
    parts = urlsplit(request.path)
    bucket, _, key = unquote(parts.path.lstrip("/")).partition("/")
    asked = parse_qs(parts.query, keep_blank_values=True)
    arn = f"arn:aws:s3:::{bucket}"
    if not key:
        yield from _on_bucket(request, asked, arn)
        return
    verb = {"GET": "Get", "HEAD": "Get", "DELETE": "Delete"}.get(request.method, "Put")
    yield Call(f"s3:{verb}Object{'Version' if 'versionId' in asked else ''}", f"{arn}/{key}")
    if "x-amz-copy-source" in request.headers:
        source = unquote(request.headers["x-amz-copy-source"]).lstrip("/")
        yield Call("s3:GetObject", f"arn:aws:s3:::{source.partition('?')[0]}")


def _on_bucket(request: Request, asked: dict[str, list[str]], arn: str) -> Iterator[Call]:
    if "delete" in asked:
        body = request.body.decode("utf-8")
        for one in re.findall(r"<Object>(.*?)</Object>", body, re.DOTALL):
            (key,) = re.findall(r"<Key>(.*?)</Key>", one)
            version = "Version" if "<VersionId>" in one else ""
            yield Call(f"s3:DeleteObject{version}", f"{arn}/{key}")
        return
    yield Call("s3:ListBucketVersions" if "versions" in asked else "s3:ListBucket", arn)


def _operation(request: Request) -> tuple[str, dict[str, Any]]:
    """The name of what is asked, and its arguments."""
    target = request.headers.get("x-amz-target", "")
    if target:
        return target.rpartition(".")[2], json.loads(request.body or b"{}")
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form = {key: value[0] for key, value in parse_qs(request.body.decode()).items()}
        return form.pop("Action"), form
    name, in_path = _by_path(request)
    body = json.loads(request.body) if request.body.startswith(b"{") else {}
    return name, {**body, **in_path}


def _by_path(request: Request) -> tuple[str, dict[str, str]]:
    path = urlsplit(request.path).path
    for method, pattern, name in _patterns(DESCRIBED_AS.get(request.service, request.service)):
        found = re.fullmatch(pattern, path)
        if method == request.method and found:
            return name, {key: unquote(value) for key, value in found.groupdict().items()}
    raise LookupError(f"{request.service}: nothing is known of {request.method} {path}")


@cache
def _patterns(service: str) -> list[tuple[str, str, str]]:
    """Method, pattern of the path and name of every operation of a service."""
    model = botocore.session.get_session().get_service_model(service)
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        pattern = re.sub(r"\{(\w+)\+?\}", r"(?P<\1>[^/]+)", http["requestUri"].partition("?")[0])
        found.append((http["method"], pattern.rstrip("/") + "/?", name))
    return found


def _resources(service: str, name: str, asked: dict[str, Any]) -> Iterator[str]:
    """The ARNs an operation is about; ``*`` where IAM knows none."""

    def arn(rest: str) -> str:
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"

    if service == "ssm" and ("Name" in asked or "Names" in asked):
        for one in asked.get("Names", [asked.get("Name")]):
            yield arn(f"parameter/{one.lstrip('/')}")
    elif service == "ses" and "FromEmailAddress" in asked:
        address = asked["FromEmailAddress"].rpartition("<")[2].rstrip(">")
        yield arn(f"identity/{address}")
        if "ConfigurationSetName" in asked:
            yield arn(f"configuration-set/{asked['ConfigurationSetName']}")
    elif service == "scheduler" and "Name" in asked:
        kind = "schedule-group" if "ScheduleGroup" in name else "schedule"
        group = "" if kind == "schedule-group" else f"{asked.get('GroupName', 'default')}/"
        yield arn(f"{kind}/{group}{asked['Name']}")
    else:
        given = [value for key, value in asked.items() if key.lower().endswith("arn")]
        if "QueueUrl" in asked:
            given = [arn(asked["QueueUrl"].rpartition("/")[2])]
        if "SecretId" in asked:
            given = [arn(f"secret:{asked['SecretId']}")]
        if "FunctionName" in asked and service == "lambda":
            given = [arn(f"function:{asked['FunctionName'].rpartition(':')[2]}")]
        yield from given or ["*"]
