"""What one fetch of a forum saw on its way, and what it asks for because it did not see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from muster.clock import DAY
from muster.records import Item, KnownMessage, Page
from muster.sources import Window
from muster.sources._answer import Answer
from muster.sources._discourse_answers import granted, id_of, is_id, records, stream, time_of
from muster.sources._discourse_rows import author
from muster.sources._http import Api

CHUNK = 20  # posts a call of a topic's posts
MAX_REREAD = 400  # newest posts of one topic that are read again
REMEMBERED = 80_000  # post numbers kept to name parents without asking, at least half of them
CHECKED = 30 * DAY


@dataclass
class Fetch:
    """One fetch: the cursor as it grows, and what was seen on the way (all of it bounded)."""

    api: Api
    window: Window
    kept: dict[str, Any]  # of finished fetches: post, synced_at, checked_at, members_on
    run: dict[str, Any]  # of this one, until it is finished
    channels: Mapping[int, str] = field(default_factory=dict)
    groups: Mapping[int, Sequence[str]] | None = None  # of each account, if the settings name any
    numbers: dict[tuple[int, int], int | None] = field(default_factory=dict)
    read: dict[int, set[str]] = field(default_factory=dict)  # of a topic; not on a first fetch
    solvers: dict[int, str | None] = field(default_factory=dict)
    reread: set[str] = field(default_factory=set)
    topic: tuple[int, Answer] | None = None
    known: dict[str, list[KnownMessage]] | None = None
    count: int | None = None  # of members now

    def page(self, items: Iterable[Item], **reached: Any) -> Page:
        """Items, with the cursor that says they were reached."""
        self.run = {**self.run, **reached}
        return Page(tuple(items), {**self.kept, "run": dict(self.run)})

    def instant(self, name: str) -> datetime | None:
        """A time of the last finished fetch."""
        return datetime.fromisoformat(self.kept[name]) if self.kept.get(name) else None


def is_inside(at: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    """What has no readable time is let through: the mapping refuses it with its reason."""
    return at is None or ((since is None or at >= since) and (until is None or at < until))


def post_item(fetch: Fetch, post: Any, seen_at: datetime, category: Any = None) -> Item:
    """A post with its channel and parent; ``category`` is its topic's, where it names none."""
    if not isinstance(post, dict):
        return Item("post", post, seen_at)
    context = {
        "channel": channel(fetch, post.get("category_id", category)),
        "parent_id": _parent(fetch, post),
        **_groups(fetch, post.get("user_id")),
    }
    return Item("post", post, seen_at, context)


def user_item(fetch: Fetch, user: Any, seen_at: datetime) -> Item:
    """An account of the list of members."""
    return Item("user", user, seen_at, _groups(fetch, id_of(user)) or None)


def _groups(fetch: Fetch, account: Any) -> dict[str, Any]:
    """The groups an account is in now, where the settings name any."""
    if fetch.groups is None:
        return {}
    return {"groups": list(fetch.groups.get(account, ())) if is_id(account) else []}


def channel(fetch: Fetch, category: Any) -> str | None:
    """The category's name, or its id where the forum does not tell names."""
    return fetch.channels.get(category, str(category)) if is_id(category) else None


def note(fetch: Fetch, posts: Iterable[Any]) -> None:
    """Remember numbers (to name parents) and who wrote accepted answers."""
    for post in posts:
        if id_of(post) is None or not is_id(topic := post.get("topic_id")):
            continue
        if is_id(number := post.get("post_number")):
            fetch.numbers[topic, number] = post["id"]
        if post.get("accepted_answer"):
            fetch.solvers[topic] = author(post)
    if len(fetch.numbers) > REMEMBERED:  # one by one each search for the first passes the gone
        fetch.numbers = dict(islice(fetch.numbers.items(), REMEMBERED // 2, None))


def _parent(fetch: Fetch, post: Mapping[str, Any]) -> str | None:
    """The id of the post replied to: seen on the way, else asked for."""
    topic, number = post.get("topic_id"), post.get("reply_to_post_number")
    if not (is_id(topic) and is_id(number)):
        return None
    if (topic, number) not in fetch.numbers:
        found = granted(fetch.api, f"/t/{topic}/{number}.json")
        note(fetch, records(found.body, "post_stream", "posts") if found else ())
        fetch.numbers.setdefault((topic, number), None)
    parent = fetch.numbers[topic, number]
    return None if parent is None else str(parent)


def solver(fetch: Fetch, topic: int) -> str | None:
    """Who wrote the accepted answer: seen on the way, else asked for."""
    if topic in fetch.solvers:
        return fetch.solvers[topic]
    found = _topic(fetch, topic)
    note(fetch, records(found.body, "post_stream", "posts") if found else ())
    accepted = found.body.get("accepted_answer") if found else None
    number = accepted.get("post_number") if isinstance(accepted, dict) else None
    if topic not in fetch.solvers and is_id(number):
        near = granted(fetch.api, f"/t/{topic}/{number}.json")
        for post in records(near.body, "post_stream", "posts") if near else ():
            if post.get("post_number") == number:
                fetch.solvers[topic] = author(post)
    return fetch.solvers.setdefault(topic, None)


def _topic(fetch: Fetch, topic: int | str) -> Answer | None:
    """A topic's answer, or ``None`` if it is not to be seen; the last one is kept."""
    if fetch.topic is None or fetch.topic[0] != int(topic):
        found = granted(fetch.api, f"/t/{topic}.json")
        if found is None or not isinstance(found.body, dict):
            return None
        fetch.topic = (int(topic), found)
    return fetch.topic[1]


def again(fetch: Fetch, topic: int | str) -> list[Item]:
    """A topic's posts read again, and deletions of known ones that are gone."""
    fetch.reread.add(str(topic))
    found = _topic(fetch, topic)
    there = known(fetch).get(str(topic), [])
    if found is None:
        return [_looked_up(fetch, one) for one in there]
    if found.body.get("deleted_at"):
        return [_deletion(fetch, one) for one in there]
    posts, ids = _topic_posts(fetch, topic, found.body), stream(found.body)
    note(fetch, posts)
    category = found.body.get("category_id")
    wanted = [post for post in posts if _is_wanted(fetch, post, there)]
    items = [post_item(fetch, post, found.seen_at, category) for post in wanted]
    shown = {str(id_) for id_ in ids}
    missing = [one for one in there if ids and one.message_id not in shown]
    return items + [_looked_up(fetch, one) for one in missing]


def _is_wanted(fetch: Fetch, post: Any, there: Sequence[KnownMessage]) -> bool:
    """What was written before the window began is left out, as on the first fetch, if not known."""
    since = fetch.run["since"]
    first = datetime.fromisoformat(since) if since else None
    is_known = str(id_of(post)) in {one.message_id for one in there}
    return is_known or is_inside(time_of(post, "created_at"), first, None)


def _topic_posts(fetch: Fetch, topic: int | str, body: Any) -> list[dict[str, Any]]:
    """The posts a topic came with, and the newest of the others, some a call."""
    posts = records(body, "post_stream", "posts")
    read = {id_of(post) for post in posts}
    rest = [id_ for id_ in stream(body) if id_ not in read][-MAX_REREAD:]
    for start in range(0, len(rest), CHUNK):
        asked = {"post_ids[]": rest[start : start + CHUNK]}
        more = granted(fetch.api, f"/t/{topic}/posts.json", asked)
        posts += records(more.body, "post_stream", "posts") if more else []
    return posts


def _looked_up(fetch: Fetch, known: KnownMessage) -> Item:
    """A known post that its topic does not show: deleted, unless it moved to another topic."""
    found = granted(fetch.api, f"/posts/{known.message_id}.json")
    return post_item(fetch, found.body, found.seen_at) if found else _deletion(fetch, known)


def _deletion(fetch: Fetch, known: KnownMessage) -> Item:
    body = {"missing": known.message_id, "topic_id": known.thread_id}
    context = {"created_at": known.created_at.isoformat()}
    return Item("deletion", body, fetch.window.now, context)


def known(fetch: Fetch) -> dict[str, list[KnownMessage]]:
    """Messages of the last 30 days that the lake holds, by topic."""
    if fetch.known is None:
        fetch.known = {}
        for one in fetch.window.known(fetch.window.now - CHECKED):
            fetch.known.setdefault(one.thread_id, []).append(one)
    return fetch.known
