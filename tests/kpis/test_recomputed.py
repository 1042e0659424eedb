"""Sales, reviews, surveys, ads and visits, counted once more in plain Python.

Written from the words of the definitions, not from their SQL: four months of a shop at a place with
half an hour of summer time, over week 53 and the new year, in two currencies.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from recount_periods import START_OF
from small_lake import covers, measured
from thorough import tries

from muster.records import AdSpend, Figure, Member, Order, Review, Row, SiteTraffic, SurveyResponse

ZONE = ZoneInfo("Australia/Lord_Howe")
FIRST, LAST = date(2020, 9, 21), date(2021, 1, 20)
AS_OF = datetime.combine(LAST, time(12), ZONE).astimezone(UTC)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
MIDNIGHT = datetime.combine(FIRST, time(), ZONE).astimezone(UTC)
SETTINGS = {
    "timezone": ZONE.key,
    "currency": "AUD",
    "sources": [{"name": name, "platform": "file"} for name in ("desk", "meta", "goog")],
    "ad_channels": {"meta": "paid_social", "goog": "paid_search"},
}
Told = Iterator[tuple[str, float, int]]
Periods = dict[date, list[Any]]


# -- a shop -----------------------------------------------------------------------------------


def made(dice: random.Random) -> Iterator[tuple[str, Row]]:
    for number in range(12):
        yield "desk", Member(member_id=f"c{number}", handle="x", person_id=f"p{number // 2}")
    for number in range(160):
        yield "desk", order(dice, number)
        yield "desk", review(dice, number)
        yield "desk", answer(dice, number)
    for day in DAYS:
        yield from visits(dice, day)
    for month in (9, 10, 11, 12):
        yield "desk", figure("profit", date(2020, month, 28), dice.uniform(-99, 99), "AUD")
        yield "desk", figure("profit", date(2020, month, 30), 9999, "USD")
        yield "desk", figure("employees", date(2020, month, 2), month, "people")


def instant(dice: random.Random) -> datetime:
    """Any moment from the first day to two days after ``AS_OF``, often just beside midnight."""
    day = MIDNIGHT + timedelta(days=dice.randrange(len(DAYS) + 2))
    seconds = dice.choice([0, -1, 1, 5400, dice.randrange(86400)])
    # In UTC: of two times in one zone Python counts the hours on the clock, not those that passed.
    return max(datetime.fromtimestamp(day.timestamp() + seconds, UTC), MIDNIGHT)


def perhaps(dice: random.Random, at: datetime, days: int, chance: float) -> datetime | None:
    """A whole second at most so many days later, or never."""
    later = timedelta(seconds=dice.randrange(days * 86400))
    return at + later if dice.random() < chance else None


def order(dice: random.Random, number: int) -> Order:
    at = instant(dice)
    promised = perhaps(dice, at, 4, 0.8)
    return Order(
        order_id=f"o{number}", customer_id=f"c{dice.randrange(40)}", created_at=at,
        revenue=Decimal(dice.randrange(1, 9999)) / 100, currency=dice.choice(["AUD", "AUD", "USD"]),
        cost=dice.choice([None, Decimal(dice.randrange(9999)) / 100]), promised_at=promised,
        delivered_at=dice.choice([promised, perhaps(dice, at, 6, 0.9)]),
        refunded_at=perhaps(dice, at, 30, 0.2),
    )  # fmt: skip


def review(dice: random.Random, number: int) -> Review:
    at, best = instant(dice), dice.choice([5, 10])
    return Review(
        review_id=f"r{number}", created_at=at, rating=dice.randrange(-1, best + 2), rating_max=best,
        replied_at=perhaps(dice, at, 9, 0.4), deleted_at=perhaps(dice, at, 9, 0.1),
    )  # fmt: skip


def answer(dice: random.Random, number: int) -> SurveyResponse:
    at, survey = instant(dice), dice.choice(["csat", "nps", "product", "employee"])
    best = 10 if survey == "nps" else dice.choice([5, 7, 10])
    return SurveyResponse(
        response_id=f"s{number}", survey=survey, score=dice.randrange(-1, best + 2),
        score_max=best, created_at=at, deleted_at=perhaps(dice, at, 9, 0.1),
    )  # fmt: skip


def visits(dice: random.Random, day: date) -> Iterator[tuple[str, Row]]:
    for source, currency in (("meta", "AUD"), ("goog", dice.choice(["AUD", "USD"]))):
        spend = Decimal(dice.randrange(900)) / 100
        yield source, AdSpend(campaign_id="c", date=day, currency=currency, spend=spend)
        # A part of the same money: never added to its whole.
        yield (
            source,
            AdSpend(campaign_id="c", segment="country=AU", date=day, currency="AUD", spend=spend),
        )
    for channel in ("organic_social", "paid_social", "paid_search", "direct"):
        for segment in ("all", "country=AU"):
            visitors, bought = dice.randrange(1, 50), dice.randrange(3)
            yield (
                "desk",
                SiteTraffic(
                    date=day, channel=channel, segment=segment, sessions=visitors + 9,
                    visitors=visitors, abandoned_sessions=dice.randrange(9), leads=bought,
                    add_to_carts=bought + 1, purchases=bought,
                    revenue=Decimal(bought), currency=dice.choice(["AUD", "USD"]),
                ),
            )  # fmt: skip


def figure(name: str, day: date, value: float, unit: str) -> Figure:
    return Figure(name=name, date=day, value=value, unit=unit)


# -- counted by hand --------------------------------------------------------------------------


def expected(rows: Sequence[tuple[str, Row]], grain: str) -> dict[tuple[str, date], tuple]:
    told = {}
    every = sorted({START_OF[grain](day) for day in DAYS})
    orders = split([o for _, o in rows if isinstance(o, Order)], grain)
    reviews = split(
        [r for _, r in rows if isinstance(r, Review) and counts(r, r.rating, r.rating_max)], grain
    )
    answers = split(
        [s for _, s in rows if isinstance(s, SurveyResponse) and counts(s, s.score, s.score_max)],
        grain,
    )
    ads = split([one for one in rows if isinstance(one[1], AdSpend)], grain)
    traffic = split([one for _, one in rows if isinstance(one, SiteTraffic)], grain)
    figures = split([one for _, one in rows if isinstance(one, Figure)], grain)
    people = {m.member_id: m.person_id for _, m in rows if isinstance(m, Member)}
    for start in every:
        start_before = START_OF[grain](start - timedelta(days=1))
        now, before = orders.get(start, []), orders.get(start_before, [])
        earlier = [one for begin, ones in orders.items() if begin < start for one in ones]
        spent = {
            channel: sum(
                ad.spend
                for source, ad in ads.get(start, [])
                if (ad.segment, ad.currency) == ("all", "AUD")
                and SETTINGS["ad_channels"][source] == channel
            )
            for channel in ("paid_social", "paid_search")
        }
        visited = [one for one in traffic.get(start, []) if one.segment == "all"]
        parts = [
            *sold(now),
            *clients(now, before, earlier, people, sum(spent.values())),
            *stars(reviews.get(start, [])),
            *asked(answers.get(start, [])),
            *seen(visited),
            *prices(spent, visited),
        ]
        if grain in ("month", "quarter", "year"):
            parts += earned(figures, start)
        if start_before >= FIRST:  # else nobody knows all of it
            parts += grown(now, before, start, grain)
        # Nothing found is a 0 only where all of the period is known.
        is_known = start >= FIRST
        told |= {(kpi, start): (float(value), n) for kpi, value, n in parts if n or is_known}
    return told


def split(rows: Sequence[Any], grain: str) -> Periods:
    """Rows by the period of their local day, those before ``AS_OF``."""
    periods: Periods = {}
    for one in rows:
        row = one[1] if isinstance(one, tuple) else one
        at = getattr(row, "created_at", None)
        if at is None or at < AS_OF:
            day = at.astimezone(ZONE).date() if at else row.date
            periods.setdefault(START_OF[grain](day), []).append(one)
    return periods


def counts(row: Any, score: float, best: float) -> bool:
    """On its own scale, and not taken back before ``AS_OF``."""
    return 0 <= score <= best and not happened(row.deleted_at)


def happened(at: datetime | None) -> bool:
    return at is not None and at < AS_OF


def share(kpi: str, hits: Sequence[bool]) -> Told:
    if hits:
        yield kpi, sum(hits) / len(hits), len(hits)


def mean(kpi: str, numbers: Sequence[float]) -> Told:
    if numbers:
        yield kpi, sum(numbers) / len(numbers), len(numbers)


def sold(orders: Sequence[Order]) -> Told:
    known = [o for o in orders if o.currency == "AUD" and o.cost is not None]
    revenue = sum(o.revenue for o in known)
    if known:
        yield "profit_margin", (revenue - sum(o.cost for o in known)) / revenue, len(known)
    yield from share("refund_rate", [happened(o.refunded_at) for o in orders])
    due = [o for o in orders if o.promised_at and o.promised_at <= AS_OF]
    kept = [happened(o.delivered_at) and o.delivered_at <= o.promised_at for o in due]
    yield from share("on_time_delivery", kept)
    yield from waited(orders)


def waited(orders: Sequence[Order]) -> Told:
    """Kaplan and Meier's median: when at most half have still to come."""
    waits = []
    for o in orders:
        ends = o.delivered_at if happened(o.delivered_at) else None
        given_up = o.refunded_at if happened(o.refunded_at) else AS_OF
        waits.append(((ends or given_up) - o.created_at, ends is not None))
    left = 1.0
    for wait, same in groupby(sorted(waits), key=lambda one: one[0]):
        at_risk = sum(other >= wait for other, _ in waits)
        left *= 1 - sum(is_there for _, is_there in same) / at_risk
        if left <= 0.5 + 1e-9:
            yield "delivery_time_median", wait.total_seconds(), len(waits)
            return


def clients(
    now: Sequence[Order], before: Sequence[Order], earlier: Sequence[Order],
    people: dict[str, str | None], spent: Decimal,
) -> Told:  # fmt: skip
    who, back, known = (
        {people.get(o.customer_id, o.customer_id) for o in some} for some in (now, before, earlier)
    )
    yield "new_clients", len(who - known), len(who - known)
    yield "repeat_clients", len(who & known), len(who & known)
    yield from share("client_retention", [one in who for one in back])
    if spent and who - known:
        yield "acquisition_cost", spent / len(who - known), len(who - known)


def grown(now: Sequence[Order], before: Sequence[Order], start: date, grain: str) -> Told:
    """Of whole periods alone; nothing sold is a loss of everything."""
    then = [o.revenue for o in before if o.currency == "AUD"]
    is_whole = START_OF[grain](LAST) != start
    if is_whole and then:
        gained = sum(o.revenue for o in now if o.currency == "AUD") / sum(then) - 1
        yield "revenue_growth", gained, len(then)


def stars(reviews: Sequence[Review]) -> Told:
    shares = [r.rating / r.rating_max for r in reviews]
    yield from mean("rating_mean", [5 * one for one in shares])
    for kpi, hits in (
        ("reviews_positive", sum(one >= 0.8 for one in shares)),
        ("reviews_negative", sum(one <= 0.4 for one in shares)),
    ):
        yield kpi, hits, hits
    yield from share("review_reply_rate", [happened(r.replied_at) for r in reviews])


def asked(answers: Sequence[SurveyResponse]) -> Told:
    given = {
        survey: [s.score / s.score_max for s in answers if s.survey == survey]
        for survey in ("csat", "nps", "product", "employee")
    }
    yield from share("csat", [one > 0.6 for one in given["csat"]])
    yield from mean("nps", [100 * ((one >= 0.9) - (one <= 0.6)) for one in given["nps"]])
    yield from mean("product_satisfaction", given["product"])
    yield from mean("employee_satisfaction", given["employee"])


def seen(visited: Sequence[SiteTraffic]) -> Told:
    sessions = sum(one.sessions for one in visited)
    yield "abandonment_rate", sum(one.abandoned_sessions for one in visited) / sessions, sessions
    social = [one for one in visited if one.channel.endswith("social")]
    visitors = sum(one.visitors for one in social)
    yield "social_visitors", visitors, visitors


def prices(spent: dict[str, Decimal], visited: Sequence[SiteTraffic]) -> Told:
    for channel, money in spent.items():
        for kpi, outcome in (
            ("visitor", "visitors"), ("lead", "leads"),
            ("add_to_cart", "add_to_carts"), ("sale", "purchases"),
        ):  # fmt: skip
            count = sum(getattr(one, outcome) for one in visited if one.channel == channel)
            if money and count:
                yield f"cost_per_{kpi} {channel}", money / count, count


def earned(figures: Periods, start: date) -> list[tuple[str, float, int]]:
    profits = [f for f in figures.get(start, []) if (f.name, f.unit) == ("profit", "AUD")]
    heads = [f for begin in sorted(figures) if begin <= start for f in figures[begin]]
    last = [f.value for f in heads if f.name == "employees"][-1:]
    if not (profits and last):
        return []
    return [("profit_per_employee", sum(f.value for f in profits) / last[0], int(last[0]))]


# -- and by Muster ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(tries(1, 10)))
def test_values_are_those_of_a_count_by_hand(seed):
    rows = list(made(random.Random(seed)))
    wanted = {grain: expected(rows, grain) for grain in START_OF}
    names = {key[0].split()[0] for told in wanted.values() for key in told}
    tables = ("orders", "reviews", "survey_responses", "site_traffic")
    outcome = measured(
        rows, as_of=AS_OF, kpis=names, coverage=[covers(MIDNIGHT, AS_OF, one) for one in tables],
        **SETTINGS,
    )  # fmt: skip
    assert outcome.problems == ()
    for grain, told in wanted.items():
        found = {
            (one.kpi + ("" if one.segment == "all" else f" {one.segment}"), one.period_start): (
                one.value, one.n,
            )
            for one in outcome.values
            if one.grain == grain
        }  # fmt: skip
        assert found.keys() == told.keys(), (grain, found.keys() ^ told.keys())
        for key, value in told.items():
            assert found[key] == pytest.approx(value, abs=1e-8), (grain, key)
