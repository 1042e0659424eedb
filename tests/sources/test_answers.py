"""Answers that are not only JSON, their links, and the pauses that good ones ask for."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from muster.errors import RateLimited, Rejected, Unavailable
from muster.sources._answer import Answer, next_link, parted, text_body, xml_body
from muster.sources._http import Api, Http

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def answering(status: int, body: Any = None) -> httpx.MockTransport:
    return httpx.MockTransport(lambda request: httpx.Response(status, json=body or {}))


def test_a_good_answer_may_want_a_pause_before_the_next_request() -> None:
    slept: list[float] = []
    http = Http(answering(200, body={"backoff": 7}), sleep=slept.append, clock=lambda: NOW)
    with Api(
        http, "https://x.org", {}, name="x", pause_of=lambda answer: answer.body["backoff"]
    ) as api:
        api.get("/a")
        assert slept == []
        api.get("/b")
    assert slept == [7]


def test_a_pause_beyond_patience_is_a_checkpoint() -> None:
    http = Http(answering(200), patience=5, clock=lambda: NOW)
    with Api(http, "https://x.org", {}, name="x", pause_of=lambda answer: 7.0) as api:
        api.get("/a")
        with pytest.raises(RateLimited) as caught:
            api.get("/b")
    assert caught.value.seconds == 7


def test_what_is_secret_in_an_address_is_in_no_message() -> None:
    http = Http(answering(404))
    api = Api(http, "https://x.org/bot123:hush", {}, name="x", secrets=["123:hush"])
    with api, pytest.raises(Rejected) as caught:
        api.get("/getMe")
    assert "hush" not in str(caught.value) and "x.org/bot***/getMe" in str(caught.value)


def test_params_of_the_connection_go_into_every_request() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200, json={})

    http = Http(httpx.MockTransport(answer))
    with Api(http, "https://x.org", {}, name="x", params={"key": "k"}) as api:
        api.get("/a", {"page": 2})
        api.post("/b", {"q": 1})
    assert seen == ["https://x.org/a?key=k&page=2", "https://x.org/b?key=k"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('<https://other.org/v1/x?a=1&page=2>; rel="next", <https://o.org/p>; rel="prev"',
         "/v1/x?a=1&page=2"),
        ("<https://x.org/x?page=2>; rel=next", "/x?page=2"),
        ('<https://x.org/base/x?page=2>; title="a, b"; rel="next last"', "/x?page=2"),
        ('<https://x.org/x>; rel="prev"', None),
        ("", None),
    ],
)  # fmt: skip
def test_the_next_page_of_a_link_header_is_asked_on_our_own_host(
    header: str, expected: str | None
) -> None:
    told = Answer({}, 200, httpx.Headers({"link": header} if header else {}), NOW)
    assert next_link(told, "https://x.org/base") == expected


def test_a_next_page_at_no_address_is_tried_again_and_passes_nothing_over() -> None:
    told = Answer({}, 200, httpx.Headers({"link": '<http://[::1>; rel="next"'}), NOW)
    for read in (lambda: next_link(told), lambda: parted("//[")):
        with pytest.raises(Unavailable, match="its next page is at no address"):
            read()


@pytest.mark.parametrize(
    ("read", "kind", "raw", "expected"),
    [
        (xml_body, "application/rss+xml", b"<rss>\xc3\xa9</rss>", "<rss>\u00e9</rss>"),
        (xml_body, "", b'<?xml version="1.0" encoding="latin-1"?><a>\xe9</a>', None),
        (xml_body, "text/xml", b"<rss><item>", "cut or broken XML"),
        (xml_body, "text/html", b"<html></html>", "instead of XML"),
        (xml_body, "text/xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "entities"),
        (text_body, "text/csv; charset=utf-8", b"a,b\n", "a,b\n"),
        (text_body, "text/csv", "a,\u00e9".encode("utf-16"), "a,\u00e9"),
        (text_body, "application/gzip", gzip.compress(b"a,b", mtime=0), "a,b"),
        (text_body, "application/gzip", gzip.compress(b"a,b", mtime=0)[:-4], "cut or broken"),
        (text_body, "text/html", b"<html>", "instead of a file"),
    ],
)  # fmt: skip
def test_answers_that_are_no_json(read: Any, kind: str, raw: bytes, expected: str | None) -> None:
    body, flaw = read(kind, raw)
    if expected is None:
        assert body.endswith("<a>\u00e9</a>")
    else:
        assert expected in (body or flaw)
        assert (body is None) == bool(flaw)
