"""Days, moments and periods go in, what a language calls them comes out."""

from __future__ import annotations

from datetime import date, datetime

from muster.clock import DAY, next_period
from muster.reports.words import Words


def day_text(day: date, say: Words) -> str:
    """16 November 2026."""
    return str(say.DAY.format(**_parts(day, say)))


def short_day(day: date, say: Words) -> str:
    """16 Nov."""
    return str(say.SHORT_DAY.format(**_parts(day, say)))


def moment_text(moment: datetime, say: Words) -> str:
    """16 Nov 2026, 05:40."""
    return str(say.MOMENT.format(time=f"{moment:%H:%M}", **_parts(moment, say)))


def days_text(first: date, last: date, say: Words) -> str:
    """16–22 November 2026; 28 September – 4 October 2026."""
    if first == last:
        return day_text(first, say)
    ends = {f"to_{name}": part for name, part in _parts(last, say).items()}
    form = say.DAYS
    if first.year == last.year:
        form = say.DAYS_OF_MONTH if first.month == last.month else say.DAYS_OF_YEAR
    return str(form.format(**_parts(first, say), **ends))


def period_text(grain: str, first: date, say: Words) -> str:
    """Week 47: 16–22 November 2026."""
    if grain != "week":
        return period_name(grain, first, say)
    days = days_text(first, next_period(first, grain) - DAY, say)
    return str(say.WEEK_TITLE.format(week=first.isocalendar().week, days=days))


def period_name(grain: str, first: date, say: Words) -> str:
    """How a sentence calls a period: week 47, November 2026, quarter 4 of 2026."""
    if grain == "week":
        return str(say.WEEK_NAME.format(week=first.isocalendar().week))
    form = {"month": say.MONTH_NAME, "quarter": say.QUARTER_NAME, "year": "{y}"}
    return str(form.get(grain, say.DAY).format(**_parts(first, say)))


def point_label(grain: str, first: date, say: Words) -> str:
    """The label of a point on a chart's axis."""
    form = {"month": say.MONTH_LABEL, "quarter": say.QUARTER_LABEL, "year": "{y}"}
    return str(form.get(grain, say.SHORT_DAY).format(**_parts(first, say)))


def _parts(day: date, say: Words) -> dict[str, object]:
    return {
        "d": day.day,
        "month": say.MONTHS[day.month - 1],
        "mon": say.SHORT_MONTHS[day.month - 1],
        "y": day.year,
        "quarter": (day.month + 2) // 3,
    }
