"""A member whom lake, site, mails, raw answers and quarantine name → forgotten by the function."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from passage import download, keys
from world import World

from muster.lake import raw
from muster.records import Item
from muster.store import FolderStore

PLACE = "{kind}/source=forum/date={day}/{name}.jsonl.zst"
RECEIPT = "receipts/messages/forum/quoting.csv.json"
BROKEN = "tables/waiting/broken.parquet"
ASIDE = "aside/00000000/tables/messages/source=forum/month=2026-01/part-0.parquet"


@dataclass(frozen=True)
class Forgotten:
    """Whom, what they had asked, where the lake lies as it was, and what the function said."""

    member: str
    title: str
    before: Path
    told: dict[str, Any]


@pytest.fixture(scope="module")
def forgotten(cloud: World) -> Forgotten:
    lake, site = cloud.work / "remembered", cloud.work / "remembered-site"
    download(cloud.stack, "LakeBucket", lake)
    download(cloud.stack, "SiteBucket", site)
    member, title = on_the_first_page(lake, site)
    lay_aside(cloud, lake, member)
    put_object(cloud, RECEIPT, json.dumps({"refused": [f"line 2: {title}"]}).encode())
    put_object(cloud, ASIDE, b"not Parquet at all")
    put_object(cloud, BROKEN, b"nor this")
    answer = cloud.aws.client("lambda").invoke(
        FunctionName=cloud.stack.resources["EraseFunction"],
        Payload=json.dumps({"source": "forum", "member": member}).encode(),
    )
    return Forgotten(member, title, lake, json.load(answer["Payload"]))


def on_the_first_page(lake: Path, site: Path) -> tuple[str, str]:
    """A member whose question waits on the site's first page, and the question."""
    page = html.unescape((site / "index.html").read_text("utf-8"))
    threads = f"{lake}/tables/threads/source=forum/**/*.parquet"
    messages = f"{lake}/tables/messages/source=forum/**/*.parquet"
    opened = duckdb.sql(
        "select title, arg_min(author_id, messages.created_at) "
        f"from read_parquet('{messages}', union_by_name = true) messages "
        f"join read_parquet('{threads}', union_by_name = true) threads using (thread_id) "
        "where length(title) > 12 group by thread_id, title"
    ).fetchall()
    return next((str(author), title) for title, author in opened if title in page)


def lay_aside(cloud: World, lake: Path, member: str) -> None:
    """Objects that hold only theirs, and one of two; a fetch makes such ones now and then."""
    posts = [one for one in raw.read(FolderStore(lake), "forum") if one.body.get("user_id")]
    theirs = next(one for one in posts if str(one.body["user_id"]) == member)
    other = next(one for one in posts if str(one.body["user_id"]) != member)
    put(cloud, "raw", "alone-000000", theirs)
    put(cloud, "quarantine", "alone-000000.0000000000000000.1", theirs)
    put(cloud, "quarantine", "two-000000.0000000000000000.2", theirs, other)


def put(cloud: World, kind: str, name: str, *items: Item) -> None:
    reason = "laid aside by a test" if kind == "quarantine" else None
    body = raw.pack([raw.item_line(one, reason) for one in items])
    put_object(cloud, PLACE.format(kind=kind, day=f"{items[0].seen_at:%F}", name=name), body)


def put_object(cloud: World, key: str, body: bytes) -> None:
    bucket = cloud.stack.resources["LakeBucket"]
    cloud.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def test_the_function_found_them_everywhere(forgotten: Forgotten) -> None:
    told = forgotten.told
    assert told.get("source") == "forum", told
    assert told["rows"]["messages"] and told["raw_items"] > 3 and told["mails"] and told["files"]


def test_what_they_asked_stands_nowhere_any_more(cloud: World, forgotten: Forgotten) -> None:
    after, site = cloud.work / "after-forgetting", cloud.work / "after-forgetting-site"
    download(cloud.stack, "LakeBucket", after)
    download(cloud.stack, "SiteBucket", site)
    needle = forgotten.title.encode()
    shown = [path for path in (*after.rglob("*.json"), *after.rglob("*.html"), *site.rglob("*"))
             if path.is_file() and needle in path.read_bytes()]  # fmt: skip
    assert not shown
    # Others asked in the same words, so what came from the platform is searched for their name.
    members = f"{forgotten.before}/tables/members/source=forum/*.parquet"
    ((handle,),) = duckdb.sql(
        f"select handle from '{members}' where member_id = '{forgotten.member}'"
    ).fetchall()
    assert names(handle, forgotten.before) > 0
    assert names(handle, after) == 0


def names(handle: str, lake: Path) -> int:
    """How many items as they were received name an account."""
    files = [path for kind in ("raw", "quarantine")
             for path in (lake / kind / "source=forum").rglob("*.zst")]  # fmt: skip
    named = f'"username":"{handle}"'
    return sum(named in line.replace('": "', '":"') for path in files
               for line in raw.unpack(path.read_bytes()))  # fmt: skip


def test_no_earlier_version_is_left(cloud: World, forgotten: Forgotten) -> None:
    s3, bucket = cloud.aws.client("s3"), cloud.stack.resources["LakeBucket"]
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    assert not [one["Key"] for page in pages for one in page.get("Versions", ())
                if not one["IsLatest"]]  # fmt: skip
    there = keys(cloud.stack, "LakeBucket")
    assert RECEIPT in there
    assert not [key for key in there if "alone-000000" in key or key in (ASIDE, BROKEN)]
