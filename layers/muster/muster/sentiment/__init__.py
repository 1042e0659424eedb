"""Rows as they are to be stored → the same rows with their language and their mood.

The language is the platform's; else the source's ``lang``, if the settings name one; else it is
detected from the text, and ``und`` if nobody could tell. Only text in a language the scorer reads
gets a score: no data is no value, and the community's main language is no evidence of a text's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from muster.sentiment.language import UNKNOWN, detect

Cells = dict[str, Any]
Scores = Callable[[str, Sequence[str]], Sequence[float | None]]


@dataclass(frozen=True)
class Scorer:
    """A way to score: the languages it reads, and the scores of texts of one of them."""

    languages: frozenset[str] = frozenset()
    scores: Scores = lambda _, texts: [None] * len(texts)


@dataclass
class Mood:
    """One run's reading of one source; ``unscored`` counts texts the scorer should have read.

    ``lang`` is the source's own, if told. With ``again`` a row's score is replaced, not kept.
    ``trouble`` says why some have none.
    """

    scorer: Scorer
    lang: str | None = None
    again: bool = False
    trouble: Callable[[], str] = lambda: ""
    unscored: int = field(default=0, init=False)

    def read(self, rows: Sequence[Cells]) -> list[Cells]:
        """The rows with what was missing; a row that needs nothing is handed back as it is."""
        found = [self._with_language(row) for row in rows]
        wanted: dict[str, list[int]] = {}
        for at, row in enumerate(found):
            if row["text"] and (row["sentiment"] is None or self.again):
                wanted.setdefault(self._language(row), []).append(at)
        for lang, places in wanted.items():
            scores = self._scores(lang, [found[at] for at in places])
            for at, score in zip(places, scores, strict=True):
                if score != found[at]["sentiment"]:
                    found[at] = found[at] | {"sentiment": score}
        return found

    def _with_language(self, row: Cells) -> Cells:
        is_missing = row["text"] and row.get("lang", "") is None
        return row | {"lang": self._told(row)} if is_missing else row

    def _language(self, row: Cells) -> str:
        """The scorer's word for a row's language; not looked for where no scorer reads any."""
        lang = row.get("lang") or (self._told(row) if self.scorer.languages else UNKNOWN)
        return lang if lang in self.scorer.languages else lang.split("-")[0].lower()

    def _told(self, row: Cells) -> str:
        return self.lang or detect(row["text"])

    def _scores(self, lang: str, rows: Sequence[Cells]) -> list[float | None]:
        """Their scores: none in a language that is not read; where scoring failed, what it was."""
        if lang not in self.scorer.languages:
            return [None] * len(rows)
        scores = self.scorer.scores(lang, [row["text"] for row in rows])
        self.unscored += sum(score is None for score in scores)
        both = zip(rows, scores, strict=True)
        return [row["sentiment"] if score is None else score for row, score in both]


def vader() -> Scorer:
    """VADER, for English, on this machine."""

    def scores(_: str, texts: Sequence[str]) -> list[float | None]:
        from muster.sentiment.vader import score

        return [score(text) for text in texts]

    return Scorer(frozenset({"en"}), scores)
