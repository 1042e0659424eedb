"""Texts as they are to be stored, and what is known of them → their language and their mood.

The language is the platform's; else the source's ``lang``, if the settings name one; else it is
detected from the text, and ``und`` if nobody could tell. Only text in a language the scorer reads
gets a score: no data is no value, and the community's main language is no evidence of a text's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from muster.sentiment.language import UNKNOWN, detect

Columns = Mapping[str, list[Any]]
Score = float | None
Scores = Callable[[str, Sequence[str]], Sequence[Score]]


@dataclass(frozen=True)
class Scorer:
    """A way to score: the languages it reads, and the scores of texts of one of them."""

    languages: frozenset[str] = frozenset()
    scores: Scores = lambda _, texts: [None] * len(texts)


@dataclass
class Mood:
    """One run's reading of one source; ``unscored`` counts texts the scorer should have read.

    ``lang`` is the source's own, if told. With ``again`` a text's score is replaced, not kept.
    ``trouble`` says why some have none.
    """

    scorer: Scorer
    lang: str | None = None
    again: bool = False
    trouble: Callable[[], str] = lambda: ""
    unscored: int = field(default=0, init=False)

    def read(self, told: Columns) -> Columns:
        """Columns of texts, their languages and scores, completed by what was missing.

        Where no languages are to be told, they are only looked for to score by.
        """
        texts, found = told["text"], dict(told)
        if "lang" in told:
            both = zip(texts, told["lang"], strict=True)
            found["lang"] = [self._told(t) if t and lang is None else lang for t, lang in both]
        if self.scorer.languages or self.again:
            langs = found.get("lang") or [None] * len(texts)
            found["sentiment"] = self._scored(texts, langs, told["sentiment"])
        return found

    def _scored(
        self, texts: Sequence[str | None], langs: Sequence[str | None], known: Sequence[Score]
    ) -> list[Score]:
        """The scores, with those that were missing, asked for by language."""
        wanted: dict[str, list[int]] = {}
        for at, (text, lang, score) in enumerate(zip(texts, langs, known, strict=True)):
            if text and (score is None or self.again):
                wanted.setdefault(self._language(text, lang), []).append(at)
        found = list(known)
        for lang, places in wanted.items():
            asked = [texts[at] or "" for at in places]
            scores = self._scores(lang, asked, [known[at] for at in places])
            for at, score in zip(places, scores, strict=True):
                found[at] = score
        return found

    def _language(self, text: str, told: str | None) -> str:
        """The scorer's word for a text's language; not looked for where no scorer reads any."""
        lang = told or (self._told(text) if self.scorer.languages else UNKNOWN)
        return lang if lang in self.scorer.languages else lang.split("-")[0].lower()

    def _told(self, text: str) -> str:
        return self.lang or detect(text)

    def _scores(self, lang: str, texts: Sequence[str], known: Sequence[Score]) -> list[Score]:
        """Their scores: none in a language that is not read; where scoring failed, what it was."""
        if lang not in self.scorer.languages:
            return [None] * len(texts)
        scores = self.scorer.scores(lang, texts)
        self.unscored += sum(score is None for score in scores)
        both = zip(known, scores, strict=True)
        return [before if score is None else score for before, score in both]


def vader() -> Scorer:
    """VADER, for English, on this machine."""

    def scores(_: str, texts: Sequence[str]) -> list[float | None]:
        from muster.sentiment.vader import score

        return [score(text) for text in texts]

    return Scorer(frozenset({"en"}), scores)
