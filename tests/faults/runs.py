"""Verbs run by children of this process, on folders that are each as an undisturbed run left them.

This process never works itself: it imports what the verbs need, once, and forks for every run.
"""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb  # noqa: F401  (these three: imported before the first fork, not anew by each child)
import pyarrow.compute  # noqa: F401
import pyarrow.parquet  # noqa: F401
import snapshot
import verbs
from dying import Death, mortal

from muster import unneeded
from muster.pipeline import health

unneeded.hide()  # as for the commands
LONGEST = 240  # seconds; no run takes a tenth of it
PENDING = ("no_rows", "no_state")  # a cursor comes last, and lost rows are what a replay is for


class Runs:
    """A folder for each case as its undisturbed run left it, and any number to try it out in."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.world = folder, verbs.World()
        self.left: dict[str, Any] = {}

    def path(self, case: str) -> Path:
        return self.folder / case.replace(" ", "-")

    def undisturbed(self, case: str) -> dict[str, Any]:
        """Run it and all before it, once: what it called, and what it left."""
        if case not in self.left:
            self.begin(case, self.path(case))
            told = said(lambda: self.all_of(case, self.path(case)))
            assert "error" not in told, f"{case}: {told['error']}"
            self.world.told |= told.pop("told")
            self.left[case] = told
        return dict(self.left[case])

    def begin(self, case: str, folder: Path) -> None:
        """A folder in which the case has not run."""
        before = verbs.CASES[case].after
        shutil.rmtree(folder, ignore_errors=True)
        if before:
            self.undisturbed(before)
            # An object is never written in place, so two folders can share it.
            hidden = shutil.ignore_patterns(".muster")
            shutil.copytree(self.path(before), folder, copy_function=os.link, ignore=hidden)
        else:
            self.world.settle_in(folder)

    def run(self, case: str, folder: Path, death: Death, *, again: bool = False) -> None:
        """Run the verb, in this process; or what is run after it was killed."""
        found = verbs.CASES[case]
        at = found.at + found.later if again else found.at
        verb = found.again if again and found.again else found.verb
        verb(mortal(self.world.opened(folder, at), death))

    def all_of(self, case: str, folder: Path, *, again: bool = False) -> dict[str, Any]:
        """Run the verb: what it called, what the folder then holds, what the platforms told."""
        death = Death()
        self.run(case, folder, death, again=again)
        told = self.world.told
        return {"calls": death.names, "left": snapshot.taken(folder), "told": told}

    def faults(self, case: str, folder: Path) -> list[str]:
        """What is wrong with a lake, whatever is still to be done in it."""
        found = health.check(self.world.opened(folder, verbs.CASES[case].at)).found
        wrong = (one for one in found if one.is_wrong and one.kind not in PENDING)
        return [f"{one.kind} {one.where}" for one in wrong]


class Child:
    """A process that works, and what it says of it at its end: ``error`` are its last words."""

    def __init__(self, work: Callable[[], dict[str, Any] | None]) -> None:
        read, write = os.pipe()
        self.pid, self._read = os.fork(), read
        if not self.pid:
            os.close(read)
            _work(work, write)
        os.close(write)

    def said(self) -> dict[str, Any]:
        with os.fdopen(self._read, "rb") as told_by:
            words = told_by.read()
        _, status = os.waitpid(self.pid, 0)
        if words:
            return dict(pickle.loads(words))
        return {"error": f"ended with {status}", "status": status}


def _work(work: Callable[[], dict[str, Any] | None], write: int) -> None:
    signal.alarm(LONGEST)
    try:
        told = work() or {}
    except BaseException:
        told = {"error": traceback.format_exc(limit=-4)}
    with os.fdopen(write, "wb") as out:
        out.write(pickle.dumps(told))
    os._exit(0)


def said(work: Callable[[], dict[str, Any] | None]) -> dict[str, Any]:
    """What a child process finds out."""
    return Child(work).said()
