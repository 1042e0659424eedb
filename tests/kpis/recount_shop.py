"""A shop's rows → the values of orders, reviews, surveys and figures for a period, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from recount_periods import Period
from recount_support import Told, count, mean, quantile
from village import Village

from muster.records import Figure, Member, Order, Review, SurveyResponse

DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)
QUALITY = {"satisfaction": 0.5, "rating": 0.3, "not_refunded": 0.2}


class Known:
    """What is known at ``as_of``: rows with a time before it, or of a day up to its own."""

    def __init__(self, told: Village) -> None:
        self.told, self.as_of, self.settings = told, told.as_of, told.settings
        self.zone = ZoneInfo(told.settings["timezone"])
        self.today = self.day(told.as_of - MOMENT)

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def of(self, kind: type) -> list[tuple[str, date, Any]]:
        """Source, local day and row."""
        rows = [(source, row) for source, row in self.told.rows if isinstance(row, kind)]
        dated = [(source, self._day_of(row), row) for source, row in rows]
        return [
            one
            for one in dated
            if one[1] <= self.today
            and getattr(one[2], "created_at", self.as_of - MOMENT) < self.as_of
        ]

    def _day_of(self, row: Any) -> date:
        at = getattr(row, "created_at", None)
        return self.day(at) if at else row.date

    def happened(self, at: datetime | None) -> bool:
        return at is not None and at < self.as_of

    def is_covered(self, period: Period, table: str, sources: Sequence[str] | None = None) -> bool:
        spans = [one for one in self.told.coverage if one.table_name == table]
        return period.is_covered([one for one in spans if sources is None or one.source in sources])


class Business:
    """What was sold, and what customers and staff said of it."""

    def __init__(self, known: Known) -> None:
        self.known, self.settings = known, known.settings
        self.orders = known.of(Order)
        self.reviews = [
            (day, row.rating / row.rating_max, row.replied_at)
            for _, day, row in known.of(Review)
            if 0 <= row.rating <= row.rating_max and not known.happened(row.deleted_at)
        ]
        self.answers = [
            (day, row.survey, row.score / row.score_max)
            for _, day, row in known.of(SurveyResponse)
            if 0 <= row.score <= row.score_max and not known.happened(row.deleted_at)
        ]
        self.figures = known.of(Figure)
        self.people = {row.member_id: row.person_id for _, row in known.told.rows
                       if isinstance(row, Member)}  # fmt: skip

    def of(self, period: Period, before: Period, spent: Decimal) -> Told:
        orders = [row for _, day, row in self.orders if period.has(day)]
        yield from self._sold(orders)
        yield from self._clients(period, before, spent)
        yield from self._grown(orders, period, before)
        yield from self._stars(period)
        yield from self._asked(period)
        yield from self._quality(period, orders)
        if period.grain in ("month", "quarter", "year"):
            yield from self._earned(period)

    # -- orders -------------------------------------------------------------------------------

    def _sold(self, orders: Sequence[Order]) -> Told:
        happened = self.known.happened
        costed = [o for o in orders if o.currency == "AUD" and o.cost is not None]
        revenue = sum(o.revenue for o in costed)
        if costed:
            margin = (revenue - sum(o.cost for o in costed)) / revenue
            yield "profit_margin", "all", margin, len(costed)
        yield from mean("refund_rate", [happened(o.refunded_at) for o in orders])
        due = [o for o in orders if o.promised_at and o.promised_at <= self.known.as_of]
        kept = [happened(o.delivered_at) and o.delivered_at <= o.promised_at for o in due]
        yield from mean("on_time_delivery", kept)
        waits = [self._wait(o) for o in orders]
        yield from quantile("delivery_time_median", waits, Fraction(1, 2), "all")

    def _wait(self, o: Order) -> tuple[float, bool]:
        """Up to its delivery, else up to the refund, else so far."""
        is_there = self.known.happened(o.delivered_at)
        given_up = o.refunded_at if self.known.happened(o.refunded_at) else self.known.as_of
        end = o.delivered_at if is_there else given_up
        return (end - o.created_at).total_seconds(), is_there

    def _who(self, period: Period) -> set[str]:
        return {
            self.people.get(row.customer_id, row.customer_id)
            for _, day, row in self.orders
            if period.has(day)
        }

    def _clients(self, period: Period, before: Period, spent: Decimal) -> Told:
        who = self._who(period)
        known = {
            self.people.get(row.customer_id, row.customer_id)
            for _, day, row in self.orders
            if day < period.start
        }
        yield from count("new_clients", len(who - known))
        yield from count("repeat_clients", len(who & known))
        if who or self.known.is_covered(period, "orders"):
            yield from mean("client_retention", [one in who for one in self._who(before)])
        if spent and who - known:
            yield "acquisition_cost", "all", spent / len(who - known), len(who - known)

    def _grown(self, orders: Sequence[Order], period: Period, before: Period) -> Told:
        """Of whole periods alone; nothing sold is a loss of everything."""
        then = [
            row.revenue for _, day, row in self.orders if before.has(day) and row.currency == "AUD"
        ]
        is_known = self.known.is_covered(before, "orders") and not period.is_partial
        if then and is_known:
            now = sum(o.revenue for o in orders if o.currency == "AUD")
            yield "revenue_growth", "all", now / sum(then) - 1, len(then)

    # -- what was said ------------------------------------------------------------------------

    def _stars(self, period: Period) -> Told:
        here = [one for one in self.reviews if period.has(one[0])]
        yield from mean("rating_mean", [5 * share for _, share, _ in here])
        yield from count("reviews_positive", sum(share >= 0.8 for _, share, _ in here))
        yield from count("reviews_negative", sum(share <= 0.4 for _, share, _ in here))
        yield from mean("review_reply_rate", [self.known.happened(at) for _, _, at in here])

    def _given(self, period: Period, survey: str) -> list[float]:
        return [share for day, of, share in self.answers if of == survey and period.has(day)]

    def _asked(self, period: Period) -> Told:
        yield from mean("csat", [one > 0.6 for one in self._given(period, "csat")])
        points = [100 * ((one >= 0.9) - (one <= 0.6)) for one in self._given(period, "nps")]
        yield from mean("nps", points)
        yield from mean("product_satisfaction", self._given(period, "product"))
        yield from mean("employee_satisfaction", self._given(period, "employee"))

    def _quality(self, period: Period, orders: Sequence[Order]) -> Told:
        parts = {
            "satisfaction": self._given(period, "product"),
            "rating": [share for day, share, _ in self.reviews if period.has(day)],
            "not_refunded": [not self.known.happened(o.refunded_at) for o in orders],
        }
        weights = self.settings.get("quality_weights", QUALITY)
        for name, ones in parts.items():
            yield from mean("product_quality_index", ones, name.replace("_", " "))
        if all(parts.values()):
            whole = sum(weights[name] * sum(ones) / len(ones) for name, ones in parts.items())
            yield "product_quality_index", "all", whole, min(map(len, parts.values()))

    def _earned(self, period: Period) -> Told:
        profits = [row.value for _, day, row in self.figures
                   if period.has(day) and (row.name, row.unit) == ("profit", "AUD")]  # fmt: skip
        heads = [(day, row.value) for _, day, row in self.figures
                 if row.name == "employees" and day < period.following]  # fmt: skip
        if profits and heads:
            last = max(heads)[1]
            yield "profit_per_employee", "all", sum(profits) / last, int(last)
