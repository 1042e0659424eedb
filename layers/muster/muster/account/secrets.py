"""A secret's name and value → an encrypted parameter of the stack; a value never comes back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from muster.account.aws import client, code_of, said_plainly
from muster.errors import AccountRefused, BadSettings

LONGEST = 4096  # what a parameter without a monthly price may hold


@dataclass(frozen=True)
class Kept:
    """A secret that is there: its reference for ``muster.yaml``, and when it was put."""

    name: str
    reference: str
    changed_at: datetime


def put(stack: str, name: str, value: str) -> str:
    """Put or replace a secret; returns the reference to it: ``ssm:/STACK/NAME``."""
    path, secret = _path(stack, name), value.strip("\r\n")
    if not secret.strip():
        raise BadSettings(f"the secret {name} is empty: nothing was put")
    if len(secret.encode()) > LONGEST:
        raise BadSettings(f"the secret {name} is longer than {LONGEST} bytes: nothing was put")
    with said_plainly(f"secret {path}", without=secret):
        client("ssm").put_parameter(Name=path, Value=secret, Type="SecureString", Overwrite=True)
    return f"ssm:{path}"


def kept(stack: str) -> tuple[Kept, ...]:
    """The stack's secrets by name, without their values."""
    with said_plainly(f"secrets of {stack}"):
        pages = (
            client("ssm")
            .get_paginator("describe_parameters")
            .paginate(
                ParameterFilters=[{"Key": "Path", "Option": "Recursive", "Values": [f"/{stack}"]}]
            )
        )
        found = [one for page in pages for one in page["Parameters"]]
    return tuple(sorted((_kept(stack, one) for one in found), key=lambda one: one.name))


def _kept(stack: str, found: Any) -> Kept:
    name = found["Name"].removeprefix(f"/{stack}/")
    return Kept(name, f"ssm:{found['Name']}", found["LastModifiedDate"])


def remove(stack: str, name: str) -> None:
    """Remove a secret; ``AccountRefused`` if there is none of this name."""
    from botocore.exceptions import ClientError

    path = _path(stack, name)
    with said_plainly(f"secret {path}"):
        try:
            client("ssm").delete_parameter(Name=path)
        except ClientError as error:
            if code_of(error) != "ParameterNotFound":
                raise
            raise AccountRefused(f"there is no secret {path}: see muster secret list") from error


def _path(stack: str, name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", name):
        raise BadSettings(f"{name!r} is no name of a secret: write letters, digits, _ . or -")
    return f"/{stack}/{name}"
