"""The KPI catalogue on a big simulated lake, beside its yardsticks → processor time as ratios.

python bench/catalogue.py [--messages N] [--times K] [--lake FOLDER] [--only WHAT …]
One scan reads the columns that KPIs need. Nine support KPIs by week are written by hand in Polars
and in plain SQL (bench/yardsticks.py): they know no episodes, persons, settings or other grains, so
they do less than the catalogue. ``whole`` (bench/whole_yardstick.py) is the nine by hand with every
ruling: it gives what ``nine`` does. ``weekly`` is the run a week later, which goes on from the one
before; ``again`` the one at once after it, where nothing has changed; and ``anew`` that with the
nine as new KPIs of one's own, which are counted in every week from what is kept. Every figure is
the processor time (user and system, two threads, imports left out) of a process of its own, the
median of K (3 for a figure worth telling); the peak is its memory.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import whole_yardstick
import yardsticks
from lakes import END, SETTINGS, START, WEEK, make_two

from muster import unneeded
from muster.kpis import catalogue, engine, runner
from muster.measured import Coverage
from muster.results import Kpi
from muster.store import FolderStore

PROGRAMS = ("scan", "polars", "sql", "whole", "nine", "scratch", "weekly", "again", "anew")


def measured(lake: Path, memory: str, *, as_of=END, kpis=None, write=True) -> int:
    """Measure a lake; returns how many values it has."""
    store = FolderStore(lake)
    outcome = runner.measure(
        engine.connect(store.url(), memory=memory),
        SETTINGS,
        kpis or catalogue.load(),
        as_of=as_of,
        coverage=_coverage(as_of),
        lake=store if write else None,
    )
    assert not outcome.problems, outcome.problems
    return len(outcome.values)


def _nine(prefix: str = "") -> list[Kpi]:
    """The nine by week; with a prefix to their ids, as somebody's own."""
    chosen = (kpi for kpi in catalogue.load() if kpi.id in yardsticks.NINE)
    return [dataclasses.replace(kpi, id=prefix + kpi.id, grains=("week",)) for kpi in chosen]


def _coverage(as_of) -> tuple[Coverage, ...]:
    return tuple(
        Coverage(source=source, table_name="messages", from_at=START, to_at=as_of)
        for source in ("forum", "microblog", "chat")
    )


def run(program: str, lake: Path, memory: str) -> object:
    """One program, in this process."""
    if program == "nine":
        return measured(lake, memory, kpis=_nine(), write=False)
    if program in ("scratch", "weekly", "again"):
        return measured(lake, memory)
    if program == "anew":
        return measured(lake, memory, kpis=[*catalogue.load(), *_nine("own_")])
    if program == "whole":
        return whole_yardstick.whole(lake, memory)
    return getattr(yardsticks, program)(lake, memory)


def timed(program: str, lake: Path, memory: str) -> tuple[float, float]:
    """Processor seconds and peak MB of a program in a process of its own."""
    said = _apart("--run", program, "--lake", str(lake), "--memory", memory)
    seconds, peak = said.split()
    return float(seconds), float(peak)


def _apart(*arguments: str) -> str:
    command = [sys.executable, __file__, *arguments]
    environment = {**os.environ, "POLARS_MAX_THREADS": "2"}
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return ended.stdout


def tell(program: str, lake: Path, memory: str) -> None:
    """Run a program here and print its processor seconds, imports left out, and peak MB."""
    before = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    run(program, lake, memory)
    spent = sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) - before
    # Not ru_maxrss: a child begins with its parent's.
    (peak,) = re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    print(f"{spent} {int(peak) / 1024}")  # noqa: T201


def prepare(program: str, folder: Path, memory: str) -> Path:
    """The lake a program runs on; one that is measured has never been, but for a week before."""
    if program in ("again", "anew"):
        return folder / "weekly"  # as the weekly run left it
    lake = folder / (program if program in ("scratch", "weekly") else "whole")
    if lake.name == "whole" and lake.exists():
        return lake
    shutil.rmtree(lake, ignore_errors=True)
    shutil.copytree(folder / "before", lake, copy_function=os.link)
    if program == "weekly":
        _apart("--run", "before", "--lake", str(lake), "--memory", memory)
    _lay_over(folder / "last-week", lake)
    return lake


def _lay_over(new: Path, lake: Path) -> None:
    for file in new.rglob("*.parquet"):
        target = lake / file.relative_to(new)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        os.link(file, target)


def compare(folder: Path, memory: str, times: int, only: list[str]) -> None:
    """Every program in turn, so often, and what each costs in scans."""
    seconds: dict[str, list[float]] = {name: [] for name in only}
    peaks: dict[str, float] = dict.fromkeys(only, 0.0)
    for _ in range(times):
        for name in only:
            spent, peak = timed(name, prepare(name, folder, memory), memory)
            seconds[name].append(spent)
            peaks[name] = max(peaks[name], peak)
    scan = statistics.median(seconds["scan"])
    for name in only:
        middle = statistics.median(seconds[name])
        print(f"{name:8} {middle:8.2f} s  {middle / scan:6.1f} scans  {peaks[name]:6.0f} MB")  # noqa: T201


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--lake", type=Path, help="keep the lakes here, or use those that are")
    parser.add_argument("--memory", default="3GB")
    parser.add_argument("--only", nargs="*", choices=PROGRAMS, default=list(PROGRAMS))
    parser.add_argument("--run", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    unneeded.hide()  # as every command does; the yardsticks have imported Polars
    if asked.run == "before":
        measured(asked.lake, asked.memory, as_of=END - WEEK)
    elif asked.run == "make":
        make_two(asked.lake, asked.messages)
    elif asked.run:
        tell(asked.run, asked.lake, asked.memory)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            place = asked.lake or Path(temporary) / "lakes"
            if not (place / "last-week").exists():
                _apart("--run", "make", "--lake", str(place), "--messages", str(asked.messages))
            compare(place, asked.memory, asked.times, asked.only)
