"""A row → its cells as the lake stores them, or ``Refused`` with the reason it cannot be stored."""

from __future__ import annotations

import math
import operator
import re
import typing
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from muster.errors import Refused
from muster.records import TABLE_OF, TABLES, Column, Deletion, Member, Row, Table, columns

Cells = dict[str, Any]

_CENT = Decimal("0.0001")
_MOST_MONEY = Decimal(10) ** 14
_MOST_INT = 2**63
_MOST_EXACT = 2**53
_HASH = re.compile(r"[0-9a-f]{64}")
MEANT = {
    "string": "text", "strings": "a list of texts", "timestamp": "a time like 2026-03-01T09:00:00Z",
    "date": "a day like 2026-03-01", "bool": "true or false", "int": "a whole number",
    "float": "a number", "money": "an amount like 12.50",
}  # fmt: skip
_PLAIN = {
    "string": str, "timestamp": datetime, "date": date, "bool": bool, "int": int,
    "float": float | int, "money": Decimal, "strings": tuple | list,
}  # fmt: skip


def accept(row: Row | Deletion) -> None:
    """Raise ``Refused``, naming the column, if the lake could not store the row as it is."""
    if isinstance(row, Deletion):
        _timestamp("created_at", row.created_at)
        _timestamp("deleted_at", row.deleted_at)
        return
    kind: type = type(row)
    for value, (may_lack, plain, fits, column) in zip(
        _values(kind)(row), _checks(kind), strict=True
    ):
        if value is None and may_lack:
            continue
        if not (type(value) is plain and fits(value)):
            _accept_cell(column, value, allowed(kind).get(column.name, ()))
    if isinstance(row, Member) and row.email_hash and not _HASH.fullmatch(row.email_hash):
        raise Refused("email_hash must be 64 hexadecimal digits: never write an address there")
    for name in TABLES[TABLE_OF[kind]].key:
        if getattr(row, name) == "":
            raise Refused(f"{name} is empty, but names the row")


def cells(row: Row, observed_at: datetime) -> Cells:
    """The row by column name, rounded as the lake rounds it, with its ``observed_at``."""
    kind: type = type(row)
    found = dict(zip(_names(kind), _values(kind)(row), strict=True))
    for name, stored in _rounded(kind):
        if found[name] is not None:
            found[name] = stored(found[name])
    found["observed_at"] = observed_at
    return found


def by_column(kind: type, rows: typing.Sequence[Row]) -> dict[str, typing.Sequence[Any]]:
    """The values of rows of one kind by column name."""
    values = zip(*map(_values(kind), rows), strict=True) if rows else [()] * len(_names(kind))
    return dict(zip(_names(kind), values, strict=True))


def rounded(
    kind: type, found: typing.Mapping[str, typing.Sequence[Any]]
) -> dict[str, typing.Sequence[Any]]:
    """Columns of one kind, rounded as the lake rounds them; a list may be a tuple still."""
    ways = {name: stored for name, stored in _rounded(kind) if stored is not list}
    return dict(found) | {
        name: [None if one is None else stored(one) for one in found[name]]
        for name, stored in ways.items()
    }


def month(table: Table, row: Row | Deletion) -> str | None:
    """The UTC month a row lies in, by its own immutable time; ``None`` in a table without."""
    if table.month is None:
        return None
    at = getattr(row, table.month)
    if isinstance(at, datetime) and at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return _month(at.year, at.month)


@cache
def _month(year: int, number: int) -> str:
    return f"{year:04}-{number:02}"


@cache
def allowed(row: type) -> dict[str, tuple[str, ...]]:
    """The values of those columns that know only a few."""
    hints = typing.get_type_hints(row)
    return {
        name: typing.get_args(hint)
        for name, hint in hints.items()
        if typing.get_origin(hint) is Literal
    }


@cache
def _own_columns(row: type) -> tuple[Column, ...]:
    return columns(row)[:-1]


@cache
def _names(row: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(row))


@cache
def _values(row: type) -> Any:
    """A function that gives all values of a row, in the order of its columns."""
    return operator.attrgetter(*_names(row))


# Whether a column may lack a value, the type and the quick look that nearly every value passes, and
# the column, for a close look at the others.
_Check = tuple[bool, Any, typing.Callable[[Any], bool], Column]


@cache
def _checks(row: type) -> tuple[_Check, ...]:
    choices = allowed(row)
    return tuple(
        (column.nullable, *_quick(column.type, choices.get(column.name, ())), column)
        for column in _own_columns(row)
    )


def _quick(kind: str, choices: tuple[str, ...]) -> tuple[Any, typing.Callable[[Any], bool]]:
    if choices:
        return str, frozenset(choices).__contains__
    return {
        "string": (str, str.isascii),
        "strings": (tuple, operator.not_),
        "bool": (bool, _is_fine),
        "int": (int, lambda value: -_MOST_INT <= value < _MOST_INT),
        "float": (float, math.isfinite),
        "timestamp": (datetime, lambda at: at.tzinfo is UTC and 1900 < at.year < 9999),
    }.get(kind, (typing.Never, _is_fine))  # no value is one: it is looked at closely


def _is_fine(_: Any) -> bool:
    return True


@cache
def _rounded(row: type) -> tuple[tuple[str, typing.Callable[[Any], Any]], ...]:
    """The columns whose cells are not the values themselves."""
    ways = {"strings": list, "money": lambda amount: amount.quantize(_CENT)}
    found = _own_columns(row)
    return tuple((one.name, ways[one.type]) for one in found if one.type in ways)


def _accept_cell(column: Column, value: Any, choices: tuple[str, ...]) -> None:
    plain: Any = _PLAIN[column.type]
    if not isinstance(value, plain) or (isinstance(value, bool) and column.type != "bool"):
        raise Refused(f"{column.name} is {_shown(value)}, but must be {MEANT[column.type]}")
    if choices and value not in choices:
        raise Refused(f"{column.name} is {_shown(value)}, but must be {' or '.join(choices)}")
    _RANGES.get(column.type, _anything)(column.name, value)


def _anything(name: str, value: Any) -> None:
    """Whatever has the right type fits."""


def _string(name: str, value: str) -> None:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise Refused(f"{name} holds half a character (a lone surrogate)") from error


def _strings(name: str, value: typing.Sequence[Any]) -> None:
    for part in value:
        if not isinstance(part, str):
            raise Refused(f"{name} holds {_shown(part)}, but must hold strings")
        _string(name, part)


def _timestamp(name: str, value: Any) -> None:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise Refused(f"{name} is {_shown(value)}, but must be a time with its zone")
    if not 1900 < value.year < 9999:
        raise Refused(f"{name} is {value.isoformat()}, which no community has seen")


def _date(name: str, value: Any) -> None:
    if isinstance(value, datetime) or not 1900 < value.year < 9999:
        raise Refused(f"{name} is {_shown(value)}, but must be a plausible date")


def _int(name: str, value: int) -> None:
    if not -_MOST_INT <= value < _MOST_INT:
        raise Refused(f"{name} is {_shown(value)}, too large for 64 bits")


def _float(name: str, value: float) -> None:
    if isinstance(value, int) and abs(value) > _MOST_EXACT:
        raise Refused(f"{name} is {_shown(value)}, more digits than a number keeps")
    if not math.isfinite(value):
        raise Refused(f"{name} is {_shown(value)}, but must be a number")


def _amount(name: str, value: Decimal) -> None:
    if not value.is_finite() or value.copy_abs() >= _MOST_MONEY - 1:
        raise Refused(f"{name} is {_shown(value)}, but must be an amount below 10^14")


_RANGES: dict[str, typing.Callable[[str, Any], None]] = {
    "string": _string, "strings": _strings, "timestamp": _timestamp, "date": _date,
    "int": _int, "float": _float, "money": _amount,
}  # fmt: skip


def _shown(value: Any) -> str:
    return ascii(value)[:60]
