"""A measurement → what may not wait, mailed once per signal and at most twice a day per report.

``alerts/REPORT.json`` of the outbox holds which signals stand and were told, the goals that are off
track, and how many mails each day had. It is written on a condition before a mail leaves, so of two
runs at once one tells, and what breaks off is never told twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from muster.errors import Conflict
from muster.goals import xmr
from muster.pipeline import latest, mails
from muster.pipeline.mails import Reported
from muster.pipeline.reporting import chosen
from muster.project import Project
from muster.reports import between, templating
from muster.reports.between import Found
from muster.results import Measured
from muster.settings import Report

A_DAY = 2
KEPT_DAYS = 7


@dataclass(frozen=True)
class Memory:
    """What was told: signals and goals that still stand, and mails by day."""

    standing: frozenset[str] = frozenset()
    mails: Mapping[str, int] = field(default_factory=dict)
    etag: str | None = None

    def sent_on(self, day: date) -> int:
        """How many mails of this report left on that day."""
        return self.mails.get(day.isoformat(), 0)


def alert(project: Project, *, send: bool, names: Iterable[str] = ()) -> tuple[Reported, ...]:
    """Mail what is new since the last look at the last measurement, to whoever wants it.

    The first look at a report tells nothing: what stands then is no news. ``BadSettings`` if a
    name is unknown.
    """
    wanted = [one for one in chosen(project, tuple(names)) if one.alerted]
    measured = latest.read(project) if wanted else None
    with templating.own(project.folder / "templates"):
        return tuple(
            told for one in wanted if measured for told in _of(project, one, measured, send)
        )


def _of(project: Project, one: Report, measured: Measured, send: bool) -> tuple[Reported, ...]:
    found, seen = _found(project, one, measured)
    memory = _memory(project, one)
    day = project.clock().astimezone(project.settings.zone).date()
    is_first = memory.etag is None
    new = [told for told in found if told.key not in memory.standing]
    is_told = bool(new) and not is_first and memory.sent_on(day) < A_DAY
    if not send:
        return _would(one, new, "old news at the first look" if is_first else "new, not sent")
    known = memory.standing | {told.key for told in new} if is_told or is_first else memory.standing
    standing = known & {told.key for told in found}
    try:
        _remember(project, one, memory, standing, day, memory.sent_on(day) + is_told)
    except Conflict:
        return ()  # Another run looks at the same measurement, and tells.
    if not is_told or seen is None:
        return ()
    letter = between.alert(one, project.settings, seen, measured.as_of, new)
    name = f"alerts/{one.name}-{day.isoformat()}-{memory.sent_on(day) + 1}"
    return tuple(
        mails.tried(
            project, mails.Letter(one, letter, reader, mails.named(name, reader)), send=True
        )
        for reader in one.alerted
    )


def _found(
    project: Project, one: Report, measured: Measured
) -> tuple[tuple[Found, ...], between.Watched | None]:
    settings = project.settings
    seen = between.watched(one, settings, measured)
    goals = between.goals_of(one, settings, measured)
    if seen is None:
        return goals, None
    readings = {
        key: xmr.read(each.numbers, each.kpi.lowest, each.kpi.highest)
        for key, each in seen.series.items()
    }
    shown = {key for key in seen.series if not one.kpis or key[0] in one.kpis}
    signs = between.signals_of(one, settings, measured, seen, readings, shown)
    return (*signs, *goals), seen


def _would(one: Report, new: Iterable[Found], outcome: str) -> tuple[Reported, ...]:
    """What is new, for whoever asks without sending; nothing is remembered."""
    found = tuple(new)
    return tuple(
        Reported(one.name, reader, each.headline, outcome, "")
        for reader in one.alerted
        for each in found
    )


def _memory(project: Project, one: Report) -> Memory:
    stored = project.outbox.get(_key(one))
    if stored is None:
        return Memory()
    told: dict[str, Any] = json.loads(stored.data)
    return Memory(frozenset(told["standing"]), told["mails"], stored.etag)


def _remember(
    project: Project, one: Report, memory: Memory, standing: Iterable[str], day: date, sent: int
) -> None:
    mails = {**memory.mails, day.isoformat(): sent}
    kept = dict(sorted(mails.items())[-KEPT_DAYS:])
    text = json.dumps({"standing": sorted(standing), "mails": kept}, indent=1)
    new = memory.etag is None
    project.outbox.put(_key(one), text.encode(), if_match=memory.etag, if_new=new)


def _key(one: Report) -> str:
    return f"alerts/{one.name}.json"
