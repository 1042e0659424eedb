"""Stack Exchange: threads, late comments, deletions, quotas, and a recorded page of questions."""

from __future__ import annotations

import html
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fetching import Fetching, seen
from real import absent, bodies
from stackexchange_site import HOME, HOUR, START, epoch, small_site

from muster.clock import DAY
from muster.errors import RateLimited, SourceFailed
from muster.records import Audience, Deletion, Item, Member, Message, Thread
from muster.sources import stackexchange

NOW = START + 18 * DAY
OPTIONS = stackexchange.Options(
    name="stack", platform="stackexchange", account="desk", tags=("vpn",), terms=("eduroam",),
    token="env:KEY",
)  # fmt: skip
fetch = Fetching(stackexchange, OPTIONS, NOW)
OURS = Fetching(stackexchange, OPTIONS.model_copy(update={"tags": (), "terms": ()}), NOW)


def test_a_question_is_told_with_its_answers_and_comments() -> None:
    items = fetch(small_site())[0]
    found = fetch.messages(items)
    question, answer, comment = found["40"], found["50"], found["c90"]
    assert (question.text, question.kind, question.direction, question.parent_id) == (
        "My VPN fails & I cannot log in", "post", "inbound", None)  # fmt: skip
    assert (answer.text, answer.parent_id, answer.thread_id) == ("Try now", "40", "40")
    assert answer.is_solution and answer.direction == "outbound" and answer.likes == 0
    assert (comment.text, comment.parent_id, comment.thread_id) == ("Works, thanks", "50", "40")
    assert found["51"].author_id is None and found["41"].author_id is None
    assert found["42"].edited_at == START + 33 * HOUR and found["42"].views == 12
    assert found["50"].url == f"{HOME}/a/50"
    threads = {row.thread_id: row for row in fetch.rows(items, Thread)}
    assert threads["40"].title == "How 'to' 40?" and threads["40"].solved_by == "1"
    assert threads["43"].closed_at == START + 402 * HOUR
    assert threads["42"].solved_by is None


def test_what_only_a_term_found_is_ambient_and_stays_it() -> None:
    there = small_site()
    there.answer(60, 44, 11, START + 403 * HOUR, "<p>No</p>")
    items, cursor = fetch(there)
    assert fetch.messages(items)["44"].direction == "ambient"
    assert fetch.messages(items)["60"].direction == "ambient"
    known = seen(("44", "44", START + 401 * HOUR))
    again = fetch(there, cursor, NOW + DAY, known=known)[0]
    assert fetch.messages(again)["44"].direction == "ambient"


def test_late_answers_to_old_questions_are_read_and_neighbours_are_not() -> None:
    there = small_site()
    cursor = fetch(there)[1]
    there.answer(70, 41, 1, NOW + HOUR, "<p>Driver?</p>")
    found = fetch.messages(fetch(there, cursor, NOW + 2 * HOUR)[0])
    assert {"70", "41"} <= set(found) and not {"40", "50", "42"} & set(found)


def test_late_comments_on_young_questions_are_read_the_next_day() -> None:
    there = small_site()
    there.ask(45, 11, NOW - HOUR, "<p>Newest</p>", "vpn")  # so that no overlap reaches the young
    cursor = fetch(there)[1]
    there.comment(95, 43, 1, NOW + HOUR, "Which one?")
    known = seen(("43", "43", START + 400 * HOUR))
    found = fetch.messages(fetch(there, cursor, NOW + DAY, known=known)[0])
    assert found["c95"].parent_id == "43"


def test_what_is_missing_on_the_look_again_is_a_deletion() -> None:
    there = small_site()
    cursor = fetch(there)[1]
    del there.comments[91], there.questions[43]
    lost = [("c91", "42", START + 34 * HOUR), ("43", "43", START + 400 * HOUR),
            ("42", "42", START + 31 * HOUR)]  # fmt: skip
    now = START + 34 * HOUR + 30 * DAY
    items, _ = fetch(there, cursor, now, known=seen(*lost))
    assert {row.message_id for row in fetch.rows(items, Deletion)} == {"c91", "43"}


def test_an_edit_is_read_by_its_activity() -> None:
    there = small_site()
    cursor = fetch(there)[1]
    changed = {"body": "<p>Solved</p>", "last_edit_date": epoch(NOW)}
    there.questions[41].update(changed, last_activity_date=epoch(NOW))
    edited = fetch.messages(fetch(there, cursor, NOW + HOUR)[0])["41"]
    assert (edited.text, edited.edited_at) == ("Solved", NOW)


def test_members_are_told_by_their_profiles() -> None:
    items = fetch(small_site())[0]
    members = {row.member_id: row for row in fetch.rows(items, Member) if row.joined_at}
    assert members["11"].handle == "Anna & Co" and members["11"].location == "Zürich"
    assert members["1"].role == "staff" and members["1"].platform_roles == ("moderator",)
    keyless = Fetching(stackexchange, OPTIONS.model_copy(update={"token": None}), NOW, secret=None)
    there = small_site()
    keyless(there)
    assert not [one for one in there.asked if "/users" in one or "key=" in one]


def test_a_site_of_ones_own_is_read_whole_and_counted() -> None:
    there = small_site()
    items = OURS(there)[0]
    assert "44" in OURS.messages(items)
    (size,) = OURS.rows(items, Audience)
    assert (size.metric, size.value, size.account) == ("members", 3, "desk")
    assert not fetch.rows(fetch(there)[0], Audience)


def test_the_filter_is_made_once() -> None:
    there = small_site()
    cursor = fetch(there)[1]
    fetch(there, cursor, NOW + HOUR)
    assert len([one for one in there.asked if "/filters/create" in one]) == 1


def test_a_pause_that_an_answer_asks_for_is_kept() -> None:
    there = small_site()
    there.more = {"backoff": 10}
    with pytest.raises(RateLimited) as caught:
        fetch(there)
    assert caught.value.seconds == 11 and len(there.asked) == 1


@pytest.mark.parametrize(("told", "wait"), [
    ("too many requests from this IP, more requests available in 40823 seconds", 40824),
    ("slow down", 60),
])  # fmt: skip
def test_a_spent_quota_is_waited_for(told: str, wait: float) -> None:
    body = {"error_id": 502, "error_name": "throttle_violation", "error_message": told}
    with pytest.raises(RateLimited) as caught:
        fetch(lambda request: httpx.Response(400, json=body))
    assert caught.value.seconds == wait


def test_the_check_tells_the_quota_and_what_to_look_at() -> None:
    assert stackexchange.check(fetch.api(small_site()), OPTIONS) == (
        "reads questions tagged vpn of desk; 299 of today's 300 requests are left"
    )
    body = {"error_id": 400, "error_message": "No site found for name `desk`"}
    api = fetch.api(lambda request: httpx.Response(400, json=body))
    with pytest.raises(SourceFailed, match="No site found .*: check account"):
        stackexchange.check(api, OPTIONS)


@absent
def test_every_recorded_question_is_a_message_and_a_thread() -> None:
    found: list[Any] = [
        told for _, body in bodies("stackexchange") if isinstance(body, dict)
        for told in body.get("items", ()) if "question_id" in told
    ]  # fmt: skip
    assert len(found) >= 10
    for told in found:
        item = Item("question", told, NOW)
        message, thread, *members = OURS.platform.rows(item, OURS.options)
        assert isinstance(message, Message) and isinstance(thread, Thread)
        assert message.message_id == message.thread_id == str(told["question_id"])
        assert message.created_at == datetime.fromtimestamp(told["creation_date"], UTC)
        assert message.author_id == (str(told["owner"].get("user_id", "")) or None)
        assert (message.text is None) == ("body" not in told) and message.url == told["link"]
        assert thread.title == " ".join(html.unescape(told["title"]).split())
        assert thread.tags == tuple(told["tags"]) and message.views == told["view_count"]
        assert len(members) == (message.author_id is not None)
