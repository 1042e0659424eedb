"""A simulated community and the platforms it lives on, served on loopback for ``muster demo``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import Request, urlopen

from demo.audience import audience_csv
from demo.exchange import stamp
from demo.people import SOURCES
from demo.project import TOKENS, write_project
from demo.stories import DEFAULT_NOW

__all__ = ["DEFAULT_NOW", "SOURCES", "TOKENS", "Server", "audience_csv", "start"]


@dataclass
class Server:
    """A running server in a process of its own; leaving the ``with`` block stops it."""

    process: subprocess.Popen[str]
    port: int
    now: datetime

    @property
    def base_url(self) -> str:
        """Where all three platforms answer."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def tokens(self) -> Mapping[str, str]:
        """The environment variables that the demo's muster.yaml names."""
        return TOKENS

    def write_project(self, folder: Path) -> Mapping[str, Path]:
        """Write muster.yaml and the audience history; returns source → CSV file to import."""
        histories = self._call("/_demo/audience")
        return write_project(folder, self.now, self.port, histories)

    def move_to(self, now: datetime) -> None:
        """Let the simulated time pass; edits and deletions up to ``now`` happen."""
        self._call("/_demo/now", {"now": stamp(now)})
        self.now = now

    def truth(self, *, with_ids: bool = False) -> dict[str, Any]:
        """What really happened so far; see ``demo.truth``."""
        return self._call("/_demo/truth" + ("?ids=1" if with_ids else ""))

    def asked(self) -> dict[str, int]:
        """How many requests each platform answered with which status: ``{"x 429": 2}``."""
        found: dict[str, int] = self._call("/_demo/asked")["asked"]
        return found

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.stop()

    def _call(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.base_url + path, data, {"Content-Type": "application/json"})
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)


def start(now: datetime | None = None, port: int = 0, *, are_limited: bool = True) -> Server:
    """Start the server in a process of its own and wait until it answers.

    ``now`` (aware) is the simulated instant: the 60 weeks end with its Monday, and nothing later
    exists. ``port`` 0 takes a free one. ``are_limited=False`` switches the rate limits off.
    """
    at = now or DEFAULT_NOW
    command = [sys.executable, "-m", "demo", "--serve", "--now", stamp(at), "--port", str(port)]
    if not are_limited:
        command.append("--unlimited")
    root = Path(__file__).resolve().parents[1]
    paths = [str(root), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"the demo server did not start: {' '.join(command)}")
    return Server(process, int(json.loads(line)["port"]), at)
