"""A key below ``tables/`` → which part of which month of which table of which source it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from muster.names import SOURCE_NAME
from muster.records import TABLES, Table

_PART = re.compile(
    rf"source=({SOURCE_NAME})/(?:month=(\d{{4}}-\d{{2}})/)?part-(0|[1-9]\d*)\.parquet"
)


@dataclass(frozen=True, order=True)
class Place:
    """Where a part lies; ``month`` is empty in a table without months."""

    name: str
    source: str
    month: str
    part: int

    @property
    def table(self) -> Table:
        """The table it is a part of."""
        return TABLES[self.name]

    @property
    def folder(self) -> str:
        """The month it is a part of."""
        start = f"tables/{self.name}/source={self.source}"
        return f"{start}/month={self.month}" if self.month else start

    @property
    def key(self) -> str:
        """Its key in the store."""
        return f"{self.folder}/part-{self.part}.parquet"


def place_of(key: str) -> Place | None:
    """The place a key names, or ``None`` if the lake writes no such key."""
    name, _, rest = key.removeprefix("tables/").partition("/")
    found = _PART.fullmatch(rest) if name in TABLES else None
    if found is None or bool(found[2]) != bool(TABLES[name].month):
        return None
    return Place(name, found[1], found[2] or "", int(found[3]))
