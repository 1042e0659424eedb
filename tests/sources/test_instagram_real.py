"""Instagram: every recorded medium, comment and follower comes out as a row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from real import absent, bodies, objects

from muster.records import Item, Message
from muster.sources import instagram
from muster.sources._meta import figure

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = instagram.Options(name="ig", platform="instagram", account="desk")
US = {"id": "17841406338772941", "username": "desk"}


def recorded(is_one: Callable[[Any], bool]) -> list[dict[str, Any]]:
    told = [
        body for where, body in bodies("instagram", "python-facebook") if "/instagram/" in where
    ]
    return [one for body in told for one in objects(body, is_one)]


def mapped(item: Item) -> list[Message]:
    return [row for row in instagram.rows(item, OPTIONS) if isinstance(row, Message)]


def is_media(told: Any) -> bool:
    return "media_type" in told and "timestamp" in told


def time_of(told: Any) -> datetime:
    return datetime.strptime(told["timestamp"], "%Y-%m-%dT%H:%M:%S%z")


@absent
def test_every_recorded_medium_is_a_message() -> None:
    found = recorded(is_media)
    assert len(found) > 8
    for told in found:
        (row,) = mapped(Item("media", told, NOW, {"us": US, "is_ours": True}))
        assert (row.message_id, row.thread_id) == (told["id"], told["id"])
        assert (row.author_id, row.created_at) == ("desk", time_of(told))
        assert (row.text or "").split() == told.get("caption", "").split()
        counts = told.get("like_count", 0), told.get("comments_count", 0)
        assert (row.likes, row.replies) == counts
        assert row.url == told.get("permalink")


@absent
def test_every_recorded_comment_and_reply_is_a_message() -> None:
    found = recorded(lambda told: "text" in told and "timestamp" in told)
    assert len(found) > 1
    for told in found:
        media = (told.get("media") or {}).get("id", "5")
        replies = (told.get("replies") or {}).get("data") or []
        rows = mapped(Item("comment", told, NOW, {"us": US, "media": media}))
        assert [row.message_id for row in rows] == [told["id"], *(one["id"] for one in replies)]
        assert [row.created_at for row in rows] == [time_of(one) for one in (told, *replies)]
        assert {row.thread_id for row in rows} == {media}
        assert [row.parent_id for row in rows] == [media] + [told["id"]] * len(replies)
        is_us = (told.get("user") or {}).get("id") == US["id"]
        assert rows[0].author_id == ("desk" if is_us else told["username"])


@absent
def test_every_recorded_account_has_followers() -> None:
    found = recorded(lambda told: "followers_count" in told and "username" in told)
    assert found
    for told in found:
        member, audience = instagram.rows(Item("account", told, NOW), OPTIONS)
        assert (member.handle, audience.value) == (told["username"], told["followers_count"])


@absent
def test_every_recorded_breakdown_has_the_form_that_countries_are_read_in() -> None:
    """No breakdown by country is recorded; others have the same form."""
    found = recorded(lambda told: "dimension_keys" in told)
    assert found
    for told in found:
        assert set(told["results"][0]) == {"dimension_values", "value"}


@absent
def test_every_recorded_figure_is_read() -> None:
    found = recorded(lambda told: "values" in told and "period" in told)
    assert len(found) > 4
    for told in found:
        value = (told.get("total_value") or told["values"][0])["value"]
        assert figure({"data": [told]}, told["name"]) == value
