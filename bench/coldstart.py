"""Built functions → how long each takes from its process's start to its first answer, and on what.

python bench/coldstart.py [--rounds 7] [--listed 10] [--weeks 2]
Needs what ``make coldstart`` builds. Each function runs as on Lambda: its code at /var/task, its
layers at /opt, through Lambda's own client; S3, Glue, SSM, SES and the platform answer on loopback.
Beside them an empty handler, in the same rounds.

Every answer is a success. The settings are the demo's; the lake has the last ``--weeks`` of its
forum and of X, fetched and measured by these very functions before. Each start finds it as it was
then: plan names the one source that is due, fetch asks X and finds nothing new, measure measures it
all, report mails one reader by SES, unsubscribe asks them back, inbox takes a file of one row,
erase forgets a member of no message.

``ready`` is when the process asked for work, ``lake`` when it had a file of the lake's tables,
``answer`` when it had done its work; all are medians, in seconds. ``cpu`` is what the process
used: what the answer took beyond it was waiting, for the servers or for a busy machine. ``MB`` is
its memory at the peak. ``--weeks 60``, all there are, tells what a function needs of both.
The goal is for the answer; of measure, whose work is as long as a lake is large, for ``lake``.
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
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

HOUSE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HOUSE), str(HOUSE / "tests" / "aws")]

from loopback_aws import SECRET, Account, serving  # noqa: E402

import demo  # noqa: E402
from muster.sending import leaving  # noqa: E402

BUILT = HOUSE / ".cache" / "coldstart"
GOALS = {"plan": 0.5, "fetch": 0.7, "measure": 0.7, "report": 0.6}
READER = "team@nordufer.example"
DROPPED = "inbox/survey_responses/forum/csat.csv"
ROW = b"response_id,survey,score,score_max,created_at\nr1,csat,5,5,2026-11-01T10:00:00Z\n"
MAILING = {
    "MUSTER_MAIL": "ses", "MUSTER_SENDER": "desk@example.org",
    "MUSTER_SITE_URL": "https://site.example/",
    "MUSTER_UNSUBSCRIBE_URL": "https://unsubscribe.example/",
    "MUSTER_UNSUBSCRIBE_SECRET": "ssm:/muster/unsubscribe",
}  # fmt: skip
EVENTS: Mapping[str, Mapping[str, object]] = {
    "fetch": {"source": "x", "turn": 1},
    "report": {"report": "weekly", "recipient": READER},
    "unsubscribe": {
        "requestContext": {"http": {"method": "GET"}},
        "queryStringParameters": {"u": leaving.token(SECRET, "weekly", READER)},
    },
    "inbox": {"source": "aws.s3", "detail": {"object": {"key": DROPPED}}},
    "erase": {"source": "forum", "member": "nobody"},
}
EMPTY = "def handler(event, context):\n    return {}\n"
# What a first call spends beside importing, by package; a builtin counts for who calls it.
PROFILED = """
import collections, contextlib, cProfile, importlib, json, os, pstats
import app

WAITS = ("'poll'", "'recv'", "'recv_into'", "'accept'", "'connect'", "'do_handshake'")
for name in os.environ["IMPORTED"].split():
    with contextlib.suppress(ImportError):
        importlib.import_module(name)

def package(place):
    file = place[0].split("/opt/python/")[-1].split("/var/runtime/")[-1].removesuffix(".py")
    parts = file.split("/python3.13/")[-1].split("/")
    return ".".join(parts[: 2 if parts[0] == "muster" else 1])

def handler(event, context):
    profile = cProfile.Profile()
    answer = profile.runcall(app.handler, event, context)
    sums = collections.Counter()
    for place, (_, _, own, _, callers) in pstats.Stats(profile).stats.items():
        if place[0] != "~":
            sums[package(place)] += own
        for caller, (_, _, part, _) in callers.items() if place[0] == "~" else ():
            is_waiting = any(name in place[2] for name in WAITS)
            sums["waiting" if is_waiting else package(caller)] += part
    print("spent in the call", json.dumps(sums))
    return answer
"""


@dataclass(frozen=True)
class Start:
    """One cold start, in seconds; ``lake`` is 0 where no table was read."""

    ready: float
    lake: float
    answered: float
    cpu: float
    mb: float
    said: str


def start(
    code: Path,
    name: str,
    account: Account,
    log: Path,
    also: Mapping[str, str] = MappingProxyType({}),
    **said: object,
) -> Start:
    """Start a function's process, ask it once, and stop it; ``account`` is what it leaves."""
    read, write = os.pipe()
    event = {"run": "bench", **EVENTS.get(name, {}), **said}
    with serving(account, event) as server, log.open("wb") as lines:
        process = subprocess.Popen(
            [str(code / "bootstrap")], env=environment(code, server.server_port, write) | also,
            stdout=lines, stderr=lines, pass_fds=(write,), start_new_session=True,
        )  # fmt: skip
        os.close(write)
        waiting = server.waiting
        is_done = waiting.done.wait(120)
        mb = peak(process.pid)
        os.killpg(process.pid, signal.SIGKILL)
        _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    with os.fdopen(read) as told:
        began = float(told.readline())
    answer = json.loads(waiting.answer or b"{}")
    if not is_done or "errorType" in answer:
        raise RuntimeError(f"{name}: {answer}: {log.read_text(errors='replace')[-2000:]}")
    lake = waiting.asked_lake - began if waiting.asked_lake else 0.0
    if name == "measure" and not lake:
        raise RuntimeError("measure read no table of the lake, so its goal says nothing")
    cpu = used.ru_utime + used.ru_stime
    times = waiting.ready - began, lake, waiting.answered - began, cpu
    return Start(*times, mb, short(answer))


def peak(pid: int) -> float:
    """The most memory a running process had, in MB; its resource usage would tell its parent's."""
    told = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(told.partition("VmHWM:")[2].split()[0]) / 1024


def short(answer: Mapping[str, object]) -> str:
    """An answer in a few words: lists by their length, no long text."""
    told = {key: len(one) if isinstance(one, list) else one for key, one in answer.items()}
    plain = {key: one for key, one in told.items() if isinstance(one, int | float | str) and one}
    return " ".join(f"{key}={one}" for key, one in plain.items() if len(str(one)) < 40)


def environment(code: Path, port: int, started: int) -> dict[str, str]:
    """What Lambda tells a function, with a loopback account for AWS."""
    return {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_LAMBDA_FUNCTION_NAME": code.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench",
        "LAMBDA_TASK_ROOT": str(code), "_HANDLER": "app.handler", "PATH": os.environ["PATH"],
        "MUSTER_LAKE": "s3://lake", "MUSTER_SITE": "s3://site", "STARTED": str(started),
        "MUSTER_SETTINGS": "config", "MUSTER_CATALOGUE": "muster", **MAILING, **demo.TOKENS,
    }  # fmt: skip


def imports(log: str) -> list[tuple[str, float]]:
    """Every module and how long it took to import itself, in seconds."""
    found = re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)", log)
    return [(module, int(own) / 1e6) for own, module in found]


def by_package(modules: Iterable[tuple[str, float]]) -> dict[str, float]:
    """The seconds of packages; muster's own one by one."""
    sums: defaultdict[str, float] = defaultdict(float)
    for module, took in modules:
        parts = module.split(".")
        sums[".".join(parts[: 2 if parts[0] == "muster" else 1])] += took
    return sums


def call(log: str) -> dict[str, float]:
    """The packages → the seconds they used in the first call beside importing, as profiled."""
    found = re.search(r"spent in the call (\{.*\})", log)
    return dict(json.loads(found[1])) if found else {}


def listed(sums: Mapping[str, float], most: int) -> str:
    """What took longest, in milliseconds, and all of it."""
    longest = sorted(sums.items(), key=lambda pair: -pair[1])[:most]
    told = ", ".join(f"{name} {took * 1000:.0f}" for name, took in longest)
    return f"{sum(sums.values()) * 1000:.0f} ms: {told}"


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
    for code in found.values():
        (code / "profiled.py").write_text(PROFILED, "utf-8")
    return {"empty": empty, **found}


@contextmanager
def prepared(codes: Mapping[str, Path], log: Path, weeks: int) -> Iterator[Account]:
    """The demo's settings and some weeks of two platforms, fetched and measured; they run on."""
    now = datetime.now(UTC)
    with demo.start(now, are_limited=False) as server, tempfile.TemporaryDirectory() as folder:
        server.write_project(Path(folder))
        settings = (Path(folder) / "muster.yaml").read_text("utf-8")
        since = f"    since: {now.date() - timedelta(weeks=weeks)}"
        settings = re.sub("^    since: .*", since, settings, flags=re.MULTILINE)
        account = Account({"/lake/config/muster.yaml": settings.encode()})
        for source in ("forum", "x"):
            told = start(codes["fetch"], "fetch", account, log, source=source)
            print(f"first fetch: {told.cpu:.1f} s of processor, {told.mb:.0f} MB: {told.said}")
        start(codes["measure"], "measure", account, log)
        account.objects[f"/lake/{DROPPED}"] = ROW
        yield account


def main() -> None:
    """Every function in turn, round by round; then what each spends its time on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--listed", type=int, default=10, help="packages told per function")
    parser.add_argument("--weeks", type=int, default=2, help="of the demo's life in the lake")
    chosen = parser.parse_args()
    if not (BUILT / "built" / "template.yaml").exists():
        print("nothing is built: make coldstart")
        return
    codes = localized()
    starts: dict[str, list[Start]] = {name: [] for name in codes}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with prepared(codes, log, chosen.weeks) as account:
            for _ in range(chosen.rounds):
                for name, code in codes.items():
                    starts[name].append(start(code, name, account.copy(), log))
            tell(starts)
            for name, code in list(codes.items())[1:]:
                spent(code, name, account, log, chosen.listed)


def spent(code: Path, name: str, account: Account, log: Path, most: int) -> None:
    """What one function's start and first call take, each in a run of its own."""
    start(code, name, account.copy(), log, {"PYTHONPROFILEIMPORTTIME": "1"})
    modules = imports(log.read_text("utf-8", errors="replace"))
    print(f"{name} imports {listed(by_package(modules), most)}")
    names = " ".join(sorted({module for module, _ in modules}))
    profiled = {"_HANDLER": "profiled.handler", "IMPORTED": names}
    start(code, name, account.copy(), log, profiled)
    print(f"{name} then calls {listed(call(log.read_text('utf-8', errors='replace')), most)}")


def tell(starts: Mapping[str, list[Start]]) -> None:
    """One line a function."""

    def median(name: str, what: str) -> float:
        return statistics.median(getattr(one, what) for one in starts[name])

    heads = "".join(f"{head:>8}" for head in ("ready", "lake", "answer", "cpu", "MB", "goal"))
    print(f"{'function':10}{heads}   x empty   what it answered")
    for name, found in starts.items():
        times = "".join(
            f"{median(name, what):8.3f}" for what in ("ready", "lake", "answered", "cpu")
        )
        goal = f"{GOALS[name]:8.2f}" if name in GOALS else " " * 8
        times += f"{median(name, 'mb'):8.0f}"
        ratio = median(name, "answered") / median("empty", "answered")
        print(f"{name:10}{times}{goal}   {ratio:7.1f}   {found[0].said}")


if __name__ == "__main__":
    main()
