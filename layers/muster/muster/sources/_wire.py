"""A request in, its answer out, over connections that are kept: no cookies, no redirects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx

from muster.errors import SourceFailed
from muster.sources import _body


class Wire:
    """What ``httpx.Client`` does for us at half its cost: it asks its transports itself.

    ``transport`` answers in tests. Else each scheme has connections of its own, by way of the proxy
    that the environment names. ``meanwhile`` is called when a request was sent.
    """

    def __init__(
        self,
        transport: httpx.BaseTransport | None,
        timeout: float,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        self._given = transport
        self._made: dict[str, httpx.BaseTransport] = {}
        self._meanwhile = meanwhile
        self._extra = {"timeout": httpx.Timeout(timeout).as_dict()}
        self._headers = {
            "User-Agent": "muster/0.1",
            "Accept": "application/json",
            "Accept-Encoding": ", ".join(_body.PACKED),
            "Connection": "keep-alive",
        }

    def request(
        self,
        method: str,
        url: httpx.URL,
        query: Mapping[str, Any],
        headers: Mapping[str, str],
        content: Mapping[str, Any],
    ) -> httpx.Request:
        """A request to send; a query replaces that of the address."""
        headers = {**self._headers, **headers}
        request = httpx.Request(
            method, url, params=query or None, headers=headers, extensions=self._extra, **content
        )
        assert isinstance(request.stream, httpx.SyncByteStream)
        request.stream = _Sent(request.stream, self._meanwhile)
        return request

    def send(self, request: httpx.Request) -> httpx.Response:
        """The answer, its body unread."""
        response = self._transport(request.url).handle_request(request)
        response.request = request
        return response

    def way_to(self, url: httpx.URL) -> str:
        """What stands between us and an address, for messages: a proxy, without its password."""
        proxy = None if self._given is not None else _proxy(url)
        host = httpx.URL(proxy).netloc.decode() if proxy else ""
        return f" by way of the proxy {host}" if host else ""

    def close(self) -> None:
        """Close all connections."""
        for transport in (self._given, *self._made.values()):
            if transport is not None:
                transport.close()

    def _transport(self, url: httpx.URL) -> httpx.BaseTransport:
        if self._given is not None:
            return self._given
        if url.scheme not in self._made:
            self._made[url.scheme] = _opened(_proxy(url))
        return self._made[url.scheme]


class _Sent(httpx.SyncByteStream):
    """A body, if any, and something to do when it is sent, which is after the request's head."""

    def __init__(self, body: httpx.SyncByteStream, then: Callable[[], None]) -> None:
        self._body, self._then = body, then

    def __iter__(self) -> Iterator[bytes]:
        yield from self._body
        self._then()


def _opened(proxy: str | None) -> httpx.BaseTransport:
    """Connections as the environment asks for them; ``SourceFailed`` if it asks for no such."""
    try:
        return httpx.HTTPTransport(proxy=proxy)
    except ImportError:
        raise SourceFailed(
            "the environment names a SOCKS proxy, and only HTTP proxies are known here: set "
            "HTTPS_PROXY to one, or install socksio beside Muster"
        ) from None
    except (ValueError, httpx.InvalidURL):
        raise SourceFailed(
            "the environment names a proxy that is none: write http://host:port"
        ) from None
    except OSError as error:
        raise SourceFailed(
            "the certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read: "
            f"{error.strerror or error}"
        ) from None


def _proxy(url: httpx.URL) -> str | None:
    """The proxy that the environment names for an address, if any."""
    named = getproxies()
    proxy = named.get(url.scheme) or named.get("all")
    if not proxy or proxy_bypass(url.host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
