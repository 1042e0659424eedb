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
    names = [name, *(["SendRawEmail"] if "Raw" in asked.get("Content", ()) else [])]
    for resource in _resources(request.service, name, asked):
        yield from (Call(f"{request.service}:{one}", resource) for one in names)
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
    if verb == "Get" and request.status == 404:
        # Who may not list is told that it is forbidden, not that it is not there.
        yield Call("s3:ListBucket", arn)
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
    in_query = {key: value[0] for key, value in parse_qs(urlsplit(request.path).query).items()}
    return name, {**body, **in_query, **in_path}


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
    given = [value for key, value in asked.items() if key.lower().endswith("arn")]
    known = OF_SERVICE.get(service)
    named = (
        [f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}" for rest in known(name, asked)]
        if known
        else []
    )
    yield from named or given or ["*"]


def _of_ssm(_: str, asked: dict[str, Any]) -> Iterator[str]:
    for one in asked.get("Names") or [asked["Name"]]:
        yield f"parameter/{one.lstrip('/')}"


def _of_ses(_: str, asked: dict[str, Any]) -> Iterator[str]:
    if "FromEmailAddress" in asked:
        yield f"identity/{asked['FromEmailAddress'].rpartition('<')[2].rstrip('>')}"
    if "ConfigurationSetName" in asked:
        yield f"configuration-set/{asked['ConfigurationSetName']}"


def _of_scheduler(name: str, asked: dict[str, Any]) -> Iterator[str]:
    if "Name" in asked:
        is_group = "ScheduleGroup" in name
        place = "" if is_group else f"{asked.get('GroupName') or asked.get('groupName')}/"
        yield f"schedule{'-group' if is_group else ''}/{place}{asked['Name']}"


def _of_catalogue(name: str, asked: dict[str, Any]) -> Iterator[str]:
    """Glue asks for the right to everything above a table too."""
    yield "catalog"
    base = asked.get("DatabaseName") or asked.get("Name")
    if base:
        yield f"database/{base}"
    if base and "Table" in name:
        table = asked.get("TableInput", asked).get("Name", "*") if name != "GetTables" else "*"
        yield f"table/{base}/{table}"


OF_SERVICE = {
    "ssm": _of_ssm, "ses": _of_ses, "scheduler": _of_scheduler, "glue": _of_catalogue,
    "sqs": lambda _, asked: [asked["QueueUrl"].rpartition("/")[2]],
    "secretsmanager": lambda _, asked: [f"secret:{asked['SecretId']}"],
    "lambda": lambda _, asked: [f"function:{asked['FunctionName'].rpartition(':')[2]}"],
}  # fmt: skip
