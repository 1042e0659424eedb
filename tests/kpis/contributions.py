"""The rows behind a value → value and n again, added up in plain Python."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

Table = list[dict[str, Any]]


def plainly(rows: Table) -> tuple[float, int]:
    """Each row counts 1, or the value is the mean of what the rows contribute."""
    names = ("contributes", "wait_seconds", "sentiment", "replies", "staff_messages_to_resolution")
    column = next((name for name in names if name in rows[0]), None)
    return (mean(rows, column) if column else len(rows)), len(rows)


def mean(rows: Table, column: str) -> float:
    return float(sum(row[column] for row in rows)) / len(rows)


def total(rows: Table, column: str) -> float:
    return float(sum(row[column] or 0 for row in rows))


def count_of(column: str) -> Callable[[Table], tuple[float, int]]:
    return lambda rows: (len({row[column] for row in rows}),) * 2


def sum_of(column: str) -> Callable[[Table], tuple[float, int]]:
    return lambda rows: (total(rows, column), total(rows, column))


def share_of(one: str, other: str) -> Callable[[Table], tuple[float, int]]:
    return lambda rows: (total(rows, one) / total(rows, other), total(rows, other))


def gained(rows: Table) -> float:
    """From the two measurements of each account, less what is suspected in them."""
    last, before = (
        total(rows, f"{when}_value") - total(rows, f"{when}_suspected")
        for when in ("last", "before")
    )
    return last - before


def price_of(outcome: str) -> Callable[[Table, Table], tuple[float, int]]:
    def price(spent: Table, done: Table) -> tuple[float, int]:
        return total(spent, "spend") / total(done, outcome), total(done, outcome)

    return price


def median_of(
    time: str, event: str, left: Fraction = Fraction(1, 2)
) -> Callable[[Table], tuple[float, int]]:
    """Kaplan and Meier's by hand, in exact fractions: when at most ``left`` of all still wait."""

    def median(rows: Table) -> tuple[float, int]:
        surviving = Fraction(1)
        for t in sorted({row[time] for row in rows}):
            at_risk = sum(row[time] >= t for row in rows)
            surviving *= 1 - Fraction(sum(row[time] == t and row[event] for row in rows), at_risk)
            if surviving <= left:
                return t, len(rows)
        raise AssertionError("never reached")

    return median


def grown(now: Table, before: Table) -> tuple[float, int]:
    return total(now, "revenue") / total(before, "revenue") - 1, len(before)


def busiest(rows: Table) -> tuple[float, int]:
    answers = [row["answers"] for row in rows]
    return max(answers) / sum(answers), sum(answers)


def quality(*parts: Table) -> tuple[float, int]:
    """One part is that part; all three are weighed."""
    column = [next(n for n in ("contributes", "part") if n in rows[0]) for rows in parts]
    means = [mean(rows, name) for rows, name in zip(parts, column, strict=True)]
    weights = (0.5, 0.3, 0.2) if len(parts) == 3 else (1,)
    value = sum(weight * one for weight, one in zip(weights, means, strict=True))
    return value, min(len(rows) for rows in parts)


def connected(rows: Table) -> tuple[float, int]:
    pairs = {(row["one"], row["other"]) for row in rows}
    return len(pairs), len(pairs)


RELATIONS: dict[str, Callable[..., tuple[float, int]]] = {
    "first_response_median": median_of("wait_seconds", "is_answered"),
    "first_response_p90": median_of("wait_seconds", "is_answered", Fraction(1, 10)),
    "first_response_business_median": median_of("wait_business_seconds", "is_answered"),
    "time_to_resolution_median": median_of("resolution_seconds", "is_resolved"),
    "delivery_time_median": median_of("wait_seconds", "is_delivered"),
    "active_members": count_of("person"),
    "member_connections": connected,
    "likes": sum_of("likes"),
    "reposts": sum_of("reposts"),
    "leads": sum_of("leads"),
    "sales": sum_of("purchases"),
    "social_visitors": sum_of("visitors"),
    "revenue": lambda rows: (
        total(rows, "revenue"), len({row["date"] for row in rows if row["revenue"] is not None})
    ),
    "followers": lambda rows: (total(rows, "contributes"), len(rows)),
    "followers_gained": lambda rows: (gained(rows), len(rows)),
    "follower_growth": lambda rows: (
        gained(rows) / total(rows, "before_value"), total(rows, "before_value")
    ),
    "targeted_subscribers_gained": lambda rows: (
        total(rows, "change"), len({row["contributes"] for row in rows})
    ),
    "abandonment_rate": share_of("abandoned_sessions", "sessions"),
    "conversion_rate": share_of("purchases", "sessions"),
    "cost_per_visitor": price_of("visitors"),
    "cost_per_lead": price_of("leads"),
    "cost_per_add_to_cart": price_of("add_to_carts"),
    "cost_per_sale": price_of("purchases"),
    "cost_per_subscriber": share_of("spend", "follows"),
    "acquisition_cost": lambda spent, won: (total(spent, "spend") / len(won), len(won)),
    "announcement_reach": lambda posts, members: (
        mean(posts, "views") / members[0]["members"], len(posts)
    ),
    "contributors_share": lambda rows: (mean(rows, "has_written"), len(rows)),
    "nps": lambda rows: (100 * mean(rows, "contributes"), len(rows)),
    "oldest_wait": lambda rows: (max(row["age_seconds"] for row in rows), len(rows)),
    "profit_margin": lambda rows: (
        total(rows, "contributes") / total(rows, "revenue"), len(rows)
    ),
    "revenue_growth": grown,
    "response_burden": busiest,
    "product_quality_index": quality,
    "stickiness": lambda rows: (total(rows, "days") / 30 / len(rows), len(rows)),
    "profit_per_employee": lambda profits, heads: (
        total(profits, "contributes") / total(heads, "contributes"), total(heads, "contributes")
    ),
}  # fmt: skip
