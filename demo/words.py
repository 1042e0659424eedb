"""The phrases of the simulated help desk: a symbol and its slots go in, a sentence comes out."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from random import Random

_SLOT = re.compile(r"\{(\w+)\}")
_PHRASES = Path(__file__).parent / "phrases"
LANGUAGES = {"en": "english.toml", "de": "german.toml"}


class Words:
    """One language's phrases; ``say`` expands a symbol of a topic, or of everybody's ``any``."""

    def __init__(self, lang: str) -> None:
        book = tomllib.loads((_PHRASES / LANGUAGES[lang]).read_text("utf-8"))
        self.lang = lang
        self.general = {name: _parsed(texts) for name, texts in book["any"].items()}
        self.topics = {
            topic: {name: _parsed(texts) for name, texts in symbols.items()}
            for topic, symbols in book.items()
            if topic != "any"
        }
        self.help_topics = tuple(topic for topic in self.topics if topic != "announce")

    def category(self, topic: str) -> str:
        """The forum category a topic belongs to."""
        return str(self.topics[topic]["category"][0][0])

    def say(self, rng: Random, symbol: str, topic: str = "", **slots: str) -> str:
        """One random text of ``symbol``, its slots filled; begins with a capital letter."""
        text = self._expand(rng, symbol, self.topics.get(topic, {}), slots).strip()
        return text[:1].upper() + text[1:]

    def _expand(
        self,
        rng: Random,
        symbol: str,
        own: dict[str, tuple[tuple[str, ...], ...]],
        slots: dict[str, str],
    ) -> str:
        if symbol in slots:
            return slots[symbol]
        choices = own.get(symbol) or self.general[symbol]
        parts = choices[int(rng.random() * len(choices))]
        return "".join(
            self._expand(rng, part, own, slots) if i % 2 else part for i, part in enumerate(parts)
        )


def _parsed(texts: list[str]) -> tuple[tuple[str, ...], ...]:
    """Each text split at its slots: plain, slot, plain, slot … plain."""
    return tuple(tuple(_SLOT.split(text)) for text in texts)


@cache
def words(lang: str) -> Words:
    """The phrases of ``en`` or ``de``, read once."""
    return Words(lang)


def lines(*parts: str) -> str:
    """Sentences as one paragraph, empty ones left out."""
    return " ".join(part for part in parts if part)
