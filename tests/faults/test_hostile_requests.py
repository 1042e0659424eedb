"""A token goes to the host that the settings name, and nowhere else, whatever a server answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from at_platforms import PLATFORMS, fetched, recorded, with_change
from loopback import HERE, Quiet, served
from recorded import Answer, Recorded
from thorough import tries

from muster import settings_file
from muster.errors import BadSettings, MusterError, SourceFailed
from muster.project import options_of
from muster.sources._http import Api, Http

EVIL = "https://evil.example"
SECRET = "secret-0123456789"
# What a server, a Link header or an id in a record may say; each would leave our host.
ELSEWHERE = (
    f"{EVIL}/x", "//evil.example/x", "@evil.example/x", ":80@evil.example/x", ".evil.example/x",
    "\\\\evil.example/x", "\\@evil.example/x", "https://good.example@evil.example/x",
    "https://good.example\\.evil.example/x", "https://good.example%2eevil.example/x",
    "https://good.example\t.evil.example/x", "https://evil.example#good.example/x",
    "https://good.example:8443/x", "http://good.example/x", "https://good.example./x",
    "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://127.0.0.1:6379/",
    "http://[::1]/", "http://0x7f000001/", "http://2130706433/", "http://localhost/", "http://10.0.0.1/",
    "file:///etc/passwd", "ftp://good.example/x", "gopher://good.example/x", "data:text/html,x",
    "javascript:alert(1)", "https://", "https://[", "https://good.example:99999/", "\ud800",
)  # fmt: skip


def api_of(handle: Any, base_url: str = "https://good.example/api") -> Api:
    http = Http(transport=httpx.MockTransport(handle), sleep=lambda _: None)
    return Api(http, base_url, {"Authorization": f"Bearer {SECRET}"}, name="forum",
               params={"key": SECRET})  # fmt: skip


@pytest.mark.parametrize("where", ELSEWHERE)
def test_no_redirect_and_no_address_leads_the_token_to_another_host(where: str) -> None:
    asked: list[httpx.URL] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        location = where.encode("utf-8", "surrogatepass")
        return httpx.Response(302, headers={"location": location}) if len(asked) == 1 else ok()

    for path in ("/items", where):
        with api_of(handle) as api:
            try:
                api.get(path)
            except SourceFailed as error:
                assert str(error).startswith("forum: ") and str(error).isprintable()
                assert SECRET not in str(error)
    assert asked, "the first request is on our host"
    assert {(url.scheme, url.host, url.port) for url in asked} == {("https", "good.example", None)}


def ok() -> httpx.Response:
    return httpx.Response(200, json={})


def test_a_redirect_on_our_host_is_followed_and_takes_no_parameters_along() -> None:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(301, headers={"location": "/new"}) if len(asked) == 1 else ok()

    with api_of(handle) as api:
        api.get("/old")
    assert [request.url.path for request in asked] == ["/api/old", "/new"]
    assert "key" not in asked[1].url.params and "Authorization" in asked[1].headers


def test_a_redirect_from_http_may_only_become_the_same_host_s_https() -> None:
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url.copy_with(query=None)))
        to = "https://good.example/api/x" if len(asked) == 1 else "https://other.example/"
        return httpx.Response(301, headers={"location": to})

    with api_of(handle, "http://good.example/api") as api, pytest.raises(SourceFailed):
        api.get("/x")
    assert asked == ["http://good.example/api/x", "https://good.example/api/x"]


@contextmanager
def listening(answer: Any) -> Iterator[tuple[str, list[str]]]:
    """A real server on loopback; the address, and what it was asked for."""
    asked: list[str] = []

    class Handler(Quiet):
        def do_GET(self) -> None:  # noqa: N802 - http.server's name
            asked.append(self.path)
            status, headers = answer()
            self.send_response(status)
            for name, value in {**headers, "content-length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

    with served(ThreadingHTTPServer(HERE, Handler)) as url:
        yield url, asked


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_service_inside_the_network_hears_nothing_of_a_redirect(status: int) -> None:
    """Over real sockets: the second server plays what only our machine can reach."""
    with listening(lambda: (200, {})) as (inside, heard):
        there = {"location": f"{inside}/latest/meta-data/iam"}
        with listening(lambda: (status, there)) as (forum, asked):
            api = Api(Http(sleep=lambda _: None), forum, {"Authorization": SECRET}, name="forum")
            with api, pytest.raises(SourceFailed, match="sends us on to http://127.0.0.1"):
                api.get("/posts")
        assert asked == ["/posts"] and not heard


@pytest.mark.parametrize("name", PLATFORMS[:: tries(3, 1)])
def test_no_platform_is_led_elsewhere(name: str) -> None:
    """Each request answered with a way out, then every address in every answer replaced by one."""
    one = recorded(name)
    usual = hosts(one, lambda number, request, answer: answer(request))
    out = {
        "location": f"{EVIL}/x",
        "link": f'<{EVIL}/x>; rel="next", <@evil.example/y>; rel="next"',
    }

    def sent_on(number: int, request: httpx.Request, answer: Answer) -> httpx.Response:
        return httpx.Response(302, headers=out)

    def linked(number: int, request: httpx.Request, answer: Answer) -> httpx.Response:
        response = with_change(answer(request), away)
        return httpx.Response(
            response.status_code, headers={**response.headers, **out}, content=response.content
        )

    assert usual and hosts(one, sent_on) <= usual
    assert hosts(one, linked) <= usual


def hosts(one: Recorded, fault: Any) -> set[str]:
    """Whom a fetch asks."""
    asked: set[str] = set()

    def noting(number: int, request: httpx.Request, answer: Answer) -> httpx.Response:
        asked.add(f"{request.url.scheme}://{request.url.netloc.decode()}")
        return fault(number, request, answer)

    try:
        fetched(one, one.pages(one.wire(noting, is_lenient=True)))
    except MusterError as error:
        assert str(error).isprintable()
    return asked


def away(body: Any) -> Any:
    """The answer with every address in it on another host."""
    return json.loads(re.sub(r"https?://[^/\"\\\s<>]+", EVIL, json.dumps(body)))


@pytest.mark.parametrize("base_url", ["ftp://x.example", "file:///etc", "https://user:pw@x.example",
                                      "https://x.example@evil.example", "https://", "https://[",
                                      "https://x.example:99999", "https://x.example:0",
                                      "https://x.example\\@evil.example", "//x.example",
                                      "https://x.example/?a=b", "https://x.example/#a",
                                      "https://x.example/\u202egpj", "javascript:1"])  # fmt: skip
def test_a_base_url_says_plainly_which_host_it_is(base_url: str) -> None:
    told = json.dumps(base_url)
    text = f"community: a\nsources: [{{name: s, platform: discourse, base_url: {told}}}]"
    with pytest.raises(BadSettings, match=r"muster.yaml:2: sources\[0\].base_url") as caught:
        settings_file.parse(text, "muster.yaml", options_of)
    assert "pw" not in str(caught.value).partition("base_url")[2]


def test_an_address_of_the_own_network_is_asked_if_the_settings_name_it() -> None:
    for base_url in ("http://169.254.169.254", "http://10.0.0.7:8080/forum", "http://[::1]:3000"):
        source = {"name": "s", "platform": "discourse", "base_url": base_url}
        text = json.dumps({"community": "a", "sources": [source]})
        (found,) = settings_file.parse(text, "muster.yaml", options_of).sources
        with api_of(lambda _: ok(), found.base_url) as api:
            assert api.get("/x").body == {}


@pytest.mark.parametrize("secret", ["abc\ndef-0123456789", "abc\r\nX-Other: 1", "sécret-0123456789",
                                    "tok\x00en-0123456789", "“secret-0123456789”"])  # fmt: skip
def test_a_secret_that_no_header_can_carry_is_told_without_it(secret: str) -> None:
    with pytest.raises(SourceFailed, match="forum: its secret has a letter that no header") as told:
        Api(Http(), "https://good.example", {"Authorization": f"Bearer {secret}"}, name="forum")
    assert not [part for part in re.findall(r"[\w-]{6,}", secret) if part in str(told.value)]
