"""Killed before any call and in the middle of any write, and run again: all is as undisturbed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from thorough import IS_THOROUGH

RUNS = Path(__file__).parent / "killed_runs.py"
CASES = ("import messages", "import members", "fetch", "replay", "measure", "report", "erase")
MORE = ("fetch again", "measure again", "report again")  # where there is something to go on from
EVERY = 0
POINTS = (
    dict.fromkeys(CASES, EVERY) | dict.fromkeys(MORE, 40)
    if IS_THOROUGH
    else dict.fromkeys(CASES, 1) | {"import messages": 3, "import members": 3}
)


class Trials:
    """A process that tries out one verb after the other, and what it told so far."""

    def __init__(self, folder: Path, cases: list[str]) -> None:
        words = [str(RUNS), str(folder), *(f"{case}:{POINTS[case]}" for case in cases)]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, *words], stdout=subprocess.PIPE, text=True, env=environment
        )
        self.told: dict[str, Any] = {}

    def of(self, case: str) -> Any:
        """What became of a verb, once it was tried."""
        assert self.process.stdout
        while case not in self.told:
            line = self.process.stdout.readline()
            assert line, f"the process ended with {self.process.wait()}"
            found = json.loads(line)
            self.told[found["case"]] = found
        return self.told[case]


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Trials]]:
    """Who tries out each case: in the long run fetches, half of it, beside all others."""
    apart = [case for case in POINTS if IS_THOROUGH and case.startswith("fetch")]
    groups = [group for group in (apart, [case for case in POINTS if case not in apart]) if group]
    found = [(group, Trials(tmp_path_factory.mktemp("killed"), group)) for group in groups]
    yield {case: running for group, running in found for case in group}
    for _, running in found:
        running.process.terminate()
        running.process.wait()


@pytest.mark.parametrize("case", POINTS)
def test_killed_at_any_call_and_run_again_all_is_as_undisturbed(trials, case):
    found, points = trials[case].of(case), POINTS[case]
    print(found)
    assert not found["wrong"], "\n".join(found["wrong"])
    # Sources that are fetched side by side make a call more or less.
    assert found["killed"] >= 0.9 * (points or found["calls"] + found["puts"])
    assert found["states"] > 0


def test_some_died_in_the_middle_of_a_write(trials):
    assert sum(trials[case].of(case)["torn"] for case in POINTS) > 0
