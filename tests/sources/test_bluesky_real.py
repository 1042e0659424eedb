"""Bluesky: a real network's answers through the mapping, and its lexicons."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from bluesky_account import rows
from recorded import Recorded

from muster.records import Message
from muster.sources import bluesky

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
ANSWERS = DATA / "servers" / "bluesky-devenv"
absent = pytest.mark.skipif(not ANSWERS.is_dir(), reason="../shared/data is absent")
REAL_US = {"did": "did:plc:2b56oxdosyabie35x6bfk5aq", "handle": "alice.test"}


def real(name: str) -> Any:
    (path,) = ANSWERS.glob(f"*_{name}.json")
    return json.loads(path.read_text("utf-8"))["response"]["body"]


@absent
def test_real_feeds_are_mapped() -> None:
    entries = [entry for page in range(4) for entry in real(f"getAuthorFeed_p{page}")["feed"]]
    assert len(entries) >= 15
    for entry in [*entries, *real("getTimeline_via_pds_proxy")["feed"]]:
        for row in rows(entry, "feed", REAL_US):
            assert (
                row.message_id == entry["post"]["uri"] if isinstance(row, Message) else row.handle
            )


@absent
def test_a_real_thread_is_one_conversation() -> None:
    posts = list(bluesky._nodes(real("getPostThread")["thread"]))
    read = [row for one in posts for row in rows(one, "post", REAL_US) if isinstance(row, Message)]
    assert [row.direction for row in read] == ["inbound", "outbound", "inbound"]
    assert [row.parent_id for row in read] == [None, read[0].message_id, read[1].message_id]
    assert {row.thread_id for row in read} == {read[0].message_id}
    assert read[2].text == "Sent. thanks 🙏"


@absent
def test_real_notifications_point_to_posts() -> None:
    notices = real("listNotifications")["notifications"]
    uris = [uri for notice in notices if (uri := bluesky._told_of(notice))]
    assert uris
    assert all("/app.bsky.feed.post/" in uri for uri in uris)
    assert real("getPosts_after_delete")["posts"]
    assert list(rows(real("getProfile"), "account", REAL_US))


@pytest.mark.skipif(not (DATA / "recordings").is_dir(), reason="../shared/data is absent")
def test_what_is_asked_for_is_in_the_lexicons() -> None:
    with tarfile.open(DATA / "recordings" / "atproto.tar.xz") as tar:
        defined = {
            member.name.partition("lexicons/")[2]
            .removesuffix(".json")
            .replace("/", "."): json.load(
                tar.extractfile(member)  # type: ignore[arg-type]
            )["defs"]
            for member in tar
            if member.name.endswith(".json")
        }
    one = Recorded("bluesky")
    wire = one.wire()
    list(one.pages(wire))
    for call in wire.asked:
        path, _, query = call.partition("?")
        method, _, nsid = path.partition(" /xrpc/")
        main = defined[nsid]["main"]
        assert main["type"] == {"GET": "query", "POST": "procedure"}[method]
        allowed = main.get("parameters", {}).get("properties", {})
        assert set(httpx.QueryParams(query)) <= set(allowed)
    view = defined["app.bsky.feed.defs"]["postView"]["properties"]
    assert {"replyCount", "repostCount", "likeCount", "quoteCount", "indexedAt"} <= set(view)
    author = defined["app.bsky.actor.defs"]["profileViewBasic"]["properties"]
    assert {"did", "handle", "displayName", "labels", "createdAt"} <= set(author)
