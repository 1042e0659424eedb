"""The phrases of the simulated help desk: a symbol and its slots go in, a sentence comes out."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

_SLOT = re.compile(r"\{(\w+)\}")
_PHRASES = Path(__file__).parent / "phrases"
LANGUAGES = {"en": "english.toml", "de": "german.toml"}
_KEPT = ("building", "room", "course", "code")
_COLUMNS = ("title", "problem", "fix", "peer", "social")
Texts = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class About:
    """What a thread is about, so that all its texts agree."""

    topic: str
    case: int | None = None
    slots: Mapping[str, str] = field(default_factory=dict)

    def for_others(self) -> About:
        """The same trouble of somebody else, who has another machine."""
        return About(self.topic, self.case)


class Words:
    """One language's phrases; ``say`` expands a symbol of a topic, or of everybody's ``any``."""

    def __init__(self, lang: str) -> None:
        book = tomllib.loads((_PHRASES / LANGUAGES[lang]).read_text("utf-8"))
        self.lang = lang
        self.general = {name: _parsed(texts) for name, texts in book["any"].items()}
        self.topics = {topic: _topic(told) for topic, told in book.items() if topic != "any"}
        self.help_topics = tuple(topic for topic in self.topics if topic != "announce")

    def category(self, topic: str) -> str:
        """The forum category a topic belongs to."""
        return str(self.topics[topic]["category"][0][0])

    def about(self, rng: Random, topic: str) -> About:
        """What somebody's trouble is: one of the topic's cases, on one machine, in one room."""
        case = int(rng.random() * len(self.topics[topic]["title"]))
        slots = {name: self._expand(rng, name, {}, {}) for name in _KEPT}
        slots["device"], slots["system"] = self._expand(rng, "machine", {}, {}).split("/")
        return About(topic, case, slots)

    def say(self, rng: Random, symbol: str, about: About | None = None, **slots: str) -> str:
        """One text of ``symbol``, its slots filled; begins with a capital letter.

        Random, but a topic's title, problem, fix, peer and social are those of its case.
        """
        told = about or About("")
        own = self.topics.get(told.topic, {})
        if told.case is not None and symbol in _COLUMNS:
            own = {**own, symbol: own[symbol][told.case : told.case + 1]}
        text = self._expand(rng, symbol, own, {**told.slots, **slots}).strip()
        return text[:1].upper() + text[1:]

    def _expand(
        self,
        rng: Random,
        symbol: str,
        own: dict[str, Texts],
        slots: Mapping[str, str],
    ) -> str:
        if symbol in slots:
            return slots[symbol]
        choices = own.get(symbol) or self.general[symbol]
        parts = choices[int(rng.random() * len(choices))]
        return "".join(
            self._expand(rng, part, own, slots) if i % 2 else part for i, part in enumerate(parts)
        )


def _topic(told: dict[str, list[Any]]) -> dict[str, Texts]:
    """A topic's symbols; its cases become one symbol a column."""
    symbols = dict(told)
    if cases := symbols.pop("cases", None):
        symbols |= dict(zip(_COLUMNS, map(list, zip(*cases, strict=True)), strict=True))
    return {name: _parsed(texts) for name, texts in symbols.items()}


def _parsed(texts: list[str]) -> Texts:
    """Each text split at its slots: plain, slot, plain, slot … plain."""
    return tuple(tuple(_SLOT.split(text)) for text in texts)


@cache
def words(lang: str) -> Words:
    """The phrases of ``en`` or ``de``, read once."""
    return Words(lang)


def lines(*parts: str) -> str:
    """Sentences as one paragraph, empty ones left out."""
    return " ".join(part for part in parts if part)
