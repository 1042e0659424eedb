"""Discord: messages of a server's channels, threads and forums, its members and their number.

Credentials: a bot token with the intents Message Content and Server Members. Made at
https://discord.com/developers/applications → Bot; invite the bot to the server (``account``: its
id) with the permissions View Channels and Read Message History. Never a person's own token.

Limits: 50 requests a second, and what the answers' headers say of each address; a channel that
refuses us (403) is asked once a day. There is no history of the number of members.

Verified: Discord's own OpenAPI, messages recorded in production. Not against a live server.

A message's id is its channel's and its own. Every channel is read upwards from the last message
stored, but only if it has a newer one; archived threads are listed once a day. Replies name what
they answer and threads are conversations; the other lines of a channel are joined by author, time
and mention (``chat``). Messages that are 1, 3, 7 or 30 days old are read again with their
neighbours; one that is missing is asked for by its id before it counts as deleted. Staff are
members whose roles moderate, or those of ``staff_roles``. Forum tags are tags. Discord's policy:
keep only what is needed, and erase who asks for it (``muster erase``).

Unverified: that the intents of a bot stand in its application's flags; polls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from muster.errors import Rejected, SourceFailed
from muster.records import Deletion, Item, Page, Row
from muster.settings import EpisodeGap, Source
from muster.sources import Window
from muster.sources._answer import Answer, asked_wait
from muster.sources._discord_reading import (
    PER_PAGE,
    Server,
    again,
    forget,
    has_id,
    is_read,
    lines,
    threads,
)
from muster.sources._discord_rows import is_staff, rows_of
from muster.sources._downward import done_today, is_due_today
from muster.sources._http import Api, Http
from muster.sources._newest import State, begin, finish, mapped, page, recheck
from muster.sources._paging import walk
from muster.sources._tokens import hidden

PER_PAGE_MEMBERS = 1000
READ = (0, 2, 5, 13)  # text, voice, announcements, stage: what is written in them
_INTENTS = {"Message Content": 0x40000 | 0x80000, "Server Members": 0x4000 | 0x8000}


class Options(Source):
    """What Discord needs beyond what every source has."""

    platform: Literal["discord"]
    episode_gap: EpisodeGap = timedelta(hours=24)
    account: Annotated[
        str, StringConstraints(pattern=r"^\d+$"), Field(description="the server's id")
    ]
    channels: Annotated[
        tuple[str, ...], Field(description="names or ids; absent: all that the bot may read")
    ] = ()
    staff_roles: Annotated[
        tuple[str, ...], Field(description="names or ids; absent: the roles that moderate")
    ] = ()
    chat: Annotated[
        bool, Field(description="its lines tell no thread: they are joined to conversations")
    ] = True


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The signed-in client."""
    if not secret:
        raise SourceFailed(
            f"{options.name}: Discord needs a bot token: set token: env:NAME for this source"
        )
    headers = {
        "Authorization": f"Bot {secret.removeprefix('Bot ')}",
        "User-Agent": "DiscordBot (https://github.com/muster, 0.1)",
    }
    return Api(
        http,
        options.base_url or "https://discord.com/api/v10",
        headers,
        name=options.name,
        wait_of=_wait,
        pause_of=_pause,
        secrets=hidden(secret),
    )


def _wait(answer: Answer) -> float | None:
    """A 429 tells in its body more exactly than in its header how long."""
    told = answer.body.get("retry_after") if isinstance(answer.body, Mapping) else None
    return (
        float(told)
        if answer.status == 429 and isinstance(told, int | float)
        else asked_wait(answer)
    )


def _pause(answer: Answer) -> float | None:
    """A spent bucket is left to fill: a refused request counts against the bot."""
    if answer.headers.get("x-ratelimit-remaining") != "0":
        return None
    try:
        return float(answer.headers.get("x-ratelimit-reset-after", ""))
    except ValueError:
        return None


def check(api: Api, options: Options) -> str:
    """Looks the server up, and whether the bot has the intents that texts and members need."""
    guild = _guild(api, options).body
    flags = int(api.get("/applications/@me").body.get("flags") or 0)
    missing = [name for name, bits in _INTENTS.items() if not flags & bits]
    if missing:
        raise SourceFailed(_lacking(options, missing))
    count = guild["approximate_member_count"]
    return f"reads Discord's server {guild['name']} ({guild['id']}), about {count:,} members"


def _lacking(options: Options, intents: Sequence[str]) -> str:
    return (
        f"{options.name}: the bot lacks the intent {' and '.join(intents)}: switch it on at "
        "https://discord.com/developers/applications → Bot"
    )


def _guild(api: Api, options: Options) -> Answer:
    try:
        return api.get(f"/guilds/{options.account}", {"with_counts": "true"})
    except Rejected as refused:
        if refused.status not in (403, 404):
            raise
        raise SourceFailed(
            f"{refused}: Discord shows no server {options.account} to this bot: check account (the "
            "server's id), and invite the bot with View Channels and Read Message History"
        ) from refused


# ---- reading: what is new ----------------------------------------------------------------------


def pages(api: Api, window: Window) -> Iterator[Page]:
    """The server and its members once a day, channels and threads, then messages of age again."""
    state = begin(window)
    guild = _guild(api, window.options)
    there = Server(api, window, guild.body)
    listed = api.get(f"/guilds/{window.options.account}/channels").body
    there.channels = {one["id"]: one for one in listed if has_id(one)}
    if is_due_today(state, window, "people"):
        yield from _people(there, state, guild)
    there.staff = frozenset(state.get("staff", ()))
    for channel in there.channels.values():
        if channel.get("type") in READ and is_read(there, channel):
            yield from lines(there, state, channel)
    yield from threads(there, state)
    for batch in recheck(state, window, PER_PAGE):
        yield page(state, list(again(there, batch)))
    forget(there, state)
    yield finish(state)


def _people(there: Server, state: State, guild: Answer) -> Iterator[Page]:
    """How many there are, and everybody with their roles; who moderates is remembered by id."""
    items = [Item("guild", guild.body, guild.seen_at)]
    context: dict[str, Any] = {"roles": there.roles, "owner_id": there.guild.get("owner_id")}
    if there.window.groups:
        context["groups"] = list(there.window.groups)
    staff: set[str] = set()
    for answer, told in _members(there):
        items.append(Item("member", told, answer.seen_at, context))
        if _has_user(told) and is_staff(told, there.roles, there.guild, there.window.options):
            staff.add(told["user"]["id"])
    state["staff"] = sorted(staff)
    done_today(state, there.window, "people")
    yield page(state, items)


def _has_user(told: Any) -> bool:
    return isinstance(told, Mapping) and has_id(told.get("user"))


def _members(there: Server) -> Iterator[tuple[Answer, Any]]:
    path = f"/guilds/{there.window.options.account}/members"

    def ask(token: str | None) -> Answer:
        try:
            return there.api.get(path, {"limit": PER_PAGE_MEMBERS, "after": token})
        except Rejected as refused:
            if refused.status != 403:
                raise
            raise SourceFailed(_lacking(there.window.options, ["Server Members"])) from refused

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        ids = [int(one["user"]["id"]) for one in answer.body if _has_user(one)]
        is_last = len(answer.body) < PER_PAGE_MEMBERS
        return answer.body, None if is_last or not ids else str(max(ids))

    for step in walk(ask, read):
        yield from ((step.answer, one) for one in step.items)


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The rows an item stands for."""
    yield from mapped(lambda: rows_of(item, options))
