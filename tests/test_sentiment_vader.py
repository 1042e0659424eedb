"""VADER's scores: those of the library, and those of its paper."""

from __future__ import annotations

import html
import math
import statistics
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vaderSentiment import vaderSentiment
from vaderSentiment.vaderSentiment import (
    BOOSTER_DICT,
    NEGATE,
    SPECIAL_CASES,
    SentimentIntensityAnalyzer,
)

from muster.sentiment.vader import LONGEST, Published, Quick, score

TWEETS = Path(__file__).resolve().parents[2] / "shared/data/sentiment/tweets_GroundTruth.txt"
# From Python 3.12 on the builtin adds up more exactly, and a mood may depend on its last bit.
vaderSentiment.sum = math.fsum
LIBRARY = SentimentIntensityAnalyzer()
QUICK = Quick()
PUBLISHED = Published()
COMMON = """no nor or but BUT least at very kind of this so never without doubt the a printer
good GOOD great bad bad, (bad) horrible! sad :( :) :D <3 heart 💘 😁ok n't ain't"""
WORDS = st.sampled_from([*BOOSTER_DICT, *NEGATE, *SPECIAL_CASES, *COMMON.split()])
SPACES = st.sampled_from([" ", "  ", "\n", "", "! ", "... ", "?? "])
SENTENCES = st.lists(st.tuples(WORDS, SPACES), max_size=30).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)


def plain(text: str) -> float:
    """The library's own word on it."""
    return float(LIBRARY.polarity_scores(text)["compound"])


def tweets() -> list[tuple[float, str]]:
    """Human mean and text of each rated tweet, or a skip."""
    if not TWEETS.exists():
        pytest.skip(f"no rated tweets here: {TWEETS.name}")
    lines = TWEETS.read_text("utf-8").splitlines()
    return [(float(mean), html.unescape(text)) for _, mean, text in (x.split("\t") for x in lines)]


@given(SENTENCES | st.text(max_size=200) | st.lists(WORDS, min_size=1, max_size=9).map(" ".join))
def test_quick_scores_are_the_library_s(text: str) -> None:
    assert QUICK.compound(text) == plain(text)


@pytest.mark.parametrize("before", ["never", "without", "no", "at", "not", "kind", "the"])
@pytest.mark.parametrize("then", ["so", "this", "doubt", "least", "of", "nor", "a"])
@pytest.mark.parametrize("last", ["", "so", "doubt", "least", "very"])
def test_each_rule_of_neighbours_is_the_library_s(before: str, then: str, last: str) -> None:
    for words in (f"{before} {then} {last} great", f"I am {before} {then} {last} bad ass, but sad"):
        assert QUICK.compound(words) == plain(words)


def test_a_mood_on_the_edge_is_the_same_in_every_version_of_python() -> None:
    """The sum is 0.0 or 1e-16, as each version adds up; the question mark made it 0.09 or -0.09."""
    text = "How does that work? A friend next to me has no trouble at all. What am I missing?"
    polite = f"Good morning,\n\nWe have a guest tomorrow morning who needs WiFi. {text}"
    assert score(polite) == 0.0926


def test_quick_scores_are_the_library_s_on_every_rated_tweet() -> None:
    found = [(QUICK.compound(text), plain(text)) for _, text in tweets()]
    assert len(found) == 4_200
    assert all(ours == theirs for ours, theirs in found)


def test_the_published_correlation_with_people_is_reached() -> None:
    means, texts = zip(*tweets(), strict=True)
    assert statistics.correlation(means, [PUBLISHED.compound(text) for text in texts]) >= 0.88


@pytest.mark.parametrize(
    ("text", "like"),
    [
        ("The file is on D: again", "The file is on again"),
        ("Know it by heart", "Know it by it"),
        ("Great with 💘", None),
        ("soooo goooood!", "so good!"),
        ("No way, great", "printer way, great"),
    ],
)
def test_what_later_versions_changed_is_taken_back(text: str, like: str | None) -> None:
    if like is None:
        assert PUBLISHED.compound(text) == plain(text)
    elif text.startswith("No"):
        assert plain(text) < 0 < PUBLISHED.compound(text) < plain(like)
    else:
        assert PUBLISHED.compound(text) == plain(like)


def test_a_word_said_again_counts_as_it_did_first() -> None:
    again = "not fun for all of us, fun"
    assert PUBLISHED.compound(again) == plain("not fun for all of us, not fun") < plain(again)


def test_a_huge_text_is_read_as_far_as_its_limit() -> None:
    text = "good " * (LONGEST // 5)
    assert score(text + "bad " * 10_000) == score(text)
