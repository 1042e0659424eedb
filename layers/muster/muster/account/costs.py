"""Prices, measurements and what a community asks for → what its stack costs a month, by line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muster.errors import BadSettings
from muster.settings import Settings

HOURS, DAYS, MONTHS = 730, 30.4, 24
SOURCES = 3  # of a community that has named none yet
MESSAGES = 10_000
RAW_MONTHS = 3
NEEDED = (
    "lambda_gb_second", "lambda_request", "step_transition", "scheduler_call", "s3_gb_month",
    "s3_write", "s3_read", "lake_event", "log_gb", "metric", "alarm", "dashboard", "trace", "mail",
)  # fmt: skip
PER_MONTH = {"week": 4.35, "month": 1.0, "quarter": 1 / 3}


@dataclass(frozen=True)
class Cost:
    """One line: how much of what, at list price, and after what every account has free."""

    what: str
    amount: float
    unit: str
    listed: float
    paid: float


@dataclass(frozen=True)
class PriceList:
    """What each unit costs, where and when, and how far that is to be trusted."""

    currency: str
    origin: str
    prices: Mapping[str, Mapping[str, float | str]]


def price_list(path: Path) -> PriceList:
    """A file like ``infra/prices.json``; ``BadSettings`` if it lacks a price that is needed."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        origin = f"list prices of {found['region']}, {found['as_of']}: {found['source']}"
        for name in NEEDED:
            one = found["prices"][name]
            float(one["price"]), float(one["free"]), str(one["unit"])
        return PriceList(str(found["currency"]), origin, found["prices"])
    except (OSError, ValueError, TypeError) as error:
        raise BadSettings(f"{path}: no price list: {error}: see infra/prices.json") from error
    except KeyError as error:
        raise BadSettings(f"{path}: {error} is missing: see infra/prices.json") from error


def month(
    settings: Settings, prices: PriceList, measured: Path, messages: int = MESSAGES
) -> tuple[Cost, ...]:
    """The lines of a month, dearest first, of a lake of so many messages in two years.

    ``measured`` is a file like ``infra/measured.json``: what a call needs.
    """
    used = usage(settings, json.loads(measured.read_text(encoding="utf-8")), messages)
    lines = (_cost(what, amount, prices.prices[what]) for what, amount in used.items())
    return tuple(sorted(lines, key=lambda line: (-line.paid, -line.listed)))


def usage(settings: Settings, measured: Mapping[str, Any], messages: int) -> Mapping[str, float]:
    """Units a month by the price list's names; a 24th of the messages came in this month."""
    calls = _calls(settings)
    transitions, requests, size = measured["transitions"], measured["requests"], measured["bytes"]
    new, objects = messages / MONTHS, _sources(settings) * MONTHS * 2
    written = sum(count * requests.get(name, {}).get("writes", 0) for name, count in calls.items())
    read = sum(count * requests.get(name, {}).get("reads", 0) for name, count in calls.items())
    return {
        "lambda_gb_second": sum(_gb_seconds(calls, measured["functions"], messages)),
        "lambda_request": sum(calls.values()),
        "step_transition": HOURS * transitions["hour"] + calls["fetch"] * transitions["source"]
        + calls["measure"] * transitions["report"] + calls["mail"] * transitions["mail"],
        "scheduler_call": HOURS + calls["measure"],
        "s3_gb_month": (
            messages * size["tables_per_message"] + new * RAW_MONTHS * size["raw_per_message"]
            + size["site"] + _replaced(calls, measured, _sources(settings), new)
        ) / 1e9,
        "s3_write": written,
        "s3_read": read + calls["measure"] * objects * requests["measure"]["reads_per_object"],
        # The site's bucket tells nobody of its writes. What only lists is counted too: little more.
        "lake_event": written - calls["report"] * requests["report"]["writes"],
        "log_gb": sum(calls.values()) * 2e-6,
        "metric": 10,
        "alarm": 8,
        "dashboard": 1,
        "trace": sum(calls.values()),
        "mail": calls["mail"],
    }  # fmt: skip


def _replaced(
    calls: Mapping[str, float], measured: Mapping[str, Any], sources: int, new: float
) -> float:
    """Bytes of old versions, which the buckets keep for a month (``OldVersionDays``).

    A fetch that brings something writes the last part of the month anew, half full on average; a
    measuring writes what it found and the site.
    """
    size, brought = measured["bytes"], new / sources
    last_part = min(measured["sizes"]["part_bytes"], brought * size["tables_per_message"]) / 2
    rewritten = sources * min(calls["fetch"] / sources, brought)
    return rewritten * last_part + calls["measure"] * (size["site"] + size["measured"])


def _calls(settings: Settings) -> dict[str, float]:
    """How often each function is called, and how many mails go."""
    every = [one.every.total_seconds() for one in settings.sources if one.platform != "file"]
    fetches = sum(HOURS / max(seconds / 3600, 1) for seconds in every) or HOURS * SOURCES
    reports = sum(PER_MONTH[one.grain] for one in settings.reports)
    mails = sum(PER_MONTH[one.grain] * len(one.recipients) for one in settings.reports)
    measured = DAYS + reports
    calls = {"plan": HOURS, "fetch": fetches, "measure": measured, "report": measured + mails}
    return {**calls, "mail": mails}


def _sources(settings: Settings) -> int:
    return len(settings.sources) or SOURCES


def _gb_seconds(
    calls: Mapping[str, float], functions: Mapping[str, Any], messages: int
) -> list[float]:
    """Per function: its calls, and what grows with the new messages or with the lake.

    A lake of more messages than one call can measure is measured on a machine of one's own.
    """
    measure = functions["measure"]
    fits = messages if messages <= measure["most_messages"] else 0
    grown = {
        "fetch": messages / MONTHS / 1000 * functions["fetch"]["seconds_per_1000_new"],
        "measure": calls["measure"] * fits / 1e6 * measure["seconds_per_million"],
    }
    return [
        one["gb"] * (calls[name] * one["seconds"] + grown.get(name, 0))
        for name, one in functions.items()
    ]


def _cost(what: str, amount: float, price: Mapping[str, float | str]) -> Cost:
    each, free = float(price["price"]), float(price["free"])
    charged = max(amount - free, 0)
    return Cost(what, amount, str(price["unit"]), amount * each, charged * each)
