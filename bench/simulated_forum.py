"""Numbers of posts, days and letters → a simulated Discourse that answers over loopback."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOME = "https://forum.example.org"
WINDOW, TOPIC_POSTS, TOPICS_A_PAGE, USERS_A_PAGE = 49, 20, 100, 100
OPEN_TOPICS = 50  # that are written in at the same time
USERS = 20_000
WORDS = """the a to and of in is it my you that with for on not can have this be was but when after
please help error login page account network printer password slow broken great thanks works
update problem tried again server connection laptop nothing happens since yesterday fails good bad
terrible solved perfect happy annoying install version driver restart files missing access denied
email"""
POST = (
    '{"id":%d,"name":"Person %d","username":"person%d","avatar_template":"/letter/p/%d.png",'
    '"created_at":"%s","cooked":"<p>%s</p>\\n<p>%s</p>","raw":"%s\\n\\n%s","post_number":%d,'
    '"post_type":1,"posts_count":20,"updated_at":"%s","reply_count":%d,"reply_to_post_number":%s,'
    '"quote_count":0,"incoming_link_count":0,"reads":%d,"readers_count":9,"score":4.2,"yours":false,'
    '"topic_id":%d,"topic_slug":"how-do-i-%d","topic_title":"How do I mend this (%d)",'
    '"topic_html_title":"How do I mend this","category_id":%d,"display_username":"Person %d",'
    '"primary_group_name":null,"flair_name":null,"flair_url":null,"flair_bg_color":null,'
    '"version":1,"can_edit":false,"can_delete":false,"can_recover":false,"can_wiki":false,'
    '"user_title":null,"bookmarked":false,"actions_summary":[{"id":2,"count":%d}],'
    '"moderator":false,"admin":false,"staff":false,"user_id":%d,"hidden":false,"trust_level":1,'
    '"deleted_at":null,"user_deleted":false,"edit_reason":null,"can_view_edit_history":true,'
    '"wiki":false,"excerpt":"%s","accepted_answer":false}'
)
TOPIC = (
    '{"id":%d,"title":"How do I mend this (%d)","slug":"how-do-i-%d","posts_count":20,"views":120,'
    '"created_at":"%s","bumped_at":"%s","last_posted_at":"%s","archetype":"regular","closed":false,'
    '"archived":false,"category_id":%d,"tags":["wifi"],"has_accepted_answer":false}'
)
SETTINGS = f"""\
community: Bench
timezone: Europe/Berlin
sentiment: {{sentiment}}
sources:
  - {{{{name: forum, platform: discourse, base_url: "{HOME}"}}}}
"""


@dataclass(frozen=True)
class Forum:
    """Posts of about so many letters, evenly spread over the days before now; none is kept."""

    posts: int
    days: float
    letters: int
    book: str

    @classmethod
    def of(cls, posts: int, days: float = 425, letters: int = 250) -> Forum:
        words = random.Random(1).choices(WORDS.split(), k=100_000 + letters)
        return cls(posts, days, letters, " ".join(words))

    @property
    def topics(self) -> int:
        """How many topics they are in."""
        return -(-self.posts // TOPIC_POSTS)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What Discourse answers, for who asks inside the process."""
        text = self.page(request.url.path, dict(request.url.params))
        headers = {"content-type": "application/json; charset=utf-8"}
        if text is None:
            return httpx.Response(404, json={"errors": [f"no {request.url.path}"]})
        return httpx.Response(200, content=text.encode(), headers=headers)

    def page(self, path: str, query: Mapping[str, str]) -> str | None:
        """What Discourse answers, as JSON; ``None`` for what no fetch should need."""
        asked = {key: int(value) for key, value in query.items() if value.isdecimal()}
        page = {
            "/posts.json": self._posts, "/latest.json": self._topics, "/about.json": self._about,
            "/site.json": self._site, "/admin/users/list/active.json": self._users,
        }.get(path)  # fmt: skip
        return page(asked) if page else None

    def window(self, before: int) -> Iterator[int]:
        """Ids of one page of posts, newest first."""
        return iter(range(min(before - 1, self.posts), max(0, before - 1 - WINDOW), -1))

    def _posts(self, asked: dict[str, int]) -> str:
        found = ",".join(
            self._post(id_) for id_ in self.window(asked.get("before", self.posts + 1))
        )
        return f'{{"latest_posts":[{found}]}}'

    def _post(self, id_: int) -> str:
        """Post ``id_``: topics are written in ``OPEN_TOPICS`` at a time, in turns."""
        block, place = divmod(id_ - 1, OPEN_TOPICS * TOPIC_POSTS)
        turn, topic = divmod(place, OPEN_TOPICS)
        topic += block * OPEN_TOPICS + 1
        user, at = id_ * 7919 % USERS + 1, self._at(id_)
        page = id_ * 104_729 % (len(self.book) - 2 * self.letters)
        middle = page + self.letters * (25 + id_ % 25) // 100
        end = page + self.letters * (75 + id_ * 31 % 50) // 100
        first, second = self.book[page:middle], self.book[middle:end]
        reply_to = "null" if turn == 0 else str(1 + id_ % turn)
        return POST % (
            id_, user, user, user, at, first, second, first, second, turn + 1, at, id_ % 3,
            reply_to, id_ % 40, topic, topic, topic, topic % 9 + 1, user, id_ % 5, user, first[:50],
        )  # fmt: skip

    def _at(self, id_: int) -> str:
        at = NOW - timedelta(days=self.days) * (1 - (id_ - 1) / self.posts)
        return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"

    def _topics(self, asked: dict[str, int]) -> str:
        page, count = asked.get("page", 0), self.topics
        newest = count - page * TOPICS_A_PAGE
        ids = range(newest, max(0, newest - TOPICS_A_PAGE), -1)
        found = ",".join(self._topic(id_) for id_ in ids)
        more = f',"more_topics_url":"/latest?page={page + 1}"' if newest > TOPICS_A_PAGE else ""
        return f'{{"topic_list":{{"topics":[{found}]{more}}}}}'

    def _topic(self, id_: int) -> str:
        block = (id_ - 1) // OPEN_TOPICS * OPEN_TOPICS * TOPIC_POSTS
        first = self._at(min(block + (id_ - 1) % OPEN_TOPICS + 1, self.posts))
        last = self._at(min(block + OPEN_TOPICS * TOPIC_POSTS, self.posts))
        return TOPIC % (id_, id_, id_, first, last, last, id_ % 9 + 1)

    def _about(self, _: dict[str, int]) -> str:
        return json.dumps({"about": {"title": "Bench", "stats": {"users_count": USERS}}})

    def _site(self, _: dict[str, int]) -> str:
        categories = [{"id": id_, "name": f"Category {id_}"} for id_ in range(1, 10)]
        return json.dumps({"categories": categories})

    def _users(self, asked: dict[str, int]) -> str:
        start = max(0, asked.get("page", 1) - 1) * USERS_A_PAGE
        return json.dumps(
            [
                {"id": id_, "username": f"person{id_}", "name": f"Person {id_}",
                 "created_at": "2024-01-01T00:00:00Z", "last_seen_at": "2026-11-01T00:00:00Z"}
                for id_ in range(start + 1, min(start + USERS_A_PAGE, USERS) + 1)
            ]
        )  # fmt: skip


class Server(asyncio.Protocol):
    """The forum over HTTP/1.1, as plainly as it can be spoken: GETs without a body, kept alive."""

    def __init__(self, forum: Forum) -> None:
        self.forum, self.read = forum, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.read += data
        while b"\r\n\r\n" in self.read:
            head, _, self.read = self.read.partition(b"\r\n\r\n")
            parts = urlsplit(head.split(b" ", 2)[1].decode())
            text = self.forum.page(parts.path, dict(parse_qsl(parts.query)))
            status, body = ("200 OK", text) if text else ("404 Not Found", '{"errors":["none"]}')
            raw = body.encode()
            self.transport.write(
                f"HTTP/1.1 {status}\r\ncontent-type: application/json; charset=utf-8\r\n"
                f"content-length: {len(raw)}\r\n\r\n".encode()
                + raw
            )


async def serve(forum: Forum) -> None:
    """Answer on a free port of loopback, told on stdout, until killed."""
    server = await asyncio.get_running_loop().create_server(lambda: Server(forum), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
