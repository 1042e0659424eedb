"""The demo from end to end: simulated platforms on loopback, fetched, measured, reported."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from demo import start
from muster import telling
from muster.clock import system_clock
from muster.pipeline import collect, importing, measure, publish
from muster.project import Project, open_project
from muster.sources._http import Http
from muster.terminal import called, progress

MADE = ("lake", "site", "outbox", "history", "muster.yaml")


def tour(folder: Path, say: Callable[[str], None], now: datetime | None = None) -> None:
    """Make the demo project in ``folder`` anew and take it all the way to mail and site."""
    began = time.monotonic()
    _clear(folder)
    say("This is a demo: an invented university, invented people, simulated platforms.\n")
    with start(now or system_clock()) as server:
        histories = server.write_project(folder)
        with progress() as notify:
            project = open_project(
                folder,
                clock=system_clock,
                environment={**os.environ, **server.tokens},
                http=Http(clock=system_clock),
                notify=notify,
            )
            say(f"Fetching over HTTP from {server.base_url} …")
            telling.fetched(collect.fetch(project), False)
            for source, path in histories.items():
                importing.import_file(project, "audience", path, source)
    say("\nMeasuring …")
    telling.measured(measure.measure(project), False)
    say("\nReporting …")
    telling.reported(publish.report(project, (), None, send=True), False)
    _point_at(project, say, time.monotonic() - began)


def _clear(folder: Path) -> None:
    """Remove what an earlier tour made, and nothing else."""
    for name in MADE:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _point_at(project: Project, say: Callable[[str], None], seconds: float) -> None:
    folder, muster = project.folder, called(project.folder)
    say(f"\nDone in {seconds:.0f} s. Look at")
    say(f"  the mail   {folder}/outbox/*.eml (and .html beside it)")
    say(f"  the site   {folder}/site/index.html, or: {muster} serve")
    say(f"  the lake   {folder}/lake/tables/, or:")
    say(f'             {muster} sql "select source, count(*) from messages group by all"')
