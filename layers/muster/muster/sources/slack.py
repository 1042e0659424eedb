"""Slack: messages of a workspace's channels with their threads, its members, sizes of channels.

Credentials: the bot token of an internal app with the scopes ``channels:history``,
``channels:read`` and ``users:read``. Made at https://api.slack.com/apps for your own workspace
(apps that are sold elsewhere than in the Marketplace may read one page a minute only); for private
channels also ``groups:history`` and ``groups:read``, for groups that ``staff`` or ``bots`` name
``usergroups:read``. Invite the app into the channels. With token rotation: a JSON object of
``client_id``, ``client_secret`` and ``refresh_token``.

Limits: about 50 pages a minute and method; a free workspace shows the last 90 days. A 429 is
waited for as long as it says.

Verified: Slack's own Web API specification, messages recorded in production. Not against a live
workspace.

A message's id is its channel and time. Every fetch goes through the last 30 days of each channel,
since a late reply is told by its root only; threads that grew are read, and once a UTC day all of
the 30 days are stored again for edits and reactions. Threads whose messages are 1, 3, 7 or 30 days
old are read whole: what is missing then is a deletion. Names in texts are resolved; joins, topics
and the like are no messages. A reply with a reaction of ``solution_reactions`` is an answer
accepted. Members tell no date of joining, except to the channel everybody is in.

Unverified: that a token's scopes stand in ``x-oauth-scopes``; errors beyond those named here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from muster.clock import DAY
from muster.errors import Rejected, SourceFailed
from muster.records import Deletion, Item, KnownMessage, Page, Row
from muster.settings import EpisodeGap, Source
from muster.sources import Window
from muster.sources._answer import Answer
from muster.sources._downward import done_today, is_due_today
from muster.sources._http import Api, Http
from muster.sources._missing import missing
from muster.sources._newest import (
    OPEN,
    Place,
    State,
    Stream,
    begin,
    finish,
    follow,
    given,
    instant,
    mapped,
    page,
    recheck,
    stamp,
    start_of,
)
from muster.sources._private import without
from muster.sources._slack_answers import PER_PAGE, WHERE, entries, error_of, listed, wait_of
from muster.sources._slack_rows import at, author, mentioned, role_of, rows_of
from muster.sources._tokens import OAuth, lacking, signed

THREADS = 30 * DAY  # how old a root may be whose late replies are found
PRIVATE = ("email", "phone", "skype")  # of a profile: not stored
NEEDED = ("channels:history", "channels:read", "users:read")
NEEDS = "the bot token of an internal app with the scopes " + ", ".join(NEEDED)
_OLD = ("token_expired", "invalid_auth")


class Options(Source):
    """What Slack needs beyond what every source has."""

    platform: Literal["slack"]
    episode_gap: EpisodeGap = timedelta(hours=24)
    channels: Annotated[
        tuple[str, ...], Field(description="names or ids; absent: all that the app was invited to")
    ] = ()
    solution_reactions: Annotated[
        tuple[str, ...], Field(description="reactions to a reply that accept it as the answer")
    ] = ("white_check_mark",)


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The signed-in client."""
    base_url = options.base_url or "https://slack.com/api"
    oauth = OAuth(
        f"{base_url}/oauth.v2.access", is_old=lambda refused: error_of(refused.body) in _OLD
    )
    return signed(
        http,
        base_url,
        secret,
        oauth,
        name=options.name,
        needs=NEEDS,
        wait_of=wait_of(options.name),
    )


def check(api: Api, options: Options) -> str:
    """Asks whose token it is, and what it may read."""
    answer = api.get("/auth.test")
    granted = {one.strip() for one in answer.headers.get("x-oauth-scopes", "").split(",")} - {""}
    if granted and not granted >= set(NEEDED):
        raise lacking(options.name, NEEDED, granted, WHERE)
    seen = [one for one in _channels(api, options) if _is_read(one, options)]
    if not seen:
        raise SourceFailed(
            f"{options.name}: Slack's app is in no channel: invite it (/invite @app)"
        )
    names = ", ".join(f"#{one.get('name')}" for one in seen[:5]) + (" …" if len(seen) > 5 else "")
    return f"reads Slack's workspace {answer.body['team']} as {answer.body['user']}: {names}"


# ---- reading: what is new ----------------------------------------------------------------------


@dataclass
class Workspace:
    """What the mapping needs to know of the workspace during one fetch."""

    api: Api
    window: Window
    home: str
    team: str
    users: dict[str, Any] = field(default_factory=dict)
    channels: list[Any] = field(default_factory=list)

    def item(self, channel: Any, told: Any, seen_at: datetime) -> Item:
        """A message with its channel, its author's role and the names it mentions."""
        who = author(told) if isinstance(told, Mapping) else None
        names = {one: name for one in mentioned(told) if (name := self._name(one))}
        context = {"channel": channel, "home": self.home, "names": names}
        user = self._user(who) if who and who.startswith(("U", "W")) else None
        return Item("message", told, seen_at, {**context, "role": role_of(user or {})})

    def _name(self, one: str) -> str | None:
        if one.startswith("C"):
            known = (chan for chan in self.channels if isinstance(chan, Mapping))
            return next((chan.get("name") for chan in known if chan.get("id") == one), None)
        return (self._user(one) or {}).get("name")

    def _user(self, one: str) -> Any:
        """A user; those of other workspaces in shared channels are looked up."""
        if one not in self.users:
            self.users[one] = None
            try:
                self.users[one] = self.api.get("/users.info", {"user": one}).body.get("user")
            except Rejected as refused:
                if not refused.is_gone:
                    raise
        return self.users[one]


def pages(api: Api, window: Window) -> Iterator[Page]:
    """Members and sizes once a day, channels with their threads, then messages of age again."""
    state = begin(window)
    who = api.get("/auth.test")
    there = Workspace(api, window, str(who.body.get("url") or ""), str(who.body["team_id"]))
    members = list(listed(api, "/users.list", "members", include_locale="true"))
    there.users = {one["id"]: one for _, one in members if _has_id(one)}
    there.channels = _channels(api, window.options)
    if is_due_today(state, window, "people"):
        done_today(state, window, "people")
        yield page(state, list(_people(there, who, members)))
    is_full = is_due_today(state, window, "sweep")
    for channel in there.channels:
        if _is_read(channel, window.options):
            yield from _history(there, state, channel, is_full)
    done_today(state, window, "sweep")
    for batch in recheck(state, window, 50):
        yield page(state, list(_again(there, batch)))
    yield finish(state)


def _has_id(told: Any) -> bool:
    return isinstance(told, Mapping) and isinstance(told.get("id"), str)


def _channels(api: Api, options: Options) -> list[Any]:
    """The public channels, and the private ones where the token may list them."""
    kinds = ["public_channel,private_channel", "public_channel"]
    try:
        return [one for _, one in listed(api, "/conversations.list", "channels", types=kinds[0])]
    except SourceFailed as refused:
        if "groups:read" not in str(refused):
            raise
    return [one for _, one in listed(api, "/conversations.list", "channels", types=kinds[1])]


def _is_read(channel: Any, options: Options) -> bool:
    if not _has_id(channel):
        return False
    if options.channels:
        names = {one.lstrip("#") for one in options.channels}
        return bool({channel["id"], channel.get("name")} & names)
    return bool(channel.get("is_member"))


def _people(there: Workspace, who: Answer, members: Sequence[tuple[Answer, Any]]) -> Iterator[Item]:
    """Who is in the workspace, how many, and how many in each channel."""
    groups = _groups(there)
    for answer, one in members:
        inside = {"groups": groups.get(str(one.get("id")), [])} if _has_id(one) else {}
        yield Item(
            "user", without(one, PRIVATE), answer.seen_at, inside if there.window.groups else None
        )
    people = [one for one in there.users.values() if one and role_of(one) != "bot"]
    count = len([one for one in people if not one.get("deleted")])
    yield Item("workspace", who.body, who.seen_at, {"members": count})
    for channel in there.channels:
        if _has_id(channel) and not channel.get("is_archived"):
            yield Item("channel", channel, who.seen_at, {"team": there.team})


def _groups(there: Workspace) -> dict[str, list[str]]:
    """The user groups that the settings name, by member."""
    found: dict[str, list[str]] = {}
    if not there.window.groups:
        return found
    told = there.api.get("/usergroups.list", {"include_users": "true"}).body["usergroups"]
    known = {one["handle"]: one.get("users") or () for one in told}
    for name in there.window.groups:
        if name not in known:
            raise SourceFailed(
                f"{there.window.options.name}: Slack has no user group {name!r} that staff, bots "
                f"or not_bots names: there are {', '.join(sorted(known)) or 'none'}"
            )
        for member in known[name]:
            found.setdefault(member, []).append(name)
    return found


def _history(there: Workspace, state: State, channel: Any, is_full: bool) -> Iterator[Page]:
    """A channel's messages, newest first, and the threads of it that grew."""
    window = there.window
    grown = state.setdefault("threads", {}).setdefault(channel["id"], {})
    stream = _stream(there, channel)
    mark = state.get("streams", {}).get(stream.name, {}).get("mark")
    for step in follow(state, stream, window):
        items = []
        for told in step.items:
            root, latest = _thread(told)
            has_news = bool(latest) and (grown.get(root) != latest or given(window) != OPEN)
            if is_full or has_news or given(window) != OPEN or _is_new(told, mark):
                items.append(there.item(channel, told, step.answer.seen_at))
            if has_news:
                items += _replies(there, channel, root)
                grown[root] = latest
        yield page(state, items)
    oldest = str((window.now - THREADS).timestamp())
    state["threads"][channel["id"]] = {ts: at_ for ts, at_ in grown.items() if ts >= oldest}


def _stream(there: Workspace, channel: Any) -> Stream:
    """From 30 days before now, or from the newest message stored if that is longer ago."""
    window = there.window

    def asked(mark: Place | None) -> Mapping[str, Any]:
        start = start_of(window)
        if mark and given(window) == OPEN:
            recent = min(instant(mark[0]), window.now - THREADS)
            start = max(recent, start) if start else recent
        return {"oldest": _seconds(start), "latest": _seconds(window.until)}

    def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
        told = {"channel": channel["id"], **asked, "limit": PER_PAGE, "cursor": token}
        return there.api.get("/conversations.history", told)

    return Stream(
        f"channel:{channel['id']}",
        ask,
        lambda answer: entries(answer, "messages"),
        lambda told: [stamp(at(told["ts"])), told["ts"]],
        asked,
    )


def _seconds(moment: datetime | None) -> str | None:
    return f"{moment.timestamp():.6f}" if moment else None


def _thread(told: Any) -> tuple[str, str]:
    """A root with replies, and when it had the latest of them."""
    if not isinstance(told, Mapping) or not told.get("reply_count"):
        return "", ""
    root = told.get("thread_ts") or told.get("ts")
    latest = told.get("latest_reply") or str(told["reply_count"])
    return (root, str(latest)) if isinstance(root, str) else ("", "")


def _is_new(told: Any, mark: Place | None) -> bool:
    try:
        return mark is None or stamp(at(told["ts"])) > mark[0]
    except (KeyError, TypeError, ValueError, AttributeError):
        return True


def _replies(there: Workspace, channel: Any, root: str) -> Iterator[Item]:
    asked = {"channel": channel["id"], "ts": root}
    for answer, told in listed(there.api, "/conversations.replies", "messages", **asked):
        yield there.item(channel, told, answer.seen_at)


def _again(there: Workspace, batch: Sequence[KnownMessage]) -> Iterator[Item]:
    """The threads of these messages as they are now; what is missing in them is gone."""
    threads: dict[str, list[KnownMessage]] = {}
    for known in batch:
        threads.setdefault(known.thread_id, []).append(known)
    by_id = {one["id"]: one for one in there.channels if _has_id(one)}
    for thread, messages in threads.items():
        place, _, root = thread.partition(":")
        if place not in by_id or not _is_read(by_id[place], there.window.options):
            continue  # no longer ours to read: that is no deletion
        try:
            items = list(_replies(there, by_id[place], root))
        except Rejected as refused:
            if not refused.is_gone:
                raise
            items = []
        yield from items
        yield from missing(there.window, items, messages, rows_of, there.window.now)


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The rows an item stands for."""
    yield from mapped(lambda: rows_of(item, options))
