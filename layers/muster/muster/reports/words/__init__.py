"""A language goes in, its words come out: every text of mail, site and chat, one file each.

A file is TOML. Names in capitals are fixed texts; the others are sentences with places for facts:
``{n}`` is a number in the language's digits, ``{n:goal|goals}`` the form that fits it,
``{grain:week=…|month=…}`` the text of that kind, and ``{span:Tage>Tagen}`` a text with one word in
another case. To add a language, translate ``en.toml`` and call it by its ISO 639-1 code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from gettext import c2py
from pathlib import Path
from typing import Any

from muster.errors import BadSettings
from muster.results import Kpi

FILES = Path(__file__).parent


@dataclass(frozen=True, eq=False)
class Words:
    """The words of ``tag`` (``de``, ``de-CH``); a fixed text is an attribute of its name."""

    tag: str
    texts: Mapping[str, Any] = field(repr=False)
    plural: Callable[[int], int] = field(repr=False)

    @property
    def code(self) -> str:
        """The language without its region."""
        return self.tag.partition("-")[0]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.texts[name]
        except KeyError as error:
            raise AttributeError(f"{self.tag}: no text {name!r}") from error

    def __call__(self, sentence: str, /, **facts: object) -> str:
        """The sentence of that name with its facts in their places."""
        return self.filled(self.texts[sentence], **facts)

    def filled(self, text: str, /, **facts: object) -> str:
        """A text with its facts in their places."""
        return text.format(**{name: self._fact(value) for name, value in facts.items()})

    def _fact(self, value: object) -> object:
        return _Count(value, self) if isinstance(value, int) else _Kind(value)

    def count(self, number: int) -> str:
        """A whole number with its thousands apart: 1,234."""
        return f"{number:,}".replace(",", self.texts["THOUSANDS"])

    def listed(self, names: Sequence[str]) -> str:
        """a, b and c."""
        *first, last = names
        return self.texts["LIST_AND"].join([", ".join(first), last] if first else names)

    def kpi(self, kpi: Kpi) -> Kpi:
        """The KPI with its title, question and definition in this language, where there are any.

        A definition of another version is not told: it would be another number's.
        """
        told = dict(self.texts.get("kpis", {}).get(kpi.id, {}))
        return replace(kpi, **told) if told and told.pop("version", 1) == kpi.version else kpi


class _Count(int):
    """A number that is written in a language's digits, or picks the form that fits it."""

    words: Words

    def __new__(cls, value: int, words: Words) -> _Count:
        made = super().__new__(cls, value)
        made.words = words
        return made

    def __format__(self, forms: str) -> str:
        if not forms:
            return self.words.count(int(self))
        choice = forms.split("|")
        return choice[min(self.words.plural(int(self)), len(choice) - 1)]


class _Kind(str):
    """A text that stands as it is, or with a word in another case, or picks what is said of its
    kind; the last is for others."""

    def __format__(self, choices: str) -> str:
        if not choices:
            return str(self)
        word, is_another_case, form = choices.partition(">")
        if is_another_case:
            return re.sub(rf"\b{word}\b", form, self)
        text = ""
        for choice in choices.split("|"):
            kind, is_of_a_kind, text = choice.partition("=")
            if not is_of_a_kind:
                return kind
            if kind == self:
                break
        return text


def languages() -> tuple[str, ...]:
    """The languages there are words for."""
    return tuple(sorted(file.stem for file in FILES.glob("*.toml")))


def of(own: str | None, community: str) -> Words:
    """Words in a report's own language, else in the community's if there are any, else English."""
    is_known = community.partition("-")[0] in languages()
    return load(own or (community if is_known else "en"))


@cache
def load(tag: str = "en") -> Words:
    """The words of a language, or of one with a region that writes numbers and dates its own way.

    A region that the language's file does not know changes nothing.
    """
    import tomllib

    language, _, region = tag.partition("-")
    if language not in languages():
        known = ", ".join(languages())
        raise BadSettings(f"there are no words for the language {tag!r}: choose from {known}")
    file = FILES / f"{language}.toml"
    texts = tomllib.loads(file.read_text(encoding="utf-8"))
    texts |= texts.pop("region", {}).get(region.upper(), {})
    return Words(tag, texts, c2py(texts["plural"]))
