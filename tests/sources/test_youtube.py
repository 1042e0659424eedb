"""YouTube: what is asked for and when, what it may cost, and what a secret allows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from recorded import items_of, last_cursor

from muster.errors import RateLimited, SourceFailed
from muster.records import Audience, Item, KnownMessage, Message
from muster.sources import Window, _youtube_api, youtube
from muster.sources import _youtube_steps as steps
from muster.sources._answer import Answer
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
US = "UC" + "d" * 22
OPTIONS = youtube.Options(name="y", platform="youtube", account=US, lang="de")
OWNER = json.dumps({"client_id": "i", "client_secret": "s", "refresh_token": "r"})
SCOPES = [f"https://www.googleapis.com/auth/{one}" for one in
          ("youtube.force-ssl", "yt-analytics.readonly")]  # fmt: skip
CHANNEL = {"id": US, "snippet": {"title": "Desk", "publishedAt": "2026-01-01T00:00:00Z"},
           "statistics": {"subscriberCount": "1000"}}  # fmt: skip


def comment(key: str = "Ugx1", at: str = "2026-11-19T10:00:00Z", **told: Any) -> dict[str, Any]:
    said = {"textDisplay": "hello", "publishedAt": at, "updatedAt": at, "videoId": "v",
            "authorChannelId": {"value": "UCm"}, "authorDisplayName": "@mira", **told}  # fmt: skip
    return {"id": key, "snippet": said}


def thread(key: str = "Ugx1", count: int = 0, *replies: Any, **told: Any) -> dict[str, Any]:
    said = {"videoId": "v", "topLevelComment": comment(key, **told), "totalReplyCount": count}
    return {"id": key, "snippet": said, "replies": {"comments": list(replies)}}


def rows(body: Any, stream: str = "comment", **context: Any) -> list[Any]:
    return list(youtube.rows(Item(stream, body, NOW, {"us": US, **context}), OPTIONS))


class Net:
    """YouTube with bodies (or a status and a reason) by path, and the requests it got."""

    def __init__(self, bodies: Mapping[str, Any] | None = None) -> None:
        self.bodies = {"/youtube/v3/channels": {"items": [CHANNEL]}, **(bodies or {})}
        self.asked: list[httpx.Request] = []
        self.scopes = SCOPES

    def api(self, secret: str = "key", now: datetime = NOW) -> youtube.Tube:
        http = Http(transport=httpx.MockTransport(self._answer), clock=lambda: now)
        return youtube.connect(OPTIONS, secret, http)

    def fetch(
        self, cursor: Any = None, options: Any = OPTIONS, secret: str = "key", **window: Any
    ) -> tuple[list[Item], Any]:
        now = window.pop("now", NOW)
        told = Window(options, now, cursor or {}, **window)
        pages = list(youtube.pages(self.api(secret, now), told))
        return items_of(pages), last_cursor(pages)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        path = request.url.path
        if path == "/token":
            return httpx.Response(200, json={"access_token": "a", "scope": " ".join(self.scopes)})
        body = self.bodies.get(path, {"items": []})
        if isinstance(body, tuple):
            return httpx.Response(body[0], json={"error": {"errors": [{"reason": body[1]}]}})
        return httpx.Response(200, json=body)

    def paths(self) -> list[str]:
        return [request.url.path.removeprefix("/youtube/v3/") for request in self.asked]


def test_a_comment() -> None:
    told = comment(parentId="Ugx0", updatedAt="2026-11-19T11:00:00Z", likeCount=3)
    assert rows(told)[0] == Message(
        message_id="Ugx1", thread_id="Ugx0", parent_id="Ugx0", author_id="UCm", kind="reply",
        created_at=datetime(2026, 11, 19, 10, tzinfo=UTC), text="hello", likes=3, channel="v",
        edited_at=datetime(2026, 11, 19, 11, tzinfo=UTC), lang="de",
        url="https://www.youtube.com/watch?v=v&lc=Ugx1",
    )  # fmt: skip


def test_a_comment_that_was_never_changed_has_no_edit() -> None:
    assert rows(comment())[0].edited_at is None


def test_who_pays_is_read_once_a_day_and_counted() -> None:
    told = {"memberDetails": {"channelId": "UCm", "displayName": "Mira"}, "membershipsDetails": {}}
    net = Net({"/youtube/v3/members": {"items": [{"snippet": told}]}})
    options = OPTIONS.model_copy(update={"memberships": True})
    items, cursor = net.fetch(options=options)
    found = [row for one in items[1:] for row in youtube.rows(one, options)]
    assert [getattr(row, "member_id", None) or (row.metric, row.value) for row in found] == [
        "UCm", ("members", 1)]  # fmt: skip
    net.fetch(cursor, options=options, now=NOW + timedelta(hours=1))
    assert net.paths().count("members") == 1
    net.bodies["/youtube/v3/members"] = (403, "insufficientPermissions")
    with pytest.raises(SourceFailed, match="y: .*scope youtube.channel-memberships.creator"):
        net.fetch(options=options)


def test_what_the_channel_writes_is_staff_s() -> None:
    found = rows(comment(authorChannelId={"value": US}))[0]
    assert (found.author_role, found.direction) == ("staff", "outbound")


@pytest.mark.parametrize("told", [{"authorChannelId": None}, {"authorChannelId": {}}])
def test_a_comment_outlives_its_author(told: Any) -> None:
    (found,) = rows(comment(**told))
    assert (found.author_id, found.text) == (None, "hello")


def table(*rows: Any) -> dict[str, Any]:
    names = ("day", "subscribersGained", "subscribersLost")
    return {"columnHeaders": [{"name": name} for name in names], "rows": list(rows)}


def test_earlier_subscribers_are_today_s_less_what_was_gained_since() -> None:
    told = table(["2026-11-15", 5, 1], ["2026-11-17", 10, 0], ["2026-11-16", 0, 3])
    found = rows(told, "days", counted={"2026-11-16": 996}, now=1000)
    assert [(one.measured_on.day, one.value, one.gained, one.lost) for one in found] == [
        (17, 1000, 10, 0), (16, 996, 0, 3), (15, 993, 5, 1)]  # fmt: skip


def test_reports_are_read_whole_once_and_then_a_week_back() -> None:
    net = Net({"/v2/reports": table(["2026-11-17", 10, 0])})
    items, cursor = net.fetch(secret=OWNER)
    days = [one for one in items if one.stream == "days"]
    audience = [row for one in days for row in youtube.rows(one, OPTIONS)]
    assert [row.measured_on for row in audience if isinstance(row, Audience)] == [
        date(2026, 11, 17)]  # fmt: skip
    _, cursor = net.fetch(cursor, secret=OWNER, now=NOW + timedelta(hours=1))
    net.fetch(cursor, secret=OWNER, now=NOW + timedelta(days=1))
    starts = [one.url.params["startDate"] for one in net.asked if one.url.path == "/v2/reports"]
    assert starts == ["2026-01-01", "2026-11-14"]


def test_a_key_alone_reads_no_reports_and_stands_in_no_header() -> None:
    net = Net()
    net.fetch()
    assert all(request.url.params["key"] == "key" for request in net.asked)
    assert "/v2/reports" not in net.paths()
    net.fetch(secret=json.dumps({"key": "k", **json.loads(OWNER)}))
    assert "/v2/reports" in net.paths()


def test_a_missing_scope_is_named() -> None:
    net = Net()
    net.scopes = SCOPES[:1]
    with pytest.raises(SourceFailed, match="y: .*lacks the scope .*yt-analytics.readonly"):
        net.fetch(secret=OWNER)
    net = Net({"/v2/reports": (403, "insufficientPermissions")})
    with pytest.raises(SourceFailed, match="y: .*scope yt-analytics.readonly"):
        net.fetch(secret=OWNER)


THREADS = "/youtube/v3/commentThreads"


def test_replies_are_read_where_a_thread_brought_too_few_and_again_when_there_are_more() -> None:
    reply = comment("Ugx1.r", parentId="Ugx1")
    net = Net({THREADS: {"items": [thread("Ugx1", 9, reply), thread("Ugx2", 1, reply)]},
               "/youtube/v3/comments": {"items": [reply]}})  # fmt: skip
    _, cursor = net.fetch()
    asked = [one.url.params.get("parentId") for one in net.asked if one.url.path.endswith("ments")]
    assert [one for one in asked if one] == ["Ugx1"]
    _, cursor = net.fetch(cursor, now=NOW + timedelta(hours=1))
    assert net.paths().count("comments") == 1
    net.bodies[THREADS] = {"items": [thread("Ugx1", 10, reply)]}
    net.fetch(cursor, now=NOW + timedelta(hours=2))
    assert net.paths().count("comments") == 2


def test_late_replies_are_looked_for_once_a_day() -> None:
    pages = {"items": [thread(at="2026-11-19T10:00:00Z")], "nextPageToken": "2"}
    net = Net({THREADS: pages})
    _, cursor = net.fetch()
    assert cursor["read_on"]["threads"] == "2026-11-20"
    old = {"items": [thread(at="2026-11-05T10:00:00Z")], "nextPageToken": "3"}
    net.bodies[THREADS] = old
    before = len(net.asked)
    net.fetch(cursor, now=NOW + timedelta(hours=1))
    assert net.paths()[before:].count("commentThreads") == 1
    before = len(net.asked)
    net.fetch(cursor, now=NOW + timedelta(days=1))
    assert net.paths()[before:].count("commentThreads") > 1


def test_what_is_stored_is_refreshed_before_it_is_thirty_days_old() -> None:
    made = NOW - timedelta(days=400)
    known, last, dates = KnownMessage("Ugx", "Ugx", made), made, []
    while last < NOW:
        now = last + timedelta(days=1)
        if steps.is_due(known, last, now):
            dates.append(now)
        last = now
    gaps = [after - before for before, after in zip([made, *dates], dates, strict=False)]
    assert max(gaps) <= timedelta(days=26) and len(dates) >= 16


def test_known_ones_are_asked_for_as_what_they_are() -> None:
    at = NOW - timedelta(days=1)
    known = [KnownMessage("v" * 11, "v" * 11, at), KnownMessage("Ugx1", "Ugx1", at),
             KnownMessage("Ugx1.r", "Ugx1", at)]  # fmt: skip
    net = Net()
    items, _ = net.fetch(known=lambda _: known)
    by_id = [one.url for one in net.asked if one.url.params.get("id") not in (None, US)]
    asked = {url.path.rpartition("/")[2]: url.params["id"] for url in by_id}
    assert asked == {"videos": "v" * 11, "commentThreads": "Ugx1", "comments": "Ugx1.r"}
    assert len([one for one in items if one.stream == "gone"]) == 3


def test_a_video_that_waits_to_be_published_is_none_yet() -> None:
    """Its owner is told of it, with the day it was put there; that becomes another."""

    def told(status: str, at: str) -> tuple[list[Item], Any]:
        place = {"videoId": "vidAAAAAAAA", "videoPublishedAt": at}
        said = {"title": "New", "channelId": US, "publishedAt": at}
        video = {"id": "vidAAAAAAAA", "snippet": said, "status": {"privacyStatus": status}}
        net = Net({"/youtube/v3/playlistItems": {"items": [{"contentDetails": place}]},
                   "/youtube/v3/videos": {"items": [video]}})  # fmt: skip
        return net.fetch(cursor)

    cursor: Any = {}
    items, cursor = told("private", "2026-10-30T10:00:00Z")
    assert not [one for one in items if one.stream == "video"]
    items, _ = told("public", "2026-11-20T10:00:00Z")
    assert [one.body["id"] for one in items if one.stream == "video"] == ["vidAAAAAAAA"]


def test_the_settings_limit_units_and_searches() -> None:
    few = OPTIONS.model_copy(update={"daily_units": 1})
    with pytest.raises(RateLimited, match="y: 1 units a day are used up") as caught:
        Net().fetch(options=few)
    assert caught.value.seconds == 20 * 3600  # to midnight in California
    none = OPTIONS.model_copy(update={"daily_searches": 1, "terms": ("a", "b")})
    net = Net()
    _, cursor = net.fetch(options=none)
    assert net.paths().count("search") == 1
    net.fetch(cursor, options=none, now=NOW + timedelta(days=1))
    assert net.paths().count("search") == 2


@pytest.mark.parametrize(
    ("status", "why", "wait"),
    [
        (403, "quotaExceeded", 72000.0),
        (403, "dailyLimitExceeded", 72000.0),
        (403, "userRateLimitExceeded", 30.0),
        (429, "x", 30.0),
        (403, "forbidden", None),
        (200, "quotaExceeded", None),
    ],
)
def test_a_wait_is_told_by_the_reason(status: int, why: str, wait: float | None) -> None:
    body = {"error": {"errors": [{"reason": why}]}}
    assert _youtube_api._wait(Answer(body, status, {}, NOW)) == wait


def test_an_unknown_channel_is_named() -> None:
    net = Net({"/youtube/v3/channels": {"pageInfo": {"totalResults": 0}}})
    handle = OPTIONS.model_copy(update={"account": "@nobody"})
    with pytest.raises(SourceFailed, match="y: YouTube knows no channel '@nobody'"):
        net.fetch(options=handle)
    with pytest.raises(SourceFailed, match="y: YouTube knows no channel"):
        youtube.check(net.api(), OPTIONS)
