"""A path and its parameters in, the platform's JSON out: signed, retried and paced."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from muster.clock import Clock, system_clock
from muster.errors import RateLimited, Rejected, Retry, SourceFailed, Unavailable, WrongClock
from muster.sources import _body
from muster.sources._answer import (
    Answer,
    Read,
    WaitOf,
    ahead,
    asked_wait,
    json_body,
    plain,
    reason,
)  # fmt: skip
from muster.sources._hosts import is_ours, joined, parsed

# Reading the settings imports every platform they name: only who connects needs these two.
if TYPE_CHECKING:
    import httpx

TRIES = 6
CONNECT_TRIES = 3  # nobody listens there: that rarely mends itself in seconds
MAX_REDIRECTS = 5
CLOCKS_AGREE = timedelta(minutes=15)  # AWS, too, refuses who is further off
_REDIRECTS = (301, 302, 303, 307, 308)

Params = Mapping[str, Any]
_log = logging.getLogger(__name__)
logging.getLogger("httpx").setLevel(logging.WARNING)  # its lines hold whole addresses


class Held(Protocol):
    """The secret of a source that its platform may replace (see ``muster.secret.Held``)."""

    def read(self) -> str | None: ...
    def keep(self, secret: str) -> None: ...


@dataclass(frozen=True)
class Http:
    """What every connection shares; tests hand in a transport, a clock and a sleep.

    ``patience`` is the longest single wait in seconds that is slept; no wait ends and no request
    starts after ``deadline``. A longer one raises ``RateLimited``, so that a Lambda can checkpoint.
    ``held`` is where a secret that rotates is kept, of the source that is being connected;
    ``meanwhile`` is called when a request was sent and its answer is awaited, and raises nothing.
    """

    transport: httpx.BaseTransport | None = None
    clock: Clock = system_clock
    sleep: Callable[[float], None] = time.sleep
    patience: float = 20 * 60
    deadline: datetime | None = None
    timeout: float = 30.0
    max_body: int = 64 * 1024 * 1024
    held: Held | None = field(default=None, repr=False)
    meanwhile: Callable[[], None] = field(default=lambda: None, repr=False)
    asked: list[None] = field(default_factory=list, repr=False)
    echoed: set[str] = field(default_factory=set, repr=False)  # secrets that came back in answers

    @property
    def requests(self) -> int:
        """How many requests were sent, repeated ones included."""
        return len(self.asked)


Renew = Callable[[Rejected], Mapping[str, str | None] | None]


class Api:
    """A signed-in connection to one platform; every address is under ``base_url``.

    ``name`` is the source's, for messages. ``headers`` sign each request and never follow a
    redirect to another host, nor do ``params``, which go into each request's query. ``renew`` is
    asked once when a request is refused; if it returns headers (a fresh token), the request is
    sent again with them. ``wait_of`` tells of any answer whether it is to be asked for again, and
    after how long; ``pause_of`` how long a good answer wants to be alone before the next request.
    ``secrets`` are shown in no message, wherever a platform or its address repeats them.
    ``scopes`` are what the token may read, where the platform said so at sign-in.
    """

    def __init__(
        self,
        http: Http,
        base_url: str,
        headers: Mapping[str, str | None],
        *,
        name: str,
        wait_of: WaitOf = asked_wait,
        pause_of: WaitOf | None = None,
        renew: Renew | None = None,
        params: Params | None = None,
        secrets: Sequence[str] = (),
    ) -> None:
        import httpx

        from muster.sources._wire import Wire

        self.http = http
        self.name = name
        self.base_url = base_url.rstrip("/")
        self._ours = parsed(self.base_url) or httpx.URL()
        self.scopes: frozenset[str] = frozenset()
        self._wait_of = wait_of
        self._pause_of = pause_of or (lambda answer: None)
        self._not_before: datetime | None = None
        self._renew = renew
        self._params = dict(params or {})
        self._secrets = sorted({one for one in secrets if len(one) > 5}, key=len, reverse=True)
        self._wire = Wire(http.transport, http.timeout, http.meanwhile)
        self._signature: dict[str, str] = {}
        self.sign(headers)

    def sign(self, headers: Mapping[str, str | None]) -> None:
        """Sign every request from now on with these headers; a ``None`` is left out.

        Raises ``SourceFailed`` for a secret that no header can carry.
        """
        given = {key: value for key, value in headers.items() if value is not None}
        for key, value in given.items():
            if not (value.isascii() and value.isprintable()):
                raise SourceFailed(
                    f"{self.name}: its secret has a letter that no header ({key}) can carry, a "
                    "line end or a quote of a word processor: copy it anew"
                )
        self._signature = given

    def get(self, path: str, params: Params | None = None, read: Read = json_body) -> Answer:
        """The answer to a GET; a ``None`` among the params is left out, a list repeats its key.

        ``read`` makes the answer's body of what was sent: JSON, or see ``_answer``.
        Raises ``Rejected`` (4xx), ``SourceFailed``, ``Unavailable``, ``RateLimited``.
        """
        return self._call("GET", path, params, read)

    def post(
        self,
        path: str,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        params: Params | None = None,
    ) -> Answer:
        """The answer to a POST of a JSON body or a form; raises as ``get`` does."""
        return self._call("POST", path, params, json_body, json=body, data=form)

    def close(self) -> None:
        """Close the connection."""
        self._wire.close()

    def __enter__(self) -> Api:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def _call(
        self, method: str, path: str, params: Params | None, read: Read, **content: Any
    ) -> Answer:
        def once() -> Answer:
            self._wait_for_turn()
            return self._exchange(method, path, params, content, read)

        try:
            return self._persist(once)
        except Rejected as refused:
            if not self._renewed(refused):
                raise
            return self._persist(once)

    def _renewed(self, refused: Rejected) -> bool:
        renew, self._renew = self._renew, None  # its own request must not renew again
        try:
            headers = renew(refused) if renew else None
        finally:
            self._renew = renew
        if headers is None:
            return False
        self.sign(headers)
        return True

    def _persist(self, once: Callable[[], Answer]) -> Answer:
        """The answer of ``once``, called until it raises no ``Retry``, at most ``TRIES`` times."""
        try:
            return once()  # Nearly always; counting tries costs as much as mapping two posts.
        except Retry as error:
            return self._again(once, error)

    def _again(self, once: Callable[[], Answer], first: Retry) -> Answer:
        """The same after the first try has failed.

        stamina counts and spaces the tries; the pause itself is ours, as it is slept through the
        sleep that was handed in and must end before the deadline.
        """
        import httpx
        import stamina

        # Its own log line names neither source nor reason.
        stamina.instrumentation.set_on_retry_hooks(())
        unreachable = (httpx.ConnectError, httpx.UnsupportedProtocol)
        number, backoff = 0, 0.0

        def pause(error: Exception) -> bool | float:
            if not isinstance(error, Retry) or number == TRIES:
                return False
            if number == CONNECT_TRIES and isinstance(error.__cause__, unreachable):
                failed = SourceFailed(f"{error}: check base_url and the network")
                failed.trouble = error.trouble
                raise failed from error
            self._pause(error, backoff)
            return 0.0

        policy = stamina.retry_context(
            on=pause, attempts=TRIES, timeout=None, wait_initial=0.5, wait_max=60.0
        )
        for attempt in policy:
            number, backoff = attempt.num, attempt.next_wait
            with attempt:
                if number == 1:
                    raise first
                return once()
        raise AssertionError("stamina raises the last error")

    def _wait_for_turn(self) -> None:
        """Let the pause pass that the last answer asked for."""
        if self._not_before is None:
            return
        left = (self._not_before - self.http.clock()).total_seconds()
        self._not_before = None
        if left > 0:
            self._sleep(left, f"{self.name} wants a pause")

    def _pause(self, error: Exception, backoff: float) -> None:
        asked = error.seconds if isinstance(error, RateLimited) else 0.0
        wait = asked or backoff * random.uniform(1.0, 1.5)  # jitter: many runs start on the hour
        self._sleep(wait, str(error))

    def _sleep(self, wait: float, why: str) -> None:
        ends = self.http.clock() + timedelta(seconds=min(wait, 10**9))
        is_late = self.http.deadline is not None and ends > self.http.deadline
        if wait > self.http.patience or is_late:
            raise RateLimited(f"{why}; the wait of {wait:.0f} s is too long for this run", wait)
        _log.info("%s; going on in %.0f s", why, wait)
        self.http.sleep(wait)

    def _exchange(
        self,
        method: str,
        path: str,
        params: Params | None,
        content: Mapping[str, Any],
        read: Read,
    ) -> Answer:
        _body.refuse_late(self.http, self.name)
        asked = {**self._params, **(params or {})}
        query = {key: value for key, value in asked.items() if value is not None}
        url = self._url(path)
        for _ in range(MAX_REDIRECTS):
            where = self._where(url)
            response, raw = self._send(method, url, query, content, where)
            if response.status_code not in _REDIRECTS or method != "GET":
                return self._judge(response, raw, read, where)
            url, query = self._redirected(response), {}
        raise SourceFailed(f"{self.name}: {self._where(url)} redirects in circles: check base_url")

    def _url(self, path: str) -> httpx.URL:
        is_whole = path.startswith(("http://", "https://"))
        return self._own(path if is_whole else self.base_url + path)

    def _redirected(self, response: httpx.Response) -> httpx.URL:
        return self._own(joined(str(response.url), response.headers.get("location", "")))

    def _own(self, url: str) -> httpx.URL:
        """The address if it is on our host (or its https twin); the token goes nowhere else."""
        found = parsed(url)
        if found is not None and is_ours(self._ours, found):
            return found
        where = plain(f"{found.scheme}://{found.host}") if found else "an address that is none"
        raise SourceFailed(
            f"{self.name}: {self._ours.host} sends us on to {where}: "
            "if that is right, set it as base_url of the source in muster.yaml"
        )

    def _send(
        self, method: str, url: httpx.URL, query: Params, content: Mapping[str, Any], where: str
    ) -> tuple[httpx.Response, bytes]:
        import httpx

        try:
            request = self._wire.request(method, url, query, self._signature, content)
            self.http.asked.append(None)  # A list's append is whole, whatever thread it is in.
            response = self._wire.send(request)
            try:
                return response, self._body(response, where)
            finally:
                response.close()
        except (httpx.TransportError, httpx.DecodingError) as error:
            what = self._scrubbed(plain(str(error)) or type(error).__name__)
            # A traceback, too, is read by others: the cause is told in the same words.
            way = self._wire.way_to(url)
            told = f"{self.name}: no answer from {where}{way}: {what}"
            raise Unavailable(told) from type(error)(what)
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            kind = type(error).__name__
            raise SourceFailed(f"{self.name}: {where} cannot be asked for: {kind}") from None

    def _body(self, response: httpx.Response, where: str) -> bytes:
        raw = _body.whole(response, self.http, self.name, where)
        self.http.echoed.update(
            one for one in self._hidden() if len(one) > 11 and one.encode() in raw
        )
        return raw

    def _judge(self, response: httpx.Response, raw: bytes, read: Read, where: str) -> Answer:
        """The answer if it is one; else the error that says what to do about it."""
        status = response.status_code
        body, flaw = _parsed(response, raw, read if status < 300 else json_body)
        answer = Answer(body, status, response.headers, self.http.clock())
        wait = self._wait_of(answer)
        if wait is not None or status == 429:
            raise RateLimited(f"{self.name}: {where} asks to wait ({status})", wait or 0.0)
        if status >= 500 or status in (408, 425):
            raise Unavailable(f"{self.name}: {where} fails ({status})")
        if status >= 300:
            raise Rejected(self._refusal(where, status, body), status, body)
        if flaw:
            raise Unavailable(f"{self.name}: {where} answers with {flaw}")
        if read is json_body:  # A file may come from a cache that does not say so.
            self._compare_clocks(answer, where)
        if pause := self._pause_of(answer):
            self._not_before = answer.seen_at + timedelta(seconds=pause)
        return answer

    def _compare_clocks(self, answer: Answer, where: str) -> None:
        """By a wrong clock an older observation wins, and what is new may be passed over."""
        off = ahead(answer)
        if abs(off) > CLOCKS_AGREE:
            way = "ahead of" if off > timedelta() else "behind"
            minutes = abs(off) // timedelta(minutes=1)
            raise WrongClock(
                f"{self.name}: this computer's clock is {minutes} minutes {way} that of "
                f"{where.partition('/')[0]}: set it right (if theirs is wrong, tell them)"
            )

    def _refusal(self, where: str, status: int, body: Any) -> str:
        said = self._scrubbed(reason(body))
        told = f"{status}: {said}" if said else f"{status}"
        if status in (401, 403):
            return f"{self.name}: {where} is refused ({told}): check the source's token in \
muster.yaml, whether it is still valid, and what it may read"
        if status in (404, 410):
            return f"{self.name}: {where} does not exist ({told}): check base_url and account"
        return f"{self.name}: {where} cannot be asked for ({told})"

    def _hidden(self) -> Iterator[str]:
        yield from self._secrets
        for value in self._signature.values():
            yield from (one for one in (value, value.split(" ")[-1]) if len(one) > 5)

    def _scrubbed(self, text: str) -> str:
        for secret in self._hidden():
            text = text.replace(secret, "***")
        return text

    def _where(self, url: httpx.URL) -> str:
        """Host and path: a query may hold what must not be logged."""
        port = f":{url.port}" if url.port else ""
        return self._scrubbed(plain(f"{url.host}{port}{url.path}"))


def _parsed(response: httpx.Response, raw: bytes, read: Read) -> tuple[Any, str]:
    """The body of an answer and ``""``, or ``None`` and what is wrong with it."""
    if not raw and response.status_code in (202, 204, 205):
        return None, ""
    return read(response.headers.get("content-type", ""), raw)
