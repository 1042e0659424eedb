"""A number of messages and a seed → a simulated lake of 24 months, as real merges would leave it.

Threads, roles, waits, escalations, solutions, sentiment and texts are invented; nobody is real. The
same arguments give the same rows. Schemas, keys, sorting and the size of parts are the lake's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
from lake_rows import ACCOUNTS, SMALL, TEXTS, WORDS, opened, written

from muster.lake import parquet
from muster.records import TABLES, Column, Table, columns
from muster.settings import Settings
from muster.store import FolderStore

START, END = datetime(2024, 11, 4, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
WEEK = timedelta(days=7)
PART_BYTES = 48 << 20  # as lake/merge.py: what a part holds when it is full
SLICES = 24  # threads are made by these parts of the time, so that memory stays small

SETTINGS = Settings.model_validate(
    {
        "community": "Simulated",
        "timezone": "Europe/Berlin",
        "business_hours": [{"country": "DE", "hours": {"mon-fri": ["08:00-12:00", "13:00-18:00"]}}],
        "brand_terms": ["Nordufer IT", "NUnet"],
        "product_terms": ["eduroam", "VPN", "NorduCloud"],
        "feedback": ["ideas"],
        "staff": [{"source": "chat", "account": "s3"}],
        "bots": [{"source": "chat", "account": "m7"}],
        "sources": [
            {"name": "forum", "platform": "file"},
            {"name": "microblog", "platform": "file", "episode_gap": "24h"},
            {"name": "chat", "platform": "file", "episode_gap": "24h"},
        ],
    }
)


def make_two(folder: Path, messages: int, seed: int = 1) -> tuple[Path, Path]:
    """The lake a week before its end, and its objects of the last week to be laid over it."""
    before, last = folder / "before", folder / "last-week"
    with Made(folder / ".made.duckdb", messages, seed) as made:
        for table in TABLES.values():
            export(made, FolderStore(before), table, END - WEEK)
            since = f"{END - WEEK:%Y-%m}" if table.month else ""
            export(made, FolderStore(last), table, END, since)
    return before, last


class Made:  # noqa: N801
    """All rows in a database file of its own, removed at the end."""

    def __init__(self, path: Path, messages: int, seed: int, texts: int = 200_000) -> None:
        self.path, self.messages, self.seed, self.texts = path, messages, seed, texts

    def __enter__(self) -> duckdb.DuckDBPyConnection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self.connection = duckdb.connect(str(self.path))
        self.connection.execute("set timezone = 'UTC'; set threads = 2; set memory_limit = '6GB'")
        _generate(self.connection, self.messages, self.seed, self.texts)
        return self.connection

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self.path.unlink()


def _generate(made: duckdb.DuckDBPyConnection, messages: int, seed: int, texts: int) -> None:
    facts = {
        "seed": seed, "accounts": max(50, messages // 25), "threads": max(20, messages * 10 // 54),
        "start": START.replace(tzinfo=None), "span": (END - START).total_seconds(),
    }  # fmt: skip
    chances = {"seed": seed, "accounts": facts["accounts"], "texts": texts}
    made.execute(WORDS)
    made.execute(TEXTS, {"seed": seed, "texts": texts})
    for number in range(SLICES):
        low, high = (facts["threads"] * edge // SLICES for edge in (number, number + 1))
        made.execute(opened(), {**facts, "low": low, "high": high})
        insert = "create table said as" if number == 0 else "insert into said"
        made.execute(f"{insert} {written()}", chances)
        insert = "create table begun as" if number == 0 else "insert into begun"
        made.execute(f"{insert} from opened")
    kept = {key: facts[key] for key in ("start", "span", "accounts")}
    made.execute(f"create table accounts as {ACCOUNTS}", kept)


def export(
    made: duckdb.DuckDBPyConnection,
    store: FolderStore,
    table: Table,
    until: datetime,
    since: str = "",
) -> None:
    """The rows of a table known before ``until`` as objects, of the months from ``since`` on."""
    made.execute(f"create or replace temp view told as {_typed(table, SMALL[table.name])}")
    month = f"strftime({table.month}, '%Y-%m')" if table.month else "''"
    time = table.month or "observed_at"
    where = f"{month} >= '{since}' and {time} < timestamp '{until:%Y-%m-%d %H:%M:%S}'"
    places = f"select distinct source, {month} from told where {where} order by all"
    for source, in_month in made.execute(places).fetchall():
        level = f"/month={in_month}" if table.month else ""
        chosen = f"from told where {where} and source = '{source}'"
        if table.month:  # as a range: what lies outside of it is not even read
            start = f"date '{in_month}-01'"
            chosen += f" and {time} >= {start} and {time} < {start} + interval 1 month"
        rows = made.execute(f"select * exclude (source) {chosen} order by {time}")
        for k, (part, is_full) in enumerate(_parts(table, rows)):
            key = f"tables/{table.name}/source={source}{level}/part-{k}.parquet"
            store.put(key, parquet.encode(table, part, limit=PART_BYTES, is_full=is_full))


def _parts(table: Table, rows: duckdb.DuckDBPyConnection) -> Iterator[tuple[pa.Table, bool]]:
    """The rows in the order they came, cut where a part is full."""
    held, size = [], 0
    for batch in rows.to_arrow_reader(8192):
        held.append(pa.table(batch).cast(parquet.schema(table.row)))
        size += held[-1].nbytes
        if size >= PART_BYTES:
            yield pa.concat_tables(held).combine_chunks(), True
            held, size = [], 0
    if held:
        yield pa.concat_tables(held).combine_chunks(), False


def _typed(table: Table, said: tuple[str, dict[str, str]]) -> str:
    """A select of every column of the table: as said, else its default, else nothing."""
    tail, known = said
    chosen = (f"{_cast(one, known.get(one.name))} as {one.name}" for one in columns(table.row))
    return f"select {known['source']} as source, {', '.join(chosen)} {tail}"


_KINDS = {
    "string": "varchar", "strings": "varchar[]", "timestamp": "timestamp", "date": "date",
    "bool": "boolean", "int": "bigint", "float": "double", "money": "decimal(18,4)",
}  # fmt: skip
_DEFAULTS = {"strings": "[]", "int": "0", "bool": "false"}


def _cast(column: Column, said: str | None) -> str:
    default = "null" if column.nullable else _DEFAULTS.get(column.type, "null")
    return f"cast({said or default} as {_KINDS[column.type]})"
