"""The one HTTP client: what it asks for again, how long it waits, where a token may go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import HTTPServer
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import HERE, Quiet, answering, served

from muster.errors import MusterError, RateLimited, Rejected, SourceFailed, Unavailable
from muster.sources._answer import Answer, asked_wait
from muster.sources._http import TRIES, Api, Http

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECRET = "secret-0123456789"
OK = httpx.Response(200, json={"ok": True})


class Answers(httpx.BaseTransport):
    """Gives prepared answers in order, the last one for ever, and notes what was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def api_of(
    *answers: httpx.Response | Exception, **options: Any
) -> tuple[Api, Answers, list[float]]:
    wire, slept = Answers(*answers), []
    renew = options.pop("renew", None)
    options = {"clock": lambda: NOW, "sleep": slept.append, **options}
    http = Http(transport=wire, **options)
    headers = {"Authorization": f"Bearer {SECRET}", "X-None": None}
    return Api(http, "https://x.org/api/", headers, name="forum", renew=renew), wire, slept


def limited(**headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(429, headers=named, json={})


def test_signs_and_asks_under_the_base_url() -> None:
    api, wire, _ = api_of(OK)
    answer = api.get("/posts.json", {"before": 7, "ids[]": [1, 2], "asc": True, "none": None})
    assert answer == Answer({"ok": True}, 200, answer.headers, NOW)
    assert (
        str(wire.asked[0].url)
        == "https://x.org/api/posts.json?before=7&ids%5B%5D=1&ids%5B%5D=2&asc=true"
    )
    assert wire.asked[0].headers["authorization"] == f"Bearer {SECRET}"
    assert "x-none" not in wire.asked[0].headers


def test_posts_json_and_forms() -> None:
    api, wire, _ = api_of(OK)
    api.post("/session", {"identifier": "me"})
    api.post("/token", form={"grant_type": "refresh"})
    assert [request.content for request in wire.asked] == [
        b'{"identifier":"me"}',
        b"grant_type=refresh",
    ]


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": "7"}, 7),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after": "Fri, 20 Nov 2026 12:00:42 GMT"}, 42),
        ({"x_rate_limit_reset": str(int(NOW.timestamp()) + 90)}, 90),
        ({"ratelimit_reset": str(int(NOW.timestamp()) + 9)}, 9),
        ({"x_ratelimit_reset": "33"}, 33),
        ({"retry_after": "5", "x_rate_limit_reset": str(int(NOW.timestamp()) + 90)}, 5),
    ],
)
def test_waits_as_long_as_it_is_asked(headers: dict[str, str], wait: float) -> None:
    api, _, slept = api_of(limited(**headers), OK)
    assert api.get("/p").body == {"ok": True}
    assert slept == [wait]


def test_a_reset_header_on_a_refusal_is_no_wait() -> None:
    refused = httpx.Response(403, headers={"x-rate-limit-reset": "99"}, json={})
    api, wire, slept = api_of(refused)
    with pytest.raises(Rejected):
        api.get("/p")
    assert (len(wire.asked), slept) == (1, [])


@pytest.mark.parametrize("nonsense", ["soon", "", "nan", "inf", "-5", "9" * 400])
def test_a_senseless_hint_falls_back_to_growing_pauses(nonsense: str) -> None:
    api, _, slept = api_of(limited(retry_after=nonsense), OK)
    assert api.get("/p").body == {"ok": True}
    assert len(slept) == 1
    assert 0.5 <= slept[0] <= 0.75


def test_pauses_grow_and_end() -> None:
    api, wire, slept = api_of(httpx.Response(502, text="bad gateway"))
    with pytest.raises(Unavailable, match=r"forum: x.org/api/p fails \(502\)"):
        api.get("/p")
    assert len(wire.asked) == TRIES
    assert all(
        low <= pause <= 1.5 * low for low, pause in zip([0.5, 1, 2, 4, 8], slept, strict=True)
    )


@pytest.mark.parametrize(
    "broken",
    [
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("peer closed connection"),
        httpx.Response(500, json={"error": "oops"}),
        httpx.Response(408),
        httpx.Response(200, html="<h1>maintenance</h1>"),
        httpx.Response(200, html="[]"),
        httpx.Response(200, headers={"content-type": "application/json"}, content=b'{"cut": [1, '),
        httpx.Response(200, headers={"content-type": "application/json"}, content=b""),
        httpx.Response(200, headers={"content-type": "application/json"}, content=b"\xff\xfe"),
        httpx.Response(200, headers={"content-type": "application/json"}, content=b"[" * 100_000),
        httpx.Response(
            200,
            headers={"content-type": "application/json", "content-encoding": "gzip"},
            stream=httpx.ByteStream(b"no gzip at all"),
        ),
    ],
)
def test_what_is_broken_once_is_asked_for_again(broken: Any) -> None:
    class Once(httpx.BaseTransport):
        asked = 0

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            self.asked += 1
            if self.asked > 1:
                return httpx.Response(200, json=[1])
            if isinstance(broken, Exception):
                raise broken
            return broken

    wire, slept = Once(), []
    api = Api(Http(wire, sleep=slept.append), "https://x.org", {}, name="forum")
    assert api.get("/p").body == [1]
    assert len(slept) == 1


def test_an_unreachable_host_is_given_up_soon() -> None:
    api, wire, slept = api_of(httpx.ConnectError("connection refused"))
    with pytest.raises(SourceFailed, match="forum: no answer from x.org.*base_url") as caught:
        api.get("/p")
    assert (len(wire.asked), len(slept)) == (3, 2)
    assert caught.value.trouble == "away", "a German report says so too"


@pytest.mark.parametrize(
    "answer", [limited(retry_after="61"), httpx.Response(503, headers={"retry-after": "61"})]
)
def test_a_wait_beyond_patience_is_told_instead(answer: httpx.Response) -> None:
    api, wire, slept = api_of(answer, patience=60)
    with pytest.raises(RateLimited) as caught:
        api.get("/p")
    assert (caught.value.seconds, slept, len(wire.asked)) == (61, [], 1)


def test_no_wait_ends_after_the_deadline_and_no_request_starts_after_it() -> None:
    soon = NOW + timedelta(seconds=10)
    api, _, slept = api_of(limited(retry_after="11"), deadline=soon)
    with pytest.raises(RateLimited):
        api.get("/p")
    api, _, slept_inside = api_of(limited(retry_after="9"), OK, deadline=soon)
    assert api.get("/p").body == {"ok": True}
    api, wire, _ = api_of(OK, deadline=NOW - timedelta(seconds=1))
    with pytest.raises(RateLimited, match="forum: the time of this run is up"):
        api.get("/p")
    assert (slept, slept_inside, wire.asked) == ([], [9], [])


def test_endless_limits_end() -> None:
    api, wire, slept = api_of(limited(retry_after="2"))
    with pytest.raises(RateLimited) as caught:
        api.get("/p")
    assert (caught.value.seconds, len(wire.asked), slept) == (2, TRIES, [2.0] * 5)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_names_the_source_and_the_fix_but_not_the_token(status: int) -> None:
    body = {"errors": [f"token {SECRET} is\nnot\x1b[31m valid"]}
    api, wire, _ = api_of(httpx.Response(status, json=body))
    with pytest.raises(SourceFailed) as caught:
        api.get("/p", {"key": SECRET})
    message = str(caught.value)
    assert message.startswith(f"forum: x.org/api/p is refused ({status}: token *** is not")
    assert "token in muster.yaml" in message
    assert SECRET not in repr(caught.value)
    assert message.isprintable()
    assert len(wire.asked) == 1


@pytest.mark.parametrize(
    ("status", "is_gone"), [(404, True), (410, True), (400, False), (402, False)]
)
def test_what_is_gone_can_be_told_from_what_is_wrong(status: int, is_gone: bool) -> None:
    api, wire, _ = api_of(httpx.Response(status, json={"error": "why"}))
    with pytest.raises(Rejected, match="why") as caught:
        api.get("/p")
    assert (caught.value.is_gone, caught.value.status, caught.value.body) == (
        is_gone, status, {"error": "why"},
    )  # fmt: skip
    assert len(wire.asked) == 1


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.org/p",
        "http://x.org/p",
        "https://x.org:8443/p",
        "//evil.org/p",
        "https://x.org.evil.org/",
        "https://x.org@evil.org/",
    ],
)
def test_a_token_never_goes_to_another_host(target: str) -> None:
    api, wire, _ = api_of(httpx.Response(302, headers={"location": target}), OK)
    with pytest.raises(SourceFailed, match="base_url"):
        api.get("/p")
    assert len(wire.asked) == 1
    with pytest.raises(SourceFailed, match="base_url"):
        api.get("http:" + target if target.startswith("//") else target)
    assert len(wire.asked) == 1


def test_follows_a_redirect_on_its_own_host() -> None:
    api, wire, _ = api_of(httpx.Response(301, headers={"location": "/api/q?x=1"}), OK)
    assert api.get("/p", {"y": 2}).body == {"ok": True}
    assert str(wire.asked[1].url) == "https://x.org/api/q?x=1"
    api, _, _ = api_of(httpx.Response(301, headers={"location": "/api/p"}))
    with pytest.raises(SourceFailed, match="circles"):
        api.get("/p")


def test_a_too_big_answer_is_not_read() -> None:
    api, wire, _ = api_of(httpx.Response(200, json="x" * 2000), max_body=1000)
    with pytest.raises(SourceFailed, match="more than 1,000 bytes"):
        api.get("/p")
    assert len(wire.asked) == 1


def test_a_token_that_ran_out_is_renewed_once() -> None:
    expired = httpx.Response(401, json={"error": "ExpiredToken"})
    asked: list[int] = []

    def renew(refused: Rejected) -> dict[str, str]:
        asked.append(refused.status)
        return {"Authorization": "Bearer fresh"}

    api, wire, _ = api_of(expired, OK, renew=renew)
    assert api.get("/p").body == {"ok": True}
    assert [request.headers["authorization"] for request in wire.asked] == [
        f"Bearer {SECRET}", "Bearer fresh",
    ]  # fmt: skip
    api, wire, _ = api_of(expired, renew=renew)
    with pytest.raises(Rejected):
        api.get("/p")
    assert (asked, len(wire.asked)) == ([401, 401], 2)


def test_a_refused_renewal_is_not_renewed() -> None:
    api, wire, _ = api_of(httpx.Response(401, json={}), renew=lambda refused: api.post("/renew"))
    with pytest.raises(Rejected, match="/renew"):
        api.get("/p")
    assert [request.url.path for request in wire.asked] == ["/api/p", "/api/renew"]


def test_a_refusal_that_cannot_be_renewed_stands() -> None:
    api, wire, _ = api_of(httpx.Response(403, json={}), renew=lambda refused: None)
    with pytest.raises(Rejected):
        api.get("/p")
    assert len(wire.asked) == 1


@given(st.text(max_size=40), st.sampled_from(["retry-after", "x-rate-limit-reset"]))
def test_no_hint_whatever_breaks_the_client(hint: str, name: str) -> None:
    wait = asked_wait(Answer(None, 429, {name: hint}, NOW))
    assert wait is None or 0 <= wait < float("inf")


# ---- over a real wire --------------------------------------------------------------------------


class Cut(Quiet):
    """Promises more than it sends, twice; then answers."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_GET(self) -> None:  # noqa: N802
        type(self).asked += 1
        body = b'{"ok": true}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:5] if self.asked < 3 else body)
        self.close_connection = self.asked < 3


@pytest.fixture
def cutting_server() -> Iterator[str]:
    Cut.asked = 0
    with served(HTTPServer(HERE, Cut)) as url:
        yield url


def test_a_body_cut_on_the_wire_is_asked_for_again(cutting_server: str) -> None:
    slept: list[float] = []
    with Api(Http(sleep=slept.append), cutting_server, {}, name="forum") as api:
        assert api.get("/p").body == {"ok": True}
    assert len(slept) == 2


def test_work_is_done_between_a_request_and_its_answer() -> None:
    is_done, answered = threading.Event(), list[bool]()

    def answer(path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        answered.append(is_done.wait(10))
        is_done.clear()
        return 200, {"ok": True}

    with answering(answer) as url, Api(Http(meanwhile=is_done.set), url, {}, name="forum") as api:
        assert [api.get("/p").body, api.post("/p").body] == [{"ok": True}] * 2
    assert answered == [True, True]


def test_nobody_listening_is_one_clear_error(cutting_server: str) -> None:
    slept: list[float] = []
    with (
        Api(Http(sleep=slept.append), "http://127.0.0.1:1", {}, name="forum") as api,
        pytest.raises(MusterError, match="forum: no answer from 127.0.0.1:1/p: .*base_url"),
    ):
        api.get("/p")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HTTP_PROXY", "http://anna:pass-word-1@127.0.0.1:9", "by way of the proxy 127.0.0.1:9: "),
        ("ALL_PROXY", "socks5://127.0.0.1:9", "names a SOCKS proxy, and only HTTP proxies"),
        ("HTTP_PROXY", "ftp://127.0.0.1", "names a proxy that is none: write http://host:port"),
        ("HTTP_PROXY", "http://[::", "names a proxy that is none: write http://host:port"),
        ("SSL_CERT_FILE", "/nowhere.pem", "SSL_CERT_FILE or SSL_CERT_DIR names cannot be read: No"),
    ],
)
def test_an_environment_that_leads_nowhere_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    for other in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, value)
    api = Api(Http(sleep=lambda _: None), "http://127.0.0.1:9", {}, name="forum")
    with pytest.raises(SourceFailed) as caught:
        api.get("/x")
    assert said in str(caught.value)
    assert "pass-word-1" not in str(caught.value)
