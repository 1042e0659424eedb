"""X's search language, as far as a help desk needs it: a query goes in, a predicate comes out.

Words and "phrases" (hashtags match their word), ``from:`` ``to:`` ``@name`` ``conversation_id:``
``lang:`` ``is:reply`` ``is:quote`` ``is:retweet`` ``#tag``, ``-`` before any of them, parentheses,
``OR``; what stands side by side must all hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Post = Mapping[str, Any]
Test = Callable[[Post], bool]


@dataclass(frozen=True)
class _FieldIs:
    """Whether a field has one of some values; many of them in one look."""

    field: str
    values: frozenset[str]

    def __call__(self, post: Post) -> bool:
        return post[self.field] in self.values


_TOKEN = re.compile(r'\s*(-?\(|\)|-?"[^"]*"|[^\s()"]+(?:"[^"]*")?)')


class BadQuery(ValueError):
    """The query cannot be read; X answers 400."""


def predicate(query: str) -> Test:
    """What a post (see ``x_posts``: words, handle, mentions …) must satisfy."""
    tokens = _TOKEN.findall(query)
    if "".join(tokens).replace(" ", "") != re.sub(r"\s+", "", query) or not tokens:
        raise BadQuery(f"no viable alternative at input '{query[:40]}'")
    test, rest = _either(tokens)
    if rest:
        raise BadQuery(f"extraneous input '{rest[0]}'")
    return test


def _either(tokens: list[str]) -> tuple[Test, list[str]]:
    """Alternatives joined by OR."""
    test, tokens = _all(tokens)
    tests = [test]
    while tokens and tokens[0] == "OR":
        test, tokens = _all(tokens[1:])
        tests.append(test)
    if len(tests) == 1:
        return test, tokens
    told = {test.field: test.values for test in tests if isinstance(test, _FieldIs)}
    if len(told) == 1 and all(isinstance(test, _FieldIs) for test in tests):
        values = [test.values for test in tests if isinstance(test, _FieldIs)]
        return _FieldIs(next(iter(told)), frozenset().union(*values)), tokens
    return (lambda post: any(test(post) for test in tests)), tokens


def _all(tokens: list[str]) -> tuple[Test, list[str]]:
    """Conditions side by side."""
    tests: list[Test] = []
    while tokens and tokens[0] not in ("OR", ")"):
        test, tokens = _one(tokens)
        tests.append(test)
    if not tests:
        raise BadQuery("missing a condition")
    if len(tests) == 1:
        return tests[0], tokens
    return (lambda post: all(test(post) for test in tests)), tokens


def _one(tokens: list[str]) -> tuple[Test, list[str]]:
    token, tokens = tokens[0], tokens[1:]
    is_negated = token.startswith("-") and len(token) > 1
    token = token[1:] if is_negated else token
    if token == "(":
        test, tokens = _either(tokens)
        if not tokens or tokens[0] != ")":
            raise BadQuery("missing ')'")
        tokens = tokens[1:]
    else:
        test = _condition(token)
    return (lambda post: not test(post)) if is_negated else test, tokens


def _condition(token: str) -> Test:
    name, colon, value = token.partition(":")
    wanted = value.lower().lstrip("@")
    if colon and name in _FIELDS:
        return _FieldIs(_FIELDS[name], frozenset({wanted}))
    if colon and name == "is":
        return lambda post: value in post["is"]
    if token.startswith("@"):
        handle = token[1:].lower()
        return lambda post: handle in post["mentions"]
    if token.startswith("#"):
        tag = token[1:].lower()
        return lambda post: tag in post["hashtags"]
    if colon:
        raise BadQuery(f"Reference to invalid operator '{name}'")
    phrase = " ".join(words_of(token.strip('"')))
    return lambda post: f" {phrase} " in post["words"]


_FIELDS = {
    "from": "handle",
    "to": "to",
    "conversation_id": "conversation_id",
    "lang": "lang",
}


def words_of(text: str) -> list[str]:
    """The words of a text as X compares them."""
    return re.findall(r"\w+", text.lower())
