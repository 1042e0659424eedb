"""The repository → a local AWS with the stack in it, the platforms running, the first run done."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from emulator import Aws, free_port, running
from localize import Runtime
from passage import Ended, drop, fire, put_settings, schedules
from recorder import Recorder, recording
from stack import HOUSE, Stack, Tools, deploy

sys.path.insert(0, str(HOUSE))
import demo  # noqa: E402

CACHE = HOUSE / ".cache"
# In the order in which one needs the other; a report's schedule is made by the first fetch.
MACHINES = ("Collect", "Reporting")


@dataclass
class World:
    """What runs, and what came of the first run: how each state machine ended."""

    aws: Aws
    recorder: Recorder
    platforms: demo.Server
    tools: Tools
    work: Path
    built: Path
    stack: Stack
    settings: str
    ran: dict[str, Ended] = field(default_factory=dict)

    @property
    def callers(self) -> Path:
        """Where each started function wrote its key and its name."""
        return self.work / "callers.txt"

    def deploy(self, built: Path, **chosen: str) -> None:
        """Deploy over the running stack."""
        self.stack = deploy(self.aws, self.tools, built, self.work, chosen)

    def put_settings(self, text: str) -> None:
        """Lay settings into the lake, as the functions find them from now on."""
        put_settings(self.stack, text, self.platforms.tokens)

    def muster(self, *words: str, said: str = "") -> str:
        """The command line on the stack's lake, from a project folder beside it."""
        place = self.aws.environment | {"AWS_ENDPOINT_URL": self.recorder.url}
        command = [sys.executable, "-m", "muster", "-C", str(self.work / "project"), *words]
        ended = subprocess.run(
            command, env=place, input=said, capture_output=True, text=True, cwd=HOUSE
        )
        if ended.returncode:
            raise RuntimeError(f"muster {' '.join(words)}: {ended.stdout}{ended.stderr}")
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
    """Build, deploy, lay down the settings and the history; everything stops at the end."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    program, port = CACHE / "aws-emulator" / "bin" / "ministack", free_port()
    with (
        recording(f"http://127.0.0.1:{port}") as recorder,
        running(program, work, port, functions_call=recorder.url) as aws,
    ):
        say(f"a local AWS answers at {aws.url}")
        platforms = demo.start(datetime.now(UTC).replace(microsecond=0))
        found = None
        try:
            built = tools().built(work / "built")
            say("built by sam build")
            stack = deploy(aws, tools(), built, work)
            say(f"deployed: {len(stack.resources)} resources")
            found = World(aws, recorder, platforms, tools(), work, built, stack, "")
            _lay_down(found)
            yield found
        finally:
            (found.platforms if found else platforms).stop()


def _lay_down(found: World) -> None:
    """The demo's settings, its tokens, and the history that it imports; as a person does it."""
    folder = found.work / "project"
    histories = found.platforms.write_project(folder)
    found.settings = (folder / "muster.yaml").read_text("utf-8")
    text = found.settings.replace("lake: ./lake", f"lake: {found.stack.outputs['Lake']}")
    for name, value in found.platforms.tokens.items():
        found.muster("secret", "set", name, "--stack", found.stack.name, said=f"{value}\n")
        text = text.replace(f"env:{name}", f"ssm:/{found.stack.name}/{name}")
    (folder / "muster.yaml").write_text(text, "utf-8")
    found.muster("config", "push", "--stack", found.stack.name)
    drop(found.stack, {f"inbox/audience/{source}/{path.name}": path
                       for source, path in histories.items()})  # fmt: skip


def run(found: World, say: Callable[[str], None] = lambda _: None) -> None:
    """What the schedules do in a week: fetch, then measure, then each report."""
    for machine in MACHINES:
        arn = found.stack.resources[machine]
        due = [one for one in schedules(found.stack) if one["Target"]["Arn"] == arn]
        for one in sorted(due, key=lambda one: one["GroupName"] != "default"):
            ended = found.ran[f"{machine} {one['Target']['Input']}"] = fire(found.stack, one)
            say(f"{one['GroupName']}/{one['Name']}: {ended.status} {ended.cause}")
