"""What a person may write or drop in → one bad one tried: read, or refused with the place and why.

Settings, KPIs, files to import, the memory of a source, the token of a mail.
"""

from __future__ import annotations

import io
import json
import sys
from base64 import urlsafe_b64encode
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import mutating
import pyarrow as pa
import pyarrow.parquet as pq
from at_platforms import NOW, PLATFORMS, folder, recorded

from muster import settings_file
from muster.clock import local_midnight
from muster.errors import BadImport, BadKpi, BadSettings, SourceFailed
from muster.kpis import catalogue
from muster.lake import cells, importing, parquet, state
from muster.lake.taken import Refusal, Taken
from muster.project import options_of
from muster.records import TABLES, columns
from muster.sending import leaving
from muster.store import FolderStore

sys.path.append(str(Path(__file__).parents[1] / "lake"))  # where workbooks are written
from workbook import workbook


@cache
def _settings() -> list[str]:
    sources = [{**recorded(name).told["options"], "name": name} for name in PLATFORMS]
    whole = json.loads((Path(__file__).parent / "settings.json").read_text("utf-8"))
    return [json.dumps({**whole, "sources": [one]}) for one in sources]


def settings(chance: Random) -> None:
    """A settings file: read, or refused with its line and the fix."""
    text = chance.choice(_settings())
    if chance.random() < 0.7:
        text = json.dumps(
            mutating.changed(chance, json.loads(text)), ensure_ascii=chance.random() < 0.5
        )
    if chance.random() < 0.4:
        text = mutating.text(chance, text)
    text = text.encode("utf-8", "replace").decode()  # a file holds no half letter
    try:
        found = settings_file.parse(text, "muster.yaml", options_of)
    except BadSettings as error:
        assert str(error).startswith("muster.yaml"), error
        return
    assert found.zone and found.longest_windows
    for source in found.sources:
        if source.since:
            local_midnight(source.since, found.zone)


HEADER = ("title", "question", "definition", "unit", "better", "statistic", "communities",
          "version", "table", "grains", "lowest", "highest", "zero", "needs", "influence",
          "assertions", "settles", "rows", "starter", "goal", "from_days", "titel", "")  # fmt: skip


@cache
def _kpis() -> list[bytes]:
    return [path.read_bytes() for path in sorted(catalogue.BUILT_IN.glob("*.sql"))]


def kpi(chance: Random) -> None:
    """A KPI's file: read, or refused with its name and the fix."""
    text = chance.choice(_kpis())
    if chance.random() < 0.5:
        lines = text.decode().split("\n")
        word = chance.choice(mutating.WORDS) if chance.random() < 0.7 else chance.choice(HEADER)
        line = f"-- {chance.choice(HEADER)}: {word}"
        lines[chance.randrange(12) : chance.randrange(12)] = [line]
        text = "\n".join(lines).encode("utf-8", "surrogatepass")
    else:
        text = mutating.data(chance, text)
    path = folder() / "fuzzed.sql"
    path.write_bytes(text)
    try:
        catalogue.read(path)
    except BadKpi as error:
        assert str(path) in str(error)


_CELL = {"string": "a", "strings": ["b", "c"], "timestamp": "2026-03-01T09:00:00Z", "bool": True,
         "date": "2026-03-01", "int": 3, "float": 0.5, "money": "12.50"}  # fmt: skip
_TELLING = {"email_hash": "0" * 64, "currency": "EUR"}  # no text will do


def _record(table: str, number: int) -> dict[str, Any]:
    """A record of a table that can be taken; its key is its number."""
    row, choices = TABLES[table].row, cells.allowed(TABLES[table].row)
    given = {
        column.name: choices.get(column.name, (_CELL[column.type],))[0]
        for column in columns(row)[:-1]
    }
    given = json.loads(json.dumps(given))  # its lists may be changed
    given |= {name: one for name, one in _TELLING.items() if name in given}
    key = TABLES[table].key[0]
    return given | ({key: f"k{number}"} if given[key] == "a" else {})


def json_lines(chance: Random) -> None:
    """A bad line costs only itself: those before and after it are taken."""
    table = chance.choice([*TABLES])
    good = [json.dumps(_record(table, number)) for number in (1, 2)]
    if chance.random() < 0.7:
        bad = json.dumps(mutating.changed(chance, _record(table, 3)))
    else:
        bad = mutating.text(chance, good[0]).replace("\n", " ").replace("\r", " ")
    path = folder() / "fuzzed.jsonl"
    path.write_bytes("\n".join([good[0], bad, good[1]]).encode("utf-8", "surrogatepass"))
    found = [*importing.read(path, table)]
    lines = {one.line for one in found if isinstance(one, Taken)}
    assert {1, 3} <= lines, found
    assert all(one.reason.strip() for one in found if isinstance(one, Refusal))
    _storable(table, found)


def _storable(table: str, found: list[Any]) -> None:
    rows = [cells.cells(one.row, NOW) for one in found if isinstance(one, Taken)]
    parquet.arrow(TABLES[table], rows)


def file(chance: Random) -> None:
    """A file of any bytes: its rows are taken or refused, or it is refused as a whole."""
    table = chance.choice([*TABLES])
    form = chance.choice(("csv", "csv", "json", "jsonl", "parquet"))
    path = folder() / f"fuzzed.{form}"
    path.write_bytes(mutating.data(chance, _file(table, form)))
    try:
        _storable(table, [*importing.read(path, table)])
    except BadImport as error:
        assert str(error).strip()


@cache
def _file(table: str, form: str) -> bytes:
    records = [_record(table, number) for number in range(5)]
    if form == "json":
        return json.dumps(records, indent=1).encode()
    if form == "jsonl":
        return "\n".join(map(json.dumps, records)).encode()
    if form == "csv":
        flat = [[_flat(value) for value in one.values()] for one in records]
        return "\n".join(",".join(line) for line in [[*records[0]], *flat]).encode()
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records), sink, compression="zstd")
    return sink.getvalue()


def _flat(value: Any) -> str:
    text = ";".join(map(str, value)) if isinstance(value, list) else str(value)
    return f'"{text}"' if len(text) > 8 else text


def excel(chance: Random) -> None:
    """A spoiled workbook ends only the process that reads it."""
    path = folder() / "fuzzed.xlsx"
    path.write_bytes(mutating.data(chance, _workbook()))
    try:
        for one in importing.read(path, "messages"):
            assert not isinstance(one, Refusal) or one.reason
    except BadImport as error:
        assert str(error).strip()


@cache
def _workbook() -> bytes:
    record = _record("messages", 1)
    return workbook({"A": [[*record], [_flat(value) for value in record.values()]]})


_STATE = state.State(
    cursor={"after": "7"}, covered={"messages": NOW}, dropped={"messages": NOW}, since=NOW,
    last_run_at=NOW, last_success_at=NOW, last_error="x", rows=3, quarantined=1,
)  # fmt: skip


def memory(chance: Random) -> None:
    """What a source remembers, spoiled: read, or refused with the way to mend it."""
    good = state._to_json(_STATE)
    bad = json.dumps(mutating.changed(chance, json.loads(good))).encode()
    store = FolderStore(folder())
    path = folder() / "state" / "old.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bad if chance.random() < 0.6 else mutating.data(chance, good))
    try:
        found = state.load(store, "old")
    except SourceFailed as error:
        assert "muster lake repair" in str(error)
        assert state.told(store, "old").last_error
        return
    assert found.first_row_at is None or found.first_row_at.tzinfo
    for name in found.covered:
        assert found.vouched_from(name).tzinfo
    state._to_json(state._keeping(_STATE, found))


_MINE = ("weekly", "anna@example.org")
_TOKEN = leaving.token("the secret of this lake", *_MINE)


def token(chance: Random) -> None:
    """A token nobody signed opens nothing; the signed one, whatever is added, only its own."""
    kind = chance.random()
    if kind < 0.4:
        bad = mutating.text(chance, _TOKEN)
    elif kind < 0.7:
        told = json.dumps(mutating.changed(chance, [*_MINE])).encode()
        signature = chance.choice((_TOKEN.partition(".")[2], "", "AAAA"))
        bad = f"{urlsafe_b64encode(told).decode()}.{signature}"
    else:
        bad = mutating.data(chance, _TOKEN.encode()).decode("utf-8", "surrogateescape")
    assert leaving.read("the secret of this lake", bad) in (None, _MINE)
