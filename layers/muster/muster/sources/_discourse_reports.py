"""The forum's own report of sign-ups by day in; how many members it had on each of them, out.

Members that left are told nowhere, so an earlier number is of those who are still counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from muster.records import Audience, Item
from muster.settings import Source
from muster.sources import _gains
from muster.sources._discourse_answers import granted, list_at
from muster.sources._discourse_rows import account_of
from muster.sources._discourse_seen import Fetch
from muster.sources._newest import start_of

BACK = timedelta(days=365)  # the first time, where the settings name no start


def signups(fetch: Fetch, count: int) -> tuple[list[Item], Mapping[str, Any]]:
    """The report since it was read last, where the key may read it; and what to remember."""
    now, kept = fetch.window.now, fetch.kept
    counted = _gains.counted(kept.get("counted") or {}, now, count)
    first = now - _gains.UNSETTLED if kept.get("reported") else start_of(fetch.window) or now - BACK
    days = {"start_date": str(first.date()), "end_date": str(now.date())}
    answer = granted(fetch.api, "/admin/reports/signups.json", days)
    if answer is None:
        return [], {"counted": counted}
    item = Item("signups", answer.body, answer.seen_at, {"counted": counted, "now": count})
    return [item], {"counted": counted, "reported": True}


def signup_rows(item: Item, options: Source) -> Iterator[Audience]:
    """One row a day of the report."""
    told = list_at(item.body, "report", "data")
    changes = [(date.fromisoformat(str(one["x"])[:10]), int(one["y"]), None) for one in told]
    yield from _gains.by_day(account_of(options), "members", changes, item.context or {})
