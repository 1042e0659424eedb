"""YouTube: every real comment, video and channel as rows; what is asked for is documented."""

from __future__ import annotations

import html
import json
import lzma
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx
import pytest
from real import DATA, absent, bodies, within
from recorded import Recorded

from muster.records import Item, Member, Message, Thread
from muster.sources import youtube

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = youtube.Options(name="y", platform="youtube", account="@desk")
specs = pytest.mark.skipif(not (DATA / "specs").is_dir(), reason="../shared/data is absent")


@cache
def real(kind: str) -> tuple[Mapping[str, Any], ...]:
    """Every whole object of a kind: with an id and a snippet, wherever it stands."""
    found = [one for _, body in bodies("youtube", "python-youtube") for one in within(body)]
    whole = [one for one in found if one.get("kind") == f"youtube#{kind}" and "snippet" in one]
    return tuple(one for one in whole if isinstance(one.get("id"), str))


def rows(stream: str, body: Any) -> list[Any]:
    return list(youtube.rows(Item(stream, body, NOW, {"us": "UCnobody"}), OPTIONS))


def assert_same(told: Mapping[str, Any], message: Message, others: list[Any]) -> None:
    said = told["snippet"]
    assert (message.message_id, message.parent_id) == (told["id"], said.get("parentId"))
    assert message.thread_id == (said.get("parentId") or told["id"])
    author = (said.get("authorChannelId") or {}).get("value")
    assert message.author_id == author
    assert [one.member_id for one in others] == ([author] if author else [])
    assert message.created_at == datetime.fromisoformat(said["publishedAt"])
    assert (message.edited_at is None) == (said["updatedAt"] == said["publishedAt"])
    assert message.likes == said["likeCount"]
    shown = html.unescape(re.sub(r"<[^>]*>", "", said["textDisplay"]))
    assert re.sub(r"\s", "", message.text or "") == re.sub(r"\s", "", shown)


@absent
def test_every_real_comment_is_a_row() -> None:
    comments = real("comment")
    assert len(comments) > 10
    for told in comments:
        message, *others = rows("comment", told)
        assert_same(told, message, others)


@absent
def test_every_real_thread_is_its_first_comment() -> None:
    threads = real("commentThread")
    assert len(threads) > 5
    for told in threads:
        message, *others = rows("thread", told)
        assert_same(told["snippet"]["topLevelComment"], message, others)
        assert message.replies == told["snippet"]["totalReplyCount"]
        assert message.channel == told["snippet"].get("videoId")


@absent
def test_every_real_video_is_a_row() -> None:
    videos = [one for one in real("video") if "publishedAt" in one["snippet"]]
    assert len(videos) > 5
    for told in videos:
        thread, message, author = rows("video", told)
        said, counts = told["snippet"], told.get("statistics") or {}
        assert isinstance(thread, Thread) and isinstance(author, Member)
        assert (message.message_id, message.author_id) == (told["id"], said["channelId"])
        assert message.created_at == datetime.fromisoformat(said["publishedAt"])
        assert message.text.split() == f"{said['title']} {said['description']}".split()
        assert str(message.views) == str(counts.get("viewCount"))


@absent
def test_every_real_paying_member_is_one() -> None:
    found = [one for _, body in bodies("youtube", "python-youtube") for one in within(body)]
    members = [one for one in found if one.get("kind") == "youtube#member"]
    assert members
    for told in members:
        (member,) = rows("paying", told)
        assert member.member_id == told["snippet"]["memberDetails"]["channelId"]


@absent
def test_every_real_channel_is_counted() -> None:
    channels = [one for one in real("channel") if "subscriberCount" in one.get("statistics", {})]
    assert channels
    for told in channels:
        member, *audience = rows("channel", told)
        assert (member.member_id, member.display_name) == (told["id"], told["snippet"]["title"])
        assert [str(one.value) for one in audience] == [told["statistics"]["subscriberCount"]]


@specs
def test_what_is_asked_for_is_in_google_s_documents() -> None:
    known = {}
    for name in ("youtube.v3", "youtubeAnalytics.v2"):
        spec = json.loads(lzma.decompress((DATA / "specs" / f"{name}.json.xz").read_bytes()))
        for resource in spec["resources"].values():
            for method in resource.get("methods", {}).values():
                if method["httpMethod"] == "GET":
                    known[f"/{method['path']}"] = method
    one = Recorded("youtube")
    wire = one.wire()
    list(one.pages(wire))
    for call in wire.asked:
        path, _, query = call.removeprefix("GET ").partition("?")
        if not call.startswith("POST "):
            params = httpx.QueryParams(query)
            assert set(params) <= set(known[path]["parameters"]), path
            for name, value in params.items():
                allowed = known[path]["parameters"][name].get("enum")
                assert not allowed or value in allowed
                most = known[path]["parameters"][name].get("maximum")
                assert not most or int(value) <= int(most)
