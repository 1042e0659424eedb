"""The views of the reports go in, the whole static site comes out as paths and bytes.

Pages work without JavaScript, hold no inline script or style, and are the same bytes for the
same views. ``past`` are earlier reports whose pages already lie beside these.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from markupsafe import Markup

from muster.reports import (
    addresses,
    chart,
    data,
    inert,
    schema,
    small_charts,
    templating,
    wording,
    words,
)  # fmt: skip
from muster.reports.data import Issue
from muster.reports.model import GoalLine, Measure, Point, ReportView
from muster.reports.png import FONTS
from muster.reports.recent import recent
from muster.reports.wording import Sign
from muster.reports.words import Words

CSP = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "font-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
NAV = (
    ("OVERVIEW", "index.html"),
    ("ALL_MEASURES", "measures.html"),
    ("ARCHIVE", "reports/index.html"),
    ("DATA", "data.html"),
)
SITE_FONTS = ("Inter-Regular.woff2", "Inter-SemiBold.woff2", "OFL.txt")
SHORT = 16  # a table of so many periods is open at once


@dataclass(frozen=True)
class Card:
    """A measure as the overview shows it."""

    measure: Measure
    name: str
    href: str
    sign: Sign
    compared: tuple[tuple[str, str], ...]
    aside: str
    svg: Markup


@dataclass(frozen=True)
class Portrait:
    """A measure as its own page shows it."""

    measure: Measure
    name: str
    href: str
    sign: Sign
    band: str
    marked: str
    wide: Markup
    narrow: Markup
    csv: str
    points: tuple[tuple[Point, Sign], ...]
    summary: str
    is_short: bool


def render(
    views: Sequence[ReportView],
    *,
    past: Sequence[Issue] = (),
    more: Mapping[str, Any] | None = None,
    every: ReportView | None = None,
) -> dict[str, bytes]:
    """Every file of the site by its path. The first view is the overview.

    ``every`` is a view of all that is measured: what no report shows has its page too. ``more``
    maps further paths under ``data/`` to what they hold as JSON.
    """
    views = tuple(inert.everything(view) for view in views)
    past = inert.everything(tuple(past))
    shown = (*views, inert.everything(every)) if every else views
    first = views[0]  # in whose language all pages are but those of the other reports
    measures = wording.measures_by_kpi([one for one in shown if one.language == first.language])
    told = data.files(views, past, [one for several in measures.values() for one in several])
    documents = told | schema.files() | inert.everything(dict(more or {}))
    files = {f"data/{path}": _json(held) for path, held in documents.items()}
    for several in measures.values():
        for measure in several:
            files[addresses.kpi_csv(measure.kpi, measure.segment)] = _csv(measure)
    pages = {
        "index.html": overview(first, ""),
        "measures.html": _measures_page(first, measures),
        "data.html": _data_page(first, sorted(files), measures),
        "reports/index.html": _archive(first, views, past),
    }
    for view in views:
        pages[addresses.report_page(view.name, view.period_start)] = overview(view, "../")
    for kpi, several in measures.items():
        pages[addresses.kpi_page(kpi)] = _kpi_page(first, several, views)
    files |= {path: page.encode() for path, page in pages.items()}
    return dict(sorted((files | _assets()).items()))


def past_reports(index: bytes) -> tuple[Issue, ...]:
    """The reports that an earlier ``data/index.json`` names; what it does not tell is left out."""
    kinds = {field.name for field in fields(Issue)}
    found = []
    for told in json.loads(index).get("reports", ()):
        known = {key: value for key, value in told.items() if key in kinds}
        if set(known) == kinds:
            days = {key: date.fromisoformat(known[key]) for key in ("period_start", "period_end")}
            found.append(Issue(**(known | days)))
    return tuple(found)


def overview(view: ReportView, root: str) -> str:
    """One report as a page: goals first, then what changed, then every measure."""
    view = recent(view)
    say = words.load(view.language)
    cards = tuple(_card(measure, say, number) for number, measure in enumerate(view.measures))
    return _page(
        "overview.html", view, root, "OVERVIEW" if not root else "",
        objectives=_goals(view.goals, say),
        changes=[
            (c, wording.sign_of_change(c, say), addresses.kpi_page(c.kpi)) for c in view.changes
        ],
        headline=_portrait(view.headline, view, chart.MAIL) if view.headline else None,
        cards=cards,
        filters=_filters(cards, say),
        behind=wording.BEHIND,
    )  # fmt: skip


def _page(template: str, view: ReportView, root: str, here: str, **facts: Any) -> str:
    say = words.load(view.language)
    nav = [(getattr(say, name), path, name == here) for name, path in NAV]
    fixed = {"view": view, "say": say, "root": root, "nav": nav, "csp": CSP}
    return templating.environment("site").get_template(template).render(fixed | facts)


def _goals(
    goals: Iterable[GoalLine], say: Words
) -> list[tuple[str, list[tuple[GoalLine, Sign, Markup, str]]]]:
    """(objective, [(goal, sign, bar, page of its KPI)])."""
    goals = tuple(goals)
    numbers = {id(goal): number for number, goal in enumerate(goals)}
    return [
        (objective, [_goal(line, say, numbers[id(line)]) for line in lines])
        for objective, lines in wording.objectives(goals)
    ]


def _goal(line: GoalLine, say: Words, number: int) -> tuple[GoalLine, Sign, Markup, str]:
    bar = _inline(small_charts.bullet(line, say, f"goal-{number}"))
    return line, wording.sign(line.status, line.status_text), bar, addresses.kpi_page(line.kpi)


def _card(measure: Measure, say: Words, number: int) -> Card:
    return Card(
        measure=measure,
        name=wording.name(measure),
        href=addresses.kpi_page(measure.kpi),
        sign=wording.sign(measure.tone, measure.reading),
        compared=wording.compared(measure, say),
        aside=wording.in_full(measure, say),
        svg=_inline(chart.xmr(measure, say, chart.CARD, key=f"c{number}"))
        if _is_drawn(measure)
        else Markup(),
    )


def _is_drawn(measure: Measure) -> bool:
    return any(point.value is not None for point in measure.points)


def _filters(cards: Sequence[Card], say: Words) -> list[tuple[str, str, int]]:
    """(tone, word, how many), all first; only tones that occur."""
    tones: list[str] = [card.measure.tone for card in cards]
    counted = [(tone, word, tones.count(tone)) for tone, word in say.TONES.items()]
    return [("all", say.ALL, len(cards)), *(one for one in counted if one[2])]


def _inline(svg: str) -> Markup:
    """SVG as part of a page, which needs no namespace; its texts are escaped already."""
    return Markup(svg.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1))


def _portrait(measure: Measure, view: ReportView, wide: chart.Frame = chart.WIDE) -> Portrait:
    say = words.load(view.language)
    return Portrait(
        measure=measure,
        name=wording.name(measure),
        href=addresses.kpi_page(measure.kpi),
        sign=wording.sign(measure.tone, measure.reading),
        band=wording.band(measure, say),
        marked=wording.marked(measure, view, say),
        wide=_inline(chart.xmr(measure, say, wide, view.events)),
        narrow=_inline(chart.xmr(measure, say, chart.NARROW, view.events)),
        csv=addresses.kpi_csv(measure.kpi, measure.segment),
        points=tuple(
            (p, wording.sign(p.tone, say.TONES[p.tone])) for p in reversed(measure.points)
        ),
        summary=say.NUMBERS_OF.format(len(measure.points)),
        is_short=len(measure.points) <= SHORT,
    )


def _kpi_page(first: ReportView, several: Sequence[Measure], views: Sequence[ReportView]) -> str:
    kpi, say = several[0].kpi, words.load(first.language)
    alike = [view for view in views if view.language == first.language]
    goals = {goal.name: goal for view in alike for goal in view.goals if goal.kpi == kpi}
    lines = [_goal(goal, say, number) for number, goal in enumerate(goals.values())]
    portraits = [_portrait(measure, first) for measure in several]
    return _page("kpi.html", first, "../", "", measures=portraits, goals=lines)


def _measures_page(first: ReportView, measures: Mapping[str, Sequence[Measure]]) -> str:
    """Every measure in one table: name, value, reading."""
    rows = [
        (one, wording.name(one), addresses.kpi_page(kpi), wording.sign(one.tone, one.reading))
        for kpi, several in sorted(measures.items(), key=lambda found: found[1][0].title)
        for one in several
    ]
    served = {goal.kpi for goal in first.goals}
    loose = [several[0].title for kpi, several in measures.items() if kpi not in served]
    say = words.load(first.language)
    told = say.NO_GOAL.format("; ".join(sorted(loose))) if first.goals and loose else ""
    return _page("measures.html", first, "", "ALL_MEASURES", rows=rows, loose=told)


def _archive(first: ReportView, views: Sequence[ReportView], past: Sequence[Issue]) -> str:
    """The list of reports, newest first, each once."""
    now = [data.issue(view, view is first) for view in views]
    each = {report.page: report for report in (*past, *now)}
    newest = sorted(each.values(), key=lambda report: report.name)
    newest.sort(key=lambda report: report.period_start, reverse=True)
    return _page("archive.html", first, "../", "ARCHIVE", reports=newest)


def _data_page(
    first: ReportView, paths: Sequence[str], measures: Mapping[str, Sequence[Measure]]
) -> str:
    tables = [
        (addresses.kpi_csv(one.kpi, one.segment), wording.name(one))
        for several in measures.values()
        for one in several
    ]
    documents = [(path, path.removeprefix("data/")) for path in paths if path.endswith(".json")]
    say = words.load(first.language)
    files = [(say.NUMBERS_AS_CSV, tables), (say.DOCUMENTS, documents)]
    return _page("data.html", first, "", "DATA", files=files)


def _csv(measure: Measure) -> bytes:
    """The measure's series; text that a spreadsheet would run is marked as text."""
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\r\n")
    rows.writerow(("kpi", "title", "segment", "unit", "period_start", "value", "n", "reading"))
    fixed = (measure.kpi, measure.title, measure.segment, measure.unit)
    for point in measure.points:
        value = "" if point.value is None else point.value
        row = (*fixed, point.period_start.isoformat(), value, point.n, point.tone)
        rows.writerow([inert.csv_cell(cell) for cell in row])
    return written.getvalue().encode()


def _json(held: Any) -> bytes:
    """JSON that stays inert even where somebody pastes it into a page."""
    text = json.dumps(
        held, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False, default=str
    )
    return (text.replace("<", "\\u003c").replace("\u2028", "\\u2028") + "\n").encode()


def _assets() -> dict[str, bytes]:
    names = ("style.css", "app.js", "icon.svg")
    files = {name: templating.file("site", name).read_bytes() for name in names}
    return files | {f"fonts/{name}": (FONTS / name).read_bytes() for name in SITE_FONTS}
