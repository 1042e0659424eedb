"""GitHub: late comments, edits, deletions, pages that shift, limits and refusals."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fetching import Fetching, seen
from github_repository import HOUR, START, Repository, small_repository
from recorded import private_key

from muster.clock import DAY
from muster.errors import RateLimited, SourceFailed
from muster.records import Audience, Deletion, Member, Thread
from muster.sources import github

NOW = START + 18 * DAY
SOON = str(int(NOW.timestamp()) + 9)
OPTIONS = github.Options(name="code", platform="github", account="campus/desk", token="env:T")
fetch = Fetching(github, OPTIONS, NOW)


def other(**options: Any) -> Fetching:
    return Fetching(github, OPTIONS.model_copy(update=options), NOW)


def missing(items: Any) -> list[str]:
    gone = [item for item in items if item.stream == "gone"]
    return [row.message_id for row in fetch.rows(gone, Deletion)]


def test_a_thread_is_told_whole() -> None:
    found = fetch.messages(fetch(small_repository())[0])
    question, answer = found["1"], found["issuecomment-102"]
    assert (question.text, question.direction, question.kind) == (
        "VPN fails & I cannot log in", "inbound", "post")  # fmt: skip
    assert (answer.text, answer.thread_id, answer.direction) == ("Try now", "1", "outbound")
    assert answer.edited_at == START + 4 * HOUR
    assert found["issuecomment-101"].author_role == "bot"
    assert found["2"].author_id is None and found["2"].text == ""
    assert found["issuecomment-103"].likes == 2
    assert found["issuecomment-103"].channel == "pull requests"
    review = found["pullrequestreview-401"]
    assert (review.text, review.thread_id, review.direction) == ("Well done", "3", "outbound")
    assert "pullrequestreview-402" not in found
    assert found["discussion_r202"].parent_id == "discussion_r201"
    assert found["discussion_r202"].thread_id == "3"


def test_a_discussion_is_told_with_its_replies_and_its_answer() -> None:
    items = fetch(small_repository())[0]
    found = fetch.messages(items)
    answer, reply = found["discussioncomment-301"], found["discussioncomment-302"]
    assert answer.is_solution and answer.likes == 2 and answer.thread_id == "discussion-12"
    assert (reply.parent_id, reply.kind) == ("discussioncomment-301", "reply")
    assert found["discussioncomment-306"].parent_id == "discussioncomment-301"  # on the next page
    assert answer.replies == 3
    (thread,) = [one for one in fetch.rows(items, Thread) if one.thread_id == "discussion-12"]
    assert thread.solved_at == START + 356 * HOUR and thread.solved_by == "1"
    assert thread.channel == "Q&A" and thread.tags == ("wlan",)
    assert "discussioncomment-304" in {one.message_id for one in fetch.rows(items, Deletion)}


def test_only_what_changed_is_read_again() -> None:
    there = small_repository()
    cursor = fetch(there)[1]
    there.comment(120, 2, "desk", START + 429 * HOUR, "Late answer")
    there.comments[101].update(body="Edited", updated_at="2026-11-20T05:00:00Z")
    there.reply(320, 11, "desk", START + 430 * HOUR, "Late reply")
    items, _ = fetch(there, cursor, NOW + HOUR)
    found = fetch.messages(items)
    assert {"issuecomment-120", "2", "discussioncomment-320", "discussion-11"} <= set(found)
    assert found["issuecomment-101"].text == "Edited" and found["issuecomment-101"].edited_at
    assert not {"issuecomment-102", "discussion_r201", "3"} & set(found)


def test_an_account_that_is_gone_wrote_nothing() -> None:
    there = small_repository()
    there.join("ghost", 10137)
    there.open(7, "ghost", START + HOUR, "Lost")
    items, _ = fetch(there)
    assert fetch.messages(items)["7"].author_id is None
    assert "10137" not in {row.member_id for row in fetch.rows(items, Member)}


def test_a_discussion_that_did_not_change_is_not_read_again() -> None:
    there = small_repository()
    cursor = fetch(there)[1]
    there.asked.clear()
    fetch(there, cursor, NOW + HOUR)
    asked = {one for one in there.asked if one.startswith("discussion ")}
    assert "discussion 11" not in asked and "discussion 13" in asked


def test_a_repository_without_discussions_is_not_asked_for_them() -> None:
    there = small_repository()
    there.has_discussions = False
    found = fetch.messages(fetch(there)[0])
    assert "1" in found and "discussion-12" not in found


def test_what_moves_while_pages_are_read_costs_no_neighbour() -> None:
    there = Repository(per_page=2)
    there.join("anna", 11)
    for number in range(1, 7):
        there.open(number, "anna", START + number * HOUR)
    moved = False

    def restless(request: httpx.Request) -> httpx.Response:
        nonlocal moved
        answer = there(request)
        if request.url.path.endswith("/issues") and not moved:
            moved = True
            there.issues[1]["updated_at"] = "2026-11-19T00:00:00Z"
        return answer

    assert set(fetch.messages(fetch(restless)[0])) == {"1", "2", "3", "4", "5", "6"}


def test_many_changes_in_one_instant_end() -> None:
    there = Repository(per_page=2)
    there.join("anna", 11)
    for number in range(1, 8):
        there.open(number, "anna", START)
    assert len(fetch.messages(fetch(there)[0])) == 7


def test_missing_comments_and_threads_are_deletions() -> None:
    there = small_repository()
    cursor = fetch(there)[1]
    del there.comments[103]
    lost = ("issuecomment-103", "3", START + 301 * HOUR)
    now = lost[2] + 7 * DAY + HOUR
    items, _ = fetch(there, cursor, now, known=seen(lost))
    assert missing(items) == ["issuecomment-103"]
    (gone,) = [row for row in fetch.rows(items, Deletion) if row.message_id == lost[0]]
    assert gone.deleted_at == now
    assert "3" in fetch.messages(items)


def test_a_review_without_its_words_is_a_deletion_and_another_is_not() -> None:
    there, at = small_repository(), START + 305 * HOUR
    there.review(403, 3, "bela", at, "Thank you")
    cursor = fetch(there)[1]
    there.reviews[401]["body"] = ""
    known = seen(*((f"pullrequestreview-{number}", "3", at) for number in (401, 403)))
    items, _ = fetch(there, cursor, at + 7 * DAY + HOUR, known=known)
    assert missing(items) == ["pullrequestreview-401"]


def test_an_issue_moved_to_another_repository_is_gone() -> None:
    there = small_repository()
    cursor = fetch(there)[1]
    there.issues[4]["repository_url"] = "https://api.github.com/repos/campus/other"
    at = START + 400 * HOUR
    items, _ = fetch(there, cursor, at + 3 * DAY + HOUR, known=seen(("4", "4", at)))
    assert missing(items) == ["4"]


def test_a_comment_that_cannot_be_read_is_not_taken_for_deleted() -> None:
    there = small_repository()
    cursor = fetch(there)[1]
    there.comments[103]["id"] = "odd"
    at = START + 301 * HOUR
    known = seen(("issuecomment-103", "3", at))
    items, _ = fetch(there, cursor, at + 7 * DAY + HOUR, known=known)
    broken = [item for item in items if item.body and item.body.get("id") == "odd"]
    assert broken and not missing(items)


def test_messages_before_the_start_of_the_settings_are_not_taken_for_deleted() -> None:
    there = small_repository()
    since = other(since=(START + 10 * DAY).date())
    cursor = since(there)[1]
    items, _ = since(there, cursor, START + 30 * DAY + HOUR, known=seen(("1", "1", START)))
    assert not missing(items)


def test_stars_of_the_past_are_followers_gained_by_day() -> None:
    items = fetch(small_repository())[0]
    days = {one.measured_on.isoformat(): one for one in fetch.rows(items, Audience)
            if one.metric == "followers"}  # fmt: skip
    told = {day: (one.value, one.gained) for day, one in days.items()}
    assert told == {"2026-09-25": (2, 2), "2026-10-29": (3, 1), "2026-11-19": (4, 1),
                    "2026-11-20": (4, None)}  # fmt: skip


def test_views_are_told_for_days_that_are_over() -> None:
    items = fetch(small_repository())[0]
    found = [one for one in fetch.rows(items, Audience) if one.metric == "views"]
    assert [(one.measured_on.isoformat(), one.value) for one in found] == [("2026-11-18", 9)]
    there = small_repository()
    there.may_push = False
    assert not [path for path in (fetch(there), there.asked)[1] if "traffic" in path]


def test_teams_are_groups() -> None:
    there = small_repository()
    members = fetch.rows(fetch(there, groups=("desk-team",))[0], Member)
    found = {one.member_id: one.groups for one in members}
    assert found["1"] == ("desk-team",) and found["11"] == ()
    assert {one.groups for one in fetch.rows(fetch(there)[0], Member)} == {None}


def test_without_a_token_discussions_are_not_asked_for() -> None:
    there = small_repository()
    open_to_all = other(token=None)
    found, cursor = open_to_all(there)
    assert "1" in fetch.messages(found)
    assert not [one for one in there.asked if "graphql" in one]
    at = START + 350 * HOUR
    known = seen(("discussion-12", "discussion-12", at))
    assert not missing(open_to_all(there, cursor, at + 7 * DAY + HOUR, known=known)[0])


@pytest.mark.parametrize(("status", "headers", "message", "wait"), [
    (403, {"retry-after": "30"}, "You have exceeded a secondary rate limit", 30),
    (403, {}, "You have exceeded a secondary rate limit", 60),
    (429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": SOON}, "", 10),
    (200, {"x-ratelimit-reset": SOON}, None, 10),
])  # fmt: skip
def test_every_limit_is_waited_for(status: int, headers: Any, message: Any, wait: float) -> None:
    body = {"message": message} if message is not None else {"errors": [{"type": "RATE_LIMITED"}]}
    with pytest.raises(RateLimited) as caught:
        fetch(lambda request: httpx.Response(status, headers=headers, json=body))
    assert caught.value.seconds == wait


def test_what_the_token_may_not_read_is_named() -> None:
    there = small_repository()

    def refuse(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/graphql":
            problem = {"type": "FORBIDDEN", "message": "Resource not accessible"}
            return httpx.Response(200, json={"data": {"repository": None}, "errors": [problem]})
        return there(request)

    with pytest.raises(SourceFailed, match="read access to Metadata and Discussions"):
        fetch(refuse)
    with pytest.raises(SourceFailed, match="check account; a private one needs a token"):
        fetch(lambda request: httpx.Response(404, json={"message": "Not Found"}))
    there.may_push = False
    assert "Administration: read" in github.check(fetch.api(there), OPTIONS)


def test_a_backfill_asks_from_its_start_and_keeps_to_its_window() -> None:
    there = small_repository()
    start, end = START + 200 * HOUR, START + 352 * HOUR + timedelta(minutes=1)
    found = fetch.messages(fetch(there, since=start, until=end)[0])
    assert {"3", "issuecomment-103", "discussion-12"} <= set(found)
    assert not {"1", "4", "discussion-11", "discussion-13"} & set(found)


def test_what_a_term_finds_elsewhere_is_ambient_and_looked_at_again() -> None:
    there, found = small_repository(), other(terms=("eduroam",))
    items, cursor = found(there)
    one = found.messages(items)["city/portal#4"]
    assert (one.direction, one.channel, one.author_role) == ("ambient", "city/portal", "member")
    assert one.url == "https://github.com/city/portal/issues/4" and one.replies == 1
    there.foreign[1]["body"] = "edited"
    del there.foreign[0]
    at = START + 8 * HOUR
    known = seen(("city/portal#4", "city/portal#4", at), ("city/portal#3", "city/portal#3", at))
    items, _ = found(there, cursor, at + 30 * DAY, known=known)
    assert missing(items) == ["city/portal#4"]
    assert found.messages(items)["city/portal#3"].text == "edited"


def test_an_app_signs_in_and_renews_its_token() -> None:
    there, granted, key = small_repository(), 0, private_key("RS256")
    public = load_pem_private_key(key.encode(), None).public_key()

    def server(request: httpx.Request) -> httpx.Response:
        nonlocal granted
        token = request.headers["authorization"].removeprefix("Bearer ")
        if request.url.path == "/app/installations/77/access_tokens":
            claims = pyjwt.decode(token, public, ["RS256"], options={"verify_iat": False,
                                  "verify_exp": False})  # fmt: skip
            assert claims == {"iss": "5", "iat": int(NOW.timestamp()) - 60,
                              "exp": int(NOW.timestamp()) + 480}  # fmt: skip
            granted += 1
            return httpx.Response(201, json={"token": f"ghs_{granted}", "expires_at": "soon"})
        if "/issues" in request.url.path and token != "ghs_2":
            return httpx.Response(401, json={"message": "Bad credentials"})
        return there(request)

    secret = json.dumps({"app_id": 5, "installation_id": 77, "private_key": key})
    app = Fetching(github, OPTIONS, NOW, secret=secret)
    assert "1" in app.messages(app(server)[0]) and granted == 2
    for told in ({"app_id": 5}, {"app_id": 5, "installation_id": 7, "private_key": "no key"}):
        with pytest.raises(SourceFailed, match="a GitHub App's"):
            Fetching(github, OPTIONS, NOW, secret=json.dumps(told)).api(server)
