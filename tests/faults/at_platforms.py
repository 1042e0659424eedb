"""What a platform may send, a cursor or a secret may hold → one bad one tried: mapped, or refused.

Each function returns if Muster kept its word (a value, an item in quarantine with a reason, or one
of its own errors), and raises if it did not.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import mutating

from muster.errors import MusterError
from muster.lake import cells, parquet, raw
from muster.pipeline import connecting
from muster.pipeline.batches import batches
from muster.pipeline.mapping import Mapped, mapped, mapper
from muster.project import Project
from muster.records import TABLE_OF, TABLES, Deletion, Item, Page
from muster.sources import platform_names
from muster.sources._http import Http

sys.path.append(str(Path(__file__).parents[1] / "sources"))  # where recordings are read
from editing import changed as with_change
from recorded import RECORDINGS, Recorded, items_of

PLATFORMS = [name for name in platform_names() if (RECORDINGS / f"{name}.json").exists()]
NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


_FOLDER = TemporaryDirectory(prefix="muster-fuzz-")  # goes when Python ends


def folder() -> Path:
    """A place for what has to be a file."""
    return Path(_FOLDER.name)


@cache
def recorded(name: str) -> Recorded:
    return Recorded(name)


@cache
def _items(name: str) -> list[tuple[Item, str]]:
    """A recording's items, each with its body as text: reading that is the quickest copy."""
    one = recorded(name)
    found = [*items_of(one.pages(one.wire()))]
    streams = {item.stream: item for item in found}  # each stream as often as the large ones
    return [(item, json.dumps(item.body)) for item in [*found, *list(streams.values()) * 3]]


@cache
def _bad(name: str) -> set[int]:
    """The items of a recording that are not to be mapped as they stand."""
    found = [item for item, _ in _items(name)]
    return {id(one) for one, _ in mapped(recorded(name).options, found)[1]}


def mapping(name: str, chance: Random) -> None:
    """A record of a platform: mapped, or refused with a reason, and the next one is mapped."""
    item, body = chance.choice(_items(name))
    bad = replace(item, body=mutating.changed(chance, json.loads(body)))
    if bad.context and chance.random() < 0.1:
        context = mutating.changed(chance, json.loads(json.dumps(bad.context)))
        bad = replace(bad, context=context if isinstance(context, dict) else None)
    # Its neighbour, too, now and then: most of the time would go into what is well.
    items = [bad, item] if chance.random() < 0.1 else [bad]
    rows, refused = mapped(recorded(name).options, items)
    assert len(refused) <= 2 and all(why.strip() for _, why in refused), refused
    assert not any(one is item for one, _ in refused) or id(item) in _bad(name)
    if chance.random() < 0.02:
        _stored([row for row, _ in rows])
        raw.item_of(raw.item_line(bad))


def _stored(rows: list[Any]) -> None:
    """What was accepted can be stored."""
    for row in rows:
        if not isinstance(row, Deletion):
            table = TABLES[TABLE_OF[type(row)]]
            arrow = parquet.arrow(table, [cells.cells(row, NOW)])
            parquet.encode(table, arrow, limit=10**9)
            cells.month(table, row)


def fetching(name: str, chance: Random) -> None:
    """A fetch whose answers are spoiled here and there: it ends, well or with one clear line."""
    one, spoiled_from = recorded(name), chance.choice((0, 0, 1, 2, 4))

    def fault(number: int, request: httpx.Request, answer: Any) -> httpx.Response:
        response = answer(request)
        if number < spoiled_from or number > spoiled_from + 3 or chance.random() < 0.4:
            return response
        if chance.random() < 0.2:
            return _with_bytes(chance, response)
        return with_change(response, partial(mutating.changed, chance))

    try:
        found = fetched(one, one.pages(one.wire(fault, is_lenient=True)))
        items = [raw.item_of(it.line.decode()) for it in found]
    except MusterError as error:
        assert str(error).strip()
        return
    mapped(one.options, items)


def fetched(one: Recorded, pages: Iterable[Page]) -> list[Mapped]:
    """What a fetch makes of the items of some pages."""
    rows_of = mapper(one.options)
    told = ((page, map(rows_of, page.items)) for page in pages)
    return [it for batch, _ in batches(told, list) for some in batch for it in some]


def _with_bytes(chance: Random, response: httpx.Response) -> httpx.Response:
    headers = {key: value for key, value in response.headers.items() if key != "content-length"}
    if headers and chance.random() < 0.3:
        headers[chance.choice([*headers])] = chance.choice(mutating.WORDS).encode(
            "utf-8", "replace"
        )
    return httpx.Response(
        chance.choice((response.status_code, 200, 204, 301, 400, 404, 429, 503)),
        headers=headers, content=mutating.data(chance, response.read()),
    )  # fmt: skip


@cache
def _cursors(name: str) -> list[str]:
    one = recorded(name)
    found = [page.cursor for page in one.pages(one.wire()) if page.cursor]
    return [json.dumps(cursor) for cursor in found] or ["{}"]


def cursor(name: str, chance: Random) -> None:
    """A cursor that somebody wrote: a fetch goes on from it, or says what is wrong."""
    one = recorded(name)
    bad = mutating.changed(chance, json.loads(chance.choice(_cursors(name))))
    try:
        cursor = bad if isinstance(bad, dict) else {}
        fetched(one, one.pages(one.wire(is_lenient=True), cursor))
    except MusterError as error:
        assert str(error).strip()


def secret(name: str, chance: Random) -> None:
    """A secret of any shape: signed in, or refused without a word of it."""
    one = recorded(name)
    told = json.loads(one.secret) if (one.secret or "").startswith("{") else {"access_token": "t"}
    bad = mutating.changed(chance, told)
    text = json.dumps(bad) if chance.random() < 0.8 else str(mutating.value(chance, told))
    environment = {"IT": text}
    source = one.options.model_copy(update={"token": "env:IT"})
    http = Http(transport=one.wire(is_lenient=True), clock=lambda: one.now, sleep=lambda _: None)
    try:
        connecting.connect(_project(environment, http), source).close()
    except MusterError as error:
        assert str(error).strip()


def _project(environment: dict[str, str], http: Http) -> Any:
    """As much of a project as signing in needs."""
    project = object.__new__(Project)
    for key, held in (("environment", environment), ("http", http), ("folder", folder())):
        object.__setattr__(project, key, held)
    return project
