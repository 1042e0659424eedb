"""Facebook: every recorded post, comment and private message comes out as a row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from real import absent, bodies, objects

from muster.records import Item, Message
from muster.sources import facebook

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = facebook.Options(name="fb", platform="facebook", account="desk")


def recorded(is_one: Any) -> list[dict[str, Any]]:
    told = [body for where, body in bodies("facebook", "python-facebook") if "/facebook/" in where]
    return [one for body in told for one in objects(body, is_one)]


def is_comment(told: Mapping[str, Any]) -> bool:
    return "comment_id=" in str(told.get("permalink_url")) and "message" in told


def is_post(told: Mapping[str, Any]) -> bool:
    is_whole = {"id", "created_time", "updated_time"} <= set(told)
    return is_whole and "_" in str(told["id"]) and not is_comment(told)


def mapped(item: Item) -> Message:
    row, *_ = facebook.rows(item, OPTIONS)
    assert isinstance(row, Message)
    return row


@absent
def test_every_recorded_comment_is_a_message() -> None:
    found = recorded(is_comment)
    assert len(found) > 3
    for told in found:
        address = urlsplit(told["permalink_url"])
        page, _, post, *_ = address.path.strip("/").split("/")
        item = Item("comment", told, NOW, {"us": page, "post": f"{page}_{post}"})
        if "id" not in told:  # whoever recorded it took it out
            with pytest.raises(KeyError, match="id"):
                mapped(item)
            continue
        row, asked = mapped(item), parse_qs(address.query)
        assert row.message_id.endswith("_" + asked["comment_id"][0])
        assert (row.thread_id, row.url) == (f"{page}_{post}", told["permalink_url"])
        assert row.text == " ".join(told["message"].split())
        assert row.created_at == datetime.strptime(told["created_time"], "%Y-%m-%dT%H:%M:%S%z")
        assert row.likes == told.get("like_count", 0)
        assert row.replies == told.get("comment_count", 0)


@absent
def test_every_recorded_post_is_a_message() -> None:
    found = recorded(is_post)
    assert len(found) > 5
    for told in found:
        row = mapped(Item("post", told, NOW, {"us": "1"}))
        assert row.message_id == row.thread_id == told["id"]
        assert row.created_at == datetime.strptime(told["created_time"], "%Y-%m-%dT%H:%M:%S%z")
        assert (row.text or "").split() == told.get("message", "").split()
        if "reactions" in told:
            assert row.likes == told["reactions"]["summary"]["total_count"]


@absent
def test_every_recorded_private_message_is_a_message() -> None:
    found = recorded(lambda told: str(told.get("id")).startswith("m_") and "from" in told)
    assert found
    for told in found:
        row = mapped(Item("direct", told, NOW, {"us": "1", "talk": "t"}))
        assert (row.message_id, row.author_id) == (told["id"], told["from"]["id"])
        assert (row.kind, row.text) == ("direct", told["message"])


@absent
def test_every_recorded_page_is_an_account_with_its_name() -> None:
    found = recorded(lambda told: "fan_count" in told and "name" in told)
    assert found
    for told in found:
        body = {"followers_count": told["fan_count"], **told}
        member, audience = facebook.rows(Item("account", body, NOW), OPTIONS)
        assert (member.member_id, member.display_name) == (told["id"], told["name"])
        assert audience.value >= 0
