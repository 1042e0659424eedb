"""Words that decide (closing phrases, escalations, brand terms) → one regular expression each.

Expressions stay in what RE2 (DuckDB) and Java (Trino, Spark) share; a word's boundary is anything
but a letter, digit or underscore of any script.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")

BEFORE = r"(?:^|[^\p{L}\p{N}_])"
AFTER = r"(?:$|[^\p{L}\p{N}_])"
SIGMA = "Σσς"

CLOSING: Mapping[str, tuple[str, ...]] = {
    "en": (
        "thanks", "thank you", "thank u", "thx", "ty", "tysm", "cheers", "solved", "resolved",
        "fixed", "sorted", "works now", "working now", "it works", "that works", "that worked",
        "it worked", "worked for me", "that did it", "did the trick", "that helped", "perfect",
        "awesome", "brilliant", "you're the best", "all good", "got it", "problem gone",
    ),
    "de": (
        "danke", "dankeschön", "danke schön", "vielen dank", "besten dank", "herzlichen dank",
        "merci", "thanks", "thx", "gelöst", "erledigt", "behoben", "hat geklappt", "klappt jetzt",
        "klappt wieder", "funktioniert jetzt", "funktioniert wieder", "jetzt geht's",
        "jetzt geht es", "geht jetzt", "geht wieder", "geht jetzt wieder", "läuft wieder",
        "läuft jetzt", "hat geholfen", "perfekt", "alles klar",
    ),
}  # fmt: skip

# Thanks that ask: they are taken out of a text before it is read for closing phrases.
ADVANCE = (
    r"(thanks|thank you|thx|cheers) (so much |very much |a lot )?in advance",
    r"(danke|dank|merci) (schon ?mal|im voraus|schon ?mal im voraus)",
)

# With one of these a conversation's first message asks, thanks or not.
PLEAS = ("please", "pls", "plz", "bitte")

ESCALATION = (
    r"(dm|pm|direct message|message) (us|me)",
    r"send us an? (dm|message|e-?mail)",
    r"(call|phone) (us|our)",
    r"give us a (call|ring)",
    r"e-?mail (us|our|support)",
    r"(open|submit|file|raise|create) an? (support )?(ticket|case|request)",
    r"(come|stop|drop) by",
    r"visit (us|our (desk|office|store|shop))",
    r"contact (us|support|our \w+) (at|via|through|on)",
)


def whole_words(expressions: Iterable[str]) -> str | None:
    """One expression that any of the expressions meets at word boundaries."""
    joined = "|".join(f"(?:{expression})" for expression in expressions)
    return f"(?s){BEFORE}(?:{joined}){AFTER}" if joined else None


def escalation(extra: Iterable[str]) -> str:
    """The built-in patterns of sending a member elsewhere and the settings' own."""
    own = (f"(?i:{pattern})" for pattern in extra)
    return whole_words((*map(_any_case, ESCALATION), *own)) or ""


def in_advance() -> str:
    """The thanks that are a request."""
    return whole_words(map(_any_case, ADVANCE)) or ""


def pleas() -> str:
    """The words that ask."""
    return terms(PLEAS) or ""


def anywhere(patterns: Iterable[str]) -> str | None:
    """One case-insensitive expression that any of the patterns meets anywhere."""
    joined = "|".join(f"(?:{pattern})" for pattern in patterns)
    return f"(?is)(?:{joined})" if joined else None


def terms(words: Iterable[str]) -> str | None:
    """One expression for terms as whole words; blanks match any white space."""
    return whole_words(map(literal, words))


def spellings(term: str) -> tuple[str, ...]:
    """The forms of a term in a text of small letters, single blanks and plain apostrophes."""
    plain = " ".join(small(term).split()).replace("’", "'").replace("ς", "σ")
    return tuple(dict.fromkeys((plain, plain.replace("'", ""))))


def small(text: str) -> str:
    """``text`` in small letters as the engines' ``lower`` gives them: letter by letter."""
    return text.replace("Σ", "σ").replace("İ", "i").lower()


def closing(extra: Mapping[str, Iterable[str]]) -> str:
    """One expression over ``<language> <text>``: the text holds a closing phrase of its language.

    A phrase's apostrophe matches the typographic one and its absence.
    """
    languages = sorted({*CLOSING, *(key.lower() for key in extra)})
    own = {key.lower(): tuple(words) for key, words in extra.items()}
    parts = (
        f"{re.escape(language)} (?:.*[^\\p{{L}}\\p{{N}}_])?"
        f"(?:{'|'.join(map(literal, (*CLOSING.get(language, ()), *own.get(language, ()))))})"
        f"{AFTER}"
        for language in languages
    )
    return f"(?s)^(?:{'|'.join(parts)})"


def by_source(own: Mapping[str, T], told: Callable[[T], str]) -> str | None:
    """One expression over ``<source> newline <text>``, of what each source has of its own.

    ``^`` and ``$`` of a pattern are the start and the end of a line.
    """
    parts = (rf"{re.escape(name)}\n{told(words)}" for name, words in own.items() if words)
    joined = "|".join(parts)
    return rf"(?ms)\A(?:{joined})" if joined else None


def at_words(patterns: Iterable[str]) -> str:
    """Any of the patterns at word boundaries, after anything."""
    joined = "|".join(f"(?i:{pattern})" for pattern in patterns)
    return f".*{BEFORE}(?:{joined}){AFTER}"


def any_of(patterns: Iterable[str]) -> str:
    """Any of the patterns, after anything."""
    joined = "|".join(f"(?i:{pattern})" for pattern in patterns)
    return f".*(?:{joined})"


def of_language(words: Mapping[str, Iterable[str]]) -> str:
    """``<language> <text>`` whose text holds a phrase of its language."""
    parts = (
        f"{re.escape(language.lower())}(?: .*)?{BEFORE}(?:{'|'.join(map(literal, phrases))}){AFTER}"
        for language, phrases in words.items()
    )
    return f"(?:{'|'.join(parts)})"


def literal(words: str) -> str:
    """``words`` as an expression that matches just them, in small letters or capitals."""
    return r"\s+".join("".join(map(_letter, word)) for word in words.split())


def _letter(one: str) -> str:
    """A letter in both its forms, spelled out: engines differ in what they hold to be the same."""
    if one in "'’":
        return "['’]?"
    if one in SIGMA:
        return f"[{SIGMA}]"
    forms = {form for form in (one, one.lower(), one.upper()) if form.lower() == one.lower()}
    letters = "".join(sorted(form for form in forms if len(form) == 1))
    if len(letters) > 1:
        return f"[{letters}]"
    return re.escape(one) if one.isascii() else one


def _any_case(pattern: str) -> str:
    """One of the patterns above in small letters or capitals, each blank any white space."""
    blanks = pattern.replace(" ", r"\s+").replace(r"\s+?", r"\s*")
    return re.sub(r"(?<!\\)[a-z]", lambda found: _letter(found[0]), blanks)
