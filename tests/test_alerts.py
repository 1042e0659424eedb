"""Between two reports: what is new is told once, at most twice a day, to whoever wants it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mailing import ANNA, BEN, CLEO, Postbox
from typer.testing import CliRunner

from muster.command_line import app
from muster.errors import BadSettings, Unavailable
from muster.measured import GoalStatus, KpiValue
from muster.pipeline import alerts, latest, leaving, subscriptions
from muster.project import Project, open_project
from muster.reports import between
from muster.results import Kpi, Measured
from muster.sending import leaving as tokens
from muster.settings import Report, Settings

THURSDAY = datetime(2026, 11, 27, 3, 30, tzinfo=UTC)  # the night after it
MORE = """\
community: Help desk
timezone: Europe/Berlin
reports:
  - name: weekly
    sender: desk@example.org
    recipients: [anna@example.org, ben@example.org, cleo@example.org]
    alerts: [anna@example.org, ben@example.org]
    site_url: https://site.example/
unsubscribe: {url: 'https://leave.example/', secret: env:LEAVING}
goals:
  - {name: Answer, objective: Trust, kpi: waiting, target: {at_most: 10}, by: 2026-12-31}
"""


def kpi(name: str, better: str = "down") -> Kpi:
    grains = ("day", "week", "month", "quarter", "year")
    return Kpi(
        name, name.capitalize(), "?", "D.", "count", better, (), 1, "messages", grains, 0.0, None,
        "select 1",
    )  # fmt: skip


def days(name: str, last: date, *newest: float, weeks: int = 12) -> list[KpiValue]:
    """Calm days, with quiet weekends, that end with the values given."""
    values = []
    for back in range(7 * weeks):
        day = last - timedelta(days=back)
        calm = 2.0 + back // 7 % 2 if day.weekday() >= 5 else 50.0 + back // 7 % 3
        value = newest[-1 - back] if back < len(newest) else calm
        values.append(
            KpiValue(kpi=name, version=1, grain="day", period_start=day, segment="all",
                     value=value, n=int(value) + 9, too_few=False, partial=False)
        )  # fmt: skip
    return values


def status(verdict: str) -> GoalStatus:
    return GoalStatus(
        goal="Answer", kpi="waiting", period_start=date(2026, 11, 16), status=verdict, value=12.0,
        target=10.0, expected=10.0, projected=None, arrives_on=None, reason="",
    )  # fmt: skip


def project_at(
    folder: Path, box: Postbox, now: datetime, *newest: float, goal: str = "on_track",
    name: str = "waiting", text: str = MORE, of: Kpi | None = None,
) -> Project:  # fmt: skip
    """The project in the night of ``now``, whose last whole days had these values."""
    (folder / "muster.yaml").write_text(text)
    secret = {"LEAVING": "secret"}
    project = open_project(folder, clock=lambda: now, environment=secret, http=None)
    last = (now.astimezone(project.settings.zone) - timedelta(days=1)).date()
    kpis = (of or kpi("waiting"), kpi("questions", "none"))
    found = Measured(
        now, kpis, tuple(days(name, last, *newest)), (status(goal),), waiting=(), sources=()
    )
    latest.keep(project, found)
    return replace(project, mailer=box)


@pytest.fixture
def box() -> Postbox:
    return Postbox()


@pytest.fixture
def folder(tmp_path: Path, box: Postbox) -> Path:
    """A project that looked once, on a calm day."""
    assert not alerts.alert(project_at(tmp_path, box, THURSDAY - timedelta(days=1)), send=True)
    return tmp_path


def tell(folder: Path, box: Postbox, now: datetime, *newest: float, **how: Any) -> list[str]:
    alerts.alert(project_at(folder, box, now, *newest, **how), send=True)
    found = [f"{reader}: {mail['Subject']}" for reader, mail in box.sent]
    box.sent.clear()
    return found


def test_a_running_total_is_no_news_between_reports_either(folder: Path, box: Postbox) -> None:
    """What it loses is: followers gained."""
    level, flow = (replace(kpi("waiting"), table="audience", from_days=how) for how in ("last", ""))
    assert tell(folder, box, THURSDAY, 400, of=level) == []
    assert len(tell(folder, box, THURSDAY, 400, of=flow)) == 2


def test_of_a_heap_it_is_told_how_many_came_on_the_day(folder: Path, box: Postbox) -> None:
    """Beside what comes on such a weekday, not what came since the one of last week."""
    heap = replace(kpi("waiting"), from_days="last", statistic="state")
    grown = [10.0 + 5 * day for day in range(84)]
    alerts.alert(project_at(folder, box, THURSDAY, *grown, of=heap), send=True)
    assert not box.sent
    friday = THURSDAY + timedelta(days=1)
    alerts.alert(project_at(folder, box, friday, *grown, 625, of=heap), send=True)
    text = box.sent[0][1].get_body(("plain",)).get_content()
    assert "625 – +200 on the day before: outside the routine range" in text


def test_a_signal_is_told_once_to_whoever_wants_it(folder: Path, box: Postbox) -> None:
    subject = "Worse: Waiting unusually high (400) (26 November 2026)"
    assert tell(folder, box, THURSDAY, 400) == [f"{ANNA}: {subject}", f"{BEN}: {subject}"]
    assert tell(folder, box, THURSDAY, 400) == []
    assert tell(folder, box, THURSDAY + timedelta(days=1), 400, 390) == [], "it still stands"


def test_a_signal_that_ended_and_comes_again_is_a_new_one(folder: Path, box: Postbox) -> None:
    assert len(tell(folder, box, THURSDAY, 400)) == 2
    assert tell(folder, box, THURSDAY + timedelta(days=1), 400, 51) == []
    assert tell(folder, box, THURSDAY + timedelta(days=5), 400, 51, 2, 2, 51, 380)


def test_days_are_read_beside_their_own_weekday(folder: Path, box: Postbox) -> None:
    """Fifty is calm on a weekday and a signal on a Saturday."""
    assert tell(folder, box, THURSDAY, 51) == []
    sunday_night = datetime(2026, 11, 29, 3, 30, tzinfo=UTC)
    assert "28 November" in tell(folder, box, sunday_night, 51)[0]


def test_good_news_can_wait_for_the_report(folder: Path, box: Postbox) -> None:
    assert tell(folder, box, THURSDAY, 0) == []


def test_a_first_case_after_many_days_without_any_is_no_alarm(tmp_path: Path, box: Postbox) -> None:
    """Changes between days without a case give limits of 0 and 0."""
    calm = [0.0] * 80
    tell(tmp_path, box, THURSDAY - timedelta(days=1), *calm)
    assert tell(tmp_path, box, THURSDAY, *calm, 1) == []
    assert tell(tmp_path, box, THURSDAY, *calm, 9)


def test_a_day_just_outside_is_no_alarm(folder: Path, box: Postbox) -> None:
    """Fridays go 50, 51, 52 and on: sixty is outside, but within what counting alone gives."""
    assert tell(folder, box, THURSDAY, 60) == []


def test_the_first_look_tells_nothing(tmp_path: Path, box: Postbox) -> None:
    assert tell(tmp_path, box, THURSDAY, 400, goal="off_track") == []
    assert tell(tmp_path, box, THURSDAY, 400, goal="off_track") == []


def test_a_goal_that_turns_off_track_is_told_once(folder: Path, box: Postbox) -> None:
    told = tell(folder, box, THURSDAY, 51, goal="off_track")
    assert told == [f"{one}: Off track: Answer (26 November 2026)" for one in (ANNA, BEN)]
    assert tell(folder, box, THURSDAY, 51, goal="off_track") == []
    assert tell(folder, box, THURSDAY + timedelta(days=1), 51, goal="at_risk") == []
    assert tell(folder, box, THURSDAY + timedelta(days=2), 51, goal="off_track")


def test_at_most_two_a_day_and_the_third_waits_for_the_next(folder: Path, box: Postbox) -> None:
    both = (THURSDAY + timedelta(hours=n) for n in (1, 2, 3))
    assert tell(folder, box, next(both), 400)
    assert tell(folder, box, next(both), 400, goal="off_track")
    third = next(both)
    assert tell(folder, box, third, 51) == []
    assert tell(folder, box, third, 400) == [], "the third of this day"
    assert tell(folder, box, THURSDAY + timedelta(days=1), 400, 400)


def test_two_runs_at_once_tell_once(folder: Path, box: Postbox) -> None:
    project = project_at(folder, box, THURSDAY, 400)
    get = project.outbox.get

    class Late:
        """The outbox of a run that reads the memory just before another one writes it."""

        def __getattr__(self, name: str) -> object:
            return getattr(project.outbox, name)

        def get(self, key: str) -> object:
            found = get(key)
            if key == "alerts/weekly.json":
                alerts.alert(project, send=True)
            return found

    assert not alerts.alert(replace(project, outbox=Late()), send=True)  # type: ignore[arg-type]
    assert box.readers == [ANNA, BEN]


def test_a_mail_that_cannot_leave_costs_only_itself(folder: Path, box: Postbox) -> None:
    def trouble(one: str) -> None:
        if one == ANNA:
            raise Unavailable("later")

    box.trouble = trouble
    told = alerts.alert(project_at(folder, box, THURSDAY, 400), send=True)
    assert {one.recipient: one.outcome for one in told} == {ANNA: "not sent yet", BEN: "sent"}


def test_what_could_not_leave_is_told_by_the_next_look_to_whom_it_is_owed(
    folder: Path, box: Postbox
) -> None:
    """Once, and only while it stands."""

    def trouble(one: str) -> None:
        if one == ANNA:
            raise Unavailable("later")

    box.trouble = trouble
    subject = "Worse: Waiting unusually high (400) (26 November 2026)"
    assert tell(folder, box, THURSDAY, 400) == [f"{BEN}: {subject}"]
    box.trouble = lambda one: None
    assert tell(folder, box, THURSDAY, 400) == [f"{ANNA}: {subject}"]
    assert tell(folder, box, THURSDAY, 400) == []
    box.trouble = trouble
    friday, goal = THURSDAY + timedelta(days=1), "off_track"
    assert tell(folder, box, friday, 400, 390, goal=goal)
    box.trouble = lambda one: None
    assert tell(folder, box, friday, 400, 390) == [], "the goal is on track again"


def test_a_password_that_is_refused_costs_no_alert(folder: Path, box: Postbox) -> None:
    def refused(one: str) -> None:
        raise BadSettings("mail server refuses user 'desk'")

    box.trouble = refused
    with pytest.raises(BadSettings):
        tell(folder, box, THURSDAY, 400)
    box.trouble = lambda one: None
    assert len(tell(folder, box, THURSDAY, 400)) == 2
    assert tell(folder, box, THURSDAY, 400) == []


def test_without_send_it_only_says_and_forgets(folder: Path, box: Postbox) -> None:
    project = project_at(folder, box, THURSDAY, 400)
    told = alerts.alert(project, send=False)
    assert {one.outcome for one in told} == {"new, not sent"} and not box.sent
    assert len(alerts.alert(project, send=True)) == 2


def test_a_week_between_two_months_is_told_with_all_its_days() -> None:
    seen = between.Watched("week", date(2026, 11, 16), {})
    found = [between.Found("k", "worse", "Worse", "K", "9 – far out.", "Worse: K", "kpi/k.html")]
    told = between.alert(Report(grain="month"), Settings(community="C"), seen, THURSDAY, found)
    assert told.period_text == "Week 47: 16–22 November 2026"


def test_what_stands_at_the_first_look_is_said_to_be_no_news(tmp_path: Path, box: Postbox) -> None:
    project = project_at(tmp_path, box, THURSDAY, 400)
    told = alerts.alert(project, send=False)
    assert {one.outcome for one in told} == {"old news at the first look"}
    assert not alerts.alert(project, send=True)


def test_an_unknown_report_is_refused(folder: Path, box: Postbox) -> None:
    with pytest.raises(BadSettings, match="no report 'nope': there are weekly"):
        alerts.alert(project_at(folder, box, THURSDAY), send=False, names=["nope"])


def test_the_command_says_where_no_report_asks_for_alerts(folder: Path, box: Postbox) -> None:
    def told() -> str:
        return CliRunner().invoke(app, ["-C", str(folder), "alert"]).output

    project_at(folder, box, THURSDAY)
    assert "nothing new" in told()
    project_at(folder, box, THURSDAY, text=MORE.replace("alerts:", "# alerts:"))
    assert "no report asks for alerts" in told()


def test_alerts_are_left_on_their_own(folder: Path, box: Postbox) -> None:
    project = project_at(folder, box, THURSDAY, 400)
    alerts.alert(project, send=True)
    url = dict(box.sent)[BEN]["List-Unsubscribe"].strip("<>")
    token = url.partition("?u=")[2]
    assert tokens.read("secret", token) == ("weekly/alerts", BEN)
    leaving.answer(project, "POST", token)
    states = {(one.report, one.recipient): one.state for one in subscriptions.readers(project)}
    assert states["weekly/alerts", BEN] == "unsubscribed"
    assert states["weekly", BEN] == states["weekly/alerts", ANNA] == "gets it"
    assert ("weekly/alerts", CLEO) not in states
    box.sent.clear()
    tell(folder, box, THURSDAY + timedelta(days=1), 400, 51)
    assert [one[: len(BEN)] for one in tell(folder, box, THURSDAY + timedelta(days=4), 400)] == [
        ANNA[: len(BEN)]
    ]
    assert subscriptions.take_back(project, "weekly/alerts", BEN)[1].state == "gets it"


def test_who_left_the_report_gets_no_alerts_either(folder: Path, box: Postbox) -> None:
    project = project_at(folder, box, THURSDAY, 400)
    leaving.answer(project, "POST", tokens.token("secret", "weekly", BEN))
    told = alerts.alert(project, send=True)
    assert {one.recipient: one.outcome for one in told} == {ANNA: "sent", BEN: "unsubscribed"}


def test_the_mail_says_what_where_and_how_often(folder: Path, box: Postbox) -> None:
    alerts.alert(project_at(folder, box, THURSDAY, 400), send=True)
    mail = box.sent[0][1]
    text = " ".join(mail.get_body(("plain",)).get_content().split())
    assert "◆ Worse - Waiting: 400 – outside the routine range of" in text
    assert "https://site.example/kpi/waiting.html" in text
    assert "At most two of these mails a day" in text
    page = mail.get_body(("html",)).get_content()
    assert 'href="https://site.example/kpi/waiting.html"' in page
    assert "https://leave.example/?u=" in page
    assert not [defect for part in mail.walk() for defect in part.defects]


def test_only_recipients_can_be_alerted(tmp_path: Path) -> None:
    (tmp_path / "muster.yaml").write_text(MORE.replace("alerts: [anna@", "alerts: [eve@"))
    with pytest.raises(BadSettings, match="add eve@example.org to recipients"):
        open_project(tmp_path, clock=lambda: THURSDAY, environment={}, http=None)


def test_all_are_alerted_in_the_report_s_language(tmp_path: Path, box: Postbox) -> None:
    text = MORE.replace("alerts: [anna@example.org, ben@example.org]", "alerts: all")
    text = text.replace("name: weekly\n", "name: weekly\n    language: de\n")
    tell(tmp_path, box, THURSDAY - timedelta(days=1), 51, text=text)
    told = tell(tmp_path, box, THURSDAY, 400, text=text)
    subject = "Schlechter: Waiting ungewöhnlich hoch (400) (26. November 2026)"
    assert told == [f"{one}: {subject}" for one in (ANNA, BEN, CLEO)]
