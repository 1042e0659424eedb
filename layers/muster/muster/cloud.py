"""A function's environment, event and context → the open project of a bucket, and its log lines."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger

from muster.clock import system_clock
from muster.errors import BadSettings, SourceFailed
from muster.project import SETTINGS_FILE, Project, options_of
from muster.sending import mailer
from muster.settings_file import parse
from muster.store import Store, open_store

if TYPE_CHECKING:
    from muster.pipeline.collect import Fetched

CONFIG = "config/"
# What a last request and storing what it brought may take when the time is up.
PATIENCE, CHECKPOINT = 10.0, timedelta(seconds=15)

Door = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]

_log = Logger(service="muster")


@contextmanager
def opened(*, http: Any = None, environment: Mapping[str, str] = os.environ) -> Iterator[Project]:
    """The project whose settings and own KPIs lie under ``config/`` of the lake's bucket.

    ``MUSTER_LAKE`` and ``MUSTER_SITE`` say where lake and site are, whatever ``lake:`` says.
    """
    with TemporaryDirectory() as folder:
        lake = open_store(environment["MUSTER_LAKE"], base=Path(folder))
        _copy_kpis(lake, Path(folder))
        settings = parse(_settings_text(lake), lake.url(CONFIG + SETTINGS_FILE), options_of)
        yield Project(
            folder=Path(folder),
            settings=settings,
            lake=lake,
            site=open_store(environment["MUSTER_SITE"], base=Path(folder)),
            outbox=open_store(f"{environment['MUSTER_LAKE']}/outbox", base=Path(folder)),
            clock=system_clock,
            environment=environment,
            http=http,
            notify=lambda _: None,
            mailer=mailer(settings, environment),
        )


def _settings_text(lake: Store) -> str:
    stored = lake.get(CONFIG + SETTINGS_FILE)
    if stored is None:
        raise BadSettings(f"{lake.url(CONFIG + SETTINGS_FILE)}: not found. Copy muster.yaml there")
    return stored.data.decode("utf-8-sig")


def _copy_kpis(lake: Store, folder: Path) -> None:
    """The community's own KPIs, as files where the catalogue looks for them."""
    (folder / "kpis").mkdir()
    for entry in lake.list(f"{CONFIG}kpis/"):
        stored, name = lake.get(entry.key), entry.key.rpartition("/")[2]
        if stored is not None:
            (folder / "kpis" / name).write_bytes(stored.data)


def deadline(context: Any) -> datetime:
    """When a fetch must stop asking, so that what it has is stored before its function ends."""
    left = timedelta(milliseconds=context.get_remaining_time_in_millis())
    return system_clock() + left - CHECKPOINT


def progress(fetched: Fetched) -> dict[str, Any]:
    """What the state machine needs to know: whether to go on, and after how many seconds.

    Raises ``SourceFailed`` if going on would not help.
    """
    if fetched.error and fetched.again_in is None:
        raise SourceFailed(f"{fetched.source}: {fetched.error}")
    return {
        "done": fetched.again_in is None,
        "wait": math.ceil(fetched.again_in or 0),
        "items": fetched.items,
        "rows": sum(fetched.changed.values()),
        "quarantined": fetched.quarantined,
    }


def logged(door: Door) -> Door:
    """The door with one line about each run: which, for which source, how it ended.

    Every line carries the run's id. Nothing of a message or a member is logged: a result holds
    counts and names of the settings, an error names places.
    """

    @wraps(door)
    def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        run = event.get("run") or context.aws_request_id
        named = {key: event[key] for key in ("source", "report") if key in event}
        _log.structure_logs(append=True, run=run, function=context.function_name, **named)
        try:
            result = door(event, context)
        except Exception as error:
            _log.error("failed", error=type(error).__name__, reason=str(error))
            raise
        _log.info("done", result=result)
        return result

    return handler


logging.getLogger("httpx").setLevel(logging.WARNING)  # its lines hold whole addresses
