"""What a schedule says → what EventBridge Scheduler would refuse in it; no linter looks there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
# Name, least, most, words that may stand for numbers, and what else the field may say.
FIELDS = (
    ("minutes", 0, 59, [], r"\*"),
    ("hours", 0, 23, [], r"\*"),
    ("day of month", 1, 31, [], r"\*|\?|L|LW|([1-9]|[12]\d|3[01])W"),
    ("month", 1, 12, MONTHS, r"\*"),
    ("day of week", 1, 7, DAYS, r"\*|\?|L|[1-7]L|[1-7]#[1-5]"),
    ("year", 1970, 2199, [], r"\*"),
)
RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")


def wrong_schedules(resources: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the schedules of a template, a line each, with the resource's name."""
    for name, kind, properties in _schedules(resources):
        for said in wrong_expression(str(properties.get("ScheduleExpression", ""))):
            yield f"{name}: {said}"
        zone = properties.get("ScheduleExpressionTimezone", "UTC")
        if isinstance(zone, str) and zone not in available_timezones():
            yield f"{name}: {zone!r} is no time zone"
        if kind == "Schedule" and "ScheduleExpressionTimezone" in properties:
            yield f"{name}: only ScheduleV2 knows time zones"


def _schedules(resources: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, one in resources.items():
        if one["Type"] == "AWS::Scheduler::Schedule":
            yield name, "ScheduleV2", one["Properties"]
        for event, made in one.get("Properties", {}).get("Events", {}).items():
            if made["Type"] in ("Schedule", "ScheduleV2"):
                known = {**made["Properties"]}
                known.setdefault("ScheduleExpression", known.get("Schedule", ""))
                yield f"{name}.{event}", made["Type"], known


def wrong_expression(text: str) -> Iterator[str]:
    """What is wrong with ``rate(…)``, ``cron(…)`` or ``at(…)``; nothing if it is right."""
    rate, cron = RATE.fullmatch(text), re.fullmatch(r"cron\((.*)\)", text)
    if rate:
        if int(rate[1]) < 1 or (rate[1] == "1") == bool(rate[3]):
            yield f"{text}: write rate(1 hour) or rate(2 hours)"
    elif cron:
        yield from (f"{text}: {said}" for said in _wrong_cron(cron[1].split()))
    elif not _is_instant(text):
        yield f"{text!r} is none of rate(1 hour), cron(0 6 * * ? *), at(2026-11-27T06:00:00)"


def _is_instant(text: str) -> bool:
    found = re.fullmatch(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)", text)
    try:
        return found is not None and bool(datetime.fromisoformat(found[1]))
    except ValueError:
        return False


def _wrong_cron(fields: list[str]) -> Iterator[str]:
    if len(fields) != len(FIELDS):
        yield f"{len(fields)} fields instead of {len(FIELDS)}"
        return
    for said, (name, least, most, words, special) in zip(fields, FIELDS, strict=True):
        if not re.fullmatch(special, said) and not _is_list(said, least, most, words):
            yield f"{name} {said!r} is not between {least} and {most}"
    if (fields[2] == "?") == (fields[4] == "?"):
        yield "one of day of month and day of week must be ?, the other not"


def _is_list(text: str, least: int, most: int, words: list[str]) -> bool:
    """Whether it is numbers, ranges and steps, with commas between: ``1-5,10/5``."""
    number = "|".join([r"\d+", *words])
    for part in text.split(","):
        found = re.fullmatch(rf"(\*|{number})(?:-({number}))?(?:/(\d+))?", part)
        if not found or (found[1] == "*" and not found[3]):
            return False
        ends = [words.index(one) + least if one in words else int(one)
                for one in found.groups()[:2] if one and one != "*"]  # fmt: skip
        if any(not least <= end <= most for end in ends) or ends != sorted(ends):
            return False
        if found[3] and not 1 <= int(found[3]) <= most:
            return False
    return True
