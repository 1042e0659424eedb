"""Rows → the same rows with their sentiment, by VADER, for the one language it can read.

VADER: Hutto and Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social
Media Text", ICWSM 2014; the score is its compound value, -1 to 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from muster.records import Deletion, Message, Review, Row

LONGEST = 5_000
READABLE = "en"


def scorer(fallback_lang: str) -> Callable[[Row | Deletion], Row | Deletion]:
    """A function that scores a message or review; ``fallback_lang`` is assumed where none is told.

    Text in another language, or none, gets no score: no data is no value.
    """

    def score(row: Row | Deletion) -> Row | Deletion:
        if isinstance(row, Message | Review) and row.text and _is_readable(row, fallback_lang):
            return replace(row, sentiment=_compound(row.text))
        return row

    return score


def _is_readable(row: Message | Review, fallback_lang: str) -> bool:
    lang = getattr(row, "lang", None) or fallback_lang
    return lang.split("-")[0].lower() == READABLE


def _compound(text: str) -> float:
    """The compound score of the first ``LONGEST`` characters: longer texts are logs and dumps."""
    return float(_analyzer().polarity_scores(text[:LONGEST])["compound"])


@cache
def _analyzer():  # type: ignore[no-untyped-def]  # noqa: ANN202 - the library has no types
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()
