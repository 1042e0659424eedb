"""What a platform lets us read a day or a month; counted in the cursor, refused beyond it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from muster.errors import RateLimited
from muster.sources import Window

Per = Literal["day", "month"]


def spend(
    state: dict[str, Any],
    window: Window,
    what: str,
    cost: int,
    limit: int | None,
    *,
    per: Per = "day",
    zone: str = "UTC",
) -> None:
    """Note ``cost`` units of ``what`` as used in the current day or month of ``zone``.

    Raises ``RateLimited`` with the seconds to the next period if the limit (``None``: none) would
    be passed; then nothing is noted. The count lives in ``state``, the cursor, under ``quota``.
    """
    here = window.now.astimezone(ZoneInfo(zone))
    period = here.strftime("%Y-%m-%d" if per == "day" else "%Y-%m")
    spent = state.setdefault("quota", {})
    used = spent[what]["used"] if spent.get(what, {}).get("period") == period else 0
    if limit is not None and used + cost > limit:
        wait = (_next(here, per) - window.now).total_seconds()
        raise RateLimited(
            f"{window.options.name}: {limit:,} {what} a {per} are used up, as the settings ask",
            wait,
        )
    spent[what] = {"period": period, "used": used + cost}


def left(
    state: dict[str, Any], window: Window, what: str, limit: int, *, per: Per = "day",
    zone: str = "UTC",
) -> int:  # fmt: skip
    """How many units may still be used in the current period."""
    period = window.now.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d" if per == "day" else "%Y-%m")
    spent = state.get("quota", {}).get(what, {})
    return max(limit - (spent["used"] if spent.get("period") == period else 0), 0)


def _next(here: datetime, per: Per) -> datetime:
    """When the next day or month begins."""
    day = here.date().replace(day=1) + timedelta(days=32) if per == "month" else here.date()
    day = day.replace(day=1) if per == "month" else day + timedelta(days=1)
    return datetime.combine(day, time(), here.tzinfo).astimezone(UTC)
