"""The files of kept tables, a month each: what an earlier run wrote of them, and what is written
of them now. Rows without a date, and tables that are kept whole, lie in a file without a month.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Set
from datetime import date

import duckdb

from muster.at_once import put_all
from muster.kpis import derived, engine, kept, steps, typed
from muster.store import Store

# By which a table is cut into months; those of a year that stand for its first month are few.
_DATES = ("opened_at", "opened_day", "first_day", "day", "utc_day", "period_start", "joined_year")
_FILES = "$files"


class KeptFiles:
    """The kept tables of a lake, read as an earlier run (``before``) wrote them."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, lake: Store, before: kept.Kept | None
    ) -> None:
        self._connection, self._lake, self._before = connection, lake, before
        self._select: dict[str, str] = {}
        self._none: dict[str, str] = {}
        self._zoned: dict[str, str] = {}
        self._whole: dict[str, str] = {}
        self._now: set[str] = set()
        self.changed: dict[str, set[str] | None] = {}

    def view(self, name: str, alike: str) -> None:
        """``kept_<name>``: what was kept of a table, with the columns of the SQL ``alike``."""
        files = self._files(name)
        self._none[name] = f"select * from ({alike}) limit 0"
        if files:
            listed = typed.listed(files.values())
            read = f"select * from read_parquet({listed}, hive_partitioning = false)"
            plain = engine.plain_times(self._connection, read)
            self._select[name] = plain.replace(listed, _FILES)
        self._run(f"create or replace temp view kept_{name} as {self._rows(name, files)}")

    def rows_of(self, name: str, joined: str) -> str:
        """What was kept of the months in which some rows join: a look at those columns alone is
        cheaper than at all of them."""
        month = _month(self._dated(f"kept_{name}"))
        months = self.found(f"select distinct {month} from kept_{name} as rows {joined}")
        return self._rows(name, months)

    def replace(self, name: str, differing: str, fresh: str, untouched: str) -> None:
        """Make the view ``name`` of a table as it is now: kept rows that are ``untouched``, and
        those of the table ``fresh``.

        Months in which nothing is ``differing`` are read as they were kept, the others stored.
        """
        month = _month(self._dated(fresh))
        months = self.found(f"select distinct {month} from {differing}")
        listed = ", ".join(map(typed.quoted, sorted(months))) or "null"
        self._run(
            f"create or replace temp table now_{name} as "
            f"select rows.* from ({self._rows(name, months)}) as rows {untouched} "
            f"union all by name select * from {fresh} where {month} in ({listed})"
        )
        self.changed[name] = months
        self._now.add(name)
        self._run(f"create or replace temp view {name} as {self.rows_now(name)}")

    def rows_now(self, name: str, months: Set[str] | None = None) -> str:
        """A table that ``replace`` made: all rows, or at least those of some months."""
        others = self._files(name).keys() - (self.changed[name] or set())
        before = self._rows(name, others if months is None else others & months)
        return f"select * from ({before}) union all by name select * from now_{name}"

    def keep_whole(self, name: str, table: str) -> None:
        """Write a table of the connection as one file."""
        self._whole[name] = table
        self.changed[name] = {""}

    def found(self, sql: str) -> set[str]:
        """The values of a statement's only column that are not null."""
        rows = self._connection.execute(sql).fetchall()
        return {value for (value,) in rows if value is not None}

    def columns(self, name: str) -> list[str]:
        """The columns of a table of the connection."""
        found = self._connection.execute(f"select * from {name} limit 0")
        return [column[0] for column in found.description or ()]

    def write(self) -> dict[str, str]:
        """Write the months that changed, and empty what no longer is; all that is kept now."""
        before = self._before.written if self._before else {}
        there = {key: tag for key, tag in before.items() if not self._is_anew(kept.table_of(key))}
        there |= put_all(self._lake, self._encoded())
        return there | put_all(self._lake, self._emptied(there))

    def read_back(self, name: str, written: Iterable[str]) -> None:
        """From here on a table is what was written of it, month after month."""
        prefix = kept.folder(name)
        paths = self._lake.urls(key for key in sorted(written) if key.startswith(prefix))
        if paths:
            read = f"select * from read_parquet({typed.listed(paths)}, hive_partitioning = false)"
            steps.drop(self._connection, name)
            plain = engine.plain_times(self._connection, read)
            self._run(f"create temp view {name} as {plain}")

    def _is_anew(self, name: str) -> bool:
        """Whether every month of a table is written."""
        return name in self.changed and self.changed[name] is None

    def _encoded(self) -> Iterator[tuple[str, bytes]]:
        """The objects that changed."""
        for name, months in self.changed.items():
            prefix, table = kept.folder(name), self._table(name)
            if name in self._whole:
                yield f"{prefix}part-0.parquet", self._written(name, f"select * from {table}")
                continue
            dated = self._dated(table)
            if months is None:
                months = self.found(f"select distinct {_month(dated)} from {table}")
            for month in sorted(months):
                within = f"month={month}/" if month else ""
                rows = f"select * from {table} where {_within(dated, month)}"
                yield f"{prefix}{within}part-0.parquet", self._written(name, rows)

    def _emptied(self, there: Container[str]) -> Iterator[tuple[str, bytes]]:
        """What lies there of the tables that changed, and is no longer told of them."""
        for key in kept.written_objects(self._lake):
            name = kept.table_of(key)
            if key not in there and name in self.changed:
                yield key, self._written(name, f"select * from {self._table(name)} limit 0")

    def _written(self, name: str, rows: str) -> bytes:
        if name not in self._zoned:  # the same for every month
            self._zoned[name] = derived.zoned(self._connection, rows)
        order = f"order by {derived.ORDERS[name]}" if name in derived.ORDERS else ""
        sql = f"select {self._zoned[name]} from ({rows}) {order}"
        return derived.written(self._connection, sql)

    def _table(self, name: str) -> str:
        """Where the rows to be written are."""
        return self._whole.get(name, f"now_{name}" if name in self._now else name)

    def _rows(self, name: str, months: Iterable[str]) -> str:
        """What was kept of some months."""
        files = self._files(name)
        paths = [files[month] for month in months if month in files]
        if not paths:
            return self._none[name]
        return self._select[name].replace(_FILES, typed.listed(paths))

    def _files(self, name: str) -> dict[str, str]:
        """Month (or nothing) → the file that an earlier run kept of a table."""
        prefix = kept.folder(name)
        keys = [
            key for key in (self._before.written if self._before else ()) if key.startswith(prefix)
        ]
        months = (key.partition("month=")[2][:7] for key in keys)
        return dict(zip(months, self._lake.urls(keys), strict=True))

    def _dated(self, table: str) -> str:
        present = self.columns(table)
        return next(column for column in _DATES if column in present)

    def _run(self, sql: str) -> None:
        self._connection.execute(sql)


def _month(dated: str) -> str:
    return f"coalesce(strftime({dated}, '%Y-%m'), '')"


def _within(dated: str, month: str) -> str:
    if not month:
        return f"{dated} is null"
    start = f"date '{date.fromisoformat(f'{month}-01')}'"
    return f"{dated} >= {start} and {dated} < {start} + interval 1 month"
