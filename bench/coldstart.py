"""Built functions → how long each takes from its process's start to its first answer, and on what.

python bench/coldstart.py [--rounds 7] [--importtime 8]
Needs what ``make coldstart`` builds. Each function runs as on Lambda: its code at /var/task, its
layers at /opt, through Lambda's own client; a loopback S3 answers that the lake is empty. Beside
them an empty handler, in the same rounds. Times are medians; ``cpu`` is what the process used: on a
quiet machine the answer comes after about as long. Fetch and report are asked for something that is
not there, so their answer is an error; measure measures every KPI of the empty lake.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HOUSE / "tests" / "aws"))
BUILT = HOUSE / ".cache" / "coldstart"
GOALS = {"plan": 0.5, "fetch": 0.7, "measure": 0.7, "report": 0.6}
EVENTS = {"fetch": {"source": "nobody"}}
SETTINGS = b"community: Empty\nsources:\n  - {name: old, platform: file}\n"
EMPTY = "def handler(event, context):\n    return {}\n"


@dataclass
class Waiting:
    """What the process is waited for: when it asked for work, and when it answered."""

    event: bytes
    ready: float = 0.0
    answered: float = 0.0
    answer: bytes = b""
    done: threading.Event = field(default_factory=threading.Event)


class Door(BaseHTTPRequestHandler):
    """Lambda's Runtime API and an S3 with one object, whichever is asked."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:  # noqa: N802
        if "/invocation/next" in self.path:
            self._next()
        elif self.path.endswith("/config/muster.yaml"):
            self._say(200, SETTINGS, {"ETag": '"1"'})
        elif "list-type" in self.path:
            self._say(200, b"<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>")
        else:
            self._say(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def do_POST(self) -> None:  # noqa: N802
        waiting = self.server.waiting  # type: ignore[attr-defined]
        waiting.answer = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        waiting.answered = time.time()
        self._say(202, b"")
        waiting.done.set()

    def do_PUT(self) -> None:  # noqa: N802
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        conditional = "If-Match" in self.headers or (
            "If-None-Match" in self.headers and self.path in self.server.there  # type: ignore
        )
        self.server.there.add(self.path)  # type: ignore[attr-defined]
        code = b"<Error><Code>PreconditionFailed</Code></Error>"
        self._say(412, code) if conditional else self._say(200, b"", {"ETag": '"1"'})

    def do_DELETE(self) -> None:  # noqa: N802
        self._say(204, b"")

    def do_HEAD(self) -> None:  # noqa: N802
        self._say(404, b"")

    def _next(self) -> None:
        waiting = self.server.waiting  # type: ignore[attr-defined]
        if waiting.ready:
            waiting.done.wait(30)
            return
        waiting.ready = time.time()
        # The client's native part crashes if one of these is missing.
        headers = {
            "Lambda-Runtime-Aws-Request-Id": "1",
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 60) * 1000)),
            "Lambda-Runtime-Trace-Id": "Root=1-0-0",
            "Content-Type": "application/json",
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:0:function:f",
        }
        self._say(200, waiting.event, headers)

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Start:
    """One cold start, in seconds."""

    ready: float
    answered: float
    cpu: float
    said: str


class Server(ThreadingHTTPServer):
    """One thread a connection; closing connections make no noise."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """The process is stopped in the middle of its next question."""


def start(code: Path, name: str, log: Path, profile: bool = False) -> Start:
    """Start a function's process, ask it once, and stop it."""
    server = Server(("127.0.0.1", 0), Door)
    server.there = set()  # type: ignore[attr-defined]
    waiting = Waiting(json.dumps({"run": "bench", **EVENTS.get(name, {})}).encode())
    server.waiting = waiting  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    read, write = os.pipe()
    with log.open("wb") as said:
        process = subprocess.Popen(
            [str(code / "bootstrap")], env=environment(code, server.server_port, write, profile),
            stdout=said, stderr=said, pass_fds=(write,), start_new_session=True,
        )  # fmt: skip
        os.close(write)
        if not waiting.done.wait(60):
            raise RuntimeError(f"{name} did not answer: {log.read_text(errors='replace')[-2000:]}")
        os.killpg(process.pid, signal.SIGKILL)
        _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    server.shutdown()
    server.server_close()
    with os.fdopen(read) as told:
        began = float(told.readline())
    answer = json.loads(waiting.answer or b"{}")
    said = str(answer.get("errorType") or sorted(answer))
    cpu = used.ru_utime + used.ru_stime
    return Start(waiting.ready - began, waiting.answered - began, cpu, said)


def environment(code: Path, port: int, started: int, profile: bool) -> dict[str, str]:
    """What Lambda tells a function, with a loopback S3 for AWS."""
    found = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_LAMBDA_FUNCTION_NAME": code.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench",
        "LAMBDA_TASK_ROOT": str(code), "_HANDLER": "app.handler", "PATH": os.environ["PATH"],
        "MUSTER_LAKE": "s3://lake", "MUSTER_SITE": "s3://site", "STARTED": str(started),
        "MUSTER_SETTINGS": "config", "MUSTER_CATALOGUE": "muster",
    }  # fmt: skip
    return found | ({"PYTHONPROFILEIMPORTTIME": "1"} if profile else {})


def spent(log: Path, most: int) -> list[tuple[str, float]]:
    """The packages whose modules took longest to import themselves, in milliseconds."""
    sums: defaultdict[str, float] = defaultdict(float)
    text = log.read_text("utf-8", errors="replace")
    for own, module in re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)", text):
        parts = module.split(".")
        sums[".".join(parts[: 2 if parts[0] == "muster" else 1])] += int(own) / 1000
    return sorted(sums.items(), key=lambda pair: -pair[1])[:most]


def localized() -> dict[str, Path]:
    """The code of every function, and of an empty one, each with its ``bootstrap``."""
    import yaml
    from localize import localize
    from world import tools

    target = BUILT / "localized"
    template = localize(BUILT / "built", target, tools().runtime, Path(os.devnull))
    resources = yaml.safe_load(template.read_text("utf-8"))["Resources"]
    found = {
        name.removesuffix("Function").lower(): Path(one["Properties"]["CodeUri"])
        for name, one in resources.items()
        if one["Type"] == "AWS::Serverless::Function"
    }
    empty = target / "Empty"
    empty.mkdir()
    (empty / "app.py").write_text(EMPTY, "utf-8")
    (empty / "bootstrap").write_text((found["plan"] / "bootstrap").read_text("utf-8"), "utf-8")
    (empty / "bootstrap").chmod(0o755)
    return {"empty": empty, **found}


def main() -> None:
    """Every function in turn, round by round; then what each imports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--importtime", type=int, default=8, help="packages told per function")
    chosen = parser.parse_args()
    if not (BUILT / "built" / "template.yaml").exists():
        print("nothing is built: make coldstart")
        return
    codes = localized()
    starts: dict[str, list[Start]] = {name: [] for name in codes}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        for _ in range(chosen.rounds):
            for name, code in codes.items():
                starts[name].append(start(code, name, log))
        heads = f"{'ready':>8}{'answer':>8}{'cpu':>8}{'goal':>8}   x empty   what it said"
        print(f"{'function':10}{heads}")
        for name, found in starts.items():
            tell(name, found, starts["empty"])
        for name, code in codes.items():
            start(code, name, log, profile=True)
            told = ", ".join(f"{one} {took:.0f}" for one, took in spent(log, chosen.importtime))
            print(f"{name}: {told} ms")


def tell(name: str, found: list[Start], empty: list[Start]) -> None:
    """One line of the table."""

    def median(of: list[Start], what: str) -> float:
        return statistics.median(getattr(one, what) for one in of)

    goal = f"{GOALS[name]:8.2f}" if name in GOALS else " " * 8
    times = "".join(f"{median(found, what):8.3f}" for what in ("ready", "answered", "cpu"))
    ratio = median(found, "answered") / median(empty, "answered")
    print(f"{name:10}{times}{goal}   {ratio:7.1f}   {found[0].said}")


if __name__ == "__main__":
    main()
