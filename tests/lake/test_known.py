"""What a source re-reads: messages from an instant on, alive, oldest first; all reviews."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from observations import at, deletion, message, seen

from muster.lake.known import known, responses, reviews
from muster.lake.merge import Rules, merge
from muster.lake.suppression import PSEUDONYM
from muster.records import KnownMessage, Review, SurveyResponse
from muster.store import FolderStore


def test_known_messages_are_alive_and_oldest_first(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    rows = [message(n, edited_at=at(99_999) if n == 33 else None) for n in range(70, -1, -1)]
    small = Rules(part_bytes=3_000, batch_rows=7)
    merge(store, "x", [(row, seen(0)) for row in rows], rules=small)
    merge(store, "x", [(deletion(40, at(1)), seen(1))], rules=small)
    merge(store, "other", [(message(80), seen(0))])
    found = list(known(store, "x", at(33 * 24)))
    assert [one.message_id for one in found] == [f"m{n}" for n in range(33, 71) if n != 40]
    assert found[0] == KnownMessage("m33", "t6", at(33 * 24), at(99_999))


def test_nothing_is_known_of_an_empty_lake(tmp_path: Path) -> None:
    assert list(known(FolderStore(tmp_path), "x", at(0))) == []


def test_known_reviews_are_all_but_those_of_erased_members(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    told = {"rating": 4.0, "rating_max": 5.0, "product": "app"}
    rows = [
        Review(review_id=f"r{n}", author_id=author, created_at=at(n * 1000), **told)
        for n, author in enumerate(["mia", f"{PSEUDONYM}1", None])
    ]
    merge(store, "x", [(row, seen(0)) for row in rows])
    found = sorted(reviews(store, "x"), key=lambda one: one.review_id)
    assert [one.review_id for one in found] == ["r0", "r2"]
    assert found[0] == rows[0]


def test_known_answers_come_without_their_comments(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    told = {"survey": "nps", "score": 9.0, "score_max": 10.0, "created_at": at(0)}
    rows = [
        SurveyResponse(response_id=f"r{n}", respondent_id=who, comment="Fine", **told)
        for n, who in enumerate(["mia", f"{PSEUDONYM}1"])
    ]
    merge(store, "x", [(row, seen(0)) for row in rows])
    assert list(responses(store, "x")) == [replace(rows[0], comment=None)]
