"""The whole way of a fetch, from a forum's pages to the lake: items a second and peak memory.

python bench/fetch.py [--posts N] [--days D] [--letters L] [--sentiment none] [--lang en]
A simulated Discourse answers over loopback, from a process of its own. Beside Muster (raw, mapping,
sentiment, merge, state) stand the pages alone and a floor: a plain loop of httpx, json and pyarrow
that writes the same posts, topics and accounts into three Parquet files. ``--days 30`` puts all
posts into one month; ``--sentiment none`` leaves scores out, ``--lang en`` spares telling each
post's language. ``--rounds 3`` measures in turns and shows each way's calmest round, in items a
second by the clock and by the processor's time, each with its part of the floor's.
``--only muster`` prints one measurement as JSON, ``--profile`` what it spends its time on.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any
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


@dataclass(frozen=True)
class Run:
    """One measurement: where the forum answers, and how Muster is set."""

    forum: Forum
    home: str
    sentiment: str
    lang: str


def pages_alone(run: Run) -> int:
    """Ask for every page, and nothing more."""
    with httpx.Client(base_url=run.home) as client:
        for _, path, params in _pages(run.forum):
            client.get(path, params=params).raise_for_status()
    return run.forum.posts + run.forum.topics + USERS


def _pages(forum: Forum) -> Iterator[tuple[str, str, dict[str, int]]]:
    for before in range(WINDOW, forum.posts + WINDOW + 1, WINDOW):
        yield "posts", "/posts.json", {"before": before}
    for page in range(-(-forum.topics // TOPICS_A_PAGE)):
        yield "topics", "/latest.json", {"page": page}
    for page in range(1, USERS // USERS_A_PAGE + 1):
        yield "users", "/admin/users/list/active.json", {"page": page}


FLOOR: dict[str, tuple[Callable[[Any], list[Any]], tuple[str, ...]]] = {
    "posts": (lambda page: page["latest_posts"],
              ("id", "topic_id", "user_id", "post_number", "created_at", "cooked", "reads")),
    "topics": (lambda page: page["topic_list"]["topics"],
               ("id", "title", "created_at", "category_id", "views", "tags")),
    "users": (lambda page: page, ("id", "username", "name", "created_at", "last_seen_at")),
}  # fmt: skip


def floor(run: Run) -> int:
    """Every page over httpx into one Parquet file a kind, as plainly as it can be written."""
    with tempfile.TemporaryDirectory() as folder, httpx.Client(base_url=run.home) as client:
        return sum(
            written(f"{folder}/{kind}.parquet", plain_rows(client, kind, pages))
            for kind, pages in groupby(_pages(run.forum), key=itemgetter(0))
        )


def plain_rows(client: httpx.Client, kind: str, pages: Iterable[Any]) -> Iterator[dict[str, Any]]:
    read, names = FLOOR[kind]
    for _, path, params in pages:
        for one in read(client.get(path, params=params).json()):
            yield {name: one[name] for name in names}


def written(path: str, rows: Iterator[dict[str, Any]]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer, count = None, 0
    while batch := list(islice(rows, 10_000)):
        table = pa.Table.from_pylist(batch)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
        count += len(batch)
    writer.close()
    return count


def muster(run: Run) -> int:
    """``muster fetch`` of the forum into a new project folder."""
    from muster.pipeline import collect
    from muster.project import open_project
    from muster.sources._http import Http

    lang = f'", lang: "{run.lang}' if run.lang else ""
    text = SETTINGS.format(sentiment=run.sentiment).replace(HOME, run.home + lang)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "muster.yaml").write_text(text)
        http = Http(clock=lambda: NOW)
        project = open_project(Path(folder), clock=lambda: NOW, environment={}, http=http)
        (fetched,) = collect.fetch(project)
    assert not fetched.error, fetched.error
    assert fetched.changed["messages"] == run.forum.posts, fetched
    assert not fetched.quarantined
    return fetched.items


WAYS: dict[str, Callable[[Run], int]] = {"pages": pages_alone, "floor": floor, "muster": muster}


class WithoutPandas:
    """pandas is here for tests only, and pyarrow loads it wherever it finds it."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def measured(way: str, run: Run) -> dict[str, float]:
    """One way, in this process."""
    sys.meta_path.insert(0, WithoutPandas())
    wall, busy = time.perf_counter(), time.process_time()
    items = WAYS[way](run)
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    return {
        "items": items,
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(busy, 2),
        "peak_mb": round(peak_mb()),
    }


def profiled(way: str, run: Run) -> None:
    """What one way spends its time on, the dearest functions first."""
    import cProfile
    import pstats
    import threading

    profile = cProfile.Profile()
    threading.setprofile(lambda *_: profile.enable())  # the fetch runs in a thread of its own
    profile.enable()
    WAYS[way](run)
    profile.disable()
    pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(40)


def peak_mb() -> float:
    """The most memory this process ever held; ``ru_maxrss`` may tell of its parent's, if larger."""
    status = Path("/proc/self/status")
    if found := status.exists() and re.search(r"VmHWM:\s+(\d+)", status.read_text()):
        return int(found[1]) / 1024
    unit = 1024 if sys.platform.startswith("linux") else 1024 * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=200_000)
    parser.add_argument("--days", type=float, default=425)
    parser.add_argument("--letters", type=int, default=250)
    parser.add_argument("--sentiment", default="vader")
    parser.add_argument("--lang", default="")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", choices=WAYS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--home", default="", help=argparse.SUPPRESS)
    parser.add_argument("--profile", action="store_true")
    chosen = parser.parse_args()
    forum = Forum.of(chosen.posts, chosen.days, chosen.letters)
    if chosen.serve:
        asyncio.run(serve(forum))
    elif chosen.home:
        run = Run(forum, chosen.home, chosen.sentiment, chosen.lang)
        if chosen.profile:
            profiled(chosen.only, run)
        print(json.dumps(measured(chosen.only, run)))
    elif chosen.only:
        print(json.dumps(compare([chosen.only], chosen.rounds)[chosen.only]))
    else:
        print(f"{chosen.posts:,} posts of {chosen.letters} letters over {chosen.days:g} days")
        show(compare(list(WAYS), chosen.rounds))


def compare(ways: list[str], rounds: int) -> dict[str, dict[str, float]]:
    """Each way in a process of its own, all of the same server: the least each took of anything."""
    again = [sys.executable, __file__, *sys.argv[1:]]
    server = subprocess.Popen([*again, "--serve"], stdout=subprocess.PIPE, text=True)
    assert server.stdout
    try:
        home = f"http://127.0.0.1:{int(server.stdout.readline())}"
        found: dict[str, dict[str, float]] = {}
        for way in ways * rounds:
            command = [*again, "--only", way, "--home", home]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            told = json.loads(done.stdout)
            found[way] = {key: min(told[key], found.get(way, told)[key]) for key in told}
    finally:
        server.kill()
        server.wait()
    return found


def show(found: dict[str, dict[str, float]]) -> None:
    """Items a second and the part of the floor's speed, by the clock and by the processor."""
    print(f"{'':8} {'by the clock':>20} {'by the processor':>20} {'peak':>8}")
    for way, it in found.items():
        told = [_speed(it, found.get("floor", it), by) for by in ("wall_seconds", "cpu_seconds")]
        print(f"{way:8} {told[0]:>20} {told[1]:>20} {it['peak_mb']:>5,.0f} MB")


def _speed(it: dict[str, float], floor_of: dict[str, float], by: str) -> str:
    speed, plain = it["items"] / it[by], floor_of["items"] / floor_of[by]
    return f"{speed:,.0f}/s {speed / plain:>5.0%}"


if __name__ == "__main__":
    main()
