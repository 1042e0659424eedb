"""What a server may answer → one bad answer tried: its body, a wait, or a clear error."""

from __future__ import annotations

import gzip
import json
from random import Random

import httpx
import mutating
from at_platforms import NOW

from muster.errors import MusterError
from muster.sources._answer import json_body, next_link, text_body, xml_body
from muster.sources._http import Api, Http

_KINDS = ("application/json", "text/html", "text/csv; charset=latin-1", "application/xml", "",
          "application/x-gzip", "text/csv; charset=punycode", "text/csv; charset=\u1234",
          "a" * 500)  # fmt: skip
_XML = (b'<?xml version="1.0" encoding="utf-8"?><!DOCTYPE rss><rss><channel><title>a</title>'
        b"<item><title>b &amp; c</title><pubDate>Mon, 02 Mar 2026 09:00:00 GMT</pubDate></item>"
        b"</channel></rss>")  # fmt: skip
_JSON = json.dumps({"errors": [{"message": "no"}], "items": [{"id": 1, "text": "é"}]}).encode()
_CSV = "date;stars\n2026-03-01;5\n".encode("utf-16")
_BODIES = (
    _JSON,
    _XML,
    _CSV,
    gzip.compress(_CSV, mtime=0),
    gzip.compress(_JSON, mtime=0),
    b"",
    b"\xef\xbb\xbf" + _JSON,
)
_HEADERS = ("content-type", "content-encoding", "location", "retry-after", "link", "set-cookie",
            "x-rate-limit-reset", "ratelimit-reset", "date", "etag")  # fmt: skip
_VALUES = (
    *mutating.WORDS, "gzip", "deflate", "gzip, gzip", "br", "Mon, 01 Jan 99999 00:00:00 GMT",
    "Wed, 21 Oct 2026 07:28:00 +9999", "-5", "1e309", "1764230400",
    '<https://x.example/a?b=c>; rel="next"',
    "<@evil.example/x>; rel=next", "<.evil.example/x>; rel=next", "<http://[>; rel=next",
    "https://good.example/", "https://evil.example/", "http://good.example/", "//[",
    "\\\\evil.example",
)  # fmt: skip


def answer(chance: Random) -> None:
    """An answer of any status, headers and bytes: nothing but a body or an error of ours."""
    headers = {"content-type": chance.choice(_KINDS)}
    for _ in range(chance.randrange(3)):
        headers[chance.choice(_HEADERS)] = chance.choice(_VALUES)
    told = {key: value.encode("utf-8", "replace") for key, value in headers.items()}
    status = chance.choice((200, 200, 200, 204, 301, 302, 307, 400, 401, 404, 429, 500, 503))
    body = mutating.data(chance, chance.choice(_BODIES))
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(status, headers=told, content=body)

    http = Http(transport=httpx.MockTransport(handle), clock=lambda: NOW, sleep=lambda _: None)
    read = chance.choice((json_body, xml_body, text_body))
    with Api(
        http, "https://good.example/api", {"Authorization": "Bearer 01234567"}, name="it"
    ) as api:
        try:
            found = api.get("/items", read=read)
            path = next_link(found, api.base_url)
            if path is not None:
                api.get(path, read=read)
        except MusterError as error:
            line = str(error)
            assert line.isprintable() and "01234567" not in line, line
    assert set(asked) == {"good.example"}
