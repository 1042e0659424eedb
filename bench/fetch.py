"""The whole way of a fetch, from a forum's pages to the lake: items a second and peak memory.

python bench/fetch.py [--posts N] [--days D] [--letters L] [--sentiment none] [--lang en]
A simulated Discourse answers over loopback, from a process of its own. Beside Muster (raw, mapping,
sentiment, merge, state) stand the pages alone and a floor: a plain loop of httpx, json and pyarrow
that writes some fields of the same posts, topics and accounts into three Parquet files; ``whole``
is the same loop with all that was sent, which Muster's raw keeps, too. ``--days 30`` puts all
posts into one month; ``--sentiment none`` leaves scores out, ``--lang en`` spares telling each
post's language. ``--rounds 3`` measures in turns and shows each way's calmest round, in items a
second by the clock and by the processor's time, each with its part of the floor's.
``--only muster`` prints one measurement as JSON, ``--profile`` what it spends its time on.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import httpx

from bench.simulated_forum import (
    HOME,
    NOW,
    SETTINGS,
    TOPICS_A_PAGE,
    USERS,
    USERS_A_PAGE,
    WINDOW,
    Forum,
    serve,
)
from muster import unneeded


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


def floor(run: Run, is_whole: bool = False) -> int:
    """Every page over httpx into one Parquet file a kind, as plainly as it can be written."""
    with tempfile.TemporaryDirectory() as folder, httpx.Client(base_url=run.home) as client:
        return sum(
            written(f"{folder}/{kind}.parquet", plain_rows(client, kind, pages, is_whole))
            for kind, pages in groupby(_pages(run.forum), key=itemgetter(0))
        )


def plain_rows(
    client: httpx.Client, kind: str, pages: Iterable[Any], is_whole: bool
) -> Iterator[dict[str, Any]]:
    read, names = FLOOR[kind]
    for _, path, params in pages:
        for one in read(client.get(path, params=params).json()):
            yield one if is_whole else {name: one[name] for name in names}


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


WAYS: dict[str, Callable[[Run], int]] = {
    "pages": pages_alone, "floor": floor, "whole": partial(floor, is_whole=True), "muster": muster
}  # fmt: skip


def measured(way: str, run: Run) -> dict[str, float]:
    """One way, in this process."""
    unneeded.hide()
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
