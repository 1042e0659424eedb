"""The lake → what of one source it already holds, for re-reading edits and deletions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from muster.lake import parquet
from muster.lake.suppression import PSEUDONYM
from muster.records import TABLES, KnownMessage, Review, SurveyResponse, Table, columns
from muster.store import Store

_MESSAGE = ("message_id", "thread_id", "created_at", "edited_at", "deleted_at", "author_id")
_WORDS = ("title", "text", "comment", "sentiment", "observed_at")  # nobody needs to know these


def known(store: Store, source: str, since: datetime) -> Iterator[KnownMessage]:
    """Messages created at or after ``since`` and not deleted, oldest first, month by month."""
    since = since.astimezone(UTC)
    start = f"month={since.year:04}-{since.month:02}"
    entries = store.list(f"tables/messages/source={source}/")
    for month, parts in groupby(entries, key=lambda entry: entry.key.split("/")[3]):
        if month >= start:
            rows = pa.concat_tables(
                [_rows(store, part.key, TABLES["messages"], _MESSAGE) for part in parts]
            )
            yield from _known(rows, since)


def reviews(store: Store, source: str) -> Iterator[Review]:
    """All reviews of a source without their words, those of erased members left out."""
    return _all(store, source, TABLES["reviews"], "author_id")


def responses(store: Store, source: str) -> Iterator[SurveyResponse]:
    """All answers to surveys of a source without their comments, erased members' left out."""
    return _all(store, source, TABLES["survey_responses"], "respondent_id")


def _all(store: Store, source: str, table: Table, member: str) -> Iterator[Any]:
    names = tuple(one.name for one in columns(table.row) if one.name not in _WORDS)
    for part in store.list(f"tables/{table.name}/source={source}/"):
        rows = _rows(store, part.key, table, names)
        for row in parquet.cells(rows.filter(pc.invert(_is_erased(rows, member)))):
            yield table.row(**row)


def _rows(store: Store, key: str, table: Table, names: tuple[str, ...]) -> pa.Table:
    stored = store.get(key)
    if stored is None:  # Gone since it was listed.
        return pa.Table.from_pylist(
            [], schema=pa.schema(map(parquet.schema(table.row).field, names))
        )
    return parquet.decode(table, stored.data, store.url(key), names).rows.select(names)


def _known(rows: pa.Table, since: datetime) -> Iterator[KnownMessage]:
    from_then = pc.greater_equal(
        rows.column("created_at"), pa.scalar(since, pa.timestamp("us", "UTC"))
    )
    is_there = pc.and_(
        pc.is_null(rows.column("deleted_at")), pc.invert(_is_erased(rows, "author_id"))
    )
    there = rows.filter(pc.and_(from_then, is_there))
    order = [("created_at", "ascending"), ("message_id", "ascending")]
    for batch in there.drop_columns(["deleted_at", "author_id"]).sort_by(order).to_batches():
        for row in parquet.cells(batch):
            yield KnownMessage(**row)


def _is_erased(rows: pa.Table, member: str) -> Any:
    """Rows of erased members: asking for them again would bring them back, or delete them."""
    return pc.starts_with(pc.fill_null(rows.column(member), ""), PSEUDONYM)
