"""Report views go in, the site's JSON documents come out: for pages, scripts and other people.

Fields are added, never renamed or removed: ``VERSION`` counts additions that a reader may want to
know of, and every document carries it beside the path of its JSON Schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from typing import Any

from muster.reports import addresses, inert
from muster.reports.model import Event, GoalLine, Measure, ReportView

VERSION = 6  # who has waited for long, apart from the others


@dataclass(frozen=True)
class ReportDocument:
    """data/reports/<period>.json: one report as it was sent."""

    version: int
    schema: str
    report: ReportView


@dataclass(frozen=True)
class KpisDocument:
    """data/kpis.json: every measure of the latest reports, with its points and definition."""

    version: int
    schema: str
    community: str
    note: str
    as_of: datetime
    kpis: tuple[Measure, ...]
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class GoalsDocument:
    """data/goals.json: every goal with its verdict."""

    version: int
    schema: str
    community: str
    note: str
    as_of: datetime
    period_start: date
    period_end: date
    goals: tuple[GoalLine, ...]
    without_data: tuple[str, ...] = ()
    without_goal: tuple[str, ...] = ()


@dataclass(frozen=True)
class Issue:
    """One report that can be read: its page, and its numbers as JSON."""

    name: str
    title: str
    voice: str
    grain: str
    period: str
    period_start: date
    period_end: date
    period_text: str
    subject: str
    page: str
    json: str


@dataclass(frozen=True)
class IndexDocument:
    """data/index.json: what there is, to start from."""

    version: int
    schema: str
    community: str
    note: str
    as_of: datetime
    kpis: str
    goals: str
    reports: tuple[Issue, ...]
    publication: str = ""  # the folder that holds all of it, unchanged for as long as it is there


DOCUMENTS: Mapping[str, type] = {
    "report": ReportDocument, "kpis": KpisDocument, "goals": GoalsDocument, "index": IndexDocument,
}  # fmt: skip


def to_json(view: ReportView) -> dict[str, Any]:
    """One report as its JSON document, whoever wrote the words in it."""
    return _document(inert.everything(view))


def _document(view: ReportView) -> dict[str, Any]:
    return dict(plain(ReportDocument(VERSION, _schema("report", "../"), view)))


def files(
    views: Sequence[ReportView],
    more: Sequence[Measure] = (),
    every: Sequence[GoalLine] | None = None,
) -> dict[str, Any]:
    """Every JSON document but the index by its path below ``data/``; the first is the main report.

    ``more`` are the measures that no report shows, ``every`` all goals if the main report does not
    tell them all. The views are harmless (``inert.everything``).
    """
    main = views[0]
    head = (main.community, main.note, main.as_of)
    measures = {(one.kpi, one.segment): one for one in more}
    measures |= {(one.kpi, one.segment): one for view in reversed(views) for one in view.measures}
    period = (main.period_start, main.period_end)
    told = main.goals if every is None else tuple(every)
    without_data = tuple(goal.name for goal in told if goal.status == "no_data")
    loose = sorted({kpi for kpi, _ in measures} - {goal.kpi for goal in told})
    goals = GoalsDocument(
        VERSION, _schema("goals"), *head, *period, told, without_data, tuple(loose)
    )
    now = [issue(view, view is main) for view in views]
    kpis = KpisDocument(VERSION, _schema("kpis"), *head, tuple(measures.values()), main.events)
    reports = {one.json: _document(view) for one, view in zip(now, views, strict=True)}
    documents = {"kpis.json": kpis, "goals.json": goals}
    return {path: plain(document) for path, document in documents.items()} | reports


def index(
    views: Sequence[ReportView], past: Sequence[Issue] = (), publication: str = ""
) -> IndexDocument:
    """What there is: the documents of a publication (a path from ``data/``) and every report."""
    main = views[0]
    now = [issue(view, number == 0) for number, view in enumerate(views)]
    older = [one for one in past if one.json not in {new.json for new in now}]
    every = sorted([*now, *older], key=lambda one: one.period_start, reverse=True)
    within = f"{publication}data/" if publication else ""
    return IndexDocument(
        VERSION,
        _schema("index"),
        community=main.community,
        note=main.note,
        as_of=main.as_of,
        kpis=f"{within}kpis.json",
        goals=f"{within}goals.json",
        reports=tuple(every),
        publication=publication,
    )


def issue(view: ReportView, is_main: bool = True) -> Issue:
    """Where a report lies on the site; the main one has the period's plain name."""
    period = period_id(view.grain, view.period_start)
    name = period if is_main else f"{period}-{inert.slug(view.name)}"
    return Issue(
        name=view.name,
        title=view.title,
        voice=view.voice,
        grain=view.grain,
        period=period,
        period_start=view.period_start,
        period_end=view.period_end,
        period_text=view.period_text,
        subject=view.subject,
        page=addresses.report_page(view.name, view.period_start),
        json=f"reports/{name}.json",
    )


def period_id(grain: str, start: date) -> str:
    """2026-W47, 2026-11, 2026-Q4, 2026, 2026-11-16: sorts by time, fits a file name."""
    match grain:
        case "week":
            year, week, _ = start.isocalendar()
            return f"{year}-W{week:02}"
        case "month":
            return f"{start:%Y-%m}"
        case "quarter":
            return f"{start.year}-Q{(start.month + 2) // 3}"
        case "year":
            return str(start.year)
    return start.isoformat()


def _schema(document: str, root: str = "") -> str:
    return f"{root}schema/{document}.schema.json"


def plain(value: Any) -> Any:
    """Dataclasses as objects, dates as ISO 8601; what is no finite number is null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(held) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(held) for held in value]
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, float) and value - value != 0:
        return None
    return value
