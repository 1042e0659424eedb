"""Comprehend: what is sent, what is paid for, and that trouble costs scores, never rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from comprehend_server import BATCH, Calls, Failure, in_force, shares
from hypothesis import given
from hypothesis import strategies as st

from muster.errors import BadSettings
from muster.sentiment import comprehend as ours
from muster.sentiment.comprehend import BYTES, LANGUAGES, TEXTS, Comprehend, check, connect, dollars


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    with in_force(monkeypatch) as calls:
        yield calls


def test_a_score_is_the_positive_less_the_negative_share(service: Calls) -> None:
    found = Comprehend(connect).scores("de", ["alles gut", "kaputt"])
    good, bad = shares("alles gut"), shares("kaputt")
    assert found == [good[0] - good[1], bad[0] - bad[1]] == [0.625, -0.625]
    assert service.asked == [("de", ["alles gut", "kaputt"])]


def test_texts_go_25_a_call_each_distinct_one_once(service: Calls) -> None:
    texts = [f"good {number % 60}" for number in range(200)]
    calls = Comprehend(connect)
    assert calls.scores("en", texts) == [0.625] * 200
    assert sorted(len(sent) for _, sent in service.asked) == [10, TEXTS, TEXTS]
    assert calls.scores("en", ["good 7", "good 60"]) == [0.625, 0.625]
    assert len(service.texts) == 61, "what this run was told once is not paid for again"


def test_a_long_text_is_cut_between_characters(service: Calls) -> None:
    assert Comprehend(connect).scores("de", ["x" + "ä€😀" * 2_000]) == [-0.625]
    (sent,) = service.texts
    assert BYTES - 3 <= len(sent.encode()) <= BYTES
    assert ("x" + "ä€😀" * 2_000).startswith(sent)


@given(st.text(max_size=40), st.integers(1, 200))
def test_a_cut_text_begins_like_the_whole_and_fits(text: str, times: int) -> None:
    cut = ours._cut(text * times)
    assert (text * times).startswith(cut)
    assert len(cut.encode()) <= BYTES
    assert cut == text * times or len(cut.encode()) > BYTES - 4


def test_blank_text_is_not_sent(service: Calls) -> None:
    assert Comprehend(connect).scores("en", [" \n ", "good"]) == [None, 0.625]
    assert service.texts == ["good"]


def test_a_refused_text_costs_only_itself(service: Calls) -> None:
    service.refuses = lambda text: text == "odd"
    calls = Comprehend(connect)
    assert calls.scores("en", ["good", "odd", "bad"]) == [0.625, None, -0.625]
    assert calls.trouble == "Comprehend refused a text: TEXT_SIZE_LIMIT_EXCEEDED"


def test_throttling_is_tried_again(service: Calls) -> None:
    service.fails = lambda call, _: Failure(400, "ThrottlingException") if call <= 2 else None
    calls = Comprehend(connect)
    assert calls.scores("en", ["good"]) == [0.625]
    assert len(service.asked) == 3
    assert not calls.trouble


def test_a_batch_that_fails_leaves_the_others_their_scores(service: Calls) -> None:
    service.fails = lambda _, texts: (
        Failure(400, "InvalidRequestException") if "good 3" in texts else None
    )
    calls = Comprehend(connect)
    found = calls.scores("en", [f"good {number}" for number in range(60)])
    assert found == [None] * TEXTS + [0.625] * 35
    assert (
        calls.trouble == "Comprehend failed (InvalidRequestException): the same call may work later"
    )


def test_without_rights_or_region_nothing_is_scored_and_it_is_said(
    service: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.fails = lambda *_: Failure(400, "AccessDeniedException")
    calls = Comprehend(connect)
    assert calls.scores("en", ["good"]) == [None]
    assert "allow comprehend:BatchDetectSentiment" in calls.trouble
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    lost = Comprehend(connect)
    assert lost.scores("en", ["good"]) == [None]
    assert "set AWS_REGION" in lost.trouble


def test_no_call_is_made_once_the_time_is_up(service: Calls) -> None:
    calls = Comprehend(connect, is_late=lambda: True)
    assert calls.scores("en", ["good"]) == [None]
    assert not service.asked and calls.trouble


def test_the_check_is_a_call_that_costs_nothing(service: Calls) -> None:
    assert check() == "Comprehend answers in eu-central-1"
    assert service.asked == [("xx", ["ok"])], "no language there is: refused, so not charged"
    service.fails = lambda *_: Failure(400, "AccessDeniedException")
    with pytest.raises(BadSettings, match="BatchDetectSentiment"):
        check()


def test_languages_are_those_of_the_service() -> None:
    assert frozenset(BATCH.input_shape.members["LanguageCode"].enum) == LANGUAGES


@pytest.mark.parametrize(
    ("characters", "cost"), [(1, 0.0003), (300, 0.0003), (301, 0.0004), (1_000, 0.001)]
)
def test_a_text_costs_a_unit_per_hundred_characters_and_three_at_least(
    characters: int, cost: float
) -> None:
    assert dollars(characters) == pytest.approx(cost)
