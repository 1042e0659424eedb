"""A loopback proxy before a real server: a plan names the fault that each request meets.

A fault is a function of the client's ``Wire`` and of ``ask``, which carries the request to the real
server and gives its answer: it decides whether to ask at all, and what of the answer arrives.
"""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from loopback import HERE, Quiet, served

_OURS = {"connection", "content-length", "transfer-encoding", "keep-alive"}  # of one hop each


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """An answer of the real server, or one that a fault makes up."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Wire:
    """The way back to the client, one answer long."""

    def __init__(self, door: BaseHTTPRequestHandler) -> None:
        self.door = door

    def head(self, answer: Answer, **framing: object) -> bytes:
        """Status line and headers; the framing says how the body's end is found."""
        named = {**answer.headers, **{key.replace("_", "-"): one for key, one in framing.items()}}
        lines = [f"HTTP/1.1 {answer.status} Said"] + [f"{key}: {one}" for key, one in named.items()]
        return "\r\n".join([*lines, "", ""]).encode()

    def say(self, answer: Answer, *, times: int = 1) -> None:
        """The whole answer, in one piece."""
        if self.door.command == "HEAD":  # tells a length and has no body
            self.send(self.head(answer, Content_Length=answer.headers.get("content-length", 0)))
            return
        self.send((self.head(answer, Content_Length=len(answer.body)) + answer.body) * times)

    def send(self, data: bytes) -> None:
        """Bytes as they are; a client that has gone hears nothing."""
        try:
            self.door.connection.sendall(data)
        except OSError:
            self.door.close_connection = True

    def hang_up(self) -> None:
        """End the connection as a server that ends in order."""
        self.door.close_connection = True

    def reset(self) -> None:
        """End the connection as one that breaks: with a reset."""
        linger = struct.pack("ii", 1, 0)
        self.door.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.door.connection.close()
        self.hang_up()

    def wait_until_gone(self, longest: float) -> None:
        """Say nothing until the client has had enough."""
        self.door.connection.settimeout(longest)
        with suppress(OSError):
            self.door.connection.recv(1)
        self.hang_up()


Ask = Callable[[], Answer]
Fault = Callable[[Wire, Ask], None]
Plan = Callable[[Asked], Fault]


# ---- faults that spoil an answer ---------------------------------------------------------------


def none(wire: Wire, ask: Ask) -> None:
    """No fault."""
    wire.say(ask())


def late(wire: Wire, ask: Ask) -> None:
    """A moment late: of two requests at once, the second may be answered first."""
    time.sleep(random.uniform(0, 0.03))
    wire.say(ask())


def in_chunks(wire: Wire, ask: Ask) -> None:
    """Whole, in chunks of odd sizes."""
    answer = ask()
    parts = [answer.body[at : at + 701] for at in range(0, len(answer.body), 701)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    wire.send(wire.head(answer, Transfer_Encoding="chunked") + chunks + b"0\r\n\r\n")


def cut_inside(wire: Wire, ask: Ask) -> None:
    """Half of the body, then the end."""
    answer = ask()
    half = answer.body[: len(answer.body) // 2]
    wire.send(wire.head(answer, Content_Length=len(answer.body)) + half)
    wire.hang_up()


def cut_in_a_chunk(wire: Wire, ask: Ask) -> None:
    """A chunk, and no end of the chunks."""
    answer = ask()
    half = answer.body[: len(answer.body) // 2 + 1]
    wire.send(wire.head(answer, Transfer_Encoding="chunked") + b"%x\r\n%s" % (len(half) + 9, half))
    wire.hang_up()


def cut_short(wire: Wire, ask: Ask) -> None:
    """A length that is too short, and the whole body: its rest stands before the next answer."""
    answer = ask()
    wire.send(wire.head(answer, Content_Length=len(answer.body) * 2 // 3) + answer.body)


def lost(wire: Wire, ask: Ask) -> None:
    """Asked and done, but the connection ends before a word of the answer."""
    ask()
    wire.hang_up()


def reset(wire: Wire, ask: Ask) -> None:
    """Asked and done, then the connection breaks inside the answer's head."""
    answer = ask()
    wire.send(wire.head(answer, Content_Length=len(answer.body))[:20])
    wire.reset()


def twice(wire: Wire, ask: Ask) -> None:
    """The answer two times: the second stands where the next request's answer is read."""
    wire.say(ask(), times=2)


def dripping(wire: Wire, ask: Ask) -> None:
    """Byte after byte, each soon enough: no read of the client ever times out."""
    answer = ask()
    wire.send(wire.head(answer, Content_Length=len(answer.body)))
    for place in range(len(answer.body)):
        wire.send(answer.body[place : place + 1])
        if wire.door.close_connection:
            return
        time.sleep(0.05)


# ---- faults that do not ask the real server ----------------------------------------------------


def refused(wire: Wire, ask: Ask) -> None:
    """The connection ends before the request was read."""
    wire.reset()


def stalled(longest: float = 600.0) -> Fault:
    """Not a word, for as long as the client waits."""
    return lambda wire, ask: wire.wait_until_gone(longest)


def said(status: int, body: bytes = b"", kind: str = "application/json", **headers: str) -> Fault:
    """An answer of the proxy's own."""
    named = {"Content-Type": kind, **{key.replace("_", "-"): one for key, one in headers.items()}}
    answer = Answer(status, body, named)
    return lambda wire, ask: wire.say(answer)


# ---- plans -------------------------------------------------------------------------------------


class Weather:
    """A plan drawn from a seed: each stream of requests meets the same faults in every run.

    A part ``rate`` of the requests meets a fault; once in ``storm_every`` requests a storm begins,
    in which the next ``storm`` all do, so that the client gives up and has to be run again.
    ``stream`` names what is asked one request after the other, ``kinds`` which faults a request
    may meet at all, ``hard`` those that it meets in storms only. ``met`` counts them by name.
    """

    def __init__(
        self,
        seed: int,
        faults: Mapping[str, Fault],
        *,
        rate: float,
        storm_every: int = 80,
        storm: int = 8,
        hard: Mapping[str, Fault] | None = None,
        stream: Callable[[Asked], str] = lambda asked: "",
        kinds: Callable[[Asked, str], bool] = lambda asked, name: True,
    ) -> None:
        self.seed, self.rate, self.storm_every, self.storm = seed, rate, storm_every, storm
        self.stream, self.kinds = stream, kinds
        self.light, self.all = dict(faults), {**faults, **(hard or {})}
        self.met: Counter[str] = Counter()
        self.is_calm = False
        self._draws: dict[str, random.Random] = {}
        self._left: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Fault:
        with self._lock:
            name = "" if self.is_calm else self._drawn(asked)
            self.met[name or "none"] += 1
        return self.all[name] if name else none

    def _drawn(self, asked: Asked) -> str:
        stream = self.stream(asked)
        draw = self._draws.setdefault(stream, random.Random(f"{self.seed} {stream}"))
        if draw.randrange(self.storm_every) == 0:
            self._left[stream] = self.storm
        is_storm = self._left[stream] > 0
        self._left[stream] -= is_storm
        is_fault = draw.random() < self.rate or is_storm
        names = [name for name in (self.all if is_storm else self.light) if self.kinds(asked, name)]
        return draw.choice(names) if is_fault and names else ""


@contextmanager
def before(url: str, plan: Plan) -> Iterator[str]:
    """The proxy's own address, while it stands before the server at ``url``."""
    host = urlsplit(url).netloc

    class Door(Quiet):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, dict(self.headers.items()), body)
            plan(asked)(Wire(self), lambda: _carried(host, asked))

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _do  # noqa: N815

    class Proxy(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that went away in the middle is what is being tried."""

    with served(Proxy(HERE, Door)) as own:
        yield own


def _carried(host: str, asked: Asked) -> Answer:
    """The real server's answer to the same request; a signature holds, as its host stays."""
    connection = http.client.HTTPConnection(host, timeout=60)
    try:
        connection.putrequest(asked.method, asked.path, skip_host=True, skip_accept_encoding=True)
        for key, one in asked.headers.items():
            if key.lower() not in (*_OURS, "expect"):
                connection.putheader(key, one)
        if asked.body or asked.method in ("PUT", "POST"):
            connection.putheader("Content-Length", str(len(asked.body)))
        connection.endheaders(asked.body or None)
        response = connection.getresponse()
        named = {key.lower(): one for key, one in response.getheaders()}
        kept = {key: one for key, one in named.items() if key not in _OURS}
        if asked.method == "HEAD":
            kept["content-length"] = named.get("content-length", "0")
        return Answer(response.status, response.read(), kept)
    finally:
        connection.close()
