"""Slack: threads, late replies, edits, deletions, text, refusals, and messages of production."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from fetching import Fetching, seen
from hypothesis import given
from hypothesis import strategies as st
from real import absent, bodies, objects
from slack_workspace import HOUR, START, small_workspace, ts

from muster.clock import DAY
from muster.errors import RateLimited, SourceFailed
from muster.records import Audience, Deletion, Item, Member, Message
from muster.sources import slack
from muster.sources._slack_rows import at, plain

NOW = START + 18 * DAY
OPTIONS = slack.Options(name="slack", platform="slack", token="env:T")
fetch = Fetching(slack, OPTIONS, NOW)
ROOT = f"C1:{ts(START + HOUR)}"


def test_a_thread_is_told_with_its_replies() -> None:
    found = fetch.messages(fetch(small_workspace())[0])
    question, answer = found[ROOT], found[f"C1:{ts(START + 2 * HOUR)}"]
    assert (question.text, question.thread_id, question.parent_id, question.replies) == (
        "My VPN fails & @desk sleeps in #random", ROOT, None, 2)  # fmt: skip
    assert (answer.text, answer.thread_id, answer.parent_id) == ("Try this", ROOT, ROOT)
    assert (answer.author_role, answer.direction, answer.kind) == ("staff", "outbound", "reply")
    assert answer.is_solution and answer.likes == 1
    assert answer.edited_at == START + 3 * HOUR + timedelta(microseconds=100)
    assert answer.url == (
        f"https://campus.example.org/archives/C1/p{ts(START + 2 * HOUR).replace('.', '')}"
        f"?thread_ts={ts(START + HOUR)}&cid=C1"
    )


def test_bots_strangers_and_files_are_told_and_joins_are_not() -> None:
    items = fetch(small_workspace())[0]
    found = fetch.messages(items)
    assert found[f"C1:{ts(START + 4 * HOUR)}"].author_id == "B1"
    assert found[f"C1:{ts(START + 401 * HOUR)}"].author_role == "bot"
    assert found[f"C1:{ts(START + 6 * HOUR)}"].author_id == "U7"
    assert found[f"C1:{ts(START + 402 * HOUR)}"].text == "screen.png"
    assert f"C1:{ts(START)}" not in found and f"C1:{ts(START + 5 * HOUR)}" not in found
    members = [one for one in fetch.rows(items, Member) if one.member_id == "U2"]
    assert {one.joined_at for one in members} == {None, START + timedelta(microseconds=100)}
    (slackbot,) = [one for one in fetch.rows(items, Member) if one.member_id == "USLACKBOT"]
    assert slackbot.is_bot
    assert "example.org" not in str([item for item in items if item.stream == "user"])


def test_a_late_reply_to_an_old_root_is_found_and_little_else_is_stored_again() -> None:
    there = small_workspace()
    cursor = fetch(there)[1]
    old = f"C1:{there.say('C1', START + 400 * HOUR + HOUR / 2, 'U2', 'root')}"
    cursor = fetch(there, cursor)[1]
    there.say("C1", NOW + HOUR, "U1", "late answer", thread=ts(START + HOUR))
    found = fetch.messages(fetch(there, cursor, NOW + 2 * HOUR)[0])
    assert found[f"C1:{ts(NOW + HOUR)}"].parent_id == ROOT
    assert old not in found and f"C1:{ts(START + 401 * HOUR)}" not in found


def test_edits_and_reactions_are_read_on_the_next_day() -> None:
    there = small_workspace()
    cursor = fetch(there)[1]
    edited = there.messages["C1"][ts(START + 400 * HOUR)]
    edited.update(text="Printer broken", edited={"user": "U3", "ts": ts(NOW + HOUR)})
    assert f"C1:{edited['ts']}" not in fetch.messages(fetch(there, cursor, NOW + HOUR)[0])
    found = fetch.messages(fetch(there, cursor, NOW + DAY)[0])[f"C1:{edited['ts']}"]
    assert found.text == "Printer broken" and found.edited_at


def test_what_is_missing_on_the_look_again_is_a_deletion() -> None:
    there = small_workspace()
    cursor = fetch(there)[1]
    kept, lost = START + 401 * HOUR, START + 400 * HOUR
    del there.messages["C1"][ts(lost)], there.messages["C1"][ts(START + 2 * HOUR)]
    known = [(f"C1:{ts(one)}", f"C1:{ts(one)}", one) for one in (kept, lost)]
    known.append((f"C1:{ts(START + 2 * HOUR)}", ROOT, START + 2 * HOUR))
    gone = set()
    for now in (lost + 3 * DAY + 2 * HOUR, START + 30 * DAY + 3 * HOUR):
        items, cursor = fetch(there, cursor, now, known=seen(*known))
        gone |= {one.message_id for one in fetch.rows(items, Deletion)}
    told_by_a_tombstone = f"C1:{ts(START + 5 * HOUR)}"
    assert gone - {told_by_a_tombstone} == {f"C1:{ts(lost)}", f"C1:{ts(START + 2 * HOUR)}"}


def test_a_channel_that_may_not_be_read_any_more_deletes_nothing() -> None:
    there = small_workspace()
    cursor = fetch(there)[1]
    there.channels["C1"]["is_member"] = False
    at_ = START + 400 * HOUR
    known = seen((f"C1:{ts(at_)}", f"C1:{ts(at_)}", at_))
    items, _ = fetch(there, cursor, at_ + 3 * DAY + HOUR, known=known)
    assert not fetch.rows(items, Deletion) and not fetch.messages(items)


def test_audiences_are_the_workspace_and_its_channels() -> None:
    found = fetch.rows(fetch(small_workspace())[0], Audience)
    told = {one.segment: one.value for one in found}
    assert told == {"all": 2, "channel=help": 4, "channel=random": 9}
    assert {one.account for one in found} == {"T1"}


def test_user_groups_are_groups() -> None:
    there = small_workspace()
    there.groups = [{"handle": "helpers", "users": ["U1"]}]
    members = {one.member_id: one.groups for one in
               fetch.rows(fetch(there, groups=("helpers",))[0], Member) if one.handle}  # fmt: skip
    assert members["U1"] == ("helpers",) and members["U2"] == ()
    with pytest.raises(SourceFailed, match="no user group 'crew' .* there are helpers"):
        fetch(there, groups=("crew",))


def test_channels_that_are_named_are_read_and_no_others() -> None:
    there = small_workspace()
    there.say("C2", START, "U2", "hello")
    named = Fetching(slack, OPTIONS.model_copy(update={"channels": ("#random",)}), NOW)
    assert {one.channel for one in named.messages(named(there)[0]).values()} == {"random"}
    there.refused = {"conversations.history": {"error": "not_in_channel"}}
    with pytest.raises(SourceFailed, match="invite it"):
        named(there)


def test_without_the_scope_for_private_channels_the_public_ones_are_read() -> None:
    there = small_workspace()

    def server(request: httpx.Request) -> httpx.Response:
        if "private_channel" in request.url.params.get("types", ""):
            refused = {"ok": False, "error": "missing_scope", "needed": "groups:read"}
            return httpx.Response(200, json=refused)
        return there(request)

    assert fetch.messages(fetch(server)[0])


def test_refusals_inside_a_200_name_what_to_do() -> None:
    there = small_workspace()
    there.refused = {"users.list": {"error": "missing_scope", "needed": "users:read"}}
    with pytest.raises(SourceFailed, match=r"lacks the scope users:read: .*api\.slack\.com"):
        fetch(there)
    there.refused = {"auth.test": {"error": "token_revoked"}}
    with pytest.raises(SourceFailed, match="token_revoked.*check the source's token"):
        fetch(there)
    there.refused = {"users.list": {"error": "ratelimited"}}
    with pytest.raises(RateLimited) as caught:
        fetch(there)
    assert caught.value.seconds == 60


def test_a_walk_whose_cursor_is_too_old_begins_anew() -> None:
    there = small_workspace()
    items, cursor = fetch(there)
    walk = {"bounds": [None, None], "asked": {}, "token": "dXNlcjpVMEc5V0ZYTlo=", "high": None}
    stale = {**cursor, "threads": {}, "streams": {"channel:C1": {"walk": walk}}}
    assert set(fetch.messages(fetch(there, stale)[0])) == set(fetch.messages(items))


def test_a_rotated_token_is_renewed() -> None:
    there, valid, forms = small_workspace(), "xoxe.1", []

    def server(request: httpx.Request) -> httpx.Response:
        nonlocal valid
        if request.url.path == "/api/oauth.v2.access":
            forms.append(dict(parse_qsl(request.content.decode())))
            valid = f"xoxe.{len(forms) + 1}"
            told = {"ok": True, "access_token": valid, "refresh_token": f"r{len(forms)}"}
            return httpx.Response(200, json={**told, "expires_in": 43200})
        if request.headers["authorization"] != f"Bearer {valid}":
            return httpx.Response(200, json={"ok": False, "error": "token_expired"})
        if request.url.path.endswith("users.list") and len(forms) == 1:
            valid = "somebody else's"
            return httpx.Response(200, json={"ok": False, "error": "token_expired"})
        return there(request)

    client = {"client_id": "1.2", "client_secret": "hush-hush", "refresh_token": "r0"}
    renewed = Fetching(slack, OPTIONS, NOW, secret=json.dumps(client))
    assert renewed.messages(renewed(server)[0])
    assert [form["refresh_token"] for form in forms] == ["r0", "r1"]


def test_the_check_names_missing_scopes_and_channels() -> None:
    there = small_workspace()
    told = slack.check(fetch.api(there), OPTIONS)
    assert told == "reads Slack's workspace Campus as muster: #help"
    there.scopes = "channels:read,users:read"
    with pytest.raises(SourceFailed, match="lacks the scope channels:history"):
        slack.check(fetch.api(there), OPTIONS)
    there.scopes, there.channels = "", {}
    with pytest.raises(SourceFailed, match="in no channel: invite it"):
        slack.check(fetch.api(there), OPTIONS)


@pytest.mark.parametrize(("told", "read"), [
    ("*bold* _it_ ~gone~ `code`", "bold it gone code"),
    ("snake_case_name 2*3*4 a~b~c", "snake_case_name 2*3*4 a~b~c"),
    ("*_both_*", "both"),
    ("```a < b```", "a < b"),
    ("&gt; quoted\n&gt; more\nmine", "mine"),
    ("<!here> <!subteam^S1|@crew> <!date^1^{date}|today>", "@here @crew today"),
    ("<#C1|general> <#C7> <@U7>", "#general #C7 @U7"),
    ("<https://example.org/a?b=1&amp;c=2> <mailto:a@example.org|write>",
     "https://example.org/a?b=1&c=2 write"),
    ("1 &lt; 2 &amp;&amp; 3", "1 < 2 && 3"),
])  # fmt: skip
def test_text_is_plain(told: str, read: str) -> None:
    assert plain(told, {}) == read


@given(st.decimals(min_value=1, max_value=4_000_000_000, places=6))
def test_times_are_exact(seconds: Decimal) -> None:
    elapsed = at(str(seconds)) - datetime(1970, 1, 1, tzinfo=UTC)
    assert elapsed // timedelta(microseconds=1) == int(seconds * 1_000_000)


@absent
def test_every_message_of_production_is_mapped() -> None:
    def is_message(one: Any) -> bool:
        return {"ts", "text"} <= set(one) and ("user" in one or "bot_id" in one)

    told = [one for where, body in bodies("slack", "chat") if "slack" in where
            for one in objects(body, is_message)]  # fmt: skip
    assert len(told) >= 5
    for one in told:
        channel = {"id": one.get("channel", "C1"), "name": "help"}
        (message,) = slack.rows(Item("message", one, NOW, {"channel": channel}), OPTIONS)
        assert isinstance(message, Message)
        assert message.message_id == f"{channel['id']}:{one['ts']}"
        assert message.thread_id == f"{channel['id']}:{one.get('thread_ts', one['ts'])}"
        assert (message.parent_id is None) == (one.get("thread_ts", one["ts"]) == one["ts"])
        assert message.author_id == (one.get("user") or one["bot_id"])
        assert Decimal(one["ts"]) == Decimal(str(message.created_at.timestamp()))
        assert message.text and "<@" not in message.text
        assert message.author_role == ("bot" if "bot_id" in one else "member")
