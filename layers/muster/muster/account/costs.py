"""A price list and what a community asks for → what a stack costs a month, line by line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from muster.settings import Settings

HOURS, DAYS = 730, 30.4
SOURCES = 3  # of a community that has named none yet
PER_MONTH = {"week": 4.35, "month": 1.0, "quarter": 1 / 3}
# What one call of a small community takes, seconds times GB: assumed, on the high side.
GB_SECONDS = {"plan": 0.5, "fetch": 8.0, "measure": 45.0, "report": 2.0}
TRANSITIONS = {"hour": 4, "source": 4, "report": 4, "mail": 3}
WRITES_PER_FETCH, READS_PER_FETCH = 15, 40


@dataclass(frozen=True)
class Cost:
    """One line: how much of what, at list price, and after what every account has free."""

    what: str
    amount: float
    unit: str
    listed: float
    paid: float


def month(settings: Settings, price_list: Path) -> tuple[Cost, ...]:
    """The lines of a month for a community of some thousand messages, dearest first."""
    prices = json.loads(price_list.read_text(encoding="utf-8"))["prices"]
    lines = (_cost(what, amount, prices[what]) for what, amount in usage(settings).items())
    return tuple(sorted(lines, key=lambda line: (-line.paid, -line.listed)))


def usage(settings: Settings) -> Mapping[str, float]:
    """Units a month by the price list's names."""
    fetches = (
        sum(
            HOURS * min(3600 / one.every.total_seconds(), 1)
            for one in settings.sources
            if one.platform != "file"
        )
        or HOURS * SOURCES
    )
    reports = sum(PER_MONTH[one.grain] for one in settings.reports)
    mails = sum(PER_MONTH[one.grain] * len(one.recipients) for one in settings.reports)
    measured = DAYS + reports
    calls = {"plan": HOURS, "fetch": fetches, "measure": measured, "report": measured + mails}
    return {
        "lambda_gb_second": sum(count * GB_SECONDS[name] for name, count in calls.items()),
        "lambda_request": sum(calls.values()),
        "step_transition": HOURS * TRANSITIONS["hour"] + fetches * TRANSITIONS["source"]
        + measured * TRANSITIONS["report"] + mails * TRANSITIONS["mail"],
        "scheduler_call": HOURS + measured,
        "s3_gb_month": 1.0,
        "s3_write": fetches * WRITES_PER_FETCH + measured * 200,
        "s3_read": fetches * READS_PER_FETCH + measured * 2000,
        "log_gb": 0.1,
        "metric": 10,
        "alarm": 10,
        "trace": sum(calls.values()),
        "mail": mails,
    }  # fmt: skip


def _cost(what: str, amount: float, price: Mapping[str, float | str]) -> Cost:
    each, free = float(price["price"]), float(price["free"])
    charged = max(amount - free, 0)
    return Cost(what, amount, str(price["unit"]), amount * each, charged * each)
