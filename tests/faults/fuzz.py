"""A seed, a count and a time → so many bad inputs at every door, gone on with where it stopped.

``make fuzz`` tries the whole million; ``--part`` and ``--state`` share it among processors. What is
done is kept in a file; a failure names its door and number, and ``--only "DOOR" --number N`` tries
that one again with its traceback.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import logging
import sys
import time
import traceback
from pathlib import Path

from doors import Door, doors, try_one

PORTION = 200
HANGS = 60  # seconds: no input may take this long


def main() -> None:
    """Go on until all inputs are tried or the time is up; the exit code tells of failures."""
    told = _arguments()
    logging.disable()  # what sources say of bad answers, thousands of times, would hide what failed
    done = json.loads(told.state.read_text()) if told.state.exists() else {}
    ends = time.monotonic() + told.minutes * 60
    part, parts = map(int, told.part.split("/"))
    todo = {name: (door, round(share * told.scale))
            for name, (door, share) in [*doors().items()][part - 1 :: parts]
            if told.only in ("", name)}  # fmt: skip
    if told.number is not None:
        try_one(todo[told.only][0], told.only, told.seed, told.number)
        return
    for name, (door, count) in todo.items():
        mine = done.setdefault(f"{told.seed} {name}", {"tried": 0, "seconds": 0.0, "failed": []})
        while mine["tried"] < count and time.monotonic() < ends:
            _try(door, name, told.seed, mine, min(PORTION, count - mine["tried"]))
            told.state.write_text(json.dumps(done))
    _say(done, sum(count for _, count in todo.values()), told.seed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the million")
    parser.add_argument("--minutes", type=float, default=1e6)
    parser.add_argument("--state", type=Path, default=Path(".cache/fuzz.json"))
    parser.add_argument("--part", default="1/1", help="of the doors: 1/2 and 2/2 side by side")
    parser.add_argument("--only", default="", help="one door")
    parser.add_argument("--number", type=int, help="one input of that door")
    return parser.parse_args()


def _try(door: Door, name: str, seed: int, mine: dict, count: int) -> None:
    """A portion of a door's inputs; what fails is noted, and the next one is tried."""
    began = time.perf_counter()
    for number in range(mine["tried"], mine["tried"] + count):
        faulthandler.dump_traceback_later(HANGS, exit=True)
        try:
            try_one(door, name, seed, number)
        except Exception as error:
            if len(mine["failed"]) < 5:
                where = traceback.extract_tb(error.__traceback__)[-1]
                told = f"{type(error).__name__}: {str(error)[:200]!a} ({where.name}:{where.lineno})"
                print(f"{name} {number}: {told}", flush=True)
            mine["failed"].append(number)
    faulthandler.cancel_dump_traceback_later()
    mine["tried"] += count
    mine["seconds"] += time.perf_counter() - began


def _say(done: dict, whole: int, seed: int) -> None:
    kinds: dict[str, list[float]] = {}
    for key, one in done.items():
        kind = key.removeprefix(f"{seed} ").split(" ")[0]
        sums = kinds.setdefault(kind, [0, 0.0, 0])
        sums[:] = [sums[0] + one["tried"], sums[1] + one["seconds"], sums[2] + len(one["failed"])]
    for kind, (tried, seconds, failed) in kinds.items():
        print(f"{kind:10} {tried:>9,} inputs {seconds:>7.0f} s {failed:>6,} failed")
    tried, failed = (sum(one[at] for one in kinds.values()) for at in (0, 2))
    print(f"{tried:,} of {whole:,} inputs tried, {failed:,} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
