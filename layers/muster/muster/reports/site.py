"""The views of the reports go in, the whole static site comes out as paths and bytes.

A publication is one folder that never changes and is named by what it holds; ``index.html`` leads
into it and is to be written last: so nobody ever meets half of one. The same views give the same
bytes. ``past`` are earlier reports whose pages already lie beside these.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cached_property
from typing import Any

from muster.measured import GoalStatus, KpiValue
from muster.reports import addresses, data, inert, pages, schema, tables, templating, wording
from muster.reports.data import Issue
from muster.reports.model import GoalLine, Measure, ReportView
from muster.reports.pages import Engine, Place
from muster.reports.png import FONTS

SITE_FONTS = ("Inter-Regular.woff2", "Inter-SemiBold.woff2", "OFL.txt")
ASSETS = ("style.css", "app.js", "ask.js", "door.js", "icon.svg")


@dataclass(frozen=True)
class Site:
    """What the pages are made of: ``views`` of the reports, the first of which is the overview.

    ``every`` is a view of all that is measured: what no report shows has its page too. ``more``
    maps further paths under ``data/`` to what they hold as JSON, ``files`` to bytes.
    """

    views: tuple[ReportView, ...]
    past: tuple[Issue, ...] = ()
    more: Mapping[str, Any] | None = None
    every: ReportView | None = None
    values: Sequence[KpiValue] = ()
    verdicts: Sequence[GoalStatus] = ()
    files: Mapping[str, bytes] | None = None
    engine: Engine | None = None

    @property
    def first(self) -> ReportView:
        """The main report, in whose language all pages are but those of the other reports."""
        return self.views[0]

    @cached_property
    def measures(self) -> Mapping[str, tuple[Measure, ...]]:
        """Every measure there is a page for, by KPI."""
        shown = (*self.views, self.every) if self.every else self.views
        return wording.measures_by_kpi([v for v in shown if v.language == self.first.language])

    @cached_property
    def goals(self) -> tuple[GoalLine, ...]:
        """Every goal once, as the first report in the site's language that has it tells it."""
        alike = [view for view in self.views[::-1] if view.language == self.first.language]
        told = [*([self.every] if self.every else []), *alike]
        return tuple({goal.name: goal for view in told for goal in view.goals}.values())

    @property
    def now(self) -> tuple[Issue, ...]:
        """The latest report of each kind."""
        return tuple(data.issue(view, number == 0) for number, view in enumerate(self.views))


def render(views: Sequence[ReportView], **made_of: Any) -> dict[str, bytes]:
    """Every file of the site by its path (see ``Site``), in the order they are to be written."""
    site = _harmless(Site(tuple(views), **made_of))
    assets, at = _assets()
    whole = _publication(site, at)
    version = addresses.version(site.first.as_of, _digest(whole))
    index = data.index(site.views, site.past, f"../{version}")
    front = pages.overview(site.first, Place("", version, at), _others(site))
    return {
        **assets,
        **{f"{version}{path}": held for path, held in whole.items()},
        **_plain(site, whole, at),
        addresses.INDEX: _json(data.plain(index)),
        addresses.OVERVIEW: front.encode(),
    }


def _harmless(site: Site) -> Site:
    return replace(
        site,
        views=inert.everything(site.views),
        past=inert.everything(tuple(site.past)),
        every=inert.everything(site.every) if site.every else None,
        more=inert.everything(dict(site.more or {})),
    )


def _publication(site: Site, assets: str) -> dict[str, bytes]:
    """What lies in one folder and never changes: all numbers, and the pages that show them."""
    held = _numbers(site)
    near = Place("../../", "", f"../../{assets}")
    deep = Place("../../../", "../", f"../../../{assets}")
    found = {
        "measures.html": pages.measures(site.first, near, site.measures),
        "goals.html": pages.goals(site.first, near, site.goals, site.measures),
        "data.html": pages.data_page(site.first, near, sorted(held), site.measures),
        "ask.html": pages.ask(site.first, near, site.engine),
        "reports/index.html": pages.archive(site.first, deep, site.now, site.past),
    }
    for view in site.views:
        path = addresses.report_page(view.name, view.period_start)
        found[path] = pages.overview(view, deep)
    for kpi, several in site.measures.items():
        goals = [goal for goal in site.goals if goal.kpi == kpi]
        found[addresses.kpi_page(kpi)] = pages.kpi(site.first, deep, several, goals)
    return held | {path: page.encode() for path, page in sorted(found.items())}


def _numbers(site: Site) -> dict[str, bytes]:
    """Everything under ``data/`` but the index, which names the publication itself."""
    each = [one for several in site.measures.values() for one in several]
    documents = data.files(site.views, each, site.goals) | schema.files() | dict(site.more or {})
    found = {f"data/{path}": _json(held) for path, held in documents.items()}
    found |= {addresses.kpi_csv(one.kpi, one.segment): tables.series(one) for one in each}
    found |= {
        "data/kpis.csv": tables.kpis(each),
        "data/kpi_values.csv": tables.values(site.values),
        "data/goal_status.csv": tables.verdicts(site.verdicts),
    }
    found |= {f"data/{path}": held for path, held in (site.files or {}).items()}
    return dict(sorted(found.items()))


def _plain(site: Site, whole: Mapping[str, bytes], assets: str) -> dict[str, bytes]:
    """What lies at plain addresses: numbers, reports as they are sent, doors to all other pages."""
    beside = Place("../", "../", f"../{assets}")
    found = {path: held for path, held in whole.items() if path.startswith("data/")}
    doors = [path for path in whole if path.endswith(".html")]
    for view in site.views:
        path = addresses.report_page(view.name, view.period_start)
        found[path] = pages.overview(view, beside).encode()
        doors.remove(path)
    for path in doors:
        place = beside if "/" in path else Place("", "", assets)
        found[path] = pages.door(site.first, place, path).encode()
    found[addresses.GONE] = pages.gone(site.first, Place("/", "/", f"/{assets}")).encode()
    return found


def _others(site: Site) -> list[tuple[str, str]]:
    shown = {one.kpi for one in site.first.measures}
    return sorted(
        (wording.kpi_title(several[0]), addresses.kpi_page(kpi))
        for kpi, several in site.measures.items()
        if kpi not in shown
    )


def past_reports(index: bytes) -> tuple[Issue, ...]:
    """The reports that an earlier ``data/index.json`` names; what it does not tell is left out."""
    kinds = {field.name for field in fields(Issue)}
    found = []
    for told in json.loads(index)["reports"]:
        known = {key: value for key, value in told.items() if key in kinds}
        if set(known) == kinds:
            days = {key: date.fromisoformat(known[key]) for key in ("period_start", "period_end")}
            found.append(Issue(**(known | days)))
    return tuple(found)


def _json(held: Any) -> bytes:
    """JSON that stays inert even where somebody pastes it into a page."""
    text = json.dumps(
        held, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False, default=str
    )
    return (text.replace("<", "\\u003c").replace("\u2028", "\\u2028") + "\n").encode()


def _assets() -> tuple[dict[str, bytes], str]:
    """Style, scripts and fonts, and their folder, which is named by what they are."""
    files = {name: templating.file("site", name).read_bytes() for name in ASSETS}
    files |= {f"fonts/{name}": (FONTS / name).read_bytes() for name in SITE_FONTS}
    folder = f"assets/{_digest(files)[:12]}/"
    return {f"{folder}{name}": held for name, held in files.items()}, folder


def _digest(files: Mapping[str, bytes]) -> str:
    found = hashlib.sha256()
    for path, held in sorted(files.items()):
        found.update(f"{path}\0{len(held)}\0".encode())
        found.update(held)
    return found.hexdigest()
