"""Every report has one schedule that fires when its settings say, in its own time zone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import boto3
import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st
from s3_servers import KEY, SECRET, moto

from muster.clock import local_midnight, period_start
from muster.errors import BadSettings, Unavailable
from muster.pipeline import schedules
from muster.pipeline.schedules import Schedule, Synced, Target
from muster.settings import Report, Settings
from muster.store import FolderStore

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:report"
TARGET = Target(ARN, "arn:aws:iam::123456789012:role/start", "arn:aws:sqs:eu-central-1:1:missed")
START = datetime(2026, 11, 26, 12)


def settings_of(*reports: dict[str, Any], timezone: str = "Europe/Berlin") -> Settings:
    reader = {"recipients": ["a@example.org"]}
    return Settings.model_validate(
        {
            "community": "Desk",
            "timezone": timezone,
            "reports": [{**reader, **one} for one in reports],
        }
    )


def fires(expression: str, start: datetime, count: int) -> list[datetime]:
    """The next local times of an EventBridge cron, field by field, as its documentation reads."""
    assert expression.startswith("cron(") and expression.endswith(")")
    minute, hour, day, month, weekday, year = expression[5:-1].split()
    assert (day == "?") != (weekday == "?") and year == "*"
    months = range(1, 13) if month == "*" else [int(one) for one in month.split(",")]
    found: list[datetime] = []
    on = start.date()
    while len(found) < count:
        is_day = on.day == int(day) if weekday == "?" else f"{on:%a}".upper() == weekday
        at = datetime(on.year, on.month, on.day, int(hour), int(minute))
        if is_day and on.month in months and at > start:
            found.append(at)
        on += timedelta(days=1)
    return found


times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))


@given(st.sampled_from(WEEKDAYS), times)
def test_a_weekly_report_goes_out_every_week_on_its_day(day: str, time: str) -> None:
    found = schedules.expression(Report(send_at=f"{day} {time}"))
    hour, minute = (int(part) for part in time.split(":"))
    second_way = rrule.rrule(
        rrule.WEEKLY, START, byweekday=WEEKDAYS.index(day), byhour=hour, byminute=minute,
        bysecond=0, count=5,
    )  # fmt: skip
    assert fires(found, START, 5) == list(second_way)


@given(st.sampled_from(["month", "quarter"]), st.integers(1, 28), times)
def test_a_monthly_or_quarterly_one_goes_out_on_its_day_of_every_period(
    grain: Any, day: int, time: str
) -> None:
    found = schedules.expression(Report(grain=grain, send_at=f"{day} {time}"))
    hour, minute = (int(part) for part in time.split(":"))
    months = {"month": range(1, 13), "quarter": (1, 4, 7, 10)}[grain]
    second_way = rrule.rrule(
        rrule.MONTHLY, START, bymonth=months, bymonthday=day, byhour=hour, byminute=minute,
        bysecond=0, count=5,
    )  # fmt: skip
    assert fires(found, START, 5) == list(second_way)


@given(
    st.sampled_from(["week", "month", "quarter"]),
    st.sampled_from(sorted(available_timezones())),
    st.sampled_from(sorted(available_timezones())),
    times,
)
def test_a_report_is_never_sent_before_its_period_is_over_where_the_community_is(
    grain: Any, home: str, zone: str, time: str
) -> None:
    day = "mon" if grain == "week" else "1"
    said = settings_of(
        {"grain": grain, "send_at": f"{day} {time}", "timezone": zone}, timezone=home
    )
    try:
        (found,) = schedules.wanted(said)
    except BadSettings as error:
        if "when summer time begins" in str(error):
            return
        assert "choose a later send_at" in str(error)
        assert any(is_early(at, zone, home, grain) for at in two_years(grain, time))
        return
    assert found.timezone == zone
    early = [at for at in fires(found.expression, START, 9) if is_early(at, zone, home, grain)]
    assert not early


def two_years(grain: str, time: str) -> list[datetime]:
    day = "mon" if grain == "week" else "1"
    count = {"week": 104, "month": 24, "quarter": 8}[grain]
    return fires(schedules.expression(Report(grain=grain, send_at=f"{day} {time}")), START, count)  # type: ignore[arg-type]


def is_early(at: datetime, zone: str, home: str, grain: str) -> bool:
    first = period_start(date(at.year, at.month, at.day), grain)
    sent = at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return sent < local_midnight(first, ZoneInfo(home))


def test_without_a_word_reports_go_out_early_on_the_first_day_in_the_community_s_zone() -> None:
    said = settings_of(
        {"name": "weekly"},
        {"name": "monthly", "grain": "month"},
        {"name": "board", "grain": "quarter", "timezone": "America/New_York"},
        {"name": "site-only", "recipients": []},
    )
    assert schedules.wanted(said) == (
        Schedule("weekly", "cron(0 7 ? * MON *)", "Europe/Berlin"),
        Schedule("monthly", "cron(0 7 1 * ? *)", "Europe/Berlin"),
        Schedule("board", "cron(0 7 1 1,4,7,10 ? *)", "America/New_York"),
    )


@pytest.mark.parametrize(
    ("grain", "send_at"),
    [("week", "monday 07:30"), ("week", "1 07:30"), ("week", "mon 24:00"), ("week", "mon 7:30"),
     ("month", "mon 07:30"), ("month", "29 07:30"), ("month", "0 07:30"), ("quarter", "1 07:60")],
)  # fmt: skip
def test_a_time_that_is_none_is_refused_with_an_example(grain: str, send_at: str) -> None:
    with pytest.raises(ValueError, match=r"write (mon 07:30|a day from 1 to 28 and a time)"):
        settings_of({"grain": grain, "send_at": send_at})


@pytest.fixture(scope="module")
def scheduler() -> Iterator[Any]:
    """A scheduler with an empty group."""
    with moto() as server:
        client = boto3.client(
            "scheduler", endpoint_url=server.url, region_name="eu-central-1",
            aws_access_key_id=KEY, aws_secret_access_key=SECRET,
        )  # fmt: skip
        client.create_schedule_group(Name="muster")
        yield client


@pytest.fixture
def group(scheduler: Any) -> Iterator[Any]:
    """The scheduler, and whatever a test left is gone after it."""
    yield scheduler
    for one in there(scheduler):
        scheduler.delete_schedule(GroupName="muster", Name=one["Name"])


def there(client: Any) -> list[dict[str, Any]]:
    """Every schedule of the group, whole."""
    names = [one["Name"] for one in client.list_schedules(GroupName="muster")["Schedules"]]
    return [client.get_schedule(GroupName="muster", Name=name) for name in names]


def sync(client: Any, *wanted: Schedule, target: Target = TARGET) -> Synced:
    return schedules.sync(
        client, "muster", wanted, target.machine_arn, target.role_arn, target.dlq_arn
    )


WEEKLY = Schedule("weekly", "cron(30 7 ? * MON *)", "Europe/Berlin")
BOARD = Schedule("board", "cron(0 7 1 1,4,7,10 ? *)", "UTC")


def test_the_group_holds_what_the_settings_want(group: Any) -> None:
    assert len(sync(group, WEEKLY, BOARD).created) == 2
    board, weekly = sorted(there(group), key=lambda one: one["Name"])
    assert board["Name"].startswith("board-")
    assert weekly["ScheduleExpression"] == "cron(30 7 ? * MON *)"
    assert weekly["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert weekly["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert weekly["Target"]["Arn"] == ARN
    assert weekly["Target"]["RoleArn"] == TARGET.role_arn
    assert weekly["Target"]["DeadLetterConfig"] == {"Arn": TARGET.dlq_arn}
    assert json.loads(weekly["Target"]["Input"]) == {"report": "weekly"}

    assert sync(group, WEEKLY, BOARD) == Synced(), "and again changes nothing"
    later = replace(WEEKLY, expression="cron(0 9 ? * MON *)")
    moved = sync(group, later, BOARD)
    assert (len(moved.created), len(moved.deleted)) == (1, 1)
    assert {one["ScheduleExpression"] for one in there(group)} == {
        later.expression, BOARD.expression
    }  # fmt: skip
    assert len(sync(group, target=TARGET).deleted) == 2
    assert not there(group)


@settings(max_examples=12)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["weekly", "board", "w" * 63, "w" * 62]),
            st.sampled_from(["cron(0 7 ? * MON *)", "cron(1 7 ? * TUE *)"]),
        ),
        max_size=4,
    )
)
def test_whatever_is_wanted_in_turn_the_group_holds_the_last(
    scheduler: Any, steps: list[dict[str, str]]
) -> None:
    for step in [*steps, {}]:
        wanted = [Schedule(name, expression, "UTC") for name, expression in step.items()]
        sync(scheduler, *wanted)
        found = {
            json.loads(one["Target"]["Input"])["report"]: one["ScheduleExpression"]
            for one in there(scheduler)
        }
        assert found == step


def test_a_schedule_that_another_run_made_or_deleted_is_no_trouble(group: Any) -> None:
    """The listing was true when it was made."""

    class Late:
        """Lists what was there before another run came."""

        def __init__(self, names: list[str]) -> None:
            self.names = names

        def __getattr__(self, name: str) -> Any:
            return getattr(group, name)

        def get_paginator(self, _: str) -> Any:
            return self

        def paginate(self, **_: Any) -> list[dict[str, Any]]:
            return [{"Schedules": [{"Name": name} for name in self.names]}]

    (name,) = sync(group, WEEKLY).created
    sync(Late([]), WEEKLY)
    sync(group)
    sync(Late([name]))
    assert not there(group)


def test_nothing_is_asked_of_aws_while_settings_and_stack_stay(tmp_path: Path, group: Any) -> None:
    lake, asked = FolderStore(tmp_path), []

    def client() -> Any:
        asked.append(1)
        return group

    def keep(*wanted: Schedule, target: Target = TARGET) -> Synced:
        return schedules.keep(lake, client, "muster", wanted, target)

    assert len(keep(WEEKLY).created) == 1
    assert keep(WEEKLY) == Synced()
    assert len(asked) == 1
    assert len(keep(WEEKLY, BOARD).created) == 1
    new_stack = keep(WEEKLY, BOARD, target=replace(TARGET, machine_arn=ARN + "2"))
    assert (len(new_stack.created), len(new_stack.deleted)) == (2, 2)
    assert len(asked) == 3


def test_a_group_that_is_not_there_is_one_line(scheduler: Any, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="schedules of group 'nowhere': "):
        schedules.keep(FolderStore(tmp_path), lambda: scheduler, "nowhere", [WEEKLY], TARGET)
    assert FolderStore(tmp_path).get(schedules.SYNCED) is None, "the next hour tries again"
