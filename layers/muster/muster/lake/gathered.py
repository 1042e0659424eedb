"""Observed rows and deletions, in any order → those of each kind together, by column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import count
from typing import Any

from muster.lake.cells import by_column
from muster.records import Deletion, Row

Observed = tuple[Row | Deletion, datetime]


@dataclass(frozen=True)
class Gathered:
    """Rows of one kind, or deletions, each with when it was observed and its place among all."""

    kind: type
    rows: list[Any]
    observed_at: list[datetime]
    places: list[int]

    @cached_property
    def columns(self) -> Mapping[str, Sequence[Any]]:
        """The values of the rows by column name."""
        return by_column(self.kind, self.rows)


def gathered(rows: Iterable[Observed], places: Iterable[int] | None = None) -> list[Gathered]:
    """Observations by kind, each in their order; ``places`` go on from what came before."""
    found: dict[type, Gathered] = {}
    for (row, observed_at), place in zip(rows, places or count(), strict=False):
        kind: type = type(row)
        if kind not in found:
            found[kind] = Gathered(kind, [], [], [])
        one = found[kind]
        one.rows.append(row)
        one.observed_at.append(observed_at)
        one.places.append(place)
    return list(found.values())
