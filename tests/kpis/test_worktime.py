"""Business time equals a walk over every minute, in many zones, on the nights clocks change."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.errors import BadSettings
from muster.kpis.worktime import intervals, pieces
from muster.settings import Schedule, weekdays

MINUTE = timedelta(minutes=1)
# Around nights on which clocks change, on the Lord Howe half hour, and at a year with ISO week 53.
STARTS = {
    "Europe/Berlin": [date(2026, 3, 28), date(2026, 10, 24), date(2026, 12, 30)],
    "America/New_York": [date(2026, 3, 7), date(2026, 10, 31)],
    "Australia/Lord_Howe": [date(2026, 4, 4), date(2026, 10, 3)],
    "Africa/Casablanca": [date(2026, 2, 14), date(2026, 3, 21)],
    "America/Santiago": [date(2026, 4, 4), date(2026, 9, 5)],
    "Asia/Kathmandu": [date(2026, 12, 31)],
    "Pacific/Apia": [date(2011, 12, 29)],
}
# Of the days looked at, those on which all of Germany rests (from its laws, not from a library).
GERMAN_HOLIDAYS = {
    date(2026, 4, 3), date(2026, 4, 6), date(2026, 10, 3), date(2027, 1, 1),
}  # fmt: skip
clock_times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
ranges = st.builds("{}-{}".format, clock_times, clock_times)
hours = st.dictionaries(
    st.sampled_from(["mon-fri", "sat-sun", "sun", "thu", "fri-mon"]),
    st.lists(ranges, max_size=3).map(tuple),
    max_size=3,
)


@st.composite
def calendars(draw):
    zone = draw(st.sampled_from(sorted(STARTS)))
    day = draw(st.sampled_from(STARTS[zone]))
    closed = draw(st.lists(st.integers(-1, 3), max_size=1))
    country = draw(st.sampled_from([None, "DE"]))
    first = Schedule(
        hours=draw(hours), closed=tuple(day + timedelta(n) for n in closed), country=country
    )
    second = Schedule(hours=draw(hours), valid_from=day + timedelta(days=1), country="DE")
    return zone, day, draw(st.sampled_from([(first,), (first, second), (second, first)]))


def works(at: datetime, schedules, zone: ZoneInfo) -> bool:
    """Whether the local clock reads a time inside a shift of today or over from yesterday."""
    local = at.astimezone(zone).replace(tzinfo=None)
    return any(_in_shift(local, local.date() - timedelta(n), schedules) for n in (0, 1))


def _in_shift(local: datetime, day: date, schedules) -> bool:
    valid = [one for one in schedules if (one.valid_from or date.min) <= day]
    schedule = max(valid, key=lambda one: one.valid_from or date.min, default=None)
    if schedule is None or day in schedule.closed:
        return False
    if schedule.country == "DE" and day in GERMAN_HOLIDAYS:
        return False
    for days, texts in schedule.hours.items():
        if day.weekday() in weekdays(days):
            for text in texts:
                opens, closes = (
                    datetime.combine(day, datetime.strptime(part, "%H:%M").time())
                    for part in text.split("-")
                )
                closes += timedelta(days=closes <= opens)
                if opens <= local < closes:
                    return True
    return False


@settings(max_examples=60, deadline=None)
@given(calendar=calendars(), offsets=st.tuples(st.integers(0, 3000), st.integers(0, 3000)))
def test_seconds_between_two_instants_are_the_minutes_at_work(calendar, offsets):
    name, day, schedules = calendar
    zone = ZoneInfo(name)
    first = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) - timedelta(days=1)
    early, late = sorted(first + offset * MINUTE for offset in offsets)
    walked = sum(
        60
        for step in range(int((late - early) / MINUTE))
        if works(early + step * MINUTE, schedules, zone)
    )
    cut = list(pieces(schedules, zone, first - timedelta(days=3), first + timedelta(days=6)))
    assert _until(cut, late) - _until(cut, early) == walked


def _until(cut, at: datetime) -> float:
    """F(at), as the SQL computes it: one piece of the UTC day holds the instant."""
    (one,) = [
        piece for piece in cut if piece.day == at.date() and piece.start_at <= at < piece.end_at
    ]
    return one.seconds_before + ((at - one.start_at).total_seconds() if one.is_working else 0)


def week(*texts: str, **more) -> tuple[Schedule, ...]:
    return (Schedule(hours={"mon-sun": texts}, **more),)


def total(spans) -> float:
    return sum((end - start).total_seconds() for start, end in spans)


NIGHTS = (Schedule(hours={"mon-sun": ("22:00-06:00",), "sat-mon": ("09:15-12:00", "12:45-17:30")}),)
QUARTER = timedelta(minutes=15)


@cache
def turning_days(name: str) -> tuple[date, ...]:
    """The UTC dates of 2026 within which the zone's clocks change."""
    zone, first = ZoneInfo(name), datetime(2026, 1, 1, tzinfo=UTC)
    days = [first + timedelta(days=n) for n in range(365)]
    offsets = [day.astimezone(zone).utcoffset() for day in days]
    pairs = zip(days, offsets, offsets[1:], strict=False)
    return tuple(day.date() for day, before, after in pairs if before != after)


@pytest.mark.parametrize("share", range(6))
def test_in_every_zone_the_hours_around_changed_clocks_are_those_of_a_walk(share):
    for name in sorted(available_timezones())[share::6]:
        zone = ZoneInfo(name)
        for day in turning_days(name) or (date(2026, 6, 6),):
            first = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=12)
            walk = [first + step * QUARTER for step in range(192)]
            walked = sum(900 for at in walk if works(at, NIGHTS, zone))
            cut = list(pieces(NIGHTS, zone, first - timedelta(days=2), first + timedelta(days=4)))
            found = _until(cut, first + timedelta(days=2)) - _until(cut, first)
            assert found == walked, (name, day)


def test_a_night_shift_is_an_hour_shorter_or_longer_when_clocks_change():
    night, zone = week("22:00-06:00"), ZoneInfo("Europe/Berlin")
    nights = [date(2026, 3, 20), date(2026, 3, 28), date(2026, 10, 24)]
    assert [total(intervals(night, zone, day, day)) / 3600 for day in nights] == [8, 7, 9]


def test_a_holiday_takes_out_the_whole_shift_that_starts_on_it_and_no_other():
    night = week("22:00-06:00", country="DE", region="BE")
    found = intervals(night, ZoneInfo("UTC"), date(2026, 4, 30), date(2026, 5, 2))
    assert [start.date().isoformat() for start, _ in found] == ["2026-04-30", "2026-05-02"]
    assert found[0][1] == datetime(2026, 5, 1, 6, tzinfo=UTC)


def test_a_regional_holiday_counts_only_in_its_region():
    day = date(2026, 1, 6)
    for region, shifts in (("BY", 0), ("BE", 1)):
        open_hours = week("09:00-17:00", country="DE", region=region)
        assert len(intervals(open_hours, ZoneInfo("Europe/Berlin"), day, day)) == shifts


def test_several_ranges_a_day_leave_the_break_out():
    day = date(2026, 3, 2)
    found = intervals(week("09:00-12:30", "13:30-17:00"), ZoneInfo("UTC"), day, day)
    assert total(found) == 7 * 3600


def test_nothing_is_known_before_the_first_schedule():
    schedules = week("09:00-17:00", valid_from=date(2026, 3, 2))
    cut = list(
        pieces(
            schedules, ZoneInfo("UTC"),
            datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC),
        )
    )  # fmt: skip
    assert cut[0].start_at == datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("country", "region", "told"),
    [
        ("XX", None, "'XX': .*write a country as ISO 3166 does: DE, US$"),
        ("de", None, "'de': did you mean 'DE'"),
        ("GERMANY", None, "'GERMANY': did you mean 'Germany'"),
        ("country_holidays", None, "'country_holidays': .*write a country"),  # the package's own
        ("utils", None, "'utils': .*write a country"),
        ("NYSE", None, "'NYSE': .*write a country"),
        ("DE", "be", "'be' of DE: did you mean 'BE'"),
        ("DE", "Beyern", "'Beyern' of DE: did you mean 'Bayern'"),
        ("DE", "1", "'1' of DE: known here: BB, BE, BW"),
    ],
)
def test_what_is_no_country_or_region_is_told_with_what_was_meant(country, region, told):
    hours = week("09:00-17:00", country=country, region=region)
    with pytest.raises(BadSettings, match=f"no holidays known for {told}"):
        intervals(hours, ZoneInfo("UTC"), date(2026, 1, 1), date(2026, 1, 1))


def test_holidays_of_countries_without_importing_all_of_them() -> None:
    """What our way of importing gives is what ``holidays`` itself gives."""
    program = """
import sys, datetime, holidays
if {ours}:
    from muster.kpis import worktime
    find = lambda country: worktime._holidays(country, None)
else:
    find = holidays.country_holidays
days = [datetime.date(2026, 1, 1) + datetime.timedelta(day) for day in range(366)]
print(find("DE").__class__.__name__, sum("holidays.countries." in name for name in sys.modules))
for country in list(holidays.list_supported_countries())[::6] + ["AX", "DE", "US"]:
    found = find(country)
    print(country, [str(day) for day in days if day in found])
"""
    (ours, whole) = (
        subprocess.run(
            [sys.executable, "-c", program.replace("{ours}", str(ours))],
            capture_output=True, text=True, check=True,
        ).stdout.partition("\n")[::2]
        for ours in (True, False)
    )  # fmt: skip
    assert ours[1] == whole[1] and "DE ['2026-01-01'" in ours[1]
    assert ours[0] == "DE 1" and int(whole[0].split()[1]) > 200
