"""A member of a source → the lake's raw items and tables without them; every count stays.

Their messages keep their rows, times and numbers under a pseudonym; text, links and names go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial, reduce
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from muster import as_json
from muster.errors import Conflict
from muster.lake import parquet, raw
from muster.lake.cells import Cells
from muster.lake.suppression import SHORTEST_ID, Suppressed
from muster.records import TABLES, Item, Table
from muster.store import Store, Stored

TRIES = 20
# What a member wrote or is called, by table; everything else of a row is kept or a name in it.
_OWN = {
    "messages": ("author_id", ("url",), ("text",)),
    "reviews": ("author_id", (), ("title", "text")),
    "survey_responses": ("respondent_id", (), ("comment",)),
    "members": ("member_id", ("handle", "display_name", "location", "links", "email_hash"), ()),
}
ACCOUNTS = ("author_id", "member_id", "respondent_id", "customer_id", "solved_by")
# Shorter texts name nobody: many people write "it works now".
TELLING = 12
# Of others' raw items only what must be a quote is taken out: they may have said the same.
QUOTED = 40
Theirs = Callable[[Item], bool]
Said = Callable[[Item], frozenset[str]]


@dataclass(frozen=True)
class Erasure:
    """Whom to erase, what stands for them, and what may be left of a text of theirs."""

    source: str
    member: str
    suppressed: Suppressed
    pseudonym: str
    residue: Callable[[str], str]
    names: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()

    def may_name(self, text: str) -> bool:
        """Whether it is worth a closer look: most of a lake never heard of them."""
        lower = text.casefold()
        return any(name in lower for name in self._needles)

    @cached_property
    def _needles(self) -> tuple[str, ...]:
        """What a text or a line of JSON holds if it names or quotes them."""
        plain = {one.casefold() for one in (*self.names, *self.words)}
        told = (*plain, *self.names, *self.words)
        spelled = {one.casefold() for text in told for one in as_json.spelled(text)}
        short = {one for one in plain if one.isdigit() and len(one) < SHORTEST_ID}
        return (*((plain | spelled) - short), *(f'":{one}' for one in short))

    def unnamed(self, text: str) -> str:
        """Any text without their names."""
        return self.suppressed.text(text) if self.may_name(text) else text

    def scrubbed(self, text: str) -> str:
        """Any text without their names and without what they wrote."""
        if not self.may_name(text):
            return text
        for words in self.words:
            text = text.replace(words, "")
        return self.suppressed.text(text)


def without_rows(data: bytes) -> bytes:
    """A Parquet object with its columns alone; of one that cannot be read nothing is left."""
    sink = pa.BufferOutputStream()
    try:
        columns = pq.read_schema(pa.BufferReader(data)).remove_metadata()
        pq.write_table(columns.empty_table(), sink)
    except (pa.ArrowException, OSError, ValueError):
        return b""
    return sink.getvalue().to_pybytes()


def own_rows(store: Store, source: str, member: str) -> Iterator[tuple[str, Cells]]:
    """Every row of theirs, with its table's name."""
    for name, (column, _, _) in _OWN.items():
        for entry in store.list(f"tables/{name}/source={source}/"):
            stored = store.get(entry.key)
            if stored is not None:
                rows = parquet.decode(TABLES[name], stored.data, store.url(entry.key)).rows
                mask = pa.compute.equal(rows.column(column), member)
                yield from ((name, row) for row in parquet.cells(rows.filter(mask)))


def rows_about(
    store: Store, source: str, member: str, threads: Collection[str]
) -> Iterator[tuple[str, Cells]]:
    """Every row of any table in which the member stands as an account, and threads they opened."""
    for name, table in TABLES.items():
        columns = [column for column in ACCOUNTS if column in parquet.schema(table.row).names]
        for entry in store.list(f"tables/{name}/source={source}/") if columns else ():
            stored = store.get(entry.key)
            if stored is not None:
                rows = parquet.decode(table, stored.data, store.url(entry.key)).rows
                masks = [pa.compute.equal(rows.column(column), member) for column in columns]
                if name == "threads":
                    opened = pa.array([*threads], pa.string())
                    masks.append(pa.compute.is_in(rows.column("thread_id"), value_set=opened))
                theirs = reduce(pa.compute.or_kleene, masks)
                yield from ((name, row) for row in parquet.cells(rows.filter(theirs)))


@dataclass(frozen=True)
class Traces:
    """What the lake knows of a member: id and handles, the texts they wrote, what they opened."""

    names: frozenset[str]
    texts: frozenset[str]
    threads: frozenset[str]
    titles: frozenset[str]


def traces(store: Store, source: str, member: str) -> Traces:
    """Read from their rows; of a member erased before, the id alone is left."""
    names, texts, threads = {member}, set(), set()
    for table, row in own_rows(store, source, member):
        names.add((row["handle"] if table == "members" else None) or member)
        texts |= {row[column] or "" for column in _OWN[table][2]}
        if table == "messages" and row["kind"] == "post" and row["parent_id"] is None:
            threads.add(row["thread_id"])
    titles = _long(_titles(store, source, threads), TELLING)
    return Traces(frozenset(names), _long(texts, TELLING), frozenset(threads), titles)


def _titles(store: Store, source: str, threads: set[str]) -> Iterator[str]:
    for entry in store.list(f"tables/threads/source={source}/"):
        stored = store.get(entry.key)
        if stored is not None:
            rows = parquet.decode(TABLES["threads"], stored.data, entry.key).rows.to_pylist()
            yield from (row["title"] or "" for row in rows if row["thread_id"] in threads)


def _long(texts: Iterable[str], length: int) -> frozenset[str]:
    return frozenset(one for one in texts if len(one) >= length)


def erase_tables(store: Store, erasure: Erasure, names: tuple[str, ...]) -> dict[str, int]:
    """Rewrite the tables' objects in which the member stands; how many rows changed in each."""
    changed: dict[str, int] = {}
    for name in names:
        change = partial(_erased, TABLES[name], erasure)
        entries = list(store.list(f"tables/{name}/source={erasure.source}/"))
        changed[name] = sum(_again(store, entry.key, change) for entry in entries)
    return {name: count for name, count in changed.items() if count}


def _again(store: Store, key: str, change: Callable[[Stored], tuple[bytes | None, int]]) -> int:
    """Replace an object by what ``change`` makes of it, however often somebody else was first."""
    for _ in range(TRIES):
        stored = store.get(key)
        if stored is None:
            return 0
        data, count = change(stored)
        try:
            if data is None and count:
                store.delete(key, if_match=stored.etag)
            elif count:
                store.put(key, data or b"", if_match=stored.etag)
            return count
        except Conflict:
            continue
    raise Conflict(f"{store.url(key)} kept changing: erase again")


def _erased(table: Table, erasure: Erasure, stored: Stored) -> tuple[bytes, int]:
    part = parquet.decode(table, stored.data, table.name)
    before = parquet.cells(part.rows)
    after = [_row(table.name, row, erasure) for row in before]
    count = sum(one != other for one, other in zip(before, after, strict=True))
    rows = parquet.arrow(table, after)
    # The part's size says nothing here: it takes no new keys if it took none before.
    return parquet.encode(table, rows, limit=2**62, is_full=part.is_full), count


def _row(table: str, row: Cells, erasure: Erasure) -> Cells:
    column, gone, texts = _OWN.get(table, ("", (), ()))
    after = {name: _cell(name, value, erasure) for name, value in row.items()}
    # Asked of the hashes: after a kill the messages may no longer tell who opened it.
    if table == "threads" and erasure.suppressed.has_opened(row["thread_id"]):
        after |= {"title": None, "url": None}
    if column and row[column] == erasure.member:
        after |= dict.fromkeys(gone) | {column: erasure.pseudonym}
        after |= {one: row[one] and erasure.residue(row[one]) for one in texts}
    return after


def _cell(column: str, value: Any, erasure: Erasure) -> Any:
    if isinstance(value, str):
        is_account = column in ACCOUNTS and value == erasure.member
        return erasure.pseudonym if is_account else erasure.unnamed(value)
    if isinstance(value, list):
        return [_cell(column, one, erasure) for one in value]
    return value


def places(source: str) -> tuple[str, ...]:
    """Where items of a source lie, and rows that an import refused before it knew their source."""
    return f"raw/source={source}/", f"quarantine/source={source}/", "quarantine/source=import/"


def erase_raw(store: Store, erasure: Erasure, is_theirs: Theirs, others_say: Said) -> int:
    """Rewrite raw and quarantine without their items and names; how many items changed.

    ``others_say`` gives the whole texts of others in an item: who writes the same does not quote.
    """
    quoted = replace(erasure, words=_long(erasure.words, QUOTED))
    entries = [entry for place in places(erasure.source) for entry in store.list(place)]
    changed = 0
    for entry in entries:
        with raw.named(store.url(entry.key)):
            changed += _again(store, entry.key, partial(_raw, quoted, is_theirs, others_say))
    return changed


def _raw(
    erasure: Erasure, is_theirs: Theirs, others_say: Said, stored: Stored
) -> tuple[bytes | None, int]:
    before = raw.unpack(stored.data)
    lines = (_line(one, erasure, is_theirs, others_say) for one in before)
    after = [line for line in lines if line]
    count = len(before) - len(after) + len(set(after) - set(before))
    return (raw.pack(after) if after else None), count


def _line(line: str, erasure: Erasure, is_theirs: Theirs, others_say: Said) -> str:
    if not erasure.may_name(line):
        return line
    found = as_json.loads(line)
    item = raw.item_of(line)
    kept = clean_item(item, erasure.suppressed, is_theirs)
    if kept is None:
        return ""
    if same := erasure.words & others_say(item):
        erasure = replace(erasure, words=erasure.words - same)
    body = without(kept.body, erasure)
    if (body, kept.context) == (item.body, item.context):
        return line
    reason = erasure.scrubbed(found["reason"]) if "reason" in found else None
    return raw.item_line(replace(kept, body=body), reason)


def without(value: Any, erasure: Erasure) -> Any:
    """A JSON value whose strings hold neither their names nor their words."""
    if isinstance(value, dict):
        return {name: without(one, erasure) for name, one in value.items()}
    if isinstance(value, list):
        return [without(one, erasure) for one in value]
    return erasure.scrubbed(value) if isinstance(value, str) else value


def clean_item(
    item: Item, suppressed: Suppressed, is_theirs: Callable[[Item], bool]
) -> Item | None:
    """An item without the names of the erased; ``None`` if it is theirs."""
    if not suppressed:
        return item
    if is_theirs(item):
        return None
    context: Mapping[str, Any] | None = item.context and suppressed.value(dict(item.context))
    return replace(item, body=suppressed.value(item.body), context=context)
