"""The reports' send times → one EventBridge schedule each, in one group, as the settings say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from muster.clock import local_midnight
from muster.errors import BadSettings, Unavailable
from muster.remembered import WRITTEN_ANEW, Remembered, from_json
from muster.settings import WEEKDAYS, Report, Settings
from muster.store import Store

SYNCED = "state/stack/schedules.json"
_DONE = Remembered(from_json(lambda told: str(told["digest"])), *WRITTEN_ANEW)
#: When a report goes out if its settings do not say: early on the first day after its period.
DEFAULT = {"week": "mon 07:00", "month": "1 07:00", "quarter": "1 07:00"}
MONTHS = {"month": "*", "quarter": "1,4,7,10"}
# Two years of them: every pair of two zones' summer times is among them.
MONDAYS = [date(2026, 1, 5) + timedelta(weeks=week) for week in range(104)]
# Starting hours late is better than never; by the next day somebody has looked at the alarm.
RETRY = {"MaximumRetryAttempts": 10, "MaximumEventAgeInSeconds": 21_600}


@dataclass(frozen=True)
class Schedule:
    """When one report goes out: an EventBridge expression, local to a time zone."""

    report: str
    expression: str
    timezone: str


@dataclass(frozen=True)
class Target:
    """The state machine that is started, by whose right, and where a start that fails is kept."""

    machine_arn: str
    role_arn: str
    dlq_arn: str


@dataclass(frozen=True)
class Synced:
    """What a comparison of the group with the settings did."""

    created: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


def wanted(settings: Settings) -> tuple[Schedule, ...]:
    """The schedule of every report that somebody gets."""
    return tuple(schedule(one, settings) for one in settings.reports if one.recipients or one.chat)


def schedule(report: Report, settings: Settings) -> Schedule:
    """When a report goes out.

    ``BadSettings`` if that is before its period is over where the community is, or at a time that
    a day lacks when summer time begins: EventBridge would leave that period out.
    """
    zone = report.timezone or settings.timezone
    for first in MONDAYS:
        if _sent_on_first_day(report, first, ZoneInfo(zone)) < local_midnight(first, settings.zone):
            raise BadSettings(
                f"report {report.name!r} would go out before its {report.grain} is over in "
                f"{settings.timezone}, and tell of the one before: choose a later send_at"
            )
    if lacking := next(_days_without(report, ZoneInfo(zone)), None):
        raise BadSettings(
            f"report {report.name!r} would not go out on {lacking}, when summer time begins in "
            f"{zone} and there is no {(report.send_at or '').split()[-1]}: choose another send_at"
        )
    return Schedule(report.name, expression(report), zone)


def _days_without(report: Report, zone: ZoneInfo) -> Iterator[date]:
    """The days of two years on which it is due at a time that the clocks jump over."""
    day, hour, minute = _time(report)
    for on in (monday + timedelta(days=n) for monday in MONDAYS for n in range(7)):
        is_month = report.grain != "quarter" or on.month % 3 == 1
        if is_month and day in (WEEKDAYS[on.weekday()], str(on.day)):
            at = datetime(on.year, on.month, on.day, hour, minute, tzinfo=zone)
            if at.astimezone(UTC).astimezone(zone).time() != at.time():
                yield on


def _sent_on_first_day(report: Report, first: date, zone: ZoneInfo) -> datetime:
    """When it goes out if ``first`` is the first day after a period; on other days much later."""
    day, hour, minute = _time(report)
    if day not in ("mon", "1"):
        return datetime.max.replace(tzinfo=UTC)
    return datetime(first.year, first.month, first.day, hour, minute, tzinfo=zone)


def _time(report: Report) -> tuple[str, int, int]:
    day, time = (report.send_at or DEFAULT[report.grain]).split()
    hour, minute = time.split(":")
    return day, int(hour), int(minute)


def expression(report: Report) -> str:
    """``mon 07:30`` of a week as ``cron(30 7 ? * MON *)``; ``1 07:30`` of longer periods by date.

    A time that summer time leaves out is skipped that day (``schedule`` refuses it), one that it
    repeats fires once: this is EventBridge's rule.
    """
    day, hour, minute = _time(report)
    if report.grain == "week":
        return f"cron({minute} {hour} ? * {day.upper()} *)"
    return f"cron({minute} {hour} {day} {MONTHS[report.grain]} ? *)"


def sync(
    client: Any, group: str, wanted: Iterable[Schedule], target_arn: str, role_arn: str,
    dlq_arn: str,
) -> Synced:  # fmt: skip
    """Make ``group`` hold exactly these schedules; one list call if it does already.

    A schedule's name ends with a digest of all that it is, so a changed one is a new one: it is
    made before the old one goes, since a report that starts twice is mailed once, and one that
    does not start is missed. ``BadSettings`` if one is refused, ``Unavailable`` if AWS is.
    """
    target = Target(target_arn, role_arn, dlq_arn)
    named = {name_of(one, target): one for one in wanted}
    with _said_plainly(group):
        there = set(_names(client, group))
        created = sorted(named.keys() - there)
        for name in created:
            _create(client, group, name, named[name], target)
        deleted = sorted(there - named.keys())
        for name in deleted:
            _delete(client, group, name)
    return Synced(tuple(created), tuple(deleted))


def keep(
    lake: Store, client: Callable[[], Any], group: str, wanted: Iterable[Schedule], target: Target
) -> Synced:
    """:func:`sync`, but nothing is asked of AWS if nothing changed since it was last done.

    ``client`` is a function that makes a boto3 scheduler client.
    """
    schedules = tuple(wanted)
    mark = _digest([group, asdict(target), [asdict(one) for one in schedules]])
    if _DONE.spare(lake, SYNCED) == mark:
        return Synced()
    done = sync(
        client(), group, schedules, target.machine_arn, target.role_arn, target.dlq_arn
    )  # fmt: skip
    lake.put(SYNCED, json.dumps({"digest": mark}).encode())
    return done


def name_of(schedule: Schedule, target: Target) -> str:
    """``weekly-3f2a9c1b``: at most 64 letters, and another one as soon as anything changes."""
    return f"{schedule.report[:55]}-{_digest([asdict(schedule), asdict(target)])}"


def _digest(value: object) -> str:
    text = json.dumps([value, RETRY], sort_keys=True)
    return blake2b(text.encode(), digest_size=4).hexdigest()


def _names(client: Any, group: str) -> Iterable[str]:
    pages = client.get_paginator("list_schedules").paginate(GroupName=group)
    return (one["Name"] for page in pages for one in page["Schedules"])


def _create(client: Any, group: str, name: str, schedule: Schedule, target: Target) -> None:
    try:
        client.create_schedule(
            GroupName=group,
            Name=name,
            Description=f"Sends the report {schedule.report}; made from muster.yaml",
            ScheduleExpression=schedule.expression,
            ScheduleExpressionTimezone=schedule.timezone,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": target.machine_arn,
                "RoleArn": target.role_arn,
                "Input": json.dumps({"report": schedule.report}),
                "DeadLetterConfig": {"Arn": target.dlq_arn},
                "RetryPolicy": RETRY,
            },
        )
    except client.exceptions.ConflictException:
        return  # Another run made the very same one.
    except client.exceptions.ValidationException as error:
        raise BadSettings(
            f"report {schedule.report!r}: AWS refuses {schedule.expression} in "
            f"{schedule.timezone}: {error}: change send_at or timezone"
        ) from error


def _delete(client: Any, group: str, name: str) -> None:
    try:
        client.delete_schedule(GroupName=group, Name=name)
    except client.exceptions.ResourceNotFoundException:
        return  # Another run deleted it.


@contextmanager
def _said_plainly(group: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(f"schedules of group {group!r}: {error}") from error
