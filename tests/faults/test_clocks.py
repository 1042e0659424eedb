"""Clocks that are wrong, nights that are longer, schedules that fire twice, late, not at all."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mailing import NOW, Postbox, at, measured_project
from thorough import IS_THOROUGH

from muster.errors import BadSettings, MaybeSent, SourceFailed
from muster.kpis import catalogue, engine
from muster.lake import state
from muster.lake.state import State
from muster.pipeline import due, importing, measure, publish, schedules
from muster.pipeline.delivery import Delivery
from muster.project import Project, open_project
from muster.settings import Report, Settings, Source
from muster.sources import Window, _newest
from muster.sources._http import Api, Http

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ZONES = ("Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Pacific/Apia")
GRAINS = ("day", "week", "month", "quarter", "year")


# ---- the clock of this computer and the platform's ------------------------------------------


def asked(off: timedelta, **more: str) -> object:
    """What a platform's answer is worth to a computer whose clock is ``off``."""
    told = {"date": f"{NOW:%a, %d %b %Y %H:%M:%S} GMT", **more}
    platform = httpx.MockTransport(lambda _: httpx.Response(200, headers=told, json={"posts": []}))
    http = Http(platform, clock=lambda: NOW + off, sleep=lambda _: None)
    with Api(http, "https://forum.example.org", {}, name="forum") as api:
        return api.get("/posts").body


@given(st.timedeltas(-14 * MINUTE, 14 * MINUTE))
def test_clocks_a_quarter_of_an_hour_apart_agree(off):
    assert asked(off) == {"posts": []}


@given(st.timedeltas(16 * MINUTE, timedelta(days=40)), st.booleans())
def test_a_wrong_clock_reads_nothing_and_is_told_which_way_it_is_wrong(off, is_ahead):
    with pytest.raises(SourceFailed) as told:
        asked(off if is_ahead else -off)
    minutes = int(off.total_seconds()) // 60
    way = "ahead of" if is_ahead else "behind"
    assert f"clock is {minutes} minutes {way} that of forum.example.org" in str(told.value)


def test_what_a_cache_hands_out_says_nothing_of_the_time():
    assert asked(9 * HOUR, age="32400") == {"posts": []}


# ---- set back between two imports ------------------------------------------------------------


def project(folder: Path, now: datetime, zone: str = "Europe/Berlin") -> Project:
    """A project of imports, opened when the clock says ``now``."""
    (folder / "muster.yaml").write_text(
        f"community: Desk\ntimezone: {zone}\nsentiment: none\nreports: [{{name: weekly}}]\n"
    )
    return open_project(folder, clock=lambda: now, environment={}, http=None)


def import_text(folder: Path, now: datetime, text: str) -> None:
    file = folder / "messages.csv"
    file.write_text(f"message_id,thread_id,created_at,text\nm1,t1,2026-11-01T09:00Z,{text}\n")
    importing.import_file(project(folder, now), "messages", file, "desk")


@pytest.mark.parametrize("back", [HOUR, timedelta(days=3), timedelta(days=900)])
def test_the_file_that_was_imported_later_counts_even_if_the_clock_was_set_back(tmp_path, back):
    for now, text in ((NOW, "First"), (NOW - back, "Mended"), (NOW - back + HOUR, "Final")):
        import_text(tmp_path, now, text)
        found = engine.ask(str(tmp_path / "lake"), "select text from messages")
        assert [*found.rows] == [(text,)]


# ---- which sources are due -------------------------------------------------------------------


def plan(folder: Path, last: datetime | None, now: datetime) -> tuple[str, ...]:
    """What an hourly schedule fetches at ``now``, after a last success."""
    (folder / "muster.yaml").write_text(
        "community: Desk\nsources: [{name: feed, platform: rss, base_url: https://a.example/feed}]\n"
    )
    found = open_project(folder, clock=lambda: now, environment={}, http=None)
    state.save(found.lake, "feed", State(last_success_at=last))
    return due.due(found)


def test_a_schedule_that_fires_twice_fetches_once_and_a_late_one_as_well(tmp_path):
    assert plan(tmp_path, None, NOW) == ("feed",)
    assert plan(tmp_path, NOW, NOW + 20 * timedelta(seconds=1)) == ()
    assert plan(tmp_path, NOW, NOW + 59 * MINUTE) == ("feed",)
    assert plan(tmp_path, NOW, NOW + timedelta(days=9)) == ("feed",)


@given(st.timedeltas(6 * MINUTE, timedelta(days=4000)))
def test_a_success_that_a_wrong_clock_told_delays_no_fetch(tmp_path_factory, ahead):
    assert plan(tmp_path_factory.mktemp("due"), NOW + ahead, NOW) == ("feed",)


def test_known_messages_are_looked_at_again_though_a_wrong_clock_said_they_were():
    checked = {"checked": (NOW + timedelta(days=400)).isoformat()}
    window = Window(Source(name="feed", platform="rss"), NOW, {})
    assert list(_newest.recheck(checked, window, 10)) == []
    assert checked["checked"] == _newest.stamp(NOW)


# ---- mails and their schedules ---------------------------------------------------------------


def test_a_report_that_is_started_twice_late_or_not_at_all_is_mailed_once_a_period(tmp_path):
    box = Postbox()
    for week in (0, 1, 3):  # in the second week nothing ran
        monday = NOW + timedelta(weeks=week)
        found = measured_project(tmp_path, box, now=monday)
        for late in (timedelta(), timedelta(), 9 * HOUR, timedelta(days=2)):
            publish.report(at(found, monday + late), send=True)
        assert len(box.sent) == 3 * len({0, 1, 3} & set(range(week + 1)))
    assert len({mail["Message-ID"] for _, mail in box.sent}) == 9


@pytest.mark.parametrize("off", [20 * MINUTE, timedelta(days=30), -20 * MINUTE])
def test_a_claim_of_a_run_that_died_is_told_however_wrong_its_clock_was(tmp_path, off):
    found = measured_project(tmp_path, Postbox())
    post = Delivery(found, "weekly-x", {"report": "weekly", "recipient": "a@example.org"})
    Delivery(at(found, NOW + off), post.name, post.facts)._claim(False)
    with pytest.raises(MaybeSent):
        post.once(lambda: "sent")


def told(send_at: str, timezone: str) -> schedules.Schedule:
    settings = Settings.model_validate({"community": "Desk", "timezone": timezone})
    return schedules.schedule(Report(name="weekly", send_at=send_at), settings)


@pytest.mark.parametrize(
    ("send_at", "zone", "lacking"),
    [
        ("sun 02:30", "Europe/Berlin", "2026-03-29"),
        ("sun 02:00", "America/New_York", "2026-03-08"),
        ("fri 00:15", "Africa/Cairo", "2026-04-24"),
    ],
)
def test_a_time_that_summer_time_leaves_out_is_refused(send_at, zone, lacking):
    with pytest.raises(BadSettings, match=f"would not go out on {lacking}.*another send_at"):
        told(send_at, zone)


@pytest.mark.parametrize("send_at", ["sun 01:59", "sun 03:00", "sat 02:30", "mon 07:00"])
def test_all_other_times_are_taken(send_at):
    assert told(send_at, "Europe/Berlin").timezone == "Europe/Berlin"


# ---- nights, days, weeks and years that are longer -------------------------------------------


def instants() -> Iterator[datetime]:
    """Every 37 minutes around both nights of the clocks, the leap day, and the week 53."""
    for day in (date(2026, 3, 28), date(2026, 4, 4), date(2026, 9, 5), date(2026, 10, 3),
                date(2026, 10, 24), date(2026, 12, 26), date(2028, 2, 27)):  # fmt: skip
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        yield from (start + n * 37 * MINUTE for n in range(9 * 24 * 60 // 37))


def write(path: Path) -> int:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("message_id", "thread_id", "author_id", "created_at"))
        rows = [(f"m{n}", f"m{n}", "p", at.isoformat()) for n, at in enumerate(instants())]
        out.writerows(rows)
    return len(rows)


def expected(zone: ZoneInfo, grain: str) -> dict[date, int]:
    """How many were written in each period, by Python's own calendar."""
    first = {
        "day": lambda day: day,
        "week": lambda day: date.fromisocalendar(*day.isocalendar()[:2], 1),
        "month": lambda day: day.replace(day=1),
        "quarter": lambda day: date(day.year, {1: 1, 2: 4, 3: 7, 4: 10}[(day.month + 2) // 3], 1),
        "year": lambda day: date(day.year, 1, 1),
    }[grain]
    return dict(Counter(first(at.astimezone(zone).date()) for at in instants()))


@pytest.mark.parametrize("name", ZONES if IS_THOROUGH else ZONES[:1])
def test_every_message_counts_in_the_one_period_that_its_local_calendar_says(
    tmp_path, name, monkeypatch
):
    counted = tuple(one for one in catalogue.load() if one.id == "messages")
    monkeypatch.setattr(catalogue, "load", lambda *_: counted)
    found = project(tmp_path, datetime(2028, 3, 20, tzinfo=UTC), name)
    count = write(tmp_path / "messages.csv")
    importing.import_file(found, "messages", tmp_path / "messages.csv", "desk")
    values = measure.measure(found).values
    for grain in GRAINS:
        got = {one.period_start: one.value for one in values if one.grain == grain and one.value}
        assert got == expected(ZoneInfo(name), grain), grain
        assert sum(got.values()) == count
    assert date(2028, 2, 29) in expected(ZoneInfo(name), "day")
    assert date(2026, 12, 28).isocalendar().week == 53
