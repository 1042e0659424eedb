"""A function's environment, event and context → the open project of a bucket, log and metrics."""

from __future__ import annotations

import gc
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

# Before anything else is imported: looking for garbage among what is only imported and read costs
# a tenth of a function's start, looking for pydantic's plugins, of which there are none, 0.01 s.
gc.set_threshold(100_000)
os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from muster import services
from muster.clock import system_clock
from muster.errors import MusterError, SourceFailed
from muster.project import Project, in_bucket, options_of
from muster.reports.inert import slug
from muster.settings import Source

if TYPE_CHECKING:
    from muster.pipeline.collect import Fetched
    from muster.pipeline.publish import Reported
    from muster.sources._http import Http

# What a last request and storing what it brought may take when the time is up.
PATIENCE, CHECKPOINT = 10.0, timedelta(seconds=15)

# What a door answers under the left name is also a metric. Ten without further dimensions are
# free of charge; which source or report it was stands beside, for a query of the log.
METRICS = {
    "items": "Items", "rows": "Rows", "requests": "Requests", "quarantined": "Quarantined",
    "lag": "LagSeconds", "stale": "StaleSources", "values": "Values", "problems": "Problems",
    "sent": "MailsSent", "failed": "MailsFailed",
}  # fmt: skip
# Texts of an answer that name what stands in the settings; any other text may be about a person.
LOGGED = ("sources", "reports", "outcome")

Door = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]

_stack = os.environ.get("POWERTOOLS_SERVICE_NAME", "muster")
_log = Logger(service=_stack)
_metrics = Metrics(namespace="Muster", service=_stack)


@contextmanager
def opened(
    *,
    http: Any = None,
    environment: Mapping[str, str] = os.environ,
    options: Callable[[str], type[Source]] = options_of,
) -> Iterator[Project]:
    """The project of the stack that this function is part of.

    ``options`` gives a platform's settings class: who asks no platform need not import any.
    """
    with in_bucket(environment, clock=system_clock, http=http, options=options) as project:
        yield project


def deadline(context: Any) -> datetime:
    """When a fetch must stop asking, so that what it has is stored before its function ends."""
    left = timedelta(milliseconds=context.get_remaining_time_in_millis())
    return system_clock() + left - CHECKPOINT


def progress(fetched: Fetched, http: Http | None = None) -> dict[str, Any]:
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
        "requests": http.requests if http else 0,
    }


def delivered(told: Reported) -> dict[str, Any]:
    """What became of one mail, without a name."""
    from muster.pipeline.subscriptions import SILENT

    is_sent = not told.error and told.outcome not in ("written", "sent before", *SILENT)
    return {"outcome": told.outcome, "sent": int(is_sent), "failed": int(bool(told.error))}


def alerted(told: Iterable[Reported]) -> dict[str, int]:
    """How many alerts were sent, and how many could not be."""
    counted = [delivered(one) for one in told]
    return {name: sum(one[name] for one in counted) for name in ("sent", "failed")}


def keep_schedules(project: Project) -> int:
    """Make the stack's schedules what the settings say; returns the number of problems (0 or 1).

    A problem is logged and no reason to fetch nothing: the next hour tries again.
    """
    from muster.pipeline import schedules

    said = project.environment
    if not said.get("MUSTER_SCHEDULE_GROUP"):
        return 0
    names = ("MUSTER_REPORT_MACHINE", "MUSTER_SCHEDULE_ROLE", "MUSTER_SCHEDULE_DLQ")
    target = schedules.Target(*(said[name] for name in names))
    try:
        schedules.keep(
            project.lake,
            partial(services.client, "scheduler"),
            said["MUSTER_SCHEDULE_GROUP"],
            schedules.wanted(project.settings),
            target,
        )
    except MusterError as error:
        _log.error("schedules not kept", error=type(error).__name__, reason=str(error))
        return 1
    return 0


def logged(door: Door) -> Door:
    """The door with one line about each run (which, for which source, how it ended) and metrics.

    Every line carries the run's id. Nothing of a message, a member or a reader is logged: of an
    answer its numbers and names of the settings, of an error its places. Lambda itself logs what
    an error says, too, so the error is raised without the person it is about.
    """

    @wraps(door)
    def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        run = event.get("run") or context.aws_request_id
        named = {key: event[key] for key in ("source", "report") if key in event}
        _log.remove_keys(["source", "report"])  # A warm function's last call was another's.
        _log.append_keys(run=run, function=context.function_name, **named)
        try:
            result = door(event, context)
        except Exception as error:
            reason = _without(event, str(error))
            _log.error("failed", error=type(error).__name__, reason=reason)
            error.args = (reason,)
            raise
        _log.info("done", result=_countable(result))
        _count(result, {"run": run, **named})
        return result

    return handler


def _countable(result: Mapping[str, Any]) -> dict[str, Any]:
    """The answer with the length of what it lists, and without any text that may be a name."""
    short = {key: len(one) if isinstance(one, list | tuple) else one for key, one in result.items()}
    said = {key: result[key] if key in LOGGED else one for key, one in short.items()}
    return {key: one for key, one in said.items() if key in LOGGED or not isinstance(one, str)}


def _without(event: Mapping[str, Any], text: str) -> str:
    """An error's text without whom the call is about, as they are and as in file names."""
    for kind in filter(event.get, ("recipient", "member")):
        who = str(event[kind])
        for name in filter(None, (who, slug(who)[:40])):
            text = text.replace(name, f"({kind})")
    return text


def _count(result: Mapping[str, Any], named: Mapping[str, str]) -> None:
    numbers = {key: result[key] for key in METRICS if isinstance(result.get(key), int | float)}
    for key, number in numbers.items():
        unit = MetricUnit.Seconds if key == "lag" else MetricUnit.Count
        _metrics.add_metric(METRICS[key], unit, number)
    for key, name in named.items():
        _metrics.add_metadata(key, name)
    if numbers:
        _metrics.flush_metrics()
    _metrics.clear_metrics()
