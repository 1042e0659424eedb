"""Telegram: what is written in groups and channels that our bot is in, and how many are there.

Credentials: a bot's token from @BotFather (/newbot), of a bot that no other program reads. Switch
its privacy mode off (/setprivacy) or make it an admin, else it sees commands only; as an admin it
also sees who joins. Add it to the groups and channels.

Limits: updates are kept for 24 hours, and nothing from before the bot came is ever told. So fetch
at least every few hours; Telegram forgets what was fetched, so each page is stored before the next
is asked for. Who else reads the same bot, or a webhook of it, takes the updates away (409).

Verified: updates of production for private chats; the types of two clients for the rest. Not
against the live API.

``chats`` (ids or @names) bounds what is stored; without it all that the bot sees is. A message's
id is its chat's and its own. Admins are staff, and so is who writes in a channel's name. Lines are
joined by author, time and mention (``chat``), replies name what they answer, comments on a post
are its conversation; a topic of a forum is a channel. Edits overwrite. Deletions are told to no
bot, and reactions come apart from their message: neither is counted. Tell your members that the
bot reads along; ``muster erase`` forgets who asks for it.

Unverified: that 24 hours are exact; forum topics; that a bot's own messages stay unseen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from muster.errors import Rejected, SourceFailed
from muster.records import Deletion, Item, Page, Row
from muster.settings import EpisodeGap, Source
from muster.sources import Window
from muster.sources._answer import Answer, asked_wait
from muster.sources._downward import done_today, is_due_today
from muster.sources._http import Api, Http
from muster.sources._newest import begin, finish, mapped, page
from muster.sources._paging import walk
from muster.sources._telegram_rows import MEMBERSHIPS, MESSAGES, rows_of
from muster.sources._tokens import hidden

PER_PAGE = 100
WANTED = json.dumps([*MESSAGES, *MEMBERSHIPS])


class Options(Source):
    """What Telegram needs beyond what every source has."""

    platform: Literal["telegram"]
    episode_gap: EpisodeGap = timedelta(hours=24)
    chats: Annotated[
        tuple[str, ...], Field(description="ids or @names; absent: all that the bot is in")
    ] = ()
    chat: Annotated[
        bool, Field(description="its lines tell no thread: they are joined to conversations")
    ] = True


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The client; the token is a part of every address."""
    if not secret:
        raise SourceFailed(
            f"{options.name}: Telegram needs a bot's token: set token: env:NAME for this source"
        )
    base_url = f"{options.base_url or 'https://api.telegram.org'}/bot{secret}"
    return Api(http, base_url, {}, name=options.name, wait_of=_wait, secrets=hidden(secret))


def _wait(answer: Answer) -> float | None:
    """How long a 429 asks to wait stands in its body."""
    asked = _parameter(answer.body, "retry_after")
    return float(asked) if answer.status == 429 and asked else asked_wait(answer)


def _parameter(body: Any, name: str) -> Any:
    told = body.get("parameters") if isinstance(body, Mapping) else None
    return told.get(name) if isinstance(told, Mapping) else None


def _ask(api: Api, method: str, **params: Any) -> Answer:
    """The answer of a method; a refusal says what to do about it."""
    try:
        return api.get(f"/{method}", params)
    except Rejected as refused:
        said = _advice(api, method, refused)
        raise Rejected(said, refused.status, refused.body) if said else refused from None


def _advice(api: Api, method: str, refused: Rejected) -> str | None:
    if refused.status == 409:
        return (
            f"{refused}: another program reads this bot's updates, or a webhook is set: give "
            "Muster a bot of its own, or remove the webhook (deleteWebhook)"
        )
    if refused.status in (401, 404) and method in ("getMe", "getUpdates"):
        return (
            f"{api.name}: Telegram knows no such bot ({refused.status}): check the source's "
            "token in muster.yaml; @BotFather tells it (/token)"
        )
    return None


def check(api: Api, options: Options) -> str:
    """Whether the bot is there and sees what is written."""
    me = _ask(api, "getMe").body["result"]
    if not me.get("can_read_all_group_messages") and not _is_admin(api, options, me["id"]):
        raise SourceFailed(
            f"{options.name}: the bot @{me['username']} sees commands only: switch its privacy "
            "mode off (@BotFather, /setprivacy) and add it to the groups anew, or make it an admin"
        )
    return f"reads Telegram as @{me['username']}: {', '.join(options.chats) or 'all its chats'}"


def _is_admin(api: Api, options: Options, bot: int) -> bool:
    """Whether the bot is an admin of every chat that is named, and so sees all of it."""
    told = (_ask(api, "getChatMember", chat_id=one, user_id=bot).body for one in options.chats)
    return bool(options.chats) and all(one["result"]["status"] == "administrator" for one in told)


# ---- reading: what is new ----------------------------------------------------------------------


@dataclass
class Bot:
    """The chats that the bot is in, and who the admins of each are, learned during one fetch."""

    api: Api
    window: Window
    chats: dict[str, Any]
    admins: dict[str, frozenset[int]] = field(default_factory=dict)

    def item(self, update: Any, answer: Answer) -> Item | None:
        """An update with whether an admin wrote it; none of a chat that is not wanted."""
        told = _told(update)
        chat = told.get("chat") if told else None
        if not told or not isinstance(chat, Mapping) or not isinstance(chat.get("id"), int):
            return Item("update", update, answer.seen_at)
        if not self._is_wanted(chat):
            return None
        self._note(chat, told)
        who = told.get("from")
        number = who.get("id") if isinstance(who, Mapping) else None
        return Item("update", update, answer.seen_at, {"is_staff": number in self._admins(chat)})

    def _is_wanted(self, chat: Mapping[str, Any]) -> bool:
        names = {one.lstrip("@").lower() for one in self.window.options.chats}
        known = {str(chat["id"]), str(chat.get("username") or chat["id"]).lower()}
        moved = self.chats.get(str(chat["id"]), {}).get("was")
        return not names or bool(names & {*known, str(moved)})

    def _note(self, chat: Mapping[str, Any], told: Mapping[str, Any]) -> None:
        """Remember a group or channel, never a person; a group may become another one."""
        if chat.get("type") == "private":
            return
        before = self.chats.get(str(chat["id"]), {})
        self.chats[str(chat["id"])] = {**before, "id": chat["id"], "type": chat.get("type")}
        if successor := told.get("migrate_to_chat_id"):
            self.chats.pop(str(chat["id"]))
            self.chats[str(successor)] = {
                "id": successor, "type": "supergroup", "was": str(chat["id"]),
            }  # fmt: skip

    def _admins(self, chat: Mapping[str, Any]) -> frozenset[int]:
        """The admins of a group; where they may not be listed, none are known."""
        key = str(chat["id"])
        if key not in self.admins and chat.get("type") in ("group", "supergroup"):
            try:
                listed = _ask(self.api, "getChatAdministrators", chat_id=key).body["result"]
            except Rejected as refused:
                if refused.status not in (400, 403, 404):
                    raise
                listed = ()
            self.admins[key] = frozenset(
                one["user"]["id"] for one in listed if isinstance(one, Mapping) and one.get("user")
            )
        return self.admins.get(key, frozenset())


def pages(api: Api, window: Window) -> Iterator[Page]:
    """Updates since the last one stored, then the sizes of the chats once a UTC day."""
    state = begin(window)
    bot = Bot(api, window, state.setdefault("chats", {}))
    offset = state.get("offset")

    def ask(token: int | None) -> Answer:
        asked = {"offset": token, "limit": PER_PAGE, "timeout": 0, "allowed_updates": WANTED}
        return _ask(api, "getUpdates", **asked)

    def read(answer: Answer) -> tuple[Sequence[Any], int | None]:
        found = answer.body.get("result") or ()
        return found, _after(found)

    for step in walk(ask, read, start=offset):
        items = [item for one in step.items if (item := bot.item(one, step.answer))]
        state["offset"] = _after(step.items) or state.get("offset")
        yield replace(page(state, items), is_last_copy=True)
    if is_due_today(state, window, "sizes"):
        done_today(state, window, "sizes")
        yield page(state, list(_sizes(bot)))
    yield finish(state)


def _after(updates: Sequence[Any]) -> int | None:
    """The offset that confirms these updates: they come in order, so some may be unreadable."""
    numbers = [one.get("update_id") if isinstance(one, Mapping) else None for one in updates]
    known = [number for number in numbers if isinstance(number, int)]
    if not known:
        return None
    behind = numbers[numbers.index(max(known)) + 1 :]
    return max(known) + 1 + sum(1 for number in behind if not isinstance(number, int))


def _told(update: Any) -> Mapping[str, Any] | None:
    """What an update is about."""
    names = (*MESSAGES, *MEMBERSHIPS)
    found = (update.get(name) for name in names) if isinstance(update, Mapping) else ()
    return next((one for one in found if isinstance(one, Mapping)), None)


def _sizes(bot: Bot) -> Iterator[Item]:
    """How many are in each chat; one that the bot had to leave tells nothing."""
    for key, chat in list(bot.chats.items()):
        try:
            answer = _ask(bot.api, "getChatMemberCount", chat_id=key)
        except Rejected as refused:
            if refused.status not in (400, 403, 404):
                raise
            continue
        yield Item("size", answer.body, answer.seen_at, {"chat": chat})


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The rows an item stands for."""
    yield from mapped(lambda: rows_of(item, options))
