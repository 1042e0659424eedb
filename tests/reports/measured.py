"""A run of measure made by hand, and the view built from it as the pipeline does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from muster.goals import goals, xmr
from muster.kpis import catalogue
from muster.measured import KpiValue
from muster.reports import view
from muster.results import Kpi, Measured, SourceFacts, WaitingIssue
from muster.settings import Event, Goal, Report, Settings

AS_OF = datetime(2026, 11, 23, 5, tzinfo=UTC)
LAST = date(2026, 11, 16)
CALM = [10.0, 12.0]
VERSIONS = {one.id: one.version for one in catalogue.load()}


def kpi(name: str, unit="count", better="up", **more) -> Kpi:
    """A definition; a title is its id in words unless given."""
    statistic = {"ratio": "ratio", "seconds": "quantile", "count": "count"}.get(unit, "mean")
    fields = {
        "id": name,
        "title": name.replace("_", " ").capitalize(),
        "question": "?",
        "definition": "What it says.",
        "unit": unit,
        "better": better,
        "communities": (),
        "version": VERSIONS.get(name, 1),
        "table": "messages",
        "grains": ("day", "week", "month", "quarter", "year"),
        "lowest": -1.0 if unit == "score" else 0.0,
        "highest": 1.0 if unit in ("ratio", "score") else None,
        "sql": "select 1\n",
        "statistic": statistic,
    }
    return Kpi(**(fields | more))


def values(name: str, numbers, segment="all", n=50, grain="week", last=LAST, few=()) -> list:
    """Weekly values that end with the week of 16 November 2026 (None: no value)."""
    first = last - timedelta(weeks=len(numbers) - 1)
    return [
        KpiValue(
            kpi=name,
            version=VERSIONS.get(name, 1),
            grain=grain,
            period_start=first + timedelta(weeks=week),
            segment=segment,
            value=float(number),
            n=2 if week in few else n,
            too_few=week in few,
            partial=False,
        )
        for week, number in enumerate(numbers)
        if number is not None
    ]


def waiting(hours: float, title: str | None = "Help", url: str | None = None) -> WaitingIssue:
    opened = AS_OF - timedelta(hours=hours)
    return WaitingIssue("forum", "t", f"m{hours}", opened, hours * 3600, title, url, None)


def source(name="forum", error="", is_stale=False, quarantined=0, last=AS_OF) -> SourceFacts:
    return SourceFacts(name, "discourse", last, error, is_stale, 100, quarantined)


def goal(name: str, on: str, target: dict, **more) -> Goal:
    fields = {"name": name, "objective": "Help", "kpi": on, "target": target, "by": "2026-12-31"}
    return Goal.model_validate(fields | more)


def build(kpis, kpi_values, settings=None, report=None, as_of=AS_OF, **facts):
    """The view, with verdicts and readings computed as the pipeline does."""
    settings = settings or Settings(community="Campus IT", timezone="Europe/Berlin")
    report = report or Report()
    zone, windows = settings.zone, settings.windows
    judged = goals.judge(settings.goals, kpis, kpi_values, report.grain, as_of, zone, windows)
    facts = {"waiting": (), "sources": (source(),)} | facts
    measured = Measured(as_of, tuple(kpis), tuple(kpi_values), judged, **facts)
    series = view.all_series(kpis, kpi_values, report.grain, as_of, zone)
    readings = {key: xmr.read(one.numbers, *one.bounds) for key, one in series.items()}
    return view.build(report, settings, measured, as_of, readings, site_url="https://s.example/")


def campus(voice="team", language=None):
    """A community with every kind of finding."""
    wait = [18_000, 20_000] * 13 + [8_000, 9_000] * 4
    kpis = (
        kpi("first_response_median", "seconds", "down", title="First response, median"),
        kpi("response_rate", "ratio", title="Answered within 24 h"),
        kpi("new_member_retention", "ratio", title="New members who came back"),
        kpi("messages", better="none", title="Messages by members"),
        kpi("active_members", title="Active members"),
        kpi("followers", title="Followers", table="audience", statistic="state"),
        kpi("csat", "ratio", title="Satisfied after support", table="survey_responses"),
        kpi("revenue", "money", title="Revenue"),
        kpi("sentiment_mean", "score", title="Sentiment, mean"),
    )
    calm = [0.80, 0.84] * 15
    kpi_values = [
        *values("first_response_median", wait, n=212),
        *values("first_response_median", [1_900], segment="outreach", n=12),
        *values("first_response_median", [9_100], segment="inbound", n=200),
        *values("response_rate", calm, n=180),
        *values("new_member_retention", [*calm, 0.61], n=87),
        *values("messages", [4_000, 4_100] * 15 + [5_051], n=5_051),
        *values("active_members", [300, 310] * 15, n=310, few=(29,)),
        *values("followers", [100, 101, 104], segment="bluesky", n=1),
        *values("followers", [200, 201, 204], segment="x", n=1),
        *values("revenue", [1_000.5, 1_100] * 10),
        *values("sentiment_mean", [0.2, 0.22] * 12, n=900),
    ]
    settings = Settings(
        community="Campus IT",
        timezone="Europe/Berlin",
        goals=(
            goal("Answer fast", "first_response_median", {"at_most": "4h"}, owner="team"),
            goal("Leave nobody waiting", "response_rate", {"at_least": "95%"}),
            goal("Keep them", "new_member_retention", {"at_least": "90%"}),
            goal("Happy people", "csat", {"at_least": "85%"}),
        ),
        events=(
            Event(name="Outage", starts=date(2026, 10, 1)),
            Event(name="Long gone", starts=date(2020, 1, 1)),
        ),
    )
    return build(
        kpis, kpi_values, settings, Report(voice=voice, language=language),
        waiting=tuple(waiting(hours) for hours in (1, 51, 5)),
        sources=(source(quarantined=12),
                 source("x", "the token was refused (401)", True, last=AS_OF - timedelta(days=3))),
    )  # fmt: skip
