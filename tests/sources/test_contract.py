"""What every platform must stand, derived from its recording: a new one adds no line here."""

from __future__ import annotations

import inspect
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from functools import cache, partial
from typing import Any

import httpx
import pytest
from breaking import BROKEN, html_page, once_at, server_error, timed_out
from editing import Change, changed, emptied, records, replaced, without
from pydantic import ValidationError
from recorded import (
    RECORDINGS,
    Fault,
    Recorded,
    Rows,
    items_of,
    last_cursor,
    not_found,
    stored,
    undisturbed,
)
from spoiled import asked_by, holds, ids, is_in, roots

from muster.errors import RateLimited, SourceFailed, Unavailable
from muster.pipeline.mapping import mapped
from muster.sources import Window, platform, platform_names
from muster.sources._recording import answer_of

NAMES = [name for name in platform_names() if (RECORDINGS / f"{name}.json").exists()]
# Each costs a whole fetch: of more requests or records than that, an even choice is put to it.
MOST_REQUESTS, MOST_RECORDS = 10, 30
IS_THOROUGH = os.environ.get("MUSTER_THOROUGH") == "1"
# What a fetch is made for: of these no row may be lost. Members and counts come along with them.
MAIN = {"messages", "reviews", "survey_responses", "orders", "ad_spend", "site_traffic"}
BAD = (None, {}, "nonsense", 7, {"id": {"no": "id"}})
JOINS = {
    ("messages", "author_id"): ("members", "member_id"),
    ("messages", "parent_id"): ("messages", "message_id"),
    ("threads", "thread_id"): ("messages", "thread_id"),
}
PARAGRAPHS = ("Credentials: ", "Limits: ", "Verified: ")


@pytest.fixture(params=NAMES)
def one(request: pytest.FixtureRequest) -> Recorded:
    return recorded(request.param)


@cache
def recorded(name: str) -> Recorded:
    return Recorded(name)


def fetched(one: Recorded, fault: Fault = undisturbed, **options: Any) -> Rows:
    return one.rows(items_of(one.pages(one.wire(fault), **options)))[0]


@cache
def whole_of(one: Recorded) -> Rows:
    """The rows of an undisturbed fetch."""
    return fetched(one)


@cache
def slept_in(one: Recorded) -> list[float]:
    """What an undisturbed fetch sleeps: the pauses between its requests."""
    slept: list[float] = []
    fetched(one, sleep=slept.append)
    return slept


def main(rows: Rows) -> set[Any]:
    return {key for key in rows if key[0] in MAIN}


def some(all_of: Sequence[Any], most: int) -> list[Any]:
    """The first, the last and an even choice between; all with ``MUSTER_THOROUGH=1``."""
    if IS_THOROUGH or len(all_of) <= most:
        return list(all_of)
    return [all_of[round(at * (len(all_of) - 1) / (most - 1))] for at in range(most)]


@cache
def requests(one: Recorded) -> list[int]:
    wire = one.wire()
    list(one.pages(wire))
    return some(range(len(wire.asked)), MOST_REQUESTS)


@pytest.mark.parametrize("name", sorted(set(platform_names()) - set(NAMES)))
def test_has_a_recording_or_reads_nothing(name: str) -> None:
    todo = f"{name} has no tests/recordings/{name}.json: write one (tests/recordings/README.md)"
    assert _reads_nothing(name), todo


def _reads_nothing(name: str) -> bool:
    module = platform(name)
    try:
        options = module.Options(name=name, platform=name)
        if module.connect(options, None, None) is not None:
            return False
    except (ValidationError, SourceFailed):  # It needs to be told what to read, or a token.
        return False
    return not list(module.pages(None, Window(options=options, now=None, cursor={})))  # type: ignore[arg-type]


def test_reads_all_pages(one: Recorded) -> None:
    items = items_of(one.pages(one.wire()))
    assert not [f"{item.stream}: {why}" for item, why in mapped(one.options, items)[1]]
    assert Counter(key[0] for key in one.rows(items)[0]) == one.told["expect"]


def test_its_ids_mean_the_same_in_every_table(one: Recorded) -> None:
    """A message of whose thread, author or parent no other row knows joins nothing in any KPI."""
    rows = whole_of(one)
    for (table, column), (other, key) in JOINS.items():
        told = {row[column] for at, row in rows.items() if at[0] == table} - {None}
        known = {row[key] for at, row in rows.items() if at[0] == other}
        assert not (told and known) or told & known, f"{table}.{column} is never a {other}.{key}"


def test_staff_write_outbound(one: Recorded) -> None:
    told = [row for key, row in whole_of(one).items() if key[0] == "messages"]
    odd = [row["message_id"] for row in told if row["author_role"] == "staff"
           and row["direction"] != "outbound"]  # fmt: skip
    assert not odd, f"messages {odd} are staff's, but not outbound: no answer is counted"


def test_needs_no_setting_that_init_does_not_ask_for(one: Recorded) -> None:
    fields = one.platform.Options.model_fields
    needed = {name for name, field in fields.items() if field.is_required()}
    told = needed - {"name", "platform", "account", "base_url"}
    assert not told, f"give {told} a default, or call what must be told account"


def test_ends_with_a_cursor(one: Recorded) -> None:
    *_, last = one.pages(one.wire())
    assert last.cursor


def test_what_a_page_brought_never_changes_afterwards(one: Recorded) -> None:
    """It is stored while the platform reads on: a cursor that moved with it would lose rows."""
    cursor: Any = {}
    for _ in range(2):
        pages = one.platform.pages(one.api(one.wire()), one.window(cursor))
        given = [(page, deepcopy(page)) for page in pages]
        assert all(page == as_given for page, as_given in given)
        cursor = last_cursor([page for page, _ in given])


def test_knows_where_it_is_read(one: Recorded) -> None:
    assert one.platform.check(one.api(one.wire()), one.options)


def test_says_what_it_needs_and_how_it_was_verified(one: Recorded) -> None:
    parts = (inspect.getdoc(one.platform) or "").split("\n\n")
    for begins in PARAGRAPHS:
        assert [part for part in parts if part.startswith(begins)], f"no paragraph {begins!r}"


def test_a_missing_scope_is_named(one: Recorded) -> None:
    refused = one.told.get("refused")
    if refused is None:
        return  # a platform whose tokens have no scopes, or that does not tell

    def refuse(number: int, request: httpx.Request, answer: Any) -> httpx.Response:
        return answer(request) if is_sign_in(one, request) else answer_of(refused)

    with pytest.raises(SourceFailed, match=re.escape(one.options.name)) as caught:
        one.platform.check(one.api(one.wire(refuse)), one.options)
    assert refused["names"] in str(caught.value)


def is_sign_in(one: Recorded, request: httpx.Request) -> bool:
    """Whether a request asks for a token: a POST whose recorded answer holds one."""
    told = {exchange["request"]["path"]: json.dumps(exchange["response"].get("body"))
            for exchange in one.told["exchanges"]}  # fmt: skip
    body = told.get(request.url.path, "")
    return request.method == "POST" and bool(re.search(r'"access_?(token|jwt)"', body, re.I))


def test_keeps_secrets_out_of_items_and_cursors(one: Recorded) -> None:
    for page in one.pages(one.wire()):
        assert not [secret for secret in one.hidden if secret in repr(page)]


def test_a_second_fetch_changes_nothing(one: Recorded) -> None:
    first = list(one.pages(one.wire()))
    second = list(one.pages(one.wire(), last_cursor(first)))
    rows, refused = one.rows(items_of(first) + items_of(second))
    assert not refused
    assert rows == whole_of(one) == fetched(one)


def test_what_is_older_than_the_window_is_left_alone(one: Recorded) -> None:
    """``since`` in the settings would else read all there is; some may come along with the new."""
    api, items = one.api(one.wire(is_lenient=True)), list[Any]()
    with suppress(SourceFailed):  # A list that is asked for a span is not in the recording.
        for page in one.platform.pages(api, replace(one.window({}), since=one.now)):
            items += [] if page.is_last_copy else page.items
    brought = main(one.rows(map(stored, items))[0])
    assert brought < main(whole_of(one)), brought


def test_only_what_is_recorded_is_asked_and_all_of_it(one: Recorded) -> None:
    asked = set()
    wires = [one.wire()]
    first = list(one.pages(wires[0]))
    cursors = [page.cursor for page in first if page.cursor is not None]
    for cursor in cursors:
        wires.append(one.wire())
        list(one.pages(wires[-1], cursor))
    wires.append(one.wire())
    one.platform.check(one.api(wires[-1]), one.options)
    asked = {key for wire in wires for key in wire.replay.used}
    assert asked == one.wire().replay.recorded


def test_killed_at_any_request_and_run_again_gives_the_same(one: Recorded) -> None:
    whole = whole_of(one)
    for killed_at in requests(one):
        before = list(until_killed(one, killed_at))
        after = list(one.pages(one.wire(), last_cursor(before)))
        assert one.rows(items_of(before) + items_of(after))[0] == whole, killed_at


def until_killed(one: Recorded, killed_at: int) -> Iterator[Any]:
    def fault(number: int, request: httpx.Request, answer: Any) -> httpx.Response:
        if number == killed_at:
            raise KeyboardInterrupt
        return answer(request)

    try:
        yield from one.pages(one.wire(fault))
    except KeyboardInterrupt:
        return


def test_stopped_after_any_page_and_run_again_gives_the_same(one: Recorded) -> None:
    whole = whole_of(one)
    pages = list(one.pages(one.wire()))
    for stopped_after in some(range(len(pages)), MOST_REQUESTS):
        before = pages[: stopped_after + 1]
        after = list(one.pages(one.wire(), last_cursor(before)))
        assert one.rows(items_of(before) + items_of(after))[0] == whole, stopped_after


def test_an_out_of_patience_wait_is_a_checkpoint(one: Recorded) -> None:
    whole = whole_of(one)
    for limited_at in requests(one):
        fault = once_at(limited_at, lambda request, answer: one.rate_limited())
        before = []
        with pytest.raises(RateLimited) as caught:
            before.extend(page for page in one.pages(one.wire(fault), patience=0.1))
        assert caught.value.seconds == one.told["rate_limited"]["wait"]
        after = list(one.pages(one.wire(), last_cursor(before)))
        assert one.rows(items_of(before) + items_of(after))[0] == whole


def test_waits_exactly_as_long_as_the_platform_asks(one: Recorded) -> None:
    whole = whole_of(one)
    for limited_at in requests(one):
        slept: list[float] = []
        fault = once_at(limited_at, lambda request, answer: one.rate_limited())
        assert fetched(one, fault, sleep=slept.append) == whole
        assert more(slept, slept_in(one)) == [one.told["rate_limited"]["wait"]]


def more(slept: list[float], usual: list[float]) -> list[float]:
    return sorted((Counter(slept) - Counter(usual)).elements())


@pytest.mark.parametrize("first", range(len(BROKEN)) if IS_THOROUGH else (0,))
def test_a_broken_answer_is_asked_for_again(one: Recorded, first: int) -> None:
    whole = whole_of(one)
    for number, broken_at in enumerate(requests(one)):
        slept: list[float] = []
        fault = once_at(broken_at, BROKEN[(number + first) % len(BROKEN)])
        assert fetched(one, fault, sleep=slept.append) == whole
        assert len(more(slept, slept_in(one))) == 1, fault


@pytest.mark.parametrize("broken", [server_error, html_page, timed_out])
def test_a_lasting_fault_fails_and_names_the_source(one: Recorded, broken: Any) -> None:
    slept: list[float] = []
    with pytest.raises(Unavailable, match=re.escape(one.options.name)):
        fetched(one, lambda n, request, answer: broken(request, answer), sleep=slept.append)
    assert len(slept) == 5


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_token_is_named_but_not_shown(one: Recorded, status: int) -> None:
    secret = " and ".join(one.hidden or ("where there is none",))
    told = {"errors": [f"bad {secret}"], "error": "Bad", "message": f"bad token {secret}"}

    def refuse(number: int, request: httpx.Request, answer: Any) -> httpx.Response:
        return httpx.Response(status, json=told)

    with pytest.raises(SourceFailed, match=re.escape(one.options.name)) as caught:
        fetched(one, refuse)
    assert not [hidden for hidden in one.hidden if hidden in repr(caught.value)]
    with pytest.raises(SourceFailed, match=re.escape(one.options.name)) as caught:
        one.platform.check(one.api(one.wire(refuse)), one.options)
    assert not [hidden for hidden in one.hidden if hidden in repr(caught.value)]


def test_empty_pages_end_the_fetch(one: Recorded) -> None:
    wire = one.wire(edited(emptied), is_lenient=True)
    pages = list(one.pages(wire))
    assert pages[-1].cursor is not None
    assert main(one.rows(items_of(pages))[0]) <= main(whole_of(one))


def test_the_same_page_again_and_again_ends_the_fetch(one: Recorded) -> None:
    first: dict[str, Any] = {}

    def stuck(number: int, request: httpx.Request, answer: Any) -> httpx.Response:
        path = request.url.path
        if path not in first:
            response = answer(request)
            first[path] = (response.status_code, response.headers, response.read())
        status, headers, content = first[path]
        return httpx.Response(status, headers=headers, content=content)

    rows, refused = one.rows(items_of(one.pages(one.wire(stuck, is_lenient=True))))
    assert not refused
    assert main(rows) <= main(whole_of(one))


@pytest.mark.parametrize("first", range(len(BAD)) if IS_THOROUGH else (0,))
def test_a_bad_record_costs_only_itself(one: Recorded, first: int) -> None:
    items = items_of(one.pages(one.wire()))
    for number, record in enumerate(spoilable(one)):
        bad = BAD[(number + first) % len(BAD)]
        wire = one.wire(edited(partial(replaced, record=record, bad=bad)), is_spoiled=True)
        rows, _ = one.rows(items_of(one.pages(wire)))
        spoiled = [item for item in items if holds([item.body, item.context], record)]
        others = one.rows(item for item in items if item not in spoiled)[0]
        theirs = one.rows(spoiled)[0]
        below = ids(one, record) | roots(theirs)
        lost = main(others) - set(theirs) - set(rows)
        lost = {key for key in lost if others[key].get("thread_id") not in below}
        if lost:  # unless nobody can ask for them without the record
            lost -= set(one.rows(item for item in items if is_in(item, asked_by(one, record)))[0])
        assert not lost, record


def spoilable(one: Recorded) -> list[Any]:
    found = [record for exchange in one.told["exchanges"] for record in records(exchange)]
    return some(found, MOST_RECORDS)


def test_messages_outlive_their_authors(one: Recorded) -> None:
    names = set(one.told["author_fields"])
    wire = one.wire(edited(lambda body: without(body, names)), is_lenient=True)
    rows, refused = one.rows(items_of(one.pages(wire)))
    assert main(rows) == main(whole_of(one))
    assert not [item for item in refused if not holds_only_an_author(one, item)]


def holds_only_an_author(one: Recorded, item: Any) -> bool:
    whole = one.rows(x for x in items_of(one.pages(one.wire())) if x.stream == item.stream)[0]
    return {key[0] for key in whole} == {"members"}


def edited(change: Change) -> Fault:
    """Every answer with its records changed."""

    def fault(number: int, request: httpx.Request, answer: Any) -> httpx.Response:
        response = answer(request)
        return changed(response, change) if response.status_code == 200 else not_found(request)

    return fault
