"""English text → VADER's compound score, -1 to 1, several times faster than the library's own loop.

VADER: Hutto and Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social
Media Text", ICWSM 2014. ``Quick`` gives the very scores of ``vaderSentiment`` 3.3; ``Published``
takes back what keeps that version from the paper's figure (docs/decisions.md has the numbers).
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from math import fsum
from string import punctuation
from types import SimpleNamespace

from vaderSentiment.vaderSentiment import (
    BOOSTER_DICT,
    N_SCALAR,
    NEGATE,
    SPECIAL_CASES,
    SentimentIntensityAnalyzer,
    allcap_differential,
    normalize,
)

LONGEST = 5_000
#: The rules look at no more than three words before a word of the lexicon, and two after it.
BEFORE, AFTER = 3, 2
REMEMBERED = 50_000
_NEGATIONS = frozenset(NEGATE)
_NEAR = "no or nor never so this without doubt least at very kind of"
_NAMED = " ".join([*BOOSTER_DICT, *NEGATE, *SPECIAL_CASES, _NEAR]).split()
# Letters of their own keep a word in the lexicon, but out of the rules that name it.
_NO, _HEART = "ⓝo", "ⓗeart"
_STRETCHED = re.compile(r"(\w)\1{2,}")


class Quick(SentimentIntensityAnalyzer):
    """The library's lexicon and rules, asked only about words that carry a mood."""

    def __init__(self) -> None:
        super().__init__()
        # Words that no rule names are all the same to the rules: contexts repeat, and are kept.
        self._matters = frozenset([*self.lexicon, *_NAMED])
        self._valence_of = lru_cache(REMEMBERED)(self._valence)

    def compound(self, text: str) -> float:
        """What ``polarity_scores(text)["compound"]`` says."""
        text = self._without_emoji(text)
        words = self.words(text)
        lower = [word.lower() for word in words]
        found = [at for at, word in enumerate(lower) if word in self.lexicon]
        if not found:
            return 0.0
        is_shouted_in = allcap_differential(words)
        told = [
            word if low in self._matters or "n't" in low else ""
            for word, low in zip(words, lower, strict=True)
        ]
        valences = [self._at(told, self.place(words, at), is_shouted_in) for at in found]
        if "but" in lower:
            valences = self._after_but(words, found, valences)
        # Exact, so that no version of Python decides by its last bit whether a mood is good or bad.
        total = fsum(valences)
        emphasis = self._punctuation_emphasis(text)
        total += emphasis if total > 0 else -emphasis if total < 0 else 0
        return float(round(normalize(total), 4))

    def words(self, text: str) -> list[str]:
        """Words and emoticons: punctuation around a word is taken off, unless it is an emoticon."""
        return [
            stripped if len(stripped := word.strip(punctuation)) > 2 else word
            for word in text.split()
        ]

    def place(self, words: list[str], at: int) -> int:
        """Where the context of the word at ``at`` is looked up."""
        return at

    def _without_emoji(self, text: str) -> str:
        """The text with emoji as words, as the library puts them."""
        if text.isascii() or self.emojis.keys().isdisjoint(text):
            return text.strip()
        parts, is_apart = [], True
        for letter in text:
            said = self.emojis.get(letter)
            parts.append(letter if said is None else said if is_apart else f" {said}")
            is_apart = said is None and letter == " "
        return "".join(parts).strip()

    def _at(self, words: list[str], at: int, is_shouted_in: bool) -> float:
        start = max(0, at - BEFORE)
        near = tuple(words[start : at + AFTER + 1])
        return float(self._valence_of(near, at - start, is_shouted_in))

    def _valence(self, near: tuple[str, ...], at: int, is_shouted_in: bool) -> float:
        """The library's verdict on one word among those near it."""
        word = near[at].lower()
        if word in BOOSTER_DICT or (word == "kind" and near[at + 1 : at + 2] == ("of",)):
            return 0.0
        said = SimpleNamespace(words_and_emoticons=list(near), is_cap_diff=is_shouted_in)
        (valence,) = self.sentiment_valence(0, said, near[at], at, [])
        return float(valence)

    @staticmethod
    def _negation_check(valence: float, words: list[str], distance: int, at: int) -> float:
        """The library's rule, with its precedence, for the word ``distance`` before the last."""
        word, *between = [near.lower() for near in words[at - distance - 1 : at]]
        if word == "never" and between[:1] in (["so"], ["this"]):
            return valence * 1.25
        if distance == 2 and between[1] in ("so", "this"):
            return valence * 1.25
        if word == "without" and "doubt" in between:
            return valence
        return valence * N_SCALAR if word in _NEGATIONS or "n't" in word else valence

    def _after_but(self, words: list[str], found: list[int], valences: list[float]) -> list[float]:
        """All words' valences after the library's rule for "but", which needs their places."""
        placed: list[float] = [0.0] * len(words)
        for at, valence in zip(found, valences, strict=True):
            placed[at] = valence
        return list(self._but_check(words, placed))


class Published(Quick):
    """VADER as its paper measured it: four habits of later versions are taken back.

    "D:" is dismay (or a drive), not the smile "d:"; a heart is a mood as an emoji only; "no" does
    not turn the next two words; a word said again counts as it did first. And "sooo goood" is read.
    """

    def __init__(self) -> None:
        super().__init__()
        heart = self.lexicon.pop("heart")
        self.lexicon |= {_HEART: heart, _NO: self.lexicon["no"]}
        for word in ("hearts", "d:"):
            self.lexicon.pop(word)
        self._matters |= {_HEART, _NO}
        self.emojis: dict[str, str] = {
            emoji: said.replace("heart", _HEART) for emoji, said in self.emojis.items()
        }
        self._known_as = lru_cache(REMEMBERED)(self._known)

    def words(self, text: str) -> list[str]:
        return [self._known_as(word) for word in super().words(text)]

    def place(self, words: list[str], at: int) -> int:
        return words.index(words[at])

    def _known(self, word: str) -> str:
        """The word in the form the lexicon knows."""
        if word.lower() == "no":
            return word.replace("n", "ⓝ").replace("N", "Ⓝ")
        if _STRETCHED.search(word):
            for repeated in (r"\1\1", r"\1"):
                shorter = _STRETCHED.sub(repeated, word)
                if shorter.lower() in self.lexicon or shorter.lower() in BOOSTER_DICT:
                    return shorter
        return word


@cache
def _analyzer() -> Published:
    return Published()


def score(text: str) -> float:
    """The compound score of the first ``LONGEST`` characters: longer texts are logs and dumps."""
    return _analyzer().compound(text[:LONGEST])
