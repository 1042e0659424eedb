"""What every platform must stand, derived from its recording: a new one adds no line here."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from recorded import (
    RECORDINGS,
    Fault,
    Recorded,
    Rows,
    items_of,
    last_cursor,
    not_found,
    undisturbed,
)

from muster.errors import RateLimited, SourceFailed, Unavailable
from muster.sources import Window, platform, platform_names

NAMES = [name for name in platform_names() if (RECORDINGS / f"{name}.json").exists()]
JSON = {"content-type": "application/json"}


@pytest.fixture(params=NAMES)
def one(request: pytest.FixtureRequest) -> Recorded:
    return Recorded(request.param)


def fetched(one: Recorded, fault: Fault = undisturbed, **options: Any) -> Rows:
    return one.rows(items_of(one.pages(one.wire(fault), **options)))[0]


def messages(rows: Rows) -> set[Any]:
    return {key for key in rows if key[0] == "messages"}


def requests(one: Recorded) -> range:
    wire = one.wire()
    list(one.pages(wire))
    return range(len(wire.asked))


def test_every_platform_has_a_recording_or_reads_nothing() -> None:
    for name in set(platform_names()) - set(NAMES):
        module = platform(name)
        options = module.Options(name=name, platform=name)
        api = module.connect(options, None, None)
        assert api is None, f"{name} has an API but no tests/recordings/{name}.json"
        window = Window(options=options, now=None, cursor={})  # type: ignore[arg-type]
        assert list(module.pages(api, window)) == []


def test_reads_all_pages(one: Recorded) -> None:
    rows, refused = one.rows(items_of(one.pages(one.wire())))
    assert not refused
    assert Counter(key[0] for key in rows) == one.told["expect"]


def test_ends_with_a_cursor(one: Recorded) -> None:
    *_, last = one.pages(one.wire())
    assert last.cursor


def test_knows_where_it_is_read(one: Recorded) -> None:
    assert one.platform.check(one.api(one.wire()), one.options)


def test_keeps_secrets_out_of_items_and_cursors(one: Recorded) -> None:
    for page in one.pages(one.wire()):
        assert not [secret for secret in one.hidden if secret in repr(page)]


def test_a_second_fetch_changes_nothing(one: Recorded) -> None:
    first = list(one.pages(one.wire()))
    second = list(one.pages(one.wire(), last_cursor(first)))
    rows, refused = one.rows(items_of(first) + items_of(second))
    assert not refused
    assert rows == fetched(one)
    assert fetched(one) == fetched(one)


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
    whole = fetched(one)
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
    whole = fetched(one)
    pages = list(one.pages(one.wire()))
    for stopped_after in range(len(pages)):
        before = pages[: stopped_after + 1]
        after = list(one.pages(one.wire(), last_cursor(before)))
        assert one.rows(items_of(before) + items_of(after))[0] == whole, stopped_after


def test_an_out_of_patience_wait_is_a_checkpoint(one: Recorded) -> None:
    whole = fetched(one)
    for limited_at in requests(one):
        fault = once_at(limited_at, lambda request, answer: one.rate_limited())
        before = []
        with pytest.raises(RateLimited) as caught:
            before.extend(page for page in one.pages(one.wire(fault), patience=0.1))
        assert caught.value.seconds == one.told["rate_limited"]["wait"]
        after = list(one.pages(one.wire(), last_cursor(before)))
        assert one.rows(items_of(before) + items_of(after))[0] == whole


def test_waits_exactly_as_long_as_the_platform_asks(one: Recorded) -> None:
    whole = fetched(one)
    for limited_at in requests(one):
        slept: list[float] = []
        fault = once_at(limited_at, lambda request, answer: one.rate_limited())
        assert fetched(one, fault, sleep=slept.append) == whole
        assert slept == [one.told["rate_limited"]["wait"]]


def server_error(request: httpx.Request, answer: Any) -> httpx.Response:
    return httpx.Response(502, html="<h1>Bad gateway</h1>")


def truncated(request: httpx.Request, answer: Any) -> httpx.Response:
    raw = answer(request).read()
    return httpx.Response(200, headers=JSON, content=raw[: len(raw) // 2])


def html_page(request: httpx.Request, answer: Any) -> httpx.Response:
    return httpx.Response(200, html="<h1>Please stand by</h1>")


def timed_out(request: httpx.Request, answer: Any) -> httpx.Response:
    raise httpx.ReadTimeout("timed out")


def cut_off(request: httpx.Request, answer: Any) -> httpx.Response:
    raise httpx.RemoteProtocolError("peer closed connection without sending complete body")


def once_at(number: int, broken: Callable[[httpx.Request, Any], httpx.Response]) -> Fault:
    def fault(n: int, request: httpx.Request, answer: Any) -> httpx.Response:
        return broken(request, answer) if n == number else answer(request)

    return fault


@pytest.mark.parametrize("broken", [server_error, truncated, html_page, timed_out, cut_off])
def test_a_broken_answer_is_asked_for_again(one: Recorded, broken: Any) -> None:
    whole = fetched(one)
    for broken_at in requests(one):
        slept: list[float] = []
        assert fetched(one, once_at(broken_at, broken), sleep=slept.append) == whole
        assert len(slept) == 1


@pytest.mark.parametrize("broken", [server_error, html_page, timed_out])
def test_a_lasting_fault_fails_and_names_the_source(one: Recorded, broken: Any) -> None:
    slept: list[float] = []
    with pytest.raises(Unavailable, match=re.escape(one.options.name)):
        fetched(one, lambda n, request, answer: broken(request, answer), sleep=slept.append)
    assert len(slept) == 5


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_token_is_named_but_not_shown(one: Recorded, status: int) -> None:
    secrets = one.hidden or ("no secret at all",)
    secret = " and ".join(secrets)
    told = {"errors": [f"bad {secret}"], "error": "Bad", "message": f"bad token {secret}"}

    def refuse(number: int, request: httpx.Request, answer: Any) -> httpx.Response:
        return httpx.Response(status, json=told)

    with pytest.raises(SourceFailed, match=re.escape(one.options.name)) as caught:
        fetched(one, refuse)
    assert not [one for one in secrets if one in repr(caught.value)]
    with pytest.raises(SourceFailed, match=re.escape(one.options.name)) as caught:
        one.platform.check(one.api(one.wire(refuse)), one.options)
    assert not [one for one in secrets if one in repr(caught.value)]


def test_empty_pages_end_the_fetch(one: Recorded) -> None:
    wire = one.wire(edited(emptied), is_lenient=True)
    pages = list(one.pages(wire))
    assert pages[-1].cursor is not None
    alone = [emptied(one) for exchange in one.told["exchanges"] for one in objects(exchange)]
    assert not messages(one.rows(i for i in items_of(pages) if i.body not in alone)[0])


def objects(value: Any) -> Iterator[Any]:
    """The objects that an answer holds outside of any list: one asked for by its own address."""
    if isinstance(value, dict):
        yield value
        for found in value.values():
            yield from objects(found)


def emptied(value: Any) -> Any:
    if isinstance(value, list):
        return []
    if isinstance(value, dict):
        return {key: emptied(found) for key, found in value.items()}
    return value


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
    assert messages(rows) <= messages(fetched(one))


@pytest.mark.parametrize("bad", [None, {}, "nonsense", 7, {"id": {"no": "id"}}])
def test_a_bad_record_costs_only_itself(one: Recorded, bad: Any) -> None:
    pages = list(one.pages(one.wire()))
    for record in records(one):
        wire = one.wire(edited(partial(replaced, record=record, bad=bad)), is_lenient=True)
        rows, _ = one.rows(items_of(one.pages(wire)))
        spoiled = [item for item in items_of(pages) if holds([item.body, item.context], record)]
        others = [item for item in items_of(pages) if item not in spoiled]
        lost = set(one.rows(others)[0]) - set(one.rows(spoiled)[0]) - set(rows)
        assert not {key for key in lost if key[0] == "messages"}, record


def records(one: Recorded) -> Iterator[Any]:
    """Every record in an outer list of an answer."""
    for exchange in one.told["exchanges"]:
        yield from (record for found in lists(exchange["response"]["body"]) for record in found)


def lists(body: Any) -> Iterator[list[Any]]:
    if isinstance(body, list) and all(isinstance(one, dict) for one in body):
        yield body
    for value in body.values() if isinstance(body, dict) else ():
        yield from lists(value)


def replaced(body: Any, record: Any, bad: Any) -> Any:
    """The answer with the record spoiled wherever an outer list holds it."""
    if isinstance(body, list):
        return [bad if one == record else one for one in body]
    if isinstance(body, dict):
        return {key: replaced(value, record, bad) for key, value in body.items()}
    return body


def holds(value: Any, record: Any) -> bool:
    if value == record:
        return True
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(holds(part, record) for part in parts)


def test_messages_outlive_their_authors(one: Recorded) -> None:
    names = set(one.told["author_fields"])
    wire = one.wire(edited(lambda body: without(body, names)), is_lenient=True)
    rows, refused = one.rows(items_of(one.pages(wire)))
    assert messages(rows) == messages(fetched(one))
    assert not [item for item in refused if not holds_only_an_author(one, item)]


def holds_only_an_author(one: Recorded, item: Any) -> bool:
    whole = one.rows(x for x in items_of(one.pages(one.wire())) if x.stream == item.stream)[0]
    return {key[0] for key in whole} == {"members"}


def without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {k: None if k in names else without(found, names) for k, found in value.items()}
    return [without(found, names) for found in value] if isinstance(value, list) else value


def edited(change: Callable[[Any], Any]) -> Fault:
    """Every answer with its JSON changed."""

    def fault(number: int, request: httpx.Request, answer: Any) -> httpx.Response:
        response = answer(request)
        if response.status_code != 200:
            return not_found(request)
        body = change(json.loads(response.read()))
        kept = {k: v for k, v in response.headers.items() if k != "content-length"}
        return httpx.Response(200, headers=kept, content=json.dumps(body).encode())

    return fault
