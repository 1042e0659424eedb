"""Reports of Google Analytics in; a day's items, and of each the lake's rows out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from muster.records import Item, Row, SiteTraffic
from muster.sources._answer import Answer

CHANNEL = "sessionDefaultChannelGroup"
CHANNELS = {
    "Organic Social": "organic_social",
    "Paid Social": "paid_social",
    "Organic Search": "organic_search",
    "Paid Search": "paid_search",
    "Direct": "direct",
    "Referral": "referral",
    "Email": "email",
}
OTHER = "other"
_CART, _PURCHASE = "add_to_cart", "purchase"


def by_day(
    visits: Sequence[Answer], events: Sequence[Answer], context: Mapping[str, Any]
) -> Iterator[Item]:
    """One item a day, whatever pages its rows came on; rows that cannot be read by themselves."""
    days: dict[str, dict[str, Any]] = {}
    for name, answers in (("visits", visits), ("events", events)):
        for answer in answers:
            heads: dict[str, Any] = {
                key: answer.body.get(key) for key in ("dimensionHeaders", "metricHeaders")
            }
            for row in answer.body.get("rows") or ():
                day = days.setdefault(_day(row), {})
                day.setdefault(name, {**heads, "rows": []})["rows"].append(row)
    for told, body in days.items():
        seen_at = (visits or events)[0].seen_at
        yield Item("day", body, seen_at, {**context, "day": told})


def answers(body: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Whether a report has the columns that were asked for."""
    return all(
        [head.get("name") if isinstance(head, Mapping) else None for head in body.get(heads) or ()]
        == [one["name"] for one in asked[names]]
        for heads, names in (("dimensionHeaders", "dimensions"), ("metricHeaders", "metrics"))
    )


def _day(row: Any) -> str:
    """The day a row is of: always its first dimension, as it was asked for."""
    try:
        return str(row["dimensionValues"][0]["value"])
    except (KeyError, TypeError, IndexError):
        return "unreadable"


@dataclass
class _Sums:
    """What a channel's day comes to."""

    sessions: int = 0
    visitors: int = 0
    carts: int = 0
    purchases: int = 0
    leads: int = 0
    with_cart: int = 0
    with_purchase: int = 0
    revenue: Decimal | None = None


def day_rows(item: Item, channels: Mapping[str, str], lead_events: Sequence[str]) -> Iterator[Row]:
    """The visits of a day; channel groups that are one channel are added up."""
    context = item.context or {}
    day = datetime.strptime(context["day"], "%Y%m%d").date()
    segment = context.get("segment")
    sums: dict[tuple[str, str], _Sums] = {}

    def of(row: Mapping[str, str]) -> _Sums:
        channel = {**CHANNELS, **channels}.get(row[CHANNEL], OTHER)
        value = next((told for name, told in row.items() if name == _extra(row)), None)
        named = f"{segment}={value}" if segment else "all"
        return sums.setdefault((channel, named), _Sums())

    for row in _named(item.body.get("visits")):
        _add_visits(of(row), row)
    for row in _named(item.body.get("events")):
        _add_events(of(row), row, lead_events)
    for (channel, named), one in sorted(sums.items()):
        yield _traffic(day, channel, named, one, context.get("currency"))


def _extra(row: Mapping[str, str]) -> str | None:
    """The dimension a report is broken down by: the one that is always there in none."""
    known = {"date", CHANNEL, "eventName"}
    return next((name for name in row if name not in known and name[0] != "#"), None)


def _named(report: Mapping[str, Any] | None) -> Iterable[dict[str, str]]:
    """The rows of a report with their values by name; metrics behind a ``#``.

    A row that came again, as one does whose page moved while the report was read, counts once.
    """
    if not report:
        return ()
    dimensions = [head["name"] for head in report["dimensionHeaders"]]
    metrics = [f"#{head['name']}" for head in report["metricHeaders"]]
    found = {}
    for row in report["rows"]:
        values = (*row.get("dimensionValues", ()), *row.get("metricValues", ()))
        told = dict(zip((*dimensions, *metrics), (one["value"] for one in values), strict=True))
        found[tuple(told[name] for name in dimensions)] = told
    return found.values()


def _add_visits(sums: _Sums, row: Mapping[str, str]) -> None:
    sums.sessions += int(row["#sessions"])
    sums.visitors += int(row["#totalUsers"])
    sums.carts += int(row["#addToCarts"])
    sums.purchases += int(row["#ecommercePurchases"])
    sums.revenue = (sums.revenue or Decimal(0)) + _money(row["#purchaseRevenue"])


def _money(text: str) -> Decimal:
    try:
        return round(Decimal(text), 4)
    except InvalidOperation as error:
        raise ValueError(f"{text[:40]!r} is no amount") from error


def _add_events(sums: _Sums, row: Mapping[str, str], lead_events: Sequence[str]) -> None:
    sessions, count = int(row["#sessions"]), int(row["#eventCount"])
    sums.with_cart += sessions if row["eventName"] == _CART else 0
    sums.with_purchase += sessions if row["eventName"] == _PURCHASE else 0
    sums.leads += count if row["eventName"] in lead_events else 0


def _traffic(day: date, channel: str, segment: str, sums: _Sums, currency: Any) -> SiteTraffic:
    is_told = sums.revenue is not None and currency
    return SiteTraffic(
        date=day,
        channel=channel,
        segment=segment,
        sessions=sums.sessions,
        visitors=sums.visitors,
        abandoned_sessions=min(max(sums.with_cart - sums.with_purchase, 0), sums.sessions),
        leads=sums.leads,
        add_to_carts=sums.carts,
        purchases=sums.purchases,
        revenue=sums.revenue if is_told else None,
        currency=currency if is_told else None,
    )
