"""A measurement → what may not wait, mailed once per signal and at most twice a day per report.

``alerts/REPORT.json`` of the outbox holds which signals stand and were told, the goals that are off
track, how many mails each day had, and what a reader is owed whose mail could not leave. It is
written on a condition before a mail leaves, so of two runs at once one tells, and what breaks off
is never told twice.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any

from muster.errors import BadSettings, Conflict
from muster.goals import xmr
from muster.pipeline import latest, mails
from muster.pipeline.mails import Reported
from muster.pipeline.reporting import chosen
from muster.project import Project
from muster.remembered import Remembered, from_json
from muster.reports import between, templating
from muster.reports.between import Alert, Found
from muster.results import Measured
from muster.settings import Report

A_DAY = 2
KEPT_DAYS = 7


@dataclass(frozen=True)
class Memory:
    """What was told: signals and goals that still stand, and mails by day; what is owed to whom."""

    standing: frozenset[str] = frozenset()
    mails: Mapping[str, int] = field(default_factory=dict)
    owed: Mapping[str, Sequence[str]] = field(default_factory=dict)
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
    keys = {told.key for told in found}
    new = keys - memory.standing
    due = {reader: _due(found, new, memory, reader) for reader in one.alerted}
    is_told = any(due.values()) and not is_first and memory.sent_on(day) < A_DAY
    if not send:
        outcome = "old news at the first look" if is_first else "new, not sent"
        return _would(one, [told for told in found if told.key in new], outcome)
    known = memory.standing | new if is_told or is_first else memory.standing
    after = replace(memory, standing=known & keys, owed={} if is_told else memory.owed)
    try:
        after = _remember(project, one, after, day, memory.sent_on(day) + is_told)
    except Conflict:
        return ()  # Another run looks at the same measurement, and tells.
    if not is_told or seen is None:
        return ()
    compose = partial(between.alert, one, project.settings, seen, measured.as_of)
    letters = {reader: compose(news) for reader, news in due.items() if news}
    owe = partial(_owe, project, one, after, day, due)
    try:
        told = _sent(project, one, letters, f"{day.isoformat()}-{after.sent_on(day)}")
    except BadSettings:  # no mail goes before they are mended
        owe(letters)
        raise
    owe(each.recipient for each in told if each.outcome == mails.NOT_YET)
    return told


def _owe(
    project: Project, one: Report, memory: Memory, day: date,
    due: Mapping[str, Sequence[Found]], readers: Iterable[str],
) -> None:  # fmt: skip
    """Note what these readers are told by the next look."""
    owed = {reader: [each.key for each in due[reader]] for reader in readers}
    if owed:
        with suppress(Conflict):  # Another run has gone on from here.
            _remember(project, one, replace(memory, owed=owed), day, memory.sent_on(day))


def _sent(
    project: Project, one: Report, letters: Mapping[str, Alert], number: str
) -> tuple[Reported, ...]:
    """What became of each reader's mail."""
    name = f"alerts/{one.name}-{number}"
    return tuple(
        mails.tried(project, mails.Letter(one, alert, reader, mails.named(name, reader)), send=True)
        for reader, alert in letters.items()
    )


def _due(found: Iterable[Found], new: Container[str], memory: Memory, reader: str) -> list[Found]:
    """What this reader has not heard of: what is new, and what could not leave the last time."""
    owed = memory.owed.get(reader, ())
    return [told for told in found if told.key in new or told.key in owed]


def _found(
    project: Project, one: Report, measured: Measured
) -> tuple[tuple[Found, ...], between.Watched | None]:
    settings = project.settings
    seen = between.watched(one, settings, measured)
    goals = between.goals_of(one, settings, measured)
    if seen is None:
        return goals, None
    readings = {key: xmr.read(each.numbers, *each.bounds) for key, each in seen.series.items()}
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
    stored = project.outbox.get(key_of(one))
    if stored is None:
        return Memory()
    return replace(TOLD.read(project.outbox.url(key_of(one)), stored.data), etag=stored.etag)


def _told(found: Any) -> Memory:
    """What was kept; earlier versions kept nothing of what is owed."""
    mails = {day: int(count) for day, count in found["mails"].items()}
    owed = {reader: list(keys) for reader, keys in found.get("owed", {}).items()}
    return Memory(frozenset(list(found["standing"])), mails, owed)


TOLD = Remembered(from_json(_told), "what stands now then counts as told")


def _remember(project: Project, one: Report, memory: Memory, day: date, sent: int) -> Memory:
    mails = {**memory.mails, day.isoformat(): sent}
    kept = dict(sorted(mails.items())[-KEPT_DAYS:])
    told = {"standing": sorted(memory.standing), "mails": kept, "owed": memory.owed}
    data, new = json.dumps(told, indent=1).encode(), memory.etag is None
    etag = project.outbox.put(key_of(one), data, if_match=memory.etag, if_new=new)
    return replace(memory, mails=kept, etag=etag)


def key_of(one: Report) -> str:
    """Where it is kept what was told of a report."""
    return f"alerts/{one.name}.json"
