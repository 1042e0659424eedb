"""A server between the functions and the local AWS → what each of them called, and every mail.

The local AWS takes a mail apart and forgets how it was put together, and keeps no list of calls;
here both go by. The caller is known by its key, which each function's ``bootstrap`` wrote down.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

MISJUDGED = {"ses", "scheduler"}
SEND = "/v2/email/outbound-emails"
SIGNING = re.compile("authorization|x-amz-security-token|x-amz-date", re.IGNORECASE)
OF_ONE_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Request:
    """A request as a function sent it, and the status it was answered with."""

    key: str
    service: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int


@dataclass
class Recorder:
    """What went by so far; ``mails`` holds the MIME bytes in the order they were taken.

    ``refuse`` may answer a request (status 0 so far) instead of AWS: a status and a body, or none.
    """

    server: str
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    refuse: Callable[[Request], tuple[int, bytes] | None] = lambda _: None

    @property
    def mails(self) -> list[bytes]:
        """Each mail that was accepted, as it was handed over."""
        sent = [one for one in self.requests if one.path == SEND and one.status == 200]
        found = [json.loads(one.body)["Content"].get("Raw", {}).get("Data", "") for one in sent]
        return [base64.b64decode(data) for data in found if data]


class _Door(BaseHTTPRequestHandler):
    """Passes a request on, and notes it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def handle_expect_100(self) -> bool:
        """Say "go on" at once: who waits for it in vain waits a second each time."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        key, service = _signer(headers.get("authorization", ""))
        asked = Request(key, service, self.command, self.path, headers, body, 0)
        refused = self.server.recorder.refuse(asked)
        status, answered, content = (*refused[:1], [], refused[1]) if refused else self._ask(body)
        self.server.recorder.requests.append(replace(asked, status=status))
        self._answer(status, answered, content)

    def _signed(self, body: bytes) -> list[tuple[str, str]]:
        """The headers as they came, or signed by the account where the local AWS misjudges roles.

        It asks whether a role may mail from every identity there is, and make schedules in the
        default group, whichever is named; ``allowed.py`` looks at what was really called.
        """
        headers = list(self.headers.items())
        _, service = _signer(self.headers.get("Authorization", ""))
        if service not in MISJUDGED:
            return headers
        kept = {name: value for name, value in headers
                if not SIGNING.fullmatch(name)}  # fmt: skip
        url = f"http://{self.headers['Host']}{self.path}"
        asked = AWSRequest(self.command, url, kept, body)
        SigV4Auth(Credentials("test", "test"), service, "eu-central-1").add_auth(asked)
        return list(asked.headers.items())

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        # A new connection each time: the server closes idle ones, just as one is used again.
        behind = HTTPConnection(urlsplit(self.server.recorder.server).netloc, timeout=900)
        behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self._signed(body):
            if name.lower() not in {"connection", "expect"}:
                behind.putheader(name, value)
        # Functions call AWS by TLS; here the last stretch is plain, and buckets ask for TLS.
        behind.putheader("X-Forwarded-Proto", "https")
        behind.endheaders(body)
        with closing(behind), behind.getresponse() as answer:
            return answer.status, answer.getheaders(), answer.read()

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        length = str(len(content))
        for name, value in headers:
            if name.lower() not in OF_ONE_HOP:
                self.send_header(name, value)
            elif name.lower() == "content-length" and self.command == "HEAD":
                length = value
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _pass_on  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing for each request."""


class _Server(ThreadingHTTPServer):
    """One thread a connection."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.recorder = recorder


def _signer(authorization: str) -> tuple[str, str]:
    """Whose key signed, for which service."""
    _, _, rest = authorization.partition("Credential=")
    parts = rest.partition(",")[0].split("/")
    return (parts[0], parts[3]) if len(parts) == 5 else ("", "")


@contextmanager
def recording(server: str) -> Iterator[Recorder]:
    """Stand before a local AWS; ``url`` is where the functions call it then."""
    recorder = Recorder(server)
    door = _Server(recorder)
    recorder.url = f"http://127.0.0.1:{door.server_port}"
    thread = threading.Thread(target=door.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        door.shutdown()
        door.server_close()


def save_mails(recorder: Recorder, folder: Path) -> int:
    """Every mail that SES took, as a file; tells how many."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, mail in enumerate(recorder.mails, 1):
        (folder / f"{number}.eml").write_bytes(mail)
    return len(recorder.mails)
