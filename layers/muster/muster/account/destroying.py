"""A stack's name → nothing of it is left, but for the lake unless that is meant too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from muster.account import secrets
from muster.account.aws import client, code_of, outputs, said_plainly
from muster.errors import AccountRefused

AT_ONCE = 1000


@dataclass(frozen=True)
class Leaving:
    """What a destroy takes away and what stays."""

    stack: str
    site: str
    lake: str
    takes_lake: bool
    takes_secrets: bool

    @property
    def buckets(self) -> tuple[str, ...]:
        """The buckets that go, by name."""
        return (self.site, self.lake) if self.takes_lake else (self.site,)


def planned(stack: str, *, with_lake: bool, with_secrets: bool) -> Leaving:
    """What would go; ``AccountRefused`` if there is no such stack."""
    found = outputs(stack)
    if not {"Lake", "Site"} <= set(found):
        raise AccountRefused(f"stack {stack!r} is none of Muster's: it has no lake and no site")
    site, lake = (found[name].removeprefix("s3://") for name in ("Site", "Lake"))
    return Leaving(stack, site, lake, with_lake, with_secrets)


def destroy(leaving: Leaving, tell: Callable[[str], None]) -> None:
    """The stack first, since its functions would write again; then its buckets and secrets."""
    _delete_stack(leaving.stack)
    tell(f"stack {leaving.stack} is gone")
    for bucket in leaving.buckets:
        tell(f"bucket {bucket}: {_delete_bucket(bucket):,} objects and versions are gone")
    for one in secrets.kept(leaving.stack) if leaving.takes_secrets else ():
        secrets.remove(leaving.stack, one.name)
        tell(f"secret {one.reference} is gone")


def _delete_stack(stack: str) -> None:
    from botocore.exceptions import WaiterError

    cloudformation = client("cloudformation")
    with said_plainly(f"stack {stack!r}"):
        try:
            cloudformation.delete_stack(StackName=stack)
            cloudformation.get_waiter("stack_delete_complete").wait(
                StackName=stack, WaiterConfig={"Delay": 5, "MaxAttempts": 360}
            )
        except WaiterError as error:
            raise AccountRefused(
                f"stack {stack!r} could not be deleted whole: see its events in the "
                "CloudFormation console, then run this again"
            ) from error


def _delete_bucket(bucket: str) -> int:
    """Every version of every object, then the bucket; how many went."""
    from botocore.exceptions import ClientError

    s3, count = client("s3"), 0
    with said_plainly(f"bucket {bucket}"):
        try:
            for versions in _versions(s3, bucket):
                s3.delete_objects(Bucket=bucket, Delete={"Objects": versions, "Quiet": True})
                count += len(versions)
            s3.delete_bucket(Bucket=bucket)
        except ClientError as error:
            if code_of(error) != "NoSuchBucket":
                raise
    return count


def _versions(s3: Any, bucket: str) -> Iterator[list[dict[str, str]]]:
    """Objects, their earlier versions and deletion marks, by the thousand."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        for start in range(0, len(found), AT_ONCE):
            yield [
                {"Key": one["Key"], "VersionId": one["VersionId"]}
                for one in found[start : start + AT_ONCE]
            ]
