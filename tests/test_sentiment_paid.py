"""Scores that cost money: who pays, what for, and that one knows before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from command_line import here, muster
from comprehend_server import Calls, Failure, in_force

from bench.simulated_forum import NOW, SETTINGS, Forum
from muster.kpis import engine
from muster.lake import raw
from muster.pipeline import collect, doctor, moods
from muster.project import Project, open_project
from muster.sources._http import Http

FORUM = Forum.of(posts=120, days=10, letters=200)
OPINIONS = """\
message_id,thread_id,created_at,text
1,1,2026-11-02T09:00:00Z,good
2,2,2026-11-02T09:00:00Z,Jetzt ist alles gut
"""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    with in_force(monkeypatch) as calls:
        yield calls


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Project]:
    """The project of a small forum, scored as said."""

    def open_it(sentiment: str = "comprehend", more: str = "") -> Project:
        (tmp_path / "muster.yaml").write_text(SETTINGS.format(sentiment=sentiment) + more)
        http = Http(httpx.MockTransport(FORUM.answer), clock=lambda: NOW, sleep=lambda _: None)
        return open_project(tmp_path, clock=lambda: NOW, environment={}, http=http)

    return open_it


def scored(project: Project, where: str = "true") -> int:
    sql = f"select count(sentiment) from messages where {where}"
    return int(engine.ask(project.lake.url(), sql).rows[0][0])


def test_a_fetch_pays_for_each_text_once(service: Calls, opened: Callable[..., Project]) -> None:
    (fetched,) = collect.fetch(opened())
    assert not fetched.error
    assert scored(opened()) == 120
    assert len(service.texts) == len(set(service.texts)) == 120
    service.asked.clear()
    collect.fetch(opened(), since=NOW.replace(year=2025))
    assert collect.replay_cost(opened()).texts == 0
    collect.replay(opened())
    assert service.asked == []


def test_what_comprehend_failed_is_kept_and_scored_by_a_replay(
    service: Calls, opened: Callable[..., Project]
) -> None:
    service.fails = lambda _, texts: (
        Failure(400, "InvalidRequestException") if len(texts) == 20 else None
    )
    (fetched,) = collect.fetch(opened())
    assert not fetched.error
    assert fetched.changed["messages"] == 120
    assert fetched.unscored == 120 - scored(opened()) == 20
    assert "InvalidRequestException" in fetched.trouble
    cost = collect.replay_cost(opened())
    assert (cost.texts, scored(opened())) == (20, 100), "finding it out pays for nothing"
    assert 20 * 0.0003 <= cost.dollars <= 20 * 0.0004
    service.fails = lambda *_: None
    collect.replay(opened())
    assert scored(opened()) == 120


def test_each_source_may_have_its_own_scorer(opened: Callable[..., Project]) -> None:
    project = opened("none", "  - {name: paid, platform: file, sentiment: comprehend}\n")
    assert [moods.scorer_of(project, name) for name in ("forum", "paid", "other")] == [
        "none", "comprehend", "none",
    ]  # fmt: skip
    assert moods.is_paid(project) and moods.is_paid(project, ["paid"])
    assert not moods.is_paid(project, ["forum"])


def test_a_change_of_scorer_is_made_by_a_replay_that_asks_before_it_pays(
    service: Calls, opened: Callable[..., Project], tmp_path: Path
) -> None:
    collect.fetch(opened("vader"))
    before = scored(opened(), "sentiment not in (0.625, -0.625)")
    assert before > 100
    opened("comprehend")
    refused = here(tmp_path, "replay", "--rescore", **service.environment())
    assert refused.returncode == 2
    assert "Comprehend would score 120 texts for about $0.0" in refused.stderr
    assert "say --yes" in refused.stderr
    assert service.asked == []
    assert here(tmp_path, "replay", **service.environment()).returncode == 0, (
        "what has a score is left alone"
    )
    assert service.asked == []
    paid = muster(tmp_path, "replay", "--rescore", "--yes", **service.environment())
    assert paid.returncode == 0, paid.stderr
    assert scored(opened(), "sentiment in (0.625, -0.625)") == 120
    assert len(service.texts) == 120


def test_an_import_is_scored_in_its_own_languages(
    service: Calls, opened: Callable[..., Project], tmp_path: Path
) -> None:
    project = opened("comprehend", "  - {name: old, platform: file, lang: en}\n")
    (tmp_path / "old.csv").write_text(OPINIONS)
    for name in ("old", "new"):
        taken = here(tmp_path, "import", "messages", str(tmp_path / "old.csv"),
                       "--source", name, **service.environment())  # fmt: skip
        assert taken.returncode == 0, taken.stderr
    sql = "select source, message_id, lang, sentiment from messages order by all"
    assert list(engine.ask(project.lake.url(), sql).rows) == [
        ("new", "1", "und", None), ("new", "2", "de", 0.625),
        ("old", "1", "en", 0.625), ("old", "2", "en", 0.625),
    ]  # fmt: skip


def test_doctor_and_fetch_say_the_price_before(
    service: Calls, opened: Callable[..., Project], tmp_path: Path
) -> None:
    found = {one.what: one for one in doctor.checkup(opened())}["sentiment"]
    assert found.is_well
    assert "$0.30 a thousand of up to 300 characters" in found.says
    assert service.asked == [("xx", ["ok"])]
    service.fails = lambda *_: Failure(400, "AccessDeniedException")
    broken = {one.what: one for one in doctor.checkup(opened())}["sentiment"]
    assert (broken.is_well, broken.exit_code) == (False, 2)
    (tmp_path / "muster.yaml").write_text("community: C\nsentiment: comprehend\n")
    assert "$0.30 a thousand" not in here(tmp_path, "fetch", **service.environment()).stderr, (
        "nothing is paid for"
    )


def test_doctor_tells_how_much_has_a_score(opened: Callable[..., Project]) -> None:
    collect.fetch(opened("vader"))
    found: dict[str, Any] = {one.what: one.says for one in doctor.checkup(opened("vader"))}
    assert found["sentiment"] == "vader; en: 120 of 120 texts scored"
    assert len(list(raw.read(opened().lake, "forum"))) > 120
