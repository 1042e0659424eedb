"""A value ⇄ its JSON: quickly by msgspec, and by Python's own reader where msgspec gives up."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any


def _plain(value: Any) -> Any:
    """What JSON has for a value that is none of its own."""
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else str(value)


_SLOW = json.JSONEncoder(default=_plain, ensure_ascii=True, separators=(",", ":"))


def loads(data: bytes | str) -> Any:
    """The value; ``ValueError`` or ``RecursionError`` if there is none.

    Half a surrogate pair comes out as received. What is no number in JSON (``NaN``, one beyond
    the largest float) is ``None``.
    """
    try:
        return _codec()[0](data)
    except ValueError:  # msgspec's errors are of that kind
        return json.loads(data, parse_constant=_no_number, parse_float=_finite)


def dumps(value: Any) -> str:
    """JSON on one line, whose only line breaks could be those beyond ASCII; others as text."""
    return str(encoded(value), "utf-8")


def encoded(value: Any) -> bytes:
    """The same in UTF-8; ``RecursionError`` if it is nested some thousand levels deep."""
    try:
        return bytes(_codec()[1](value))
    except UnicodeEncodeError:  # half a surrogate pair: escaped, it is kept
        return _SLOW.encode(value).encode()


def spelled(text: str) -> frozenset[str]:
    """How a line of JSON may spell a text: as it is written today, and escaped as it once was."""
    return frozenset(json.dumps(text, ensure_ascii=is_ascii)[1:-1] for is_ascii in (False, True))


@cache
def _codec() -> tuple[Any, Any]:
    """Decoder and encoder; only functions that fetch have msgspec in their layer."""
    from msgspec.json import Decoder, Encoder

    return Decoder().decode, Encoder(enc_hook=_plain).encode


def _no_number(_: str) -> None:
    return None


def _finite(text: str) -> float | None:
    found = float(text)
    return found if math.isfinite(found) else None
