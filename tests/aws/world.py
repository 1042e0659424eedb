"""The repository → a local AWS with the stack in it, the platforms running, the first run done."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from emulator import Aws, free_port, running
from localize import Runtime
from passage import Ended, drop, fire, put_settings, schedules
from recorder import Recorder, Request, recording
from stack import CHOSEN, HOUSE, Stack, Tools, clone, words

sys.path.insert(0, str(HOUSE))
import demo  # noqa: E402
from demo.x_api import REFRESH  # noqa: E402

CACHE = HOUSE / ".cache"
# In the order in which one needs the other; a report's schedule is made by the first fetch.
MACHINES = ("Collect", "Reporting")
NONE: Mapping[str, str] = MappingProxyType({})


@dataclass
class World:
    """What runs, and what came of the first run: how each state machine ended."""

    aws: Aws
    recorder: Recorder
    platforms: demo.Server
    tools: Tools
    work: Path
    clone: Path
    stack: Stack
    settings: str = ""
    deployed: str = ""
    ran: dict[str, Ended] = field(default_factory=dict)

    @property
    def callers(self) -> Path:
        """Where each started function wrote its key and its name."""
        return self.work / "callers.txt"

    def deploy(self, clone: Path, *flags: str, **chosen: str) -> str:
        """Deploy over the running stack, if there is one; what was said."""
        said = self.muster(*words(clone, chosen, *flags), more=self.tools.environment(self.work))
        self.stack = Stack(self.aws)
        return said

    def put_settings(self, text: str) -> None:
        """Lay settings into the lake, as the functions find them from now on."""
        put_settings(self.stack, text, self.platforms.tokens)

    def muster(
        self, *words: str, said: str = "", folder: str = "project", more: Mapping[str, str] = NONE
    ) -> str:
        """The command line on the stack, from a folder of settings; what it says."""
        # SES is asked through the recorder, which can answer as a new account's would.
        place = {**self.aws.environment, "AWS_ENDPOINT_URL_SESV2": self.recorder.url, **more}
        command = [sys.executable, "-m", "muster", "-C", str(self.work / folder), *words]
        ended = subprocess.run(
            command, env=place, input=said, capture_output=True, text=True, cwd=HOUSE
        )
        if ended.returncode:
            said = f"{ended.stdout[-6000:]}{ended.stderr[-6000:]}"
            raise RuntimeError(f"muster {' '.join(words)}: {said}")
        return ended.stdout

    def restart_platforms(self) -> None:
        """The same platforms at the same address, without rate limits.

        They tell when to come back by this machine's clock, and the laptop's goes after.
        """
        now, port = self.platforms.now, self.platforms.port
        self.platforms.stop()
        self.platforms = demo.start(now, port, are_limited=False)


def tools() -> Tools:
    """The programs that the Makefile has put into .cache."""
    python = Path((CACHE / "aws-runtime" / "python").read_text("utf-8").strip())
    uv = shutil.which("uv") or str(CACHE / "uv" / "bin" / "uv")
    packages = next((CACHE / "aws-runtime").glob("lib/python3.*/site-packages"))
    runtime = Runtime(python.parents[1], packages, "3.13")
    return Tools(CACHE / "aws" / "bin" / "sam", Path(uv), runtime)


@contextmanager
def world(work: Path, say: Callable[[str], None] = lambda _: None) -> Iterator[World]:
    """Deploy, lay down the settings and the history; everything stops at the end."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    program, port = CACHE / "aws-emulator" / "bin" / "ministack", free_port()
    with (
        recording(f"http://127.0.0.1:{port}") as recorder,
        running(program, work, port, functions_call=recorder.url) as aws,
    ):
        say(f"a local AWS answers at {aws.url}")
        now = datetime.now(UTC).replace(microsecond=0)
        found = World(
            aws, recorder, demo.start(now), tools(), work, clone(work / "clone"), Stack(aws)
        )
        found.tools.lay_out(work)
        try:
            histories = _write_settings(found)
            with in_the_sandbox(recorder):
                found.deployed = found.deploy(found.clone, "--push", **CHOSEN)
            (work / "deploy.log").write_text(found.deployed, "utf-8")
            say(f"muster deploy: {len(found.stack.resources)} resources")
            _lay_down(found, histories)
            say("secrets and a history laid down")
            yield found
        finally:
            found.platforms.stop()


@contextmanager
def in_the_sandbox(recorder: Recorder) -> Iterator[None]:
    """SES as a new account has it; the local AWS knows no sandbox."""
    told = {
        "ProductionAccessEnabled": False, "SendingEnabled": True, "EnforcementStatus": "HEALTHY",
        "SendQuota": {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 0.0},
    }  # fmt: skip

    def answer(request: Request) -> tuple[int, bytes] | None:
        return (200, json.dumps(told).encode()) if request.path == "/v2/email/account" else None

    recorder.refuse = answer
    try:
        yield
    finally:
        recorder.refuse = lambda _: None


def _write_settings(found: World) -> Mapping[str, Path]:
    """The demo's settings as a stack's: its tokens in SSM. Returns the histories to import."""
    folder = found.work / "project"
    histories = found.platforms.write_project(folder)
    found.settings = text = (folder / "muster.yaml").read_text("utf-8")
    for name in found.platforms.tokens:
        text = text.replace(f"env:{name}", f"ssm:/{found.stack.name}/{name}")
    (folder / "muster.yaml").write_text(text, "utf-8")
    return histories


def secrets(found: World) -> Mapping[str, str]:
    """The demo's tokens, X's as those of a user: fetching has to keep each new refresh token."""
    signed_in = {"client_id": "demo", "refresh_token": f"{REFRESH}0"}
    return {**found.platforms.tokens, "DEMO_X_BEARER": json.dumps(signed_in)}


def _lay_down(found: World, histories: Mapping[str, Path]) -> None:
    """The tokens, and the history that is imported; as a person does it."""
    for name, value in secrets(found).items():
        found.muster("secret", "set", name, "--stack", found.stack.name, said=f"{value}\n")
    drop(found.stack, {f"inbox/audience/{source}/{path.name}": path
                       for source, path in histories.items()})  # fmt: skip


def every(_: World, __: Mapping[str, Any]) -> bool:
    """Every schedule."""
    return True


def run(
    found: World,
    say: Callable[[str], None] = lambda _: None,
    wanted: Callable[[World, Mapping[str, Any]], bool] = every,
) -> None:
    """What the schedules do in a week: fetch, then measure, then each report."""
    for machine in MACHINES:
        arn = found.stack.resources[machine]
        due = [one for one in schedules(found.stack)
               if one["Target"]["Arn"] == arn and wanted(found, one)]  # fmt: skip
        for one in sorted(due, key=lambda one: one["GroupName"] != "default"):
            ended = found.ran[f"{machine} {one['Target']['Input']}"] = fire(found.stack, one)
            say(f"{one['GroupName']}/{one['Name']}: {ended.status} {ended.cause}")
