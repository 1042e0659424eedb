"""Discord: threads, forums, late edits, deletions, text, refusals, messages of production."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from discord_server import GUILD, HOUR, START, small_server, stamp
from fetching import Fetching, seen
from real import absent, bodies, objects

from muster.clock import DAY
from muster.errors import RateLimited, SourceFailed
from muster.records import Audience, Deletion, Item, Member, Message, Thread
from muster.sources import discord
from muster.sources._discord_rows import plain, snowflake, time_of

NOW = START + 18 * DAY
OPTIONS = discord.Options(name="discord", platform="discord", account=GUILD, token="env:T")
fetch = Fetching(discord, OPTIONS, NOW)


def id_at(hours: float) -> str:
    return snowflake(START + hours * HOUR)


def test_replies_and_threads_tell_their_conversation() -> None:
    found = fetch.messages(fetch(small_server())[0])
    question, answer = found[f"10:{id_at(0)}"], found[f"10:{id_at(1)}"]
    assert (question.text, question.channel) == ("My VPN fails, @desk? See #ideas", "help")
    assert (question.thread_id, question.parent_id) == (question.message_id, None)
    assert (answer.text, answer.parent_id, answer.thread_id) == (
        "Try now :wink:", question.message_id, question.message_id)  # fmt: skip
    assert (answer.author_role, answer.direction, answer.kind, answer.likes) == (
        "staff", "outbound", "reply", 3)  # fmt: skip
    assert answer.edited_at == START + 2 * HOUR
    root = f"10:{id_at(400)}"  # a thread has the id of the message it was started from
    for hours in (401, 402):
        line = found[f"{id_at(400)}:{id_at(hours)}"]
        assert (line.thread_id, line.parent_id, line.channel) == (root, root, "help")
    assert found[root].thread_id == root


def test_a_forum_s_post_is_a_thread_with_its_tags() -> None:
    items = fetch(small_server())[0]
    post = f"{id_at(10)}:{id_at(10)}"
    first, reply = fetch.messages(items)[post], fetch.messages(items)[f"{id_at(10)}:{id_at(11)}"]
    assert (first.thread_id, first.parent_id, first.kind) == (post, None, "post")
    assert (first.channel, first.tags) == ("ideas", ("solved",))
    assert (reply.thread_id, reply.parent_id, reply.tags) == (post, post, ())
    thread = {row.thread_id: row for row in fetch.rows(items, Thread)}[post]
    assert (thread.title, thread.channel, thread.tags) == ("First", "ideas", ("solved",))
    assert thread.created_at == START + 10 * HOUR and thread.closed_at == START + 58 * HOUR


def test_bots_are_told_by_their_embeds_and_joins_are_no_messages() -> None:
    found = fetch.messages(fetch(small_server())[0])
    bot = found[f"10:{id_at(3)}"]
    assert (bot.author_role, bot.text) == ("bot", "Status\nfine")
    assert f"10:{id_at(2)}" not in found


def test_only_channels_with_something_new_are_asked() -> None:
    there = small_server()
    cursor = fetch(there)[1]
    there.asked.clear()
    there.say("10", NOW + HOUR, "2", "Hello again")
    found = fetch.messages(fetch(there, cursor, NOW + 2 * HOUR)[0])
    assert set(found) == {f"10:{snowflake(NOW + HOUR)}"}
    assert len([one for one in there.asked if "/messages" in one]) == 1
    assert len(there.asked) == 4


def test_a_thread_opened_again_is_read_on() -> None:
    there = small_server()
    cursor = fetch(there)[1]
    there.threads[id_at(20)]["thread_metadata"]["archived"] = False
    there.say(id_at(20), NOW + HOUR, "2", "Still open?")
    found = fetch.messages(fetch(there, cursor, NOW + 2 * HOUR)[0])
    assert set(found) == {f"{id_at(20)}:{snowflake(NOW + HOUR)}"}


def test_late_edits_and_deletions_are_found_by_looking_again() -> None:
    there = small_server()
    cursor = fetch(there)[1]
    there.messages["10"][id_at(400)].update(content="Printer!", edited_timestamp=stamp(NOW))
    del there.messages[id_at(400)][id_at(401)]
    known = seen((f"10:{id_at(400)}", "", START + 400 * HOUR),
                 (f"{id_at(400)}:{id_at(401)}", "", START + 401 * HOUR))  # fmt: skip
    items, _ = fetch(there, cursor, START + 401 * HOUR + 3 * DAY, known=known)
    assert fetch.messages(items)[f"10:{id_at(400)}"].text == "Printer!"
    assert [row.message_id for row in fetch.rows(items, Deletion)] == [f"{id_at(400)}:{id_at(401)}"]


def test_a_deleted_channel_takes_its_messages_and_a_closed_one_does_not() -> None:
    at = START + 400 * HOUR
    for is_closed, expected in ((True, []), (False, [f"10:{id_at(400)}"])):
        there = small_server()
        cursor = fetch(there)[1]
        if is_closed:
            there.closed = {"10"}
        else:
            del there.channels["10"], there.messages["10"]
        items, _ = fetch(there, cursor, at + 3 * DAY, known=seen((f"10:{id_at(400)}", "", at)))
        assert [row.message_id for row in fetch.rows(items, Deletion)] == expected


def test_without_the_right_to_read_history_nothing_counts_as_deleted_or_read() -> None:
    there = small_server()
    there.blind = {"10"}
    cursor = fetch(there)[1]
    at = START + 400 * HOUR
    items, cursor = fetch(there, cursor, at + 3 * DAY, known=seen((f"10:{id_at(400)}", "", at)))
    assert not fetch.rows(items, Deletion)
    there.blind = set()
    assert f"10:{id_at(0)}" in fetch.messages(fetch(there, cursor, at + 3 * DAY + HOUR)[0])


def test_a_channel_that_refuses_us_is_asked_once_a_day() -> None:
    there = small_server()
    there.closed = {"10"}
    cursor = fetch(there)[1]
    for now, count in ((NOW + HOUR, 0), (NOW + DAY, 1)):
        there.asked.clear()
        _, cursor = fetch(there, cursor, now)
        assert len([one for one in there.asked if one.startswith("/channels/10/")]) == count


def test_members_have_roles_staff_and_groups() -> None:
    items = fetch(small_server(), groups=("beta",))[0]
    members = {row.member_id: row for row in fetch.rows(items, Member) if row.joined_at}
    assert members["1"].role == "staff" and members["1"].platform_roles == ("helpers",)
    assert members["3"].role == "member" and members["3"].groups == ("beta",)
    assert members["4"].is_bot and members["2"].joined_at == START - 100 * HOUR
    named = Fetching(discord, OPTIONS.model_copy(update={"staff_roles": ("beta",)}), NOW)
    items = named(small_server())[0]
    members = {row.member_id: row for row in named.rows(items, Member) if row.joined_at}
    assert members["3"].role == "staff" and members["1"].role == "member"
    (size,) = named.rows(items, Audience)
    assert (size.metric, size.value) == ("members", 1005)


def test_missing_intents_and_servers_are_named() -> None:
    there = small_server()
    assert discord.check(fetch.api(there), OPTIONS) == (
        "reads Discord's server Campus (100), about 1,005 members"
    )
    there.flags = 0
    with pytest.raises(SourceFailed, match="intent Message Content and Server Members: switch it"):
        discord.check(fetch.api(there), OPTIONS)
    with pytest.raises(SourceFailed, match="intent Server Members"):
        fetch(there)
    with pytest.raises(SourceFailed, match="invite the bot"):
        fetch(lambda request: httpx.Response(404, json={"message": "Unknown Guild"}))


def test_a_spent_bucket_is_left_to_fill() -> None:
    there = small_server()
    spent = {"x-ratelimit-remaining": "0", "x-ratelimit-reset-after": "4.5"}

    def server(request: httpx.Request) -> httpx.Response:
        answer = there(request)
        return httpx.Response(answer.status_code, headers=spent, json=answer.json())

    with pytest.raises(RateLimited) as caught:
        fetch(server)
    assert caught.value.seconds == 4.5 and len(there.asked) == 1


def test_a_backfill_keeps_to_its_window() -> None:
    start, end = START + 9 * HOUR, START + 22 * HOUR
    found = fetch.messages(fetch(small_server(), since=start, until=end)[0])
    assert set(found) == {f"{id_at(a)}:{id_at(b)}" for a, b in
                          ((10, 10), (10, 11), (20, 20), (20, 21))}  # fmt: skip


@pytest.mark.parametrize(("told", "read"), [
    ("> quoted\n**mine**", "mine"),
    ("yes\n>>> all\nof this", "yes"),
    ("<@!7> <@&8> <#9> <a:dance:10>", "@anna @crew #help :dance:"),
    ("<t:1760000000:R> ||secret||", "2025-10-09 08:53 secret"),
    ("</ask me:12> a < b", "/ask me a < b"),
    ("**עברית** 🙂", "עברית 🙂"),
])  # fmt: skip
def test_text_is_plain(told: str, read: str) -> None:
    assert plain(told, {"7": "anna", "8": "crew", "9": "help"}) == read


@absent
def test_every_message_of_production_is_mapped() -> None:
    def is_message(one: Any) -> bool:
        return {"channel_id", "content", "timestamp", "author"} <= set(one)

    told = [one for where, body in bodies("discord", "chat") if "discord" in where
            for one in objects(body, is_message) if str(one["id"]).isdecimal()]  # fmt: skip
    assert len(told) >= 12
    for one in told:
        is_thread = one.get("channel_type") == 11 or "position" in one
        more = {"thread_metadata": {}, "parent_id": "42"} if is_thread else {}
        context = {"channel": {"id": one["channel_id"], **more}}
        message, *members = discord.rows(Item("message", one, NOW, context), OPTIONS)
        assert isinstance(message, Message)
        assert message.message_id == f"{one['channel_id']}:{one['id']}"
        thread = f"42:{one['channel_id']}" if is_thread else message.message_id
        assert message.thread_id == thread
        assert message.parent_id == (thread if is_thread else None)
        assert message.created_at == datetime.fromisoformat(one["timestamp"])
        masked = timedelta(seconds=10)  # one id was made by hand
        assert abs(time_of(one["id"]) - message.created_at) < masked
        assert message.author_id == one["author"]["id"] == members[0].member_id
        assert message.author_role == ("bot" if one["author"].get("bot") else "member")
        assert message.text and "<@" not in message.text and "**" not in message.text
