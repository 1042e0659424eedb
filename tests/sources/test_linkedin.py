"""LinkedIn: what posts, comments and gains become, what is kept of members, what is asked for."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import Recorded, items_of, last_cursor

from muster.errors import RateLimited, SourceFailed
from muster.records import Audience, Item, KnownMessage, Member, Message
from muster.sources import Window, _linkedin_rows, linkedin
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = linkedin.Options(name="li", platform="linkedin", account="5", since=date(2026, 11, 1))
KEEPING = OPTIONS.model_copy(update={"keep_members": True})
US, ANNA = "urn:li:organization:5", "urn:li:person:aNnA"
SHARE = "urn:li:share:1"


def ms(days: float) -> int:
    return int((NOW - timedelta(days=days)).timestamp() * 1000)


def post(number: int = 1, days: float = 2, **more: Any) -> dict[str, Any]:
    return {"id": f"urn:li:share:{number}", "createdAt": ms(days), "publishedAt": ms(days),
            "lastModifiedAt": ms(days) + 99, "lifecycleState": "PUBLISHED", "author": US,
            "commentary": "hello", "lifecycleStateInfo": {"isEditedByAuthor": False},
            **more}  # fmt: skip


def comment(number: int = 7, actor: str | None = ANNA, days: float = 1, **more: Any) -> Any:
    return {"id": str(number), "object": "urn:li:activity:9", "actor": actor,
            "commentUrn": f"urn:li:comment:(urn:li:activity:9,{number})",
            "created": {"actor": actor, "time": ms(days)},
            "lastModified": {"actor": actor, "time": ms(days)},
            "message": {"text": "secret words", "attributes": []}, **more}  # fmt: skip


def rows(item: Item, options: Any = OPTIONS) -> list[Any]:
    return list(linkedin.rows(item, options))


def commented(body: Any, options: Any = OPTIONS) -> list[Any]:
    """The rows of a comment as it would be stored."""
    kept = _linkedin_rows.storable(body, "5", options.keep_members)
    return rows(Item("comment", kept, NOW, {"us": "5", "post": SHARE}), options)


class Site:
    """Answers by path; notes what is asked for."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {
            "/organizations/5": {"id": 5, "localizedName": "Desk"},
            f"/networkSizes/{US}": {"firstDegreeSize": 100}, **answers,
        }  # fmt: skip
        self.calls: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request)
        found = self.answers.get(request.url.path.removeprefix("/rest"), {"elements": []})
        found = found(dict(request.url.params)) if callable(found) else found
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)

    def asked(self, part: str) -> list[str]:
        return [str(one.url) for one in self.calls if part in one.url.path]

    def fetch(self, cursor: Any = None, options: Any = OPTIONS, **more: Any) -> tuple[Any, Any]:
        now = more.pop("now", NOW)
        http = Http(transport=httpx.MockTransport(self), clock=lambda: now, patience=1)
        window = Window(options, now, cursor or {}, **more)
        pages = list(linkedin.pages(linkedin.connect(options, "token", http), window))
        return items_of(pages), last_cursor(pages)


def figures(count: int, views: int = 50) -> dict[str, Any]:
    told = {"commentCount": count, "likeCount": 3, "shareCount": 2, "impressionCount": views}
    return {"elements": [{"share": SHARE, "totalShareStatistics": told}]}


def test_a_post() -> None:
    told = figures(4)["elements"][0]["totalShareStatistics"]
    (found,) = rows(Item("post", post(), NOW, {"figures": told}))
    assert found == Message(
        message_id=SHARE, thread_id=SHARE, author_id=US, author_role="staff", kind="post",
        direction="outbound", created_at=NOW - timedelta(days=2), text="hello", likes=3,
        reposts=2, replies=4, views=50, url="https://www.linkedin.com/feed/update/urn:li:share:1/",
    )  # fmt: skip


def test_edits_reshares_and_drafts() -> None:
    edited = post(lifecycleStateInfo={"isEditedByAuthor": True}, lastModifiedAt=ms(1))
    assert rows(Item("post", edited, NOW))[0].edited_at == NOW - timedelta(days=1)
    shared = {"parent": "urn:li:share:9"}
    assert rows(Item("post", post(reshareContext=shared), NOW))[0].kind == "quote"
    assert rows(Item("post", post(reshareContext=shared, commentary=""), NOW))[0].kind == "repost"
    assert rows(Item("post", post(lifecycleState="DRAFT"), NOW)) == []


@pytest.mark.parametrize(
    ("little", "plain"),
    [
        (r"1 \(one\) \@ home \{x\} \\ \*", r"1 (one) @ home {x} \ *"),
        (r"Hi @[Ada \(she\)](urn:li:person:x_1-Z)!", "Hi Ada (she)!"),
        (r"{hashtag|\#|wifi} {hashtag|#|Café}", "#wifi #Café"),
        ("no marks at all", "no marks at all"),
    ],
)
def test_little_text_becomes_plain(little: str, plain: str) -> None:
    assert _linkedin_rows.plain(little) == plain


@given(st.text(max_size=300))
def test_any_text_becomes_plain(text: str) -> None:
    assert isinstance(_linkedin_rows.plain(text), str)


def test_of_others_neither_name_nor_words_are_kept() -> None:
    body = comment(likesSummary={"selectedLikes": ["urn:li:like:(urn:li:person:bEn,1)"],
                                 "totalLikes": 2}, content=[{"text": "secret words"}],
                   agent="urn:li:person:cAt")  # fmt: skip
    kept = _linkedin_rows.storable(body, "5", False)
    for secret in ("aNnA", "bEn", "cAt", "secret words"):
        assert secret not in json.dumps(kept)
    (found,) = commented(body)
    assert (found.author_id, found.author_role, found.text) == (None, "member", None)
    assert (found.direction, found.likes, found.parent_id) == ("inbound", 2, SHARE)


def test_they_are_where_linkedin_allows_it() -> None:
    found, member = commented(comment(), KEEPING)
    assert (found.author_id, found.text) == (ANNA, "secret words")
    assert member == Member(member_id=ANNA)


def test_our_own_comments_are_kept_but_not_who_of_us_wrote_them() -> None:
    body = comment(actor=US, parentComment="urn:li:comment:(urn:li:activity:9,7)")
    body["created"]["impersonator"] = "urn:li:person:aDmin"
    assert "aDmin" not in json.dumps(_linkedin_rows.storable(body, "5", False))
    (found,) = commented(body)
    assert (found.author_role, found.direction, found.text) == ("staff", "outbound", "secret words")
    assert (found.kind, found.parent_id) == ("reply", "urn:li:comment:(urn:li:activity:9,7)")


def test_nothing_of_members_leaves_the_fetch() -> None:
    one = Recorded("linkedin")
    told = json.dumps([[item.body, item.context] for item in items_of(one.pages(one.wire()))])
    assert "urn:li:person" not in told and "Can guests" not in told


def test_a_comment_without_its_urn_has_one_made() -> None:
    body = comment()
    del body["commentUrn"]
    assert commented(body)[0].message_id == "urn:li:comment:(urn:li:activity:9,7)"


def test_comments_are_read_only_where_their_number_has_changed() -> None:
    answered = {"commentsSummary": {"totalFirstLevelComments": 1}}
    site = Site(**{
        "/posts": {"elements": [post()]}, "/organizationalEntityShareStatistics": figures(2),
        f"/socialActions/{SHARE}/comments": {"elements": [comment(7, **answered)]},
        "/socialActions/urn:li:comment:(urn:li:activity:9,7)/comments":
            {"elements": [comment(8, US)]},
    })  # fmt: skip
    items, cursor = site.fetch()
    assert [item.body["id"] for item in items if item.stream == "comment"] == ["7", "8"]
    assert not [one for one in cursor["streams"] if one.startswith("comments:")]
    before = len(site.asked("/socialActions/"))
    site.fetch(cursor)
    assert len(site.asked("/socialActions/")) == before == 2
    site.answers["/organizationalEntityShareStatistics"] = figures(3)
    site.fetch(cursor)
    assert len(site.asked("/socialActions/")) == 4


def test_addresses_are_as_rest_li_takes_them() -> None:
    posts = {"elements": [post(1), post(2), post(3, id="urn:li:ugcPost:3")]}
    site = Site(**{"/posts": posts})
    site.fetch()
    shares, ugc = site.asked("ShareStatistics")
    assert shares.endswith("&shares=List(urn%3Ali%3Ashare%3A1,urn%3Ali%3Ashare%3A2)")
    assert ugc.endswith("&ugcPosts=List(urn%3Ali%3AugcPost%3A3)")
    (gains,) = site.asked("FollowerStatistics")
    assert "timeIntervals=(timeRange:(start:1793491200000,end:" in gains
    assert {one.headers["linkedin-version"] for one in site.calls} == {"202607"}
    assert {one.headers["x-restli-protocol-version"] for one in site.calls} == {"2.0.0"}


def gain(day: int, organic: int, paid: int = 0) -> dict[str, Any]:
    start = int(datetime(2026, 11, day, tzinfo=UTC).timestamp() * 1000)
    return {"followerGains": {"organicFollowerGain": organic, "paidFollowerGain": paid},
            "timeRange": {"start": start, "end": start + 86_400_000}}  # fmt: skip


def test_past_followers_are_counted_back_and_measured_ones_stay() -> None:
    context = {"us": "5", "first": ["2026-11-13", 100], "totals": {"2026-11-13": 100}}
    body = {"elements": [gain(10, 1), gain(11, 5), gain(12, -2, 1), gain(13, 4), gain(14, 1)]}
    found = rows(Item("gains", body, NOW, context))
    assert all(isinstance(one, Audience) for one in found)
    told = {one.measured_on.day: (one.value, one.gained, one.lost) for one in found}
    assert told == {13: (100, 4, 0), 12: (100, 0, 1), 11: (101, 5, 0), 10: (96, 1, 0)}


def test_days_of_gains_end_three_days_ago_and_are_read_again() -> None:
    def last(site: Site) -> str:
        return site.asked("FollowerStatistics")[-1]

    site = Site()
    _, cursor = site.fetch()
    end = int(datetime(2026, 11, 18, tzinfo=UTC).timestamp() * 1000)
    assert f"end:{end})" in last(site)
    site.fetch(cursor, now=NOW + timedelta(days=1))
    start = int(datetime(2026, 11, 11, tzinfo=UTC).timestamp() * 1000)
    assert f"start:{start}," in last(site)


def test_a_range_of_days_that_is_not_taken_costs_only_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = httpx.Response(400, json={"message": "Invalid timeIntervals parameter"})
    site = Site(
        **{"/organizationalEntityFollowerStatistics": told, "/posts": {"elements": [post()]}}
    )
    items, cursor = site.fetch()
    assert {item.stream for item in items} == {"post", "account", "followers"}
    assert "li: no gains of 2026-11-01 to 2026-11-17" in caplog.text
    assert cursor["days"][""]["through"] == "2026-11-17"


def gone(items: list[Item]) -> list[str]:
    return [row.message_id for item in items if item.stream == "gone" for row in rows(item)]


def test_what_is_not_found_any_more_is_a_deletion() -> None:
    urn = "urn:li:comment:(urn:li:activity:9,7)"
    known = [KnownMessage(urn, SHARE, NOW - timedelta(days=3)),
             KnownMessage(SHARE, SHARE, NOW - timedelta(days=3))]  # fmt: skip
    site = Site(**{f"/socialActions/{SHARE}/comments/7": httpx.Response(404, json={}),
                   f"/posts/{SHARE}": post()})  # fmt: skip
    items, _ = site.fetch(known=lambda at: known)
    assert gone(items) == [urn]
    site.answers[f"/socialActions/{SHARE}/comments/7"] = httpx.Response(403, json={})
    assert gone(site.fetch(known=lambda at: known)[0]) == []


def test_a_spent_day_is_waited_for_until_midnight() -> None:
    with pytest.raises(RateLimited) as caught:
        Site(**{"/posts": httpx.Response(429, json={"code": "TOO_MANY_REQUESTS"})}).fetch()
    assert caught.value.seconds == 12 * 3600


def test_a_version_that_has_died_is_said() -> None:
    with pytest.raises(SourceFailed, match="li: LinkedIn has switched off version 202607"):
        Site(**{"/posts": httpx.Response(426, json={})}).fetch()


def test_missing_scopes_are_named() -> None:
    http = Http(transport=httpx.MockTransport(lambda _: httpx.Response(403, json={})))
    with pytest.raises(SourceFailed, match="r_organization_social, rw_organization_admin"):
        linkedin.check(linkedin.connect(OPTIONS, "token", http), OPTIONS)


NOTICE = "/organizationalEntityNotifications"


def notice(post: str = "urn:li:share:77", owner: str = ANNA, days: float = 1) -> dict[str, Any]:
    return {"notificationId": 9, "organizationalEntity": US, "action": "SHARE_MENTION",
            "sourcePost": post, "generatedActivity": post, "lastModifiedAt": ms(days),
            "decoratedGeneratedActivity": {"share": {
                "entity": post, "owner": owner, "text": f"thanks, @[Desk]({US})"}},
            "subscriber": "urn:li:person:aDmin"}  # fmt: skip


def mentions(*told: Any, options: Any = OPTIONS, **more: Any) -> list[Any]:
    items, _ = Site(**{NOTICE: {"elements": list(told)}}).fetch(options=options, **more)
    assert ANNA not in repr(items) or options.keep_members
    assert "aDmin" not in repr(items) or options.keep_members
    return [row for item in items if item.stream == "mention" for row in rows(item, options)]


def test_a_post_of_others_that_mentions_us() -> None:
    (kept,) = mentions(notice())
    assert (kept.message_id, kept.thread_id) == ("urn:li:share:77", "urn:li:share:77")
    assert (kept.kind, kept.direction, kept.author_role) == ("post", "inbound", "member")
    assert kept.created_at == NOW - timedelta(days=1)
    assert (kept.author_id, kept.text) == (None, None)


def test_who_mentions_us_and_how_is_kept_where_linkedin_allows_it() -> None:
    told, member = mentions(notice(), options=KEEPING)
    assert (told.author_id, told.text, member.member_id) == (ANNA, "thanks, Desk", ANNA)


def test_a_mention_that_is_told_again_later_keeps_its_first_date() -> None:
    """It bears the date of its last change: in another month it would be another message."""
    _, cursor = Site(**{NOTICE: {"elements": [notice(days=1)]}}).fetch()
    (again,) = mentions(notice(days=-20), cursor=cursor, now=NOW + timedelta(days=21))
    assert again.created_at == NOW - timedelta(days=1)


def test_where_we_mention_ourselves_our_own_post_stands() -> None:
    assert mentions(notice(owner=US)) == []


def test_mentions_are_asked_for_as_far_back_as_they_are_told_and_then_from_the_last_time() -> None:
    site = Site()
    _, cursor = site.fetch(options=OPTIONS.model_copy(update={"since": date(2026, 1, 1)}))
    site.fetch(cursor)
    first, second = site.asked(NOTICE)
    assert f"timeRange=(start:{ms(60)},end:{ms(0)})" in first
    assert f"timeRange=(start:{ms(1)},end:{ms(0)})" in second
    site.fetch(since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2026, 1, 9, tzinfo=UTC))
    assert len(site.asked(NOTICE)) == 2


def test_a_mention_is_not_looked_up_as_if_it_were_ours() -> None:
    site = Site(**{NOTICE: {"elements": [notice()]}})
    _, cursor = site.fetch()
    at = NOW - timedelta(days=1)
    known = [KnownMessage("urn:li:share:77", "urn:li:share:77", at)]
    site.fetch(cursor, now=NOW + timedelta(days=2.5), known=lambda _: known)
    assert site.asked("/posts/") == []
