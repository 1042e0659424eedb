"""Chat services on loopback: what apprise posts to them arrives here as it would there.

A proxy answers every CONNECT as the host that is asked for, with a certificate of this machine's
own, so that Slack's, Discord's, Telegram's and Teams' real addresses are used and nothing leaves.
"""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from loopback import HERE, Quiet, served

HOSTS = ("hooks.slack.com", "discord.com", "api.telegram.org", "prod-00.westus.logic.azure.com")


@dataclass
class Chats:
    """What was posted: (host, path, JSON); ``status`` is what the next posts are answered with."""

    port: int = 0
    status: int = 200
    posts: list[tuple[str, str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def certificate(folder: Path) -> Path:
    """A key and a certificate for all the hosts, signed by itself."""
    names = ",".join(f"DNS:{host}" for host in HOSTS)
    file = folder / "chats.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=chats", "-addext", f"subjectAltName={names}", "-keyout", "key.pem", "-out", file],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    file.write_text(file.read_text() + (folder / "key.pem").read_text())
    return file


@contextmanager
def running(file: Path) -> Iterator[Chats]:
    """The proxy, which answers plain requests too; ``file`` is from :func:`certificate`."""
    chats = Chats()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = ThreadingHTTPServer(HERE, _handler(chats, context))
    chats.port = server.server_port
    with served(server):
        yield chats


def _handler(chats: Chats, context: ssl.SSLContext) -> type[BaseHTTPRequestHandler]:
    class Handler(Quiet):
        def do_CONNECT(self) -> None:  # noqa: N802
            self.send_response(200)
            self.end_headers()
            with context.wrap_socket(self.connection, server_side=True) as inside:
                Handler(inside, self.client_address, self.server)
            self.close_connection = True

        def do_POST(self) -> None:  # noqa: N802
            if chats.status == 0:  # cut off without a word
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers["Content-Length"]))
            chats.posts.append((self.headers["Host"], self.path, json.loads(body)))
            self.send_response(chats.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok" if "slack" in self.headers["Host"] else b"{}")

    return Handler
