"""What a fetch keeps when the platform fails on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bench.simulated_forum import HOME, NOW, SETTINGS, WINDOW, Forum
from muster.kpis import engine
from muster.lake import raw, state
from muster.pipeline import collect
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
