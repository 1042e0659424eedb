"""What the pages and files of the site are called, relative to its root or to a publication's.

A publication lies whole under ``v/<id>/`` and never changes. At plain addresses lie the overview,
which leads into the newest one, doors to its pages, and every report as it was sent.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from muster.reports import inert

OVERVIEW = "index.html"
GONE = "gone.html"  # what a server shows where a publication was taken away
INDEX = "data/index.json"  # the same way in for programs
VERSIONS = "v/"
ENGINE = "assets/duckdb-1.32.0/"  # what the page “Ask the data” runs, once it was brought here
ENGINE_FACTS = f"{ENGINE}about.json"
_VERSION = re.compile(r"v/([0-9]{8}T[0-9]{4}-[0-9a-f]{8})/")


def version(as_of: datetime, digest: str) -> str:
    """The folder of a publication; names sort by time."""
    return f"{VERSIONS}{as_of:%Y%m%dT%H%M}-{digest[:8]}/"


def version_of(text: str) -> str:
    """The folder of a publication that a path or a page names first, or nothing."""
    found = _VERSION.search(text)
    return found[0] if found else ""


def kpi_page(kpi: str) -> str:
    """The page of a KPI, all its segments on it."""
    return f"kpi/{inert.slug(kpi)}.html"


def kpi_csv(kpi: str, segment: str = "all") -> str:
    """The numbers of one measure."""
    name = kpi if segment == "all" else f"{kpi}-{segment}"
    return f"data/{inert.distinct(name)}.csv"


def report_page(name: str, period_start: date) -> str:
    """One report as it was sent."""
    return f"reports/{inert.slug(name)}-{period_start.isoformat()}.html"


def on_site(site_url: str, path: str) -> str:
    """The full address, or nothing where the site's own is not known."""
    return f"{site_url.rstrip('/')}/{path}" if site_url else ""
