"""Verbs in processes that kill themselves at their n-th call; run again, is all as undisturbed?

python killed_runs.py FOLDER CASE:POINTS…: so many points of each case, evenly spread; 0 are all.
Prints a line of JSON for each case.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import snapshot
import verbs
from dying import Death
from runs import Runs, said


@dataclass
class Told:
    """What became of one case: every ``wrong`` is a fault."""

    case: str
    calls: int = 0
    puts: int = 0
    killed: int = 0
    torn: int = 0
    states: int = 0
    wrong: list[str] = field(default_factory=list)


def try_out(runs: Runs, case: str, how_many: int) -> Told:
    """Kill the case at its calls; after each state that this leaves, run it again."""
    calls = runs.undisturbed(case)["calls"]
    told, seen = Told(case, len(calls), calls.count("put")), set[str]()
    trial = runs.folder / "trial"
    for number, is_torn in spread(list(points(calls)), how_many):
        runs.begin(case, trial)
        where = f"{case}: {'in' if is_torn else 'before'} call {number}, {calls[number - 1]}"
        ended = said(partial(runs.run, case, trial, Death(number, is_torn=is_torn)))
        if not ended:  # It called less this time: side by side, sources share some calls or not.
            continue
        if ended.get("status") != signal.SIGKILL:
            told.wrong.append(f"{where}: was not killed: {ended}")
            continue
        told.killed, told.torn = told.killed + 1, told.torn + is_torn
        state = repr(snapshot.taken(trial))
        if state not in seen:
            seen.add(state)
            told.wrong += _wrong(where, _again(runs, case, trial), runs.left[case]["left"])
    told.states = len(seen)
    return told


def points(calls: list[str]) -> Iterator[tuple[int, bool]]:
    """Before every call, and in the middle of every put."""
    for number, name in enumerate(calls, 1):
        yield number, False
        if name == "put":
            yield number, True


def spread(every: list[tuple[int, bool]], how_many: int) -> list[tuple[int, bool]]:
    """So many of them, half of them torn, each half from the whole length; 0 are all."""
    if not how_many:
        return every
    whole = _evenly([one for one in every if not one[1]], how_many - how_many // 2)
    return whole + _evenly([one for one in every if one[1]], how_many // 2)


def _evenly(found: list[tuple[int, bool]], how_many: int) -> list[tuple[int, bool]]:
    return [found[int(len(found) / how_many * (n + 0.5))] for n in range(how_many)]


def _again(runs: Runs, case: str, trial: Path) -> dict[str, Any]:
    """What is wrong with the lake that a kill left, and what a second run makes of it."""
    return said(lambda: {"torn": runs.faults(case, trial)} | runs.all_of(case, trial, again=True))


def _wrong(where: str, again: dict[str, Any], expected: snapshot.Snapshot) -> Iterator[str]:
    if "error" in again:
        yield f"{where}: the next run failed: {again['error']}"
        return
    yield from (f"{where}: left {one}" for one in again["torn"])
    differing = snapshot.differences(again["left"], expected)
    if differing:
        yield f"{where}: differs after the next run: {differing[:5]}"


def main(folder: Path, chosen: list[str]) -> None:
    """Try out the chosen cases."""
    verbs.small()
    runs = Runs(folder)
    for case, _, how_many in (one.partition(":") for one in chosen):
        print(json.dumps(asdict(try_out(runs, case, int(how_many)))), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
