"""Verbs in several processes at once, on a folder or a bucket; is all as after one of them?

python at_once_runs.py FOLDER PLACE PROCESSES CASE…: PLACE is ``folder``, or ``s3://bucket`` of the
service that the environment names. Prints a line of JSON for each case. In ``all`` every verb runs
in processes of its own at the same time, and then each once more, alone; in ``parts`` each process
imports a part of one file.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import snapshot
import verbs
from dying import Death
from runs import Child, Runs, said

from muster.errors import Conflict
from muster.pipeline import importing
from muster.store import Store

VIEWS = "lake/measured/views.sql"
ALL = ("fetch again", "import messages", "import members", "measure", "report", "replay")


@dataclass
class Told:
    """What became of one case: every ``wrong`` is a fault."""

    case: str
    processes: int = 0
    wrong: list[str] = field(default_factory=list)


class Place:
    """Where the lakes of the trials lie: beside their settings, or each under its own prefix."""

    def __init__(self, runs: Runs, place: str) -> None:
        self.runs, self.bucket = runs, "" if place == "folder" else place

    def begin(self, case: str, trial: Path) -> None:
        """A project in which the case has not run; in a bucket, its objects are put there."""
        self.runs.begin(case, trial)
        if self.bucket:
            settings = trial / "muster.yaml"
            there = f"lake: {self.bucket}/{trial.name}"
            text = settings.read_text().replace("lake: ./lake", there)
            settings.unlink()  # It is shared with the folder it was copied from.
            settings.write_text(text)
            said(lambda: self._put_there(trial, case))

    def _put_there(self, trial: Path, case: str) -> None:
        lake = self.runs.world.opened(trial, verbs.CASES[case].at).lake
        for path in (one for one in trial.rglob("*") if one.is_file()):
            name = path.relative_to(trial).as_posix()
            if name.startswith(("lake/", "site/", "outbox/")) and ".muster" not in name:
                lake.put(name.removeprefix("lake/"), path.read_bytes())

    def left(self, trial: Path) -> snapshot.Snapshot:
        """What the trial holds."""
        if self.bucket:
            _fetch_back(self.runs.world.opened(trial).lake, trial)
        return snapshot.taken(trial, f"{self.bucket}/{trial.name}" if self.bucket else "")


def _fetch_back(lake: Store, trial: Path) -> None:
    for name in ("lake", "site", "outbox"):
        shutil.rmtree(trial / name, ignore_errors=True)
    for entry in lake.list():
        inside = entry.key.startswith(("site/", "outbox/"))
        path = trial / (entry.key if inside else f"lake/{entry.key}")
        path.parent.mkdir(parents=True, exist_ok=True)
        stored = lake.get(entry.key)
        path.write_bytes(stored.data if stored else b"")


def try_out(place: Place, case: str, processes: int) -> Told:
    """Run one verb in several processes, and compare with what one left."""
    runs, trial = place.runs, place.runs.folder / f"{case.replace(' ', '-')}-{processes}"
    expected = runs.undisturbed(case)["left"]
    place.begin(case, trial)
    told = Told(case, processes, list(_at_once(runs, trial, [case] * processes)))
    told.wrong += _differences(place, trial, expected)
    return told


def try_parts(place: Place, processes: int) -> Told:
    """Each process imports its own part of the file: one that overwrites another loses rows."""
    runs, trial = place.runs, place.runs.folder / f"parts-{processes}"
    expected = runs.undisturbed("import messages")["left"]
    place.begin("import messages", trial)
    header, *rows = (trial / "messages.csv").read_text().splitlines()
    for part in range(processes):  # Each row stays in its line.
        own = (row if n % processes == part else "" for n, row in enumerate(rows))
        (trial / f"part-{part}.csv").write_text("\n".join((header, *own)))

    def take(part: int) -> None:
        project = runs.world.opened(trial, verbs.BEFORE)
        importing.import_file(project, "messages", trial / f"part-{part}.csv")

    children = [Child(partial(take, part)) for part in range(processes)]
    errors = [error for one in children if (error := one.said().get("error"))]
    return Told("parts", processes, [*errors, *_differences(place, trial, expected)])


def try_all(place: Place, processes: int) -> Told:
    """Run every verb at the same time, then each once more; compare with each run alone, twice."""
    runs, told = place.runs, Told("all", processes)
    alone, together = runs.folder / "alone", runs.folder / f"together-{processes}"
    runs.begin("fetch more", alone)
    place.begin("fetch more", together)
    for case in (*ALL, *ALL):
        told.wrong += _at_once(runs, alone, [case])
    expected = said(lambda: {"left": snapshot.taken(alone)})["left"]
    told.wrong += _at_once(runs, together, [*ALL, *ALL][:processes])
    for case in ALL:
        told.wrong += _at_once(runs, together, [case])
    told.wrong += _differences(place, together, expected)
    return told


def _at_once(runs: Runs, trial: Path, cases: list[str]) -> Iterator[str]:
    """Errors of processes that all begin at the same instant; a lost race may be told as one."""
    begin = time.time() + 0.3

    def work(case: str) -> None:
        time.sleep(max(0.0, begin - time.time()))
        try:
            runs.run(case, trial, Death())
        except Conflict:
            if len(cases) == 1:
                raise

    for case, child in [(case, Child(lambda one=case: work(one))) for case in cases]:
        if error := child.said().get("error"):
            yield f"{case}, {len(cases)} at once: {error}"


def _differences(place: Place, trial: Path, expected: snapshot.Snapshot) -> Iterator[str]:
    found = said(lambda: {"left": place.left(trial)})
    if "error" in found:
        yield found["error"]
    elif differing := snapshot.differences(found["left"], expected):
        of_a_place = [VIEWS] if place.bucket else []  # in a bucket they also say how to reach it
        if differing != of_a_place:
            yield f"{trial.name} differs: {differing[:5]}"
    yield from said(lambda: {"torn": place.runs.faults("fetch more", trial)}).get("torn", ["?"])


def main(folder: Path, where: str, processes: int, cases: list[str]) -> None:
    """Try out the cases."""
    verbs.small()
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    place = Place(Runs(folder), where)
    for case in cases:
        others = {"all": try_all, "parts": try_parts}
        told = others[case](place, processes) if case in others else try_out(place, case, processes)
        print(json.dumps(asdict(told)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:])
