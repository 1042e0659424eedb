"""One view goes in, one page of the site comes out: overview, KPI, goals, archive, data, ask.

Pages are whole without JavaScript and hold no inline script or style. A ``Place`` says where a
page lies, since all links are relative: a site works from any folder or address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from muster.measured import DERIVED, derived_columns
from muster.records import TABLES, Column, columns
from muster.reports import (
    addresses,
    chart,
    data,
    dates,
    inert,
    small_charts,
    templating,
    wording,
    words,
)  # fmt: skip
from muster.reports.data import Issue
from muster.reports.model import Comparison, GoalLine, Measure, Point, ReportView
from muster.reports.recent import recent
from muster.reports.wording import Sign
from muster.reports.words import Words

CLOSED: Mapping[str, str] = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "font-src": "'self'",
    "img-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
}
#: What a database in the page needs beside: WebAssembly, a worker, its own files and the CSVs.
ASKING: Mapping[str, str] = {
    "script-src": "'self' 'wasm-unsafe-eval'",
    "worker-src": "blob:",
    "connect-src": "'self' blob:",
}
NAV = (
    ("OVERVIEW", addresses.OVERVIEW),
    ("ALL_MEASURES", "measures.html"),
    ("GOALS", "goals.html"),
    ("ARCHIVE", "reports/index.html"),
    ("DATA", "data.html"),
    ("ASK", "ask.html"),
)
SHORT = 16  # a table of so many periods is open at once


@dataclass(frozen=True)
class Place:
    """How a page reaches the site's root, its publication's folder and the style sheet's."""

    top: str
    tree: str
    assets: str

    @property
    def is_front(self) -> bool:
        """Whether this is the page that all doors lead to."""
        return not self.top


@dataclass(frozen=True)
class Engine:
    """The database that the page “Ask the data” runs, if it was brought to this site."""

    version: str
    megabytes: int


@dataclass(frozen=True)
class Card:
    """A measure as the overview shows it."""

    measure: Measure
    href: str
    sign: Sign
    compared: tuple[tuple[str, str], ...]
    aside: str
    svg: Markup
    is_first: bool  # of its KPI's segments


@dataclass(frozen=True)
class Row:
    """A period of a measure: its address on the page, its point, how it reads."""

    anchor: str
    point: Point
    sign: Sign


@dataclass(frozen=True)
class Portrait:
    """A measure as its own page shows it."""

    measure: Measure
    period: str
    href: str
    sign: Sign
    band: str
    marked: str
    rests_on: str
    wide: Markup
    narrow: Markup
    csv: str
    rows: tuple[Row, ...]
    summary: str
    is_short: bool
    is_drawn: bool
    compared: tuple[Comparison, ...]


Objectives = list[tuple[str, list[tuple[GoalLine, Sign, Markup, str]]]]


def policy(more: Mapping[str, str] = CLOSED) -> str:
    """A Content-Security-Policy: nothing but what is named, and all of it from the site itself."""
    return "; ".join(f"{kind} {sources}" for kind, sources in {**CLOSED, **more}.items())


def overview(view: ReportView, place: Place, others: Sequence[tuple[str, str]] = ()) -> str:
    """One report as a page: goals first, then what changed, then every measure.

    ``others`` are (name, page) of the KPIs that the report does not show.
    """
    view = recent(view)
    say = words.load(view.language)
    kpis = [measure.kpi for measure in view.measures]
    cards = tuple(
        _card(measure, say, number, measure.kpi not in kpis[:number])
        for number, measure in enumerate(view.measures)
    )
    return _page(
        "overview.html", view, place, "OVERVIEW" if place.is_front else "",
        objectives=_goals(view.goals, say),
        changes=[
            (c, wording.sign_of_change(c, say), addresses.kpi_page(c.kpi)) for c in view.changes
        ],
        headline=_portrait(view.headline, view, chart.MAIL) if view.headline else None,
        cards=cards,
        filters=_filters(cards, say),
        behind=wording.BEHIND,
        others=others,
    )  # fmt: skip


def kpi(
    first: ReportView, place: Place, several: Sequence[Measure], goals: Iterable[GoalLine]
) -> str:
    """A KPI with all its segments: chart, comparisons, definition, and a row for every period."""
    say = words.load(first.language)
    lines = [_goal(goal, say, number) for number, goal in enumerate(goals)]
    portraits = [_portrait(measure, first, named=bool(at)) for at, measure in enumerate(several)]
    return _page("kpi.html", first, place, "", measures=portraits, goals=lines)


def measures(first: ReportView, place: Place, by_kpi: Mapping[str, Sequence[Measure]]) -> str:
    """Every measure in one table: name, value, reading."""
    say = words.load(first.language)
    rows = [
        (one, addresses.kpi_page(kpi), wording.sign(one.tone, one.reading))
        for kpi, several in sorted(by_kpi.items(), key=lambda found: found[1][0].title)
        for one in several
    ]
    filters = _tones([one.tone for one, *_ in rows], say)
    return _page("measures.html", first, place, "ALL_MEASURES", rows=rows, filters=filters)


def goals(
    first: ReportView,
    place: Place,
    lines: Iterable[GoalLine],
    by_kpi: Mapping[str, Sequence[Measure]],
) -> str:
    """Every goal of every report with its verdict, and the measures that serve none."""
    lines, say = tuple(lines), words.load(first.language)
    served = {goal.kpi for goal in lines}
    loose = sorted(
        wording.kpi_title(several[0]) for one, several in by_kpi.items() if one not in served
    )
    is_told = lines and loose
    told = say("without_goal", n=len(loose), titles="; ".join(loose)) if is_told else ""
    return _page("goals.html", first, place, "GOALS", objectives=_goals(lines, say), loose=told)


def archive(first: ReportView, place: Place, now: Sequence[Issue], past: Sequence[Issue]) -> str:
    """The list of reports, newest first, each once; those of now lie in the publication itself.

    Of several, each says which it is: by its title, or by its name where titles are alike.
    """
    each = {report.page: (report, place.top) for report in past}
    each |= {report.page: (report, place.tree) for report in now}
    newest = sorted(each.values(), key=lambda found: found[0].name)
    newest.sort(key=lambda found: found[0].period_start, reverse=True)
    titles = {report.name: report.title for report, _ in reversed(newest)}
    labels = titles if len(set(titles.values())) == len(titles) else {one: one for one in titles}
    labels = labels if len(labels) > 1 else {}
    return _page("archive.html", first, place, "ARCHIVE", reports=newest, labels=labels)


def data_page(
    first: ReportView, place: Place, paths: Sequence[str], by_kpi: Mapping[str, Sequence[Measure]]
) -> str:
    """How current and clean the sources are, every file to take away, tables, and queries."""
    say = words.load(first.language)
    series = [
        (addresses.kpi_csv(one.kpi, one.segment), one.title)
        for several in by_kpi.values()
        for one in several
    ]
    named = {path for path, _ in series}
    whole = [path for path in paths if path.endswith((".csv", ".parquet")) and path not in named]
    documents = [path for path in paths if path.endswith(".json")]
    files = [
        (say.NUMBERS_WHOLE, [(path, path.removeprefix("data/")) for path in whole]),
        (say.NUMBERS_AS_CSV, series),
        (say.DOCUMENTS, [(path, path.removeprefix("data/")) for path in documents]),
    ]
    facts = {"files": files, "tables": _lake(), "is_english": say.code == "en"}
    return _page("data.html", first, place, "DATA", **facts)


def _lake() -> tuple[tuple[str, tuple[Column, ...]], ...]:
    """The tables of the lake that anyone may query, with their columns."""
    stored = ((table.name, columns(table.row)) for table in TABLES.values())
    return (*((name, derived_columns(name)) for name in DERIVED), *stored)


def ask(first: ReportView, place: Place, engine: Engine | None) -> str:
    """SQL in the page, on the CSVs of the same publication."""
    return _page(
        "ask.html", first, place, "ASK",
        csp=policy(ASKING), engine=engine, engine_at=f"{place.top}{addresses.ENGINE}",
    )  # fmt: skip


def door(first: ReportView, place: Place, page: str) -> str:
    """A plain address that always leads to that page of the newest publication."""
    return _page("door.html", first, place, "", page=page)


def gone(first: ReportView, place: Place) -> str:
    """What a server shows for an address that holds nothing (any more)."""
    return _page("gone.html", first, place, "")


def _page(template: str, view: ReportView, place: Place, here: str, **facts: Any) -> str:
    say = words.load(view.language)
    nav = [
        (getattr(say, name), place.top if path == addresses.OVERVIEW else place.tree, path,
         name == here)
        for name, path in NAV
    ]  # fmt: skip
    fixed = {"view": view, "say": say, "place": place, "nav": nav, "csp": policy()}
    return templating.filled("site", template, fixed | facts)


def _goals(lines: Iterable[GoalLine], say: Words) -> Objectives:
    """(objective, [(goal, sign, bar, page of its KPI)])."""
    lines = tuple(lines)
    numbers = {id(line): number for number, line in enumerate(lines)}
    return [
        (objective, [_goal(line, say, numbers[id(line)]) for line in served])
        for objective, served in wording.objectives(lines)
    ]


def _goal(line: GoalLine, say: Words, number: int) -> tuple[GoalLine, Sign, Markup, str]:
    bar = _inline(small_charts.bullet(line, say, f"goal-{number}"))
    return line, wording.sign(line.status, line.status_text), bar, addresses.kpi_page(line.kpi)


def _card(measure: Measure, say: Words, number: int, is_first: bool) -> Card:
    return Card(
        measure=measure,
        href=addresses.kpi_page(measure.kpi),
        sign=wording.sign(measure.tone, measure.reading),
        compared=wording.compared(measure, say),
        aside=wording.in_full(measure, say),
        svg=_inline(chart.xmr(measure, say, chart.CARD, key=f"c{number}"))
        if wording.is_drawn(measure)
        else Markup(),
        is_first=is_first,
    )


def _filters(cards: Sequence[Card], say: Words) -> list[tuple[str, str, int]]:
    return _tones([card.measure.tone for card in cards], say)


def _tones(tones: Sequence[str], say: Words) -> list[tuple[str, str, int]]:
    """(tone, word, how many), all first; only tones that occur."""
    counted = [(tone, word, tones.count(tone)) for tone, word in say.TONES.items()]
    return [("all", say.ALL, len(tones)), *(one for one in counted if one[2])]


def _inline(svg: str) -> Markup:
    """SVG as part of a page, which needs no namespace; its texts are escaped already."""
    return Markup(svg.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1))


def _portrait(
    measure: Measure, view: ReportView, wide: chart.Frame = chart.WIDE, named: bool = False
) -> Portrait:
    say = words.load(view.language)
    return Portrait(
        measure=measure,
        period=_period(measure, view, say),
        href=addresses.kpi_page(measure.kpi),
        sign=wording.sign(measure.tone, measure.reading),
        band=wording.band(measure, say),
        marked=wording.marked(measure, view, say),
        rests_on=wording.rests_on(measure, say),
        wide=_inline(chart.xmr(measure, say, wide, view.events)),
        narrow=_inline(chart.xmr(measure, say, chart.NARROW, view.events)),
        csv=addresses.kpi_csv(measure.kpi, measure.segment),
        rows=_rows(measure, say, f"{inert.distinct(measure.segment)}-" if named else ""),
        summary=say("numbers_of", n=len(measure.points)),
        is_short=len(measure.points) <= SHORT,
        is_drawn=wording.is_drawn(measure),
        compared=tuple(one for one in measure.comparisons if one.value_text != say.NO_VALUE),
    )


def _period(measure: Measure, view: ReportView, say: Words) -> str:
    """Of which period the value is: a measure may be of months only, or of an earlier week."""
    if not measure.period_text:
        return view.period_text
    return dates.period_text(measure.grain, measure.points[-1].period_start, say)


def _rows(measure: Measure, say: Words, prefix: str) -> tuple[Row, ...]:
    """Every period, newest first; ``prefix`` tells the segments of one page apart."""
    return tuple(
        Row(
            prefix + data.period_id(measure.grain, point.period_start),
            point,
            wording.sign(point.tone, say.TONES[point.tone]),
        )
        for point in reversed(measure.points)
    )
