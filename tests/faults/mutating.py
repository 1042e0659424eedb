"""A good value and chance in → a bad one out: JSON, texts and bytes as nobody would send them."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

WORDS = (
    "", " ", "0", "-1", "1e999999999", "-1e-999999999", "NaN", "Infinity", "sNaN", "9" * 5000,
    "null", "true", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\u202etxt.exe", "\x1b[2J",
    "\x9b31m",
    "line\nline", "\r\n.\r\n", "=1+1", "@SUM(1)", "'; drop table messages; --", '"', "\\",
    "${x}",
    "{{7*7}}", "{0.__class__}", "%s%n", "../../etc/passwd", "/etc/passwd", "C:\\x", "~", "a/b",
    "<script>alert(1)</script>", "<!--", "]]>", "&lt;&#0;", "&" * 200, "<" * 200, "[" * 200,
    "http://[", "http://169.254.169.254/", "file:///etc/passwd", "//evil.example", "javascript:1",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-02-30", "2026-13-01T25:61:61Z",
    "1970-01-01T00:00:00Z", "2026-03-01T09:00:00", "20260301", "24:00", "1", "1.5", "٣", "²", "½",
    "🙂" * 50, "e\u0301" * 50, "שלום", "ﷺ" * 20, "x" * 10_000, "word " * 2_000, "\n" * 2_000,
    "* " * 1_000, "_" * 3_000, "`" * 3_000, "-- " * 1_000, "On Mon, x wrote:\n>" * 100,
)  # fmt: skip
NUMBERS = (
    0, -1, 1, 2, 7, 255, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**30, 10**400,
    -(10**400), 0.1, -0.0, 1e308, 5e-324, float("nan"), float("inf"), float("-inf"), 1e10,
    253402300800, -62135596801, 1e18, 1764230400, 1764230400000,
)  # fmt: skip
OTHERS = (None, True, False, [], {}, [None], [[]], {"": None}, {"id": None}, [{}, []])


def value(chance: Random, known: Any = None) -> Any:
    """Any JSON value: mostly one that hurts, at times a whole part of something known."""
    kind = chance.random()
    if kind < 0.4:
        return chance.choice(WORDS)
    if kind < 0.65:
        return chance.choice(NUMBERS)
    if kind < 0.85:
        return copy.deepcopy(chance.choice(OTHERS))
    if kind < 0.93:
        return copy.deepcopy(place(chance, known))
    if kind < 0.96:
        return nested(chance.choice((3, 60, 150)), chance.random() < 0.5)
    return "".join(chr(chance.choice((chance.randrange(128), chance.randrange(0x11000))))
                   for _ in range(chance.randrange(40)))  # fmt: skip


def nested(depth: int, is_list: bool) -> Any:
    """Something inside something inside something."""
    found: Any = "deep"
    for _ in range(depth):
        found = [found] if is_list else {"a": found}
    return found


def place(chance: Random, body: Any) -> Any:
    """The value at some place of a body."""
    while isinstance(body, dict | list) and body and chance.random() < 0.8:
        body = chance.choice([*body.values()] if isinstance(body, dict) else body)
    return body


def changed(chance: Random, body: Any) -> Any:
    """The body (whose parts it may change) with one to five of its places spoiled."""
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
        body = _spoiled(chance, body, body)
    return body


def _spoiled(chance: Random, body: Any, whole: Any) -> Any:
    if not isinstance(body, dict | list) or not body or chance.random() < 0.08:
        return _twisted(chance, body, whole)
    keys = [*body] if isinstance(body, dict) else range(len(body))
    key = chance.choice(keys)
    if chance.random() < 0.12:
        del body[key]
    elif isinstance(body, list) and chance.random() < 0.1:
        body.append(value(chance, whole))
    elif isinstance(body, dict) and chance.random() < 0.05:
        body[str(chance.choice(WORDS))] = body[key]
    else:
        body[key] = _spoiled(chance, body[key], whole)
    return body


def _twisted(chance: Random, old: Any, whole: Any) -> Any:
    """Another value, now and then one that is nearly the old."""
    if isinstance(old, str) and old and chance.random() < 0.3:
        return text(chance, old)
    if isinstance(old, int | float) and chance.random() < 0.2:
        return chance.choice((str(old), -old, old * 10**9, [old]))
    return value(chance, whole)


def text(chance: Random, old: str) -> str:
    """The text with a piece cut out, doubled, turned around or put in."""
    start, end = sorted((chance.randrange(len(old) + 1), chance.randrange(len(old) + 1)))
    piece = chance.choice(
        ("", old[start:end] * 2, old[start:end][::-1], chance.choice(WORDS), old[end:])
    )
    return old[:start] + piece + old[end:]


def data(chance: Random, old: bytes) -> bytes:
    """The bytes with some of them changed, cut off, doubled or put in."""
    new = bytearray(old)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(new) + 1)
        kind = chance.randrange(6)
        if kind == 0 and at < len(new):
            new[at] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
        elif kind == 1 and at < len(new):
            new[at] ^= 1 << chance.randrange(8)
        elif kind == 2:
            del new[at : at + chance.choice((1, 2, 8, 64, 1024))]
        elif kind == 3:
            new[at:at] = new[at : at + chance.choice((1, 8, 64, 512))]
        elif kind == 4:
            new[at:at] = chance.choice(WORDS).encode("utf-8", "surrogatepass")[:2_000]
        else:
            new[at:at] = chance.randbytes(chance.choice((1, 4, 32)))
    return bytes(new)
