"""Telegram: what updates mean, that none is lost or leaks the token, refusals, production's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fetching import Fetching
from hypothesis import given
from hypothesis import strategies as st
from real import absent, bodies, objects
from telegram_bot import ANNA, CHANNEL, GROUP, HOUR, START, Bot, _no, small_bot

from muster.clock import DAY
from muster.errors import RateLimited, SourceFailed
from muster.kpis import engine
from muster.pipeline import collect
from muster.project import open_project
from muster.records import Audience, Item, Member, Message
from muster.sources import telegram
from muster.sources._http import Http
from muster.sources._telegram_rows import text_of

NOW = START + DAY / 2
TOKEN = "1:invented-token-of-no-bot"
OPTIONS = telegram.Options(name="tg", platform="telegram", token="env:T")
fetch = Fetching(telegram, OPTIONS, NOW, secret=TOKEN)


def id_of(number: int, chat: Any = GROUP) -> str:
    return f"{chat['id']}:{number}"


def test_lines_and_replies_of_a_group() -> None:
    found = fetch.messages(fetch(small_bot())[0])
    question, answer = found[id_of(50)], found[id_of(51)]
    assert (question.text, question.edited_at) == ("Solved 🙂", START + 2 * HOUR)
    assert question.thread_id == question.message_id and question.channel == "Campus help"
    assert question.url == "https://t.me/campus/50"
    assert (answer.text, answer.parent_id, answer.thread_id, answer.kind) == (
        "Try now", id_of(50), id_of(50), "reply")  # fmt: skip
    assert (answer.author_role, answer.direction) == ("staff", "outbound")
    assert found[id_of(53)].author_role == "bot"
    assert (found[id_of(54)].author_role, found[id_of(54)].author_id) == ("staff", str(GROUP["id"]))
    assert id_of(52) not in found


def test_channels_their_comments_topics_and_private_talks() -> None:
    found = fetch.messages(fetch(small_bot())[0])
    post, comment = found[id_of(8, CHANNEL)], found[id_of(56)]
    assert (post.author_id, post.direction, post.kind) == (str(CHANNEL["id"]), "outbound", "post")
    assert post.url == "https://t.me/c/9876543210/8"
    assert found[id_of(55)].direction == "outbound"
    assert (comment.thread_id, comment.parent_id, comment.kind) == (id_of(55), id_of(55), "reply")
    topic = found[id_of(57)]
    assert (topic.channel, topic.parent_id, topic.thread_id) == (
        "Campus help/9", None, id_of(57))  # fmt: skip
    direct = found["11:3"]
    assert (direct.kind, direct.thread_id, direct.channel) == ("direct", "11", None)


def test_members_join_and_are_counted() -> None:
    items = fetch(small_bot())[0]
    joined = {row.member_id: row.joined_at for row in fetch.rows(items, Member) if row.joined_at}
    assert joined == {"11": START + 8 * HOUR, "12": START}
    assert {row.lang for row in fetch.rows(items, Member) if row.member_id == "11"} == {"fi"}
    told = {(row.account, row.metric): row.value for row in fetch.rows(items, Audience)}
    assert told == {(str(GROUP["id"]), "members"): 120, (str(CHANNEL["id"]), "subscribers"): 4000}


def test_only_chats_that_are_named_are_stored_and_no_private_one_is_remembered() -> None:
    options = OPTIONS.model_copy(update={"chats": ("@Campus",)})
    named = Fetching(telegram, options, NOW, secret=TOKEN)
    items, cursor = named(small_bot())
    assert {one.channel for one in named.messages(items).values()} == {
        "Campus help", "Campus help/9"}  # fmt: skip
    assert set(cursor["chats"]) == {str(GROUP["id"])}
    assert "11" not in fetch(small_bot())[1]["chats"]


def test_a_group_that_becomes_a_supergroup_goes_on() -> None:
    there, before = Bot(), {"id": -5, "type": "group", "title": "Old"}
    there.say(1, ANNA, START, "hello", chat=before)
    there.tell("message", START, message_id=2, chat=before, migrate_to_chat_id=GROUP["id"])
    there.say(1, ANNA, START + HOUR, "hello again")
    named = Fetching(telegram, OPTIONS.model_copy(update={"chats": ("-5",)}), NOW, secret=TOKEN)
    items, cursor = named(there)
    assert set(named.messages(items)) == {"-5:1", id_of(1)}
    assert [row.account for row in named.rows(items, Audience)] == [str(GROUP["id"])]
    assert cursor["chats"][str(GROUP["id"])]["was"] == "-5"


@pytest.mark.parametrize("dies_at", (1, 2, 3, 4, 6))
def test_no_update_is_lost_however_a_fetch_ends(tmp_path: Path, dies_at: int) -> None:
    (tmp_path / "muster.yaml").write_text(
        "community: Test\ntimezone: UTC\nsentiment: none\n"
        "sources: [{name: tg, platform: telegram, token: env:T, lang: en}]\n"
    )
    there, count = small_bot(), 0
    there.forgets = True

    def mortal(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        if count == dies_at:
            there(request)  # the answer is lost on its way
            raise KeyboardInterrupt
        return there(request)

    http = Http(transport=httpx.MockTransport(mortal), clock=lambda: NOW)
    project = open_project(tmp_path, clock=lambda: NOW, environment={"T": TOKEN}, http=http)
    with pytest.raises(KeyboardInterrupt):
        collect.fetch(project)
    collect.fetch(project)
    found = engine.ask(project.lake.url(), "select message_id, text from messages").rows
    assert len(found) == 9 and (id_of(50), "Solved 🙂") in found


def test_the_token_stands_in_no_message() -> None:
    for status in (400, 401, 403, 404, 409, 500):
        there = small_bot()
        there.refused = {"getUpdates": (status, f"bad /bot{TOKEN}/ {TOKEN}")}
        with pytest.raises(Exception) as caught:  # noqa: PT011
            fetch(there)
        assert TOKEN not in str(caught.value) and "invented" not in repr(caught.value)


def test_refusals_say_what_to_do() -> None:
    there = small_bot()
    for status, told in ((409, "another program"), (401, "@BotFather"), (404, "@BotFather")):
        there.refused = {"getUpdates": (status, "no")}
        with pytest.raises(SourceFailed, match=told):
            fetch(there)
    with pytest.raises(RateLimited) as caught:
        fetch(lambda request: _no(429, "Too Many Requests", retry_after=17))
    assert caught.value.seconds == 17


def test_a_chat_whose_admins_may_not_be_listed_is_read_all_the_same() -> None:
    there = small_bot()
    there.refused = {"getChatAdministrators": (400, "not enough rights"),
                     "getChatMemberCount": (403, "bot was kicked")}  # fmt: skip
    items, _ = fetch(there)
    assert fetch.messages(items)[id_of(51)].author_role == "member"
    assert not fetch.rows(items, Audience)


def test_a_bot_that_sees_commands_only_is_told_of() -> None:
    there = small_bot()
    told = telegram.check(fetch.api(there), OPTIONS)
    assert told == "reads Telegram as @muster_bot: all its chats"
    there.sees_all = False
    with pytest.raises(SourceFailed, match="privacy mode off"):
        telegram.check(fetch.api(there), OPTIONS)
    named = OPTIONS.model_copy(update={"chats": ("@campus",)})
    with pytest.raises(SourceFailed, match="privacy mode off"):
        telegram.check(fetch.api(there), named)
    there.status = "administrator"
    assert telegram.check(fetch.api(there), named).endswith("@campus")


@given(st.text(), st.text(min_size=1), st.text())
def test_quotes_are_cut_out_where_utf_16_counts_them(before: str, quote: str, after: str) -> None:
    units = [len(part.encode("utf-16-le", "surrogatepass")) // 2 for part in (before, quote)]
    entities = [{"type": "blockquote", "offset": units[0], "length": units[1]}]
    whole = text_of({"text": before + quote + after, "entities": entities})
    assert whole == text_of({"text": before + after})


@absent
def test_every_message_of_production_is_mapped() -> None:
    told = [one for where, body in bodies("telegram", "chat") if "telegram" in where
            for one in objects(body, lambda one: "update_id" in one)]  # fmt: skip
    assert len(told) >= 2
    for one in told:
        said = next(one[name] for name in ("message", "edited_message") if name in one)
        message, member = telegram.rows(Item("update", one, NOW, {}), OPTIONS)
        assert isinstance(message, Message) and isinstance(member, Member)
        assert message.message_id == f"{said['chat']['id']}:{said['message_id']}"
        assert message.created_at == datetime.fromtimestamp(said["date"], UTC)
        assert (message.text, message.author_id) == (said["text"], str(said["from"]["id"]))
        assert message.kind == "direct" and message.thread_id == str(said["chat"]["id"])
        assert member.handle == said["from"]["username"]
