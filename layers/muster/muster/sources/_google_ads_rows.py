"""Reports of Google Ads in; an item for each campaign's day, and of each the lake's rows out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from muster.records import AdSpend, Item, Row

MICROS = Decimal(1_000_000)
_VALUES = {
    "country": ("geographicView", "countryCriterionId"),
    "device": ("segments", "device"),
    "age": ("adGroupCriterion", "ageRange", "type"),
    "gender": ("adGroupCriterion", "gender", "type"),
}


def answers(part: Any, fields: Sequence[str]) -> bool:
    """Whether a part of an answer has the fields that were asked for, as far as it tells."""
    if not isinstance(part, Mapping):
        return False
    told = part.get("fieldMask")
    return not told or set(str(told).split(",")) == {_camel(field) for field in fields}


def _camel(field: str) -> str:
    return re.sub(r"_(\w)", lambda found: found[1].upper(), field)


def by_day(
    reports: Mapping[str, Sequence[Any]], seen_at: datetime, context: Mapping[str, Any]
) -> Iterator[Item]:
    """One item for each campaign's day; rows that cannot be read together in one of their own."""
    days: dict[tuple[str, str], dict[str, list[Any]]] = {}
    for name, rows in reports.items():
        for row in rows:
            days.setdefault(_key(row), {}).setdefault(name, []).append(row)
    for (campaign, day), body in days.items():
        yield Item("day", body, seen_at, {**context, "campaign": campaign, "day": day})


def _key(row: Any) -> tuple[str, str]:
    """Campaign and day of a row."""
    try:
        return str(row["campaign"]["id"]), str(row["segments"]["date"])
    except (KeyError, TypeError):
        return "unreadable", "unreadable"


def countries_in(rows: Sequence[Any]) -> set[str]:
    """The numbers of the countries that these rows name."""
    found = set()
    for row in rows:
        try:
            found.add(str(row["geographicView"]["countryCriterionId"]))
        except (KeyError, TypeError):
            continue  # its mapping says why
    return found


def number_of(country: Any) -> str | None:
    """The number that Google has for a country."""
    told = country.get("geoTargetConstant") if isinstance(country, Mapping) else None
    return str(told.get("id")) if isinstance(told, Mapping) else None


def day_rows(item: Item, leads: Sequence[str], purchases: Sequence[str]) -> Iterator[Row]:
    """A campaign's day, whole and by segment; parts of one segment are added up."""
    body, context = item.body, item.context or {}
    day = datetime.strptime(context["day"], "%Y-%m-%d").date()
    named = [row["campaign"].get("name") for rows in body.values() for row in rows]
    base = {"campaign_id": context["campaign"], "date": day, "currency": context["currency"],
            "campaign": next((name for name in named if name), None)}  # fmt: skip
    if "costs" in body or "conversions" in body:
        outcomes = _outcomes(body.get("conversions", ()), leads, purchases)
        yield AdSpend(**base, **_costs(body.get("costs", ())), **outcomes)
    for segment in _VALUES:
        parts: dict[str, list[Any]] = {}
        for row in body.get(segment, ()):
            parts.setdefault(_value(row, segment, context), []).append(row)
        for value, rows in parts.items():
            yield AdSpend(**base, segment=f"{segment}={value}", **_costs(rows))


def _value(row: Mapping[str, Any], segment: str, context: Mapping[str, Any]) -> str:
    found: Any = row
    for name in _VALUES[segment]:
        found = found[name]
    if segment == "country":
        known = {number_of(one): one["geoTargetConstant"] for one in context.get("countries", ())}
        return str(known.get(str(found), {}).get("countryCode") or found)
    return str(found).removeprefix("AGE_RANGE_").lower()


def _costs(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Money, impressions and clicks of rows together; a figure that is left out is 0."""
    metrics = [row["metrics"] for row in rows]
    micros = sum(int(one.get("costMicros") or 0) for one in metrics)
    return {
        "spend": round(micros / MICROS, 4),
        "impressions": sum(int(one.get("impressions") or 0) for one in metrics),
        "clicks": sum(int(one.get("clicks") or 0) for one in metrics),
    }


def _outcomes(
    rows: Sequence[Mapping[str, Any]], leads: Sequence[str], purchases: Sequence[str]
) -> dict[str, Any]:
    """Leads, purchases and their revenue; none where no such conversion is told."""
    found: dict[str, list[Mapping[str, Any]]] = {"leads": [], "purchases": []}
    for row in rows:
        category = row["segments"]["conversionActionCategory"]
        for name, categories in (("leads", leads), ("purchases", purchases)):
            if category in categories:
                found[name].append(row["metrics"])
    counts = {
        name: round(sum(Decimal(str(one.get("conversions") or 0)) for one in metrics))
        for name, metrics in found.items()
        if metrics
    }
    values = [Decimal(str(one.get("conversionsValue") or 0)) for one in found["purchases"]]
    return {**counts, **({"revenue": round(sum(values, Decimal(0)), 4)} if values else {})}
