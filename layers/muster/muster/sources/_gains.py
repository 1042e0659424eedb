"""What was gained and lost by day, and a count of now, in; how many there were on each day, out.

Some platforms tell for years how many came each day, but never how many there were. Where the
number was read on a day it stands; else it is the one of now less what was gained and lost since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from muster.records import Audience

UNSETTLED = timedelta(days=7)  # the last days of a report still change, and are read again

Change = tuple[date, int, int | None]  # day, gained, lost (none: not told)


def counted(before: Mapping[str, int], now: datetime, count: int) -> dict[str, int]:
    """The numbers that were read on the days that are read again, today's among them."""
    recent = str((now - UNSETTLED).date())
    kept = {day: one for day, one in before.items() if day >= recent}
    return {**kept, str(now.date()): count}


def by_day(
    account: str, metric: str, changes: Iterable[Change], told: Mapping[str, Any]
) -> Iterator[Audience]:
    """One row a day; ``told`` has ``counted`` (of days) and ``now``."""
    after = 0
    for day, gained, lost in sorted(changes, reverse=True):
        yield Audience(
            account=account,
            metric=metric,
            measured_on=day,
            value=max(int(told["counted"].get(str(day), told["now"] - after)), 0),
            gained=gained,
            lost=lost,
        )
        after += gained - (lost or 0)
