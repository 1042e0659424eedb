"""What a fetch keeps when the platform fails on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.simulated_forum import HOME, NOW, SETTINGS, WINDOW, Forum
from muster.kpis import engine
from muster.lake import raw, state
from muster.pipeline import collect, doctor, freshness, left_behind
from muster.pipeline.collect import Fetched
from muster.project import Project, open_project
from muster.sources._http import Http

FORUM = Forum.of(posts=400)
FAILS_AT = 5  # the window of posts that a broken forum does not answer


@pytest.fixture
def fetching(tmp_path: Path) -> Callable[..., tuple[Project, Fetched, list[int]]]:
    """Fetch once into the same project; tells which windows of posts were asked for."""
    (tmp_path / "muster.yaml").write_text(SETTINGS.format(sentiment="vader"))

    def fetch(*, is_broken: bool) -> tuple[Project, Fetched, list[int]]:
        windows: list[int] = []

        def answer(request: httpx.Request) -> httpx.Response:
            if before := request.url.params.get("before"):
                windows.append(int(before) // WINDOW - 1)
                if is_broken and windows[-1] >= FAILS_AT:
                    return httpx.Response(503)
            return FORUM.answer(request)

        http = Http(httpx.MockTransport(answer), clock=lambda: NOW, sleep=lambda _: None)
        project = open_project(tmp_path, clock=lambda: NOW, environment={}, http=http)
        (fetched,) = collect.fetch(project)
        return project, fetched, windows

    return fetch


def stored(project: Project) -> int:
    """How many messages the lake holds."""
    return int(engine.ask(project.lake.url(), "select count(*) from messages").rows[0][0])


def test_messages_of_before_the_window_vouch_for_nothing() -> None:
    early, since = NOW - timedelta(days=900), NOW - timedelta(days=30)
    told = {"messages": early, "audience": early}
    assert collect._asked_for(told, since) == {"messages": since, "audience": early}
    assert collect._asked_for(told, None) == told
    assert collect._asked_for({"messages": NOW}, since) == {"messages": NOW}


def test_a_source_that_was_renamed_is_told_before_everything_counts_twice(
    fetching: Callable[..., tuple[Project, Fetched, list[int]]], caplog: pytest.LogCaptureFixture
) -> None:
    project, _, _ = fetching(is_broken=False)
    assert "for the first time" not in caplog.text
    later, settings = NOW + timedelta(days=9), project.folder / "muster.yaml"
    until = [one.to_at for one in freshness.coverage_of(project, later)]
    settings.write_text(settings.read_text().replace("name: forum", "name: board"))
    renamed = open_project(project.folder, clock=lambda: NOW, environment={}, http=project.http)
    assert left_behind.names(renamed) == ("forum",)
    assert [one.to_at for one in freshness.coverage_of(renamed, later)] == until != [later], (
        "it vouches for no day on which nobody asked it"
    )
    fetching(is_broken=False)
    told = "board: fetched for the first time; forum: no longer in the settings"
    assert told in caplog.text
    assert any(told.partition("; ")[2] in one.says for one in doctor.checkup(renamed))


def test_what_came_before_the_trouble_is_kept_and_not_asked_for_again(
    fetching: Callable[..., tuple[Project, Fetched, list[int]]],
) -> None:
    project, fetched, _ = fetching(is_broken=True)
    assert f"{HOME.removeprefix('https://')}/posts.json fails (503)" in fetched.error
    assert stored(project) == FAILS_AT * WINDOW - 1  # ids start from 1
    assert len(list(raw.read(project.lake, "forum"))) == fetched.items
    memory = state.load(project.lake, "forum")
    assert memory.last_success_at is None
    assert "fails (503)" in memory.last_error
    assert memory.last_trouble == "away"

    project, fetched, windows = fetching(is_broken=False)
    assert not fetched.error
    assert stored(project) == FORUM.posts
    assert min(windows) >= FAILS_AT - 1
    assert state.load(project.lake, "forum").last_success_at == NOW


def of_a_newer_muster(lake: Path, table: str, source: str) -> None:
    """Give a source's table a column that this version does not know."""
    for part in lake.glob(f"tables/{table}/source={source}/**/*.parquet"):
        rows = pq.read_table(part, partitioning=None)
        pq.write_table(rows.append_column("mood", pa.nulls(len(rows), pa.string())), part)


def test_tables_of_a_newer_muster_cost_their_source_only(tmp_path: Path) -> None:
    settings = SETTINGS.format(sentiment="vader")
    settings += settings.splitlines()[-1].replace("name: forum", "name: other")
    (tmp_path / "muster.yaml").write_text(settings)

    def project(forum: Forum) -> Project:
        def answer(request: httpx.Request) -> httpx.Response:
            is_list = request.url.path.startswith("/admin/")  # of 20,000 members
            return httpx.Response(404) if is_list else forum.answer(request)

        http = Http(httpx.MockTransport(answer), clock=lambda: NOW, sleep=lambda _: None)
        return open_project(tmp_path, clock=lambda: NOW, environment={}, http=http)

    collect.fetch(project(Forum.of(posts=100)))
    for table in ("messages", "members"):
        of_a_newer_muster(tmp_path / "lake", table, "forum")
    before = {path: path.read_bytes() for path in tmp_path.glob("lake/tables/*/source=forum/**/*t")}
    for tried in (collect.fetch(project(FORUM)), collect.replay(project(FORUM))):
        broken, other = tried
        assert "does not know (mood): a newer Muster wrote it, so update this one" in broken.error
        assert not other.error
        assert other.items
    lake = project(FORUM).lake
    assert len(list(raw.read(lake, "other"))) > 400
    assert "newer Muster" in state.load(lake, "forum").last_error
    assert before == {path: path.read_bytes() for path in before}
