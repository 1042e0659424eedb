"""A network that delays, cuts, repeats, refuses and lies: the lake is that of a calm fetch.

The simulated platforms answer over HTTP, through a proxy that spoils what its seed says.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import fault_proxy as proxy
import pytest
from command_line import muster
from fault_proxy import Asked, Fault, Weather, said
from thorough import IS_THOROUGH, tries

import demo
from muster.errors import RateLimited, Retry
from muster.kpis import engine
from muster.pipeline import collect
from muster.project import open_project
from muster.records import TABLES, columns
from muster.sources._http import Api, Http

SEEDS = range(tries(1, 30))
RUNS = 40  # so often a fetch that failed is run again, as its schedule would
TIMEOUT, LONGEST = 1.0, 10  # seconds in the first run; so many times that in later ones
SOURCES = ("forum", "x", "bluesky")
PAGE = b"<!doctype html><title>Maintenance</title><p>Back soon</p>"


def in_seconds(seconds: float) -> Fault:
    """A 429 whose hint is a date, so many seconds from the platforms' now."""
    at = demo.DEFAULT_NOW + timedelta(seconds=seconds)
    return said(429, b"{}", Retry_After=format_datetime(at, usegmt=True))


FAULTS: Mapping[str, Fault] = {
    "late": proxy.late,
    "in chunks": proxy.in_chunks,
    "cut inside": proxy.cut_inside,
    "cut in a chunk": proxy.cut_in_a_chunk,
    "cut short": proxy.cut_short,
    "lost": proxy.lost,
    "reset": proxy.reset,
    "twice": proxy.twice,
    "refused": proxy.refused,
    "stalled": proxy.stalled(),
    "empty": said(200),
    "HTML": said(200, PAGE, "text/html"),
    "HTML as JSON": said(200, PAGE),
    "429": said(429, b"{}"),
    "429 HTML": said(429, PAGE, "text/html"),
    "429 for 7 s": said(429, b"{}", Retry_After="7"),
    "429 garbage": said(429, b"{}", Retry_After="in a while"),
    "429 until a date": in_seconds(30),
    "429 until a past date": in_seconds(-3600),
    "500": said(500, b'{"error": "oops"}'),
    "502": said(502, PAGE, "text/html"),
    "503": said(503, PAGE, "text/html", Retry_After="5"),
    "504": said(504),
    "408": said(408),
}
HARD: Mapping[str, Fault] = {"429 for an hour": said(429, b"{}", Retry_After="3600")}


def assert_same(found: Sequence[str], expected: Sequence[str], what: str) -> None:
    """The same rows, each as often; else which are lost, and which are doubled or others."""
    lost, more = Counter(expected) - Counter(found), Counter(found) - Counter(expected)
    assert (list(lost)[:3], list(more)[:3]) == ([], []), f"{what}: {len(lost)}, {len(more)}"


def of(sources: Sequence[str], found: Sequence[str]) -> list[str]:
    """The rows of some sources."""
    return [row for row in found if row.split("', '", 2)[1].rstrip("',") in sources]


def source_of(asked: Asked) -> str:
    """The source that asks: each asks one request after the other."""
    return {"2": "x", "xrpc": "bluesky"}.get(asked.path.split("/")[1], "forum")


@pytest.fixture(scope="module")
def server() -> Iterator[demo.Server]:
    with demo.start(are_limited=False) as running:
        yield running


def project_at(server: demo.Server, url: str, folder: Path) -> Path:
    """A demo project that finds its platforms at ``url`` and reaches back a week."""
    server.write_project(folder)
    settings = folder / "muster.yaml"
    since = (demo.DEFAULT_NOW - timedelta(weeks=1)).date().isoformat()
    text = re.sub(r"since: \S+", f"since: {since}", settings.read_text())
    settings.write_text(text.replace(server.base_url, url) + "\nsentiment: none\n")
    return folder


def network(timeout: float = 30.0) -> Http:
    """A network on the platforms' day that sleeps no pause."""
    return Http(timeout=timeout, clock=lambda: demo.DEFAULT_NOW, sleep=lambda _: None)


def moment(server: demo.Server, timeout: float = 30.0) -> Http:
    """A network on a day of the platforms that moves."""
    return Http(timeout=timeout, clock=lambda: server.now, sleep=lambda _: None)


def fetched(
    server: demo.Server, folder: Path, http: Http, names: Sequence[str] = ()
) -> dict[str, str]:
    """Fetch once in this process; what went wrong, by source."""
    project = open_project(folder, clock=lambda: server.now, environment=server.tokens, http=http)
    return {one.source: one.error for one in collect.fetch(project, names) if one.error}


def fetched_at_last(
    server: demo.Server, folder: Path, http: Callable[[int], Http], names: Sequence[str] = SOURCES
) -> int:
    """Fetch what failed again and again, as a schedule would; how many runs it took.

    ``http`` is told the run, to wait longer in each: on a busy machine the server is late, too.
    """
    for run in range(1, RUNS):
        names = list(fetched(server, folder, http(run), names))
        if not names:
            return run
    raise AssertionError(f"{names} cannot be fetched in {RUNS} runs")


def rows(folder: Path, without: Sequence[str] = ()) -> list[str]:
    """Every row of every table, but for when it was observed and at whose door."""
    found = []
    with engine.reading(str(folder / "lake")) as reader:
        for table in TABLES.values():
            kept = [one.name for one in columns(table.row)[:-1] if one.name not in without]
            names = ", ".join(f'"{name}"' for name in kept)
            told = reader.ask(f"select '{table.name}', source, {names} from {table.name}")
            found += [re.sub(r"127\.0\.0\.1:\d+", "(door)", repr(row)) for row in told.rows]
    return sorted(found)


@pytest.fixture(scope="module")
def calm(server: demo.Server, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The rows of a fetch that nothing disturbed."""
    folder = project_at(server, server.base_url, tmp_path_factory.mktemp("calm"))
    assert fetched(server, folder, network()) == {}
    found = rows(folder)
    assert len(found) > 2000
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_the_network_does_the_lake_is_the_same(
    seed: int, server: demo.Server, calm: list[str], tmp_path: Path
) -> None:
    weather = Weather(seed, FAULTS, hard=HARD, rate=0.25, stream=source_of)
    with proxy.before(server.base_url, weather) as url:
        folder = project_at(server, url, tmp_path)
        runs = fetched_at_last(server, folder, lambda run: network(min(run, LONGEST) * TIMEOUT))
    told = sum(weather.met.values()) - weather.met["none"]
    print(f"seed {seed}: {runs} runs, {told} faults {weather.met}")
    assert told > 20
    assert_same(rows(folder), calm, f"seed {seed}")


def test_muster_fetch_waits_as_it_is_asked_and_ends_with_the_same_lake(
    server: demo.Server, calm: list[str], tmp_path: Path
) -> None:
    """The real program and its real pauses; the platforms' day is not today's."""
    wait = said(429, b"{}", Retry_After="1")
    faults = {name: FAULTS[name] for name in ("cut inside", "twice", "HTML", "502", "in chunks")}
    weather = Weather(7, faults, rate=0.1, storm_every=10**9, stream=source_of)
    sources: Sequence[str] = tries(("x", "bluesky"), SOURCES)
    asked: Counter[str] = Counter()
    told_at: dict[str, float] = {}
    waited: list[float] = []

    def plan(one: Asked) -> Fault:
        source, now = source_of(one), time.monotonic()
        asked[source] += 1
        if source in told_at:
            waited.append(now - told_at.pop(source))
        if asked[source] % 5 != 3:
            return weather(one)
        told_at[source] = now
        return wait

    with proxy.before(server.base_url, plan) as url:
        folder = project_at(server, url, tmp_path)
        named = [word for source in sources for word in ("--source", source)]
        ended = muster(folder, "fetch", *named, **server.tokens)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(waited) >= 3 and min(waited) >= 1
    expected = [row for row in of(sources, calm) if not row.startswith("('audience'")]
    found = [row for row in rows(folder) if not row.startswith("('audience'")]
    assert_same(found, expected, "muster fetch")


@pytest.mark.parametrize("seed", range(tries(1, 4)))
def test_pages_that_change_while_they_are_paged_are_made_up_for(
    seed: int, server: demo.Server, tmp_path: Path
) -> None:
    """Posts come, are edited and go between two pages; a week later all is as if read then."""
    if not IS_THOROUGH:
        pytest.skip("moves a server of its own through a week: make test-faults")
    weather = Weather(seed, FAULTS, hard=HARD, rate=0.1, stream=source_of)
    draw, asked_so_far = random.Random(seed), 0
    with demo.start(are_limited=False) as moving:

        def plan(asked: Asked) -> Fault:
            nonlocal asked_so_far
            asked_so_far += 1
            if asked_so_far % 3 == 0:
                moving.move_to(moving.now + timedelta(minutes=draw.randrange(1, 40)))
            return weather(asked)

        with proxy.before(moving.base_url, plan) as url:
            folder = project_at(moving, url, tmp_path / "moved")
            fetched_at_last(moving, folder, lambda run: moment(moving, min(run, LONGEST) * TIMEOUT))
        moving.move_to(demo.DEFAULT_NOW + timedelta(days=10))
        text = (folder / "muster.yaml").read_text()
        (folder / "muster.yaml").write_text(text.replace(url, moving.base_url))
        assert fetched(moving, folder, moment(moving)) == {}
        whole = project_at(moving, moving.base_url, tmp_path / "whole")
        assert fetched(moving, whole, moment(moving)) == {}
    # A member's profile keeps what it told once: here the name of who left since.
    there, expected = (rows(one, without=["display_name"]) for one in (folder, whole))
    lost = Counter(expected) - Counter(there)
    print(f"seed {seed}: {len(there)} rows, {asked_so_far} requests, {weather.met.total()}")
    assert list(lost) == []
    assert_same(*(standing(one) for one in (folder, whole)), "standing messages")


def standing(folder: Path) -> list[str]:
    """The messages of the window that were not deleted, but for where they were read."""
    since = demo.DEFAULT_NOW - timedelta(days=6)
    sql = (
        "select * exclude (observed_at, url) from messages "
        f"where deleted_at is null and created_at >= '{since:%Y-%m-%d}'"
    )
    return list(map(repr, engine.ask(str(folder / "lake"), sql).rows))


# ---- the time of a function is up in the middle --------------------------------------------------


def turn(most: int) -> Http:
    """The network of one turn, whose time is good for so many requests."""
    begun = demo.DEFAULT_NOW - timedelta(hours=1)
    http: Http

    def clock() -> datetime:
        return begun + timedelta(seconds=http.requests)

    http = Http(clock=clock, deadline=begun + timedelta(seconds=most - 1), sleep=lambda _: None)
    return http


@pytest.mark.parametrize("source", tries(("x",), SOURCES))
def test_a_fetch_that_ends_after_any_request_is_gone_on_with(
    source: str, server: demo.Server, calm: list[str], tmp_path: Path
) -> None:
    expected = of([source], calm)
    chosen = every_request(server, source, tmp_path) if IS_THOROUGH else [6]
    for most in chosen:
        folder = project_at(server, server.base_url, tmp_path / str(most))
        fetched(server, folder, turn(most), [source])
        assert fetched_at_last(server, folder, lambda _: network(), [source]) == 1
        assert_same(rows(folder), expected, f"{source} cut after {most} requests")
    print(f"{source}: cut after {len(chosen)} numbers of requests")


def every_request(server: demo.Server, source: str, folder: Path) -> range:
    """The number of each request of a whole fetch, or of thirty evenly spread."""
    whole = network()
    assert fetched(server, project_at(server, server.base_url, folder), whole, [source]) == {}
    return range(1, whole.requests + 1, 1 + whole.requests // 30)


@pytest.mark.parametrize(
    ("source", "most"), tries([("x", 4)], [("x", 3), ("x", 4), ("forum", 45), ("forum", 70)])
)
def test_a_fetch_in_many_short_turns_comes_to_its_end(
    source: str, most: int, server: demo.Server, calm: list[str], tmp_path: Path
) -> None:
    """As the state machine does: called again for as long as it says that time ran out."""
    folder = project_at(server, server.base_url, tmp_path)
    turns = fetched_at_last(server, folder, lambda _: turn(most), [source])
    print(f"{source}: {turns} turns of {most} requests")
    assert turns > 1
    assert_same(rows(folder), of([source], calm), source)


# ---- single faults -------------------------------------------------------------------------------


def test_an_answer_that_comes_twice_is_not_the_next_one_s(server: demo.Server) -> None:
    def plan(asked: Asked) -> Fault:
        return proxy.twice

    with proxy.before(server.base_url, plan) as url, Api(Http(), url, {}, name="forum") as api:
        # So small that the second comes with the first, where the client alone sees no trouble.
        about, site = api.get("/about.json").body, api.get("/site.json").body
    assert ("about" in about, "categories" in site) == (True, True)


def test_an_answer_that_drips_in_for_ever_is_given_up(server: demo.Server) -> None:
    with proxy.before(server.base_url, lambda asked: proxy.dripping) as url:
        impatient = Http(patience=0.2)
        with Api(impatient, url, {}, name="forum") as api, pytest.raises(Retry, match="not end"):
            api.get("/posts.json")
        soon = Http(deadline=datetime.now(UTC) + timedelta(seconds=0.2))
        with Api(soon, url, {}, name="forum") as api, pytest.raises(RateLimited, match="is up"):
            api.get("/posts.json")


@pytest.mark.parametrize("at", tries((1,), range(7)))
def test_an_answer_of_another_shape_costs_its_source_alone(
    at: int, server: demo.Server, calm: list[str], tmp_path: Path
) -> None:
    """A gateway may answer 200 with JSON of its own; it is said, and the next fetch goes on."""
    seen: Counter[str] = Counter()

    def plan(asked: Asked) -> Fault:
        source = source_of(asked)
        seen[source] += 1
        return said(200, b"[17]") if (source, seen[source]) == ("bluesky", at + 1) else proxy.none

    with proxy.before(server.base_url, plan) as url:
        folder = project_at(server, url, tmp_path)
        told = fetched(server, folder, network(), ["bluesky", "x"])
        assert list(told) == ["bluesky"] and "shape" in told["bluesky"]
        assert fetched(server, folder, network(), ["bluesky", "x"]) == {}
    assert_same(rows(folder), of(["x", "bluesky"], calm), "shape")


def test_an_error_that_is_told_as_a_page_is_no_empty_page(
    server: demo.Server, calm: list[str], tmp_path: Path
) -> None:
    """A forum's posts are read by their numbers: what is taken for empty is not asked for again."""
    seen: Counter[str] = Counter()

    def plan(asked: Asked) -> Fault:
        seen["windows"] += "before=" in asked.path
        is_chosen = "before=" in asked.path and seen["windows"] == tries(12, 13)
        return said(200, b'{"error": "gateway"}') if is_chosen else proxy.none

    with proxy.before(server.base_url, plan) as url:
        folder = project_at(server, url, tmp_path)
        assert "no list of posts" in fetched(server, folder, network(), ["forum"])["forum"]
        assert fetched(server, folder, network(), ["forum"]) == {}
    assert_same(rows(folder), of(["forum"], calm), "a page without posts")


def test_a_stall_of_minutes_is_waited_out_and_asked_again(server: demo.Server) -> None:
    if not IS_THOROUGH:
        pytest.skip("waits for the real 30 s: make test-faults")
    plans = iter([proxy.stalled()])
    with proxy.before(server.base_url, lambda asked: next(plans, proxy.none)) as url:
        begun = time.monotonic()
        with Api(Http(), url, {}, name="forum") as api:
            assert "about" in api.get("/about.json").body
    assert 30 <= time.monotonic() - begun < 60
