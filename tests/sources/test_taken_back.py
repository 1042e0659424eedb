"""A review or an answer that changes or goes, through raw and lake and back: no row twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from muster.kpis import engine
from muster.pipeline import collect
from muster.project import open_project
from muster.sources._http import Http

DAY = timedelta(days=1)
XML = {"content-type": "text/xml"}
START = datetime(2026, 10, 30, 12, tzinfo=UTC)
Asked = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def rows_of(tmp_path: Path) -> Callable[..., list[Any]]:
    """Fetch one source at a time that is given, and read a table."""

    def fetch(source: str, answer: Asked, now: datetime, question: str) -> list[Any]:
        settings = f"community: Campus\nsources:\n  - {{name: one, {source}}}\n"
        (tmp_path / "muster.yaml").write_text(settings)
        http = Http(httpx.MockTransport(answer), clock=lambda: now)
        project = open_project(tmp_path, clock=lambda: now, environment={"T": "a-token"}, http=http)
        (fetched,) = collect.fetch(project)
        assert not fetched.error and not fetched.quarantined
        return list(engine.ask(project.lake.url(), question).rows)

    return fetch


def test_a_review_offline_and_back_again(rows_of: Callable[..., list[Any]]) -> None:
    told = {"id": "r1", "stars": 2, "text": "Slow", "createdAt": START.isoformat()}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/find"):
            return httpx.Response(200, json={"id": "b1"})
        if request.url.path == "/v1/reviews/r1":
            return httpx.Response(404 if status == "deleted" else 200, json={**told, **state})
        is_listed = request.url.params["page"] == "1" and status != "deleted"
        return httpx.Response(200, json={"reviews": [{**told, **state}] if is_listed else []})

    def look(days: int) -> Any:
        ask = "select text, deleted_at, created_at from reviews"
        source = "platform: trustpilot, account: example.org, token: 'env:T'"
        ((text, deleted, created),) = rows_of(source, answer, START + days * DAY, ask)
        assert created.replace(tzinfo=UTC) == START
        return text, deleted and deleted.replace(tzinfo=UTC)

    status = "active"
    state: dict[str, str] = {"status": status}
    assert look(0) == ("Slow", None)
    state = {"status": "flagged"}
    assert look(1) == (None, START + DAY)
    assert look(2) == (None, START + DAY)  # still since then
    state = {"status": "active"}
    assert look(3) == ("Slow", None)
    status = "deleted"
    assert look(7) == (None, START + 7 * DAY)


def feed(updated: datetime, stars: int) -> str:
    spaces = 'xmlns:im="http://itunes.apple.com/rss" xmlns="http://www.w3.org/2005/Atom"'
    return (
        f"<feed {spaces}><entry><updated>{updated.isoformat()}</updated><id>7</id>"
        f"<content type='text'>Words</content><im:rating>{stars}</im:rating></entry></feed>"
    )


def test_an_edit_in_another_month_moves_no_review(rows_of: Callable[..., list[Any]]) -> None:
    source, last, found = "platform: apple_app_store, account: '7'", START + 5 * DAY, []
    for updated, stars in ((START, 1), (last, 4), (last, 4)):
        text, now = feed(updated, stars), updated + len(found) * timedelta(hours=1)
        ((rating, *times),) = rows_of(
            source,
            lambda request, text=text: httpx.Response(200, text=text, headers=XML),
            now,
            "select rating, created_at, edited_at from reviews",
        )
        found.append((rating, *(at and at.replace(tzinfo=UTC) for at in times)))
    assert found == [(1, START, None), (4, START, last), (4, START, last)]
