"""A forum in memory, and a lake in memory that fetches from it as the pipeline would."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from forum import START, Forum
from recorded import Recorded, Rows, last_cursor, stored

from muster.records import Item, KnownMessage, Page
from muster.sources import Window, discourse
from muster.sources._http import Http

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OPTIONS = discourse.Options(
    name="forum", platform="discourse", base_url="https://forum.example.org"
)


class Lake:
    """What was fetched so far of one forum, as the real lake would remember it."""

    def __init__(self, forum: Forum, options: discourse.Options = OPTIONS) -> None:
        self.forum, self.options = forum, options
        self.items: list[Item] = []
        self.cursor: dict[str, Any] = {}

    def pages(self, now: datetime, **bounds: Any) -> Iterable[Page]:
        api = discourse.connect(
            self.options, "key", Http(transport=self.forum, clock=lambda: now, sleep=no_sleep)
        )
        window = Window(self.options, now, self.cursor, known=self.known, **bounds)
        return discourse.pages(api, window)

    def fetch(self, now: datetime, **bounds: Any) -> Lake:
        for page in self.pages(now, **bounds):
            self.store(page)
        return self

    def store(self, page: Page) -> None:
        self.items += [stored(item) for item in page.items]
        self.cursor = json.loads(json.dumps(last_cursor([page]) or self.cursor))

    @property
    def rows(self) -> Rows:
        rows, refused = Recorded("discourse").rows(self.items)
        assert not refused
        return rows

    def known(self, at: datetime) -> Iterable[KnownMessage]:
        rows = self.rows
        messages = sorted(
            (row["created_at"], key[1], row["thread_id"])
            for key, row in rows.items()
            if key[0] == "messages" and ("deletions", key[1]) not in rows
        )
        return (KnownMessage(id_, topic, made) for made, id_, topic in messages if made >= at)

    def ids(self, table: str = "messages") -> set[str]:
        return {key[1] for key in self.rows if key[0] == table}

    def message(self, id_: int) -> dict[str, Any]:
        return self.rows[("messages", str(id_))]


def no_sleep(seconds: float) -> None:
    raise AssertionError("a forum in memory never asks to wait")


def forum_of(posts: int, step: int = 1, **options: Any) -> Forum:
    """A forum of one post an hour, ten a topic, every second a reply to the one before."""
    forum = Forum(**options)
    for user in (1, 2, 3):
        forum.join(user, f"user{user}", moderator=user == 1)
    for number in range(posts):
        topic, at = number // 10 + 1, START + number * HOUR
        if topic not in forum.topics:
            forum.open(topic, f"Topic {topic}", at)
        reply = {"reply_to_post_number": number % 10} if number % 2 else {}
        forum.write(
            (number + 1) * step, topic, number % 3 + 1, at, f"<p>Post {number}</p>", **reply
        )
    return forum
