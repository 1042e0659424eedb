"""What goes over the wire beside what was asked for: proxies of the environment, and no cookies."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import ClassVar

import pytest
from loopback import HERE, Quiet, served

from muster.sources._http import Api, Http


class Door(Quiet):
    """Notes what it is asked for, as a proxy or as the platform, and hands out a cookie."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:  # noqa: N802
        self.asked.append((self.path, self.headers["Cookie"]))
        body = b'{"ok": true}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", "whose=yours; Path=/")
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    Door.asked.clear()
    with served(ThreadingHTTPServer(HERE, Door)) as url:
        yield url.removeprefix("http://")


def test_a_cookie_is_not_kept(door: str) -> None:
    with Api(Http(), f"http://{door}", {}, name="forum") as api:
        assert [api.get("/p").body, api.get("/q", {"n": 1}).body] == [{"ok": True}] * 2
    assert Door.asked == [("/p", None), ("/q?n=1", None)]


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_proxy_of_the_environment_is_asked(
    door: str, name: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, scheme + door)
    with Api(Http(), "http://forum.example.org", {}, name="forum") as api:
        assert api.get("/p").body == {"ok": True}
    assert Door.asked == [("http://forum.example.org/p", None)]


@pytest.mark.parametrize("exempt", ["127.0.0.1", "*", "localhost,127.0.0.1"])
def test_who_needs_no_proxy_is_asked_without(
    door: str, exempt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", exempt)
    with Api(Http(), f"http://{door}", {}, name="forum") as api:
        assert api.get("/p").body == {"ok": True}
    assert Door.asked == [("/p", None)]
