"""HTTP traffic in, a JSON recording without secrets out; a recording in, its answers out."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

HIDDEN = "***"
_KEPT_HEADERS = (
    "content-type", "link", "retry-after",
    "discourse-rate-limit-error-code", "x-rate-limit-", "x-ratelimit-", "ratelimit-",
)  # fmt: skip
_SECRET_NAMES = frozenset(
    (
        "accessjwt", "refreshjwt", "access_token", "refresh_token", "id_token", "token",
        "password", "secret", "client_secret", "api_key", "api-key", "key", "code", "sig",
        "signature", "authorization", "cookie", "email", "ip_address", "registration_ip_address",
        "assertion", "private_key",
    )
)  # fmt: skip


class Recorder(httpx.BaseTransport):
    """Passes requests on to ``inner`` and writes what was answered to ``path`` when closed.

    Request headers are never written, of the answers' headers only harmless ones; values of
    secret-looking query and body fields, and any of ``secrets``, become ``***``.
    """

    def __init__(
        self, inner: httpx.BaseTransport, path: Path, secrets: Iterable[str | None] = ()
    ) -> None:
        self._inner = inner
        self._path = path
        self._secrets = tuple(secret for secret in secrets if secret)
        self.exchanges: list[dict[str, Any]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The inner transport's answer, noted down."""
        response = self._inner.handle_request(request)
        assert isinstance(response.stream, httpx.SyncByteStream)
        raw = b"".join(response.stream)
        response.close()
        answer = httpx.Response(
            response.status_code, headers=response.headers, content=raw, request=request
        )
        self.exchanges.append(self._hidden(_noted(request, answer)))
        return httpx.Response(
            response.status_code, headers=response.headers, stream=httpx.ByteStream(raw)
        )

    def _hidden(self, exchange: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(scrub(exchange), ensure_ascii=False)
        for secret in self._secrets:
            text = text.replace(json.dumps(secret, ensure_ascii=False)[1:-1], HIDDEN)
        noted: dict[str, Any] = json.loads(text)
        return noted

    def close(self) -> None:
        """Write the recording; other keys of an existing one (options, expect) are kept."""
        self._inner.close()
        kept = json.loads(self._path.read_text("utf-8")) if self._path.exists() else {}
        text = json.dumps({**kept, "exchanges": self.exchanges}, indent=1, ensure_ascii=False)
        self._path.write_text(text + "\n", "utf-8")

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        tb: TracebackType | None = None,
    ) -> None:
        self.close()


def _noted(request: httpx.Request, response: httpx.Response) -> dict[str, Any]:
    asked = told_of(request)
    headers = {
        name: value for name, value in response.headers.items() if name.startswith(_KEPT_HEADERS)
    }
    try:
        body = response.json()
    except ValueError:
        body = response.text
    told = {"status": response.status_code, "headers": headers, "body": body}
    return {"request": asked, "response": told}


def told_of(request: httpx.Request) -> dict[str, Any]:
    """Method, path, query and, if there is one, the JSON body or form of a request."""
    asked = {"method": request.method, "path": request.url.path, "query": _query(request.url)}
    raw = request.read()
    if not raw:
        return asked
    if "form" in request.headers.get("content-type", ""):
        return {**asked, "body": _query(httpx.URL(query=raw))}
    try:
        return {**asked, "body": json.loads(raw)}
    except ValueError:
        return asked


def _query(url: httpx.URL) -> dict[str, Any]:
    """The query as a mapping; a key that comes more than once has a list."""
    params = url.params
    lists = {key: params.get_list(key) for key in params}
    return {key: values if len(values) > 1 else values[0] for key, values in lists.items()}


def scrub(value: Any) -> Any:
    """The value with everything under a secret-looking name hidden, however deep."""
    if isinstance(value, Mapping):
        return {
            key: HIDDEN
            if str(key).casefold() in _SECRET_NAMES and isinstance(found, str)
            else scrub(found)
            for key, found in value.items()
        }
    if isinstance(value, list):
        return [scrub(found) for found in value]
    return value


class Replay(httpx.BaseTransport):
    """Answers from a recording's exchanges, matched by method, path, query and body.

    Of a body, what the recording holds must have been sent, with whatever else; where it holds
    none, any body will do. The fullest match answers. The same request asked again gets its next
    recorded answer, and the last one from then on. A request that was not recorded is a
    ``LookupError`` naming it.
    """

    def __init__(self, exchanges: Iterable[Mapping[str, Any]]) -> None:
        self._answers: dict[str, list[Mapping[str, Any]]] = {}
        self._bodies: dict[str, dict[str, Any]] = {}
        for exchange in exchanges:
            request = exchange["request"]
            body = request.get("body")
            told = named(request) + (f" {json.dumps(body, sort_keys=True)}" if body else "")
            self._answers.setdefault(told, []).append(exchange["response"])
            self._bodies.setdefault(named(request), {})[told] = body or {}
        self.recorded = frozenset(self._answers)
        self.used: set[str] = set()

    @classmethod
    def of(cls, path: Path) -> Replay:
        """The replay of a recording's file."""
        return cls(json.loads(path.read_text("utf-8"))["exchanges"])

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The recorded answer."""
        asked = told_of(request)
        told = self._told(asked) or self._told(scrub(asked))
        if told is None:
            body = f" {json.dumps(asked['body'])[:500]}" if "body" in asked else ""
            raise LookupError(f"not in the recording: {named(scrub(asked))}{body}")
        self.used.add(told)
        answers = self._answers[told]
        return answer_of(answers.pop(0) if len(answers) > 1 else answers[0])

    def _told(self, asked: Mapping[str, Any]) -> str | None:
        """The recorded request that fits best."""
        bodies = self._bodies.get(named(asked), {})
        fit = [told for told, body in bodies.items() if _is_within(body, asked.get("body") or {})]
        return max(fit, key=len, default=None)


def _is_within(part: Any, whole: Any) -> bool:
    """Whether ``whole`` holds everything that ``part`` does."""
    if isinstance(part, Mapping) and isinstance(whole, Mapping):
        return all(key in whole and _is_within(found, whole[key]) for key, found in part.items())
    return bool(part == whole)


def answer_of(told: Mapping[str, Any]) -> httpx.Response:
    """The HTTP answer a recorded response stands for."""
    body, headers = told.get("body"), told.get("headers", {})
    if isinstance(body, str):
        kind = {"content-type": "text/html", **headers}
        raw = gzip.compress(body.encode(), mtime=0) if "gzip" in kind["content-type"] else None
        return httpx.Response(told["status"], headers=kind, content=raw or body.encode())
    headers = {"content-type": "application/json", **headers}
    return httpx.Response(told["status"], headers=headers, content=json.dumps(body).encode())


def named(request: Mapping[str, Any]) -> str:
    """A recorded request on one line: method, path and query."""
    query = request.get("query") or {}
    pairs = sorted(
        (key, str(value))
        for key, values in query.items()
        for value in (values if isinstance(values, list) else [values])
    )
    text = "&".join(f"{key}={value}" for key, value in pairs)
    return f"{request['method']} {request['path']}" + (f"?{text}" if text else "")
