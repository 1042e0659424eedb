"""What the pages and files of the site are called, relative to its root."""

from __future__ import annotations

from datetime import date

from muster.reports import inert


def kpi_page(kpi: str) -> str:
    """The page of a KPI, all its segments on it."""
    return f"kpi/{inert.slug(kpi)}.html"


def kpi_csv(kpi: str, segment: str = "all") -> str:
    """The numbers of one measure."""
    name = kpi if segment == "all" else f"{kpi}-{segment}"
    return f"data/{inert.slug(name)}.csv"


def report_page(name: str, period_start: date) -> str:
    """One report as it was sent."""
    return f"reports/{inert.slug(name)}-{period_start.isoformat()}.html"


def on_site(site_url: str, path: str) -> str:
    """The full address, or nothing where the site's own is not known."""
    return f"{site_url.rstrip('/')}/{path}" if site_url else ""
