"""A monthly report judges its goals by months, a weekly one by weeks, from one measurement."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from mailing import NOW, measured_project

from muster.goals import goals
from muster.kpis import catalogue
from muster.measured import KpiValue
from muster.pipeline import latest, publish
from muster.project import Project
from muster.results import Measured

MORE = """\
  - {name: monthly, grain: month, title: The month, sender: desk@example.org}
  - {name: quarterly, grain: quarter, sender: desk@example.org}
goals:
  - name: Keep talking
    objective: Be trusted
    kpi: messages
    target: {at_least: 90}
    by: 2027-06-30
"""


def value(grain: str, start: date, number: float) -> KpiValue:
    return KpiValue(
        kpi="messages", version=1, grain=grain, period_start=start, segment="all",
        value=number, n=100, too_few=False, partial=False,
    )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Weeks that fall short, months that do not, and no quarter."""
    project = measured_project(tmp_path, more=MORE)
    weeks = [value("week", date(2026, 11, day), 50) for day in (2, 9, 16)]
    months = [value("month", date(2026, month, 1), 400) for month in (8, 9, 10)]
    kpis = tuple(one for one in catalogue.load() if one.id == "messages")
    settings = project.settings
    verdicts = goals.judge(
        settings.goals, kpis, weeks, "week", NOW, settings.zone, settings.longest_windows
    )
    found = Measured(NOW, kpis, (*weeks, *months), tuple(verdicts), (), ())
    latest.keep(project, found)
    return project


def test_each_report_tells_the_verdict_of_its_own_period(project: Project) -> None:
    pages = publish.preview(project)
    said = {name: re.search(r"The goal is ([a-z ]+)\.", page) for name, page in pages.items()}
    told = {name: found[1] if found else "" for name, found in said.items()}
    assert told == {"weekly": "at risk", "monthly": "met", "quarterly": "without a verdict"}
    assert "400 meets the target" not in pages["weekly"]
    asked = {name: re.search(r"at least 90 a \w+", page) for name, page in pages.items()}
    assert {name: found and found[0] for name, found in asked.items()} == {
        "weekly": "at least 90 a week", "monthly": "at least 90 a month",
        "quarterly": "at least 90 a quarter",
    }  # fmt: skip


def page_of(project: Project, page: str) -> str:
    publish.publish_site(project)
    front = project.site.get("index.html")
    assert front is not None
    held = project.site.get(publish.addresses.version_of(front.data.decode()) + page)
    assert held is not None
    return held.data.decode()


@pytest.mark.parametrize("page", ["goals.html", "kpi/messages.html"])
def test_the_site_tells_the_first_report_s_verdict(project: Project, page: str) -> None:
    assert "At risk" in page_of(project, page)


def test_what_no_report_shows_is_told_in_the_periods_of_the_first(project: Project) -> None:
    monthly = project.settings.reports[1].model_copy(update={"kpis": ("active_members",)})
    settings = project.settings.model_copy(update={"reports": (monthly,)})
    told = page_of(replace(project, settings=settings), "kpi/messages.html")
    assert '<p class="eyebrow">October 2026</p>' in told
