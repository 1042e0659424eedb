"""Many rows → whether the lake can store each as it is, seen by a look at their columns.

It takes a quarter of the time of ``accept``, but is not always sure, and tells of no row alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import NoneType
from typing import Any

from muster.lake.cells import allowed
from muster.lake.gathered import Gathered
from muster.records import TABLE_OF, TABLES, Deletion, columns

_MOST_INT = 2**63


def do_fit(rows: Gathered) -> bool:
    """Whether ``accept`` would take every one of the rows; ``False`` may be said too often."""
    kind, found = rows.kind, rows.columns
    if kind is Deletion or any(found.get("email_hash", ())):
        return False
    if any("" in found[key] for key in TABLES[TABLE_OF[kind]].key):
        return False
    choices = allowed(kind)
    for column in columns(kind)[:-1]:
        values, types = found[column.name], set(map(type, found[column.name]))
        if column.nullable and NoneType in types:
            values = [value for value in values if value is not None] if len(types) > 1 else ()
            types.discard(NoneType)
        if not _column_fits(column.type, choices.get(column.name, ()), values, types):
            return False
    return True


def _column_fits(
    kind: str, choices: tuple[str, ...], values: Sequence[Any], types: set[type]
) -> bool:
    if kind not in _FITS or not types <= {_FITS[kind][0]}:
        return not values
    return set(values) <= set(choices) if choices else _FITS[kind][1](values)


def _texts(values: Iterable[str]) -> bool:
    try:
        "".join(values).encode()
    except UnicodeEncodeError:  # half a character
        return False
    return True


def _numbers(values: Sequence[int]) -> bool:
    return not values or (min(values) >= -_MOST_INT and max(values) < _MOST_INT)


def _lists(values: Iterable[tuple[Any, ...]]) -> bool:
    parts = [part for value in values for part in value]
    return set(map(type, parts)) <= {str} and _texts(parts)


def _instants(values: Sequence[datetime]) -> bool:
    if not values or not {at.tzinfo for at in values} <= {UTC}:
        return not values
    return min(values).year > 1900 and max(values).year < 9999


# The one type that a column of each kind nearly always has, and whether all its values fit. Of
# other kinds and types, every row is looked at by itself.
_FITS: Mapping[str, tuple[type, Callable[[Any], bool]]] = {
    "string": (str, _texts),
    "strings": (tuple, _lists),
    "bool": (bool, lambda values: True),
    "int": (int, _numbers),
    "float": (float, lambda values: all(map(math.isfinite, values))),
    "timestamp": (datetime, _instants),
}  # fmt: skip
