"""Dice → an invented shop: what it sold, spent and was told, who visits it and who follows it.

Four months over week 53 and the new year, at a place with half an hour of summer time or one behind
UTC, in two currencies; measurements lie often right 35 days apart, and two sources begin late.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from recount_periods import midnight
from village import Village

from muster.measured import Coverage
from muster.records import (
    AdSpend,
    Audience,
    Figure,
    Member,
    Message,
    Order,
    Review,
    Row,
    SiteTraffic,
    SurveyResponse,
)

DAY = timedelta(days=1)
FIRST, LAST = date(2020, 9, 21), date(2021, 1, 20)
DAYS = [FIRST + DAY * n for n in range((LAST - FIRST).days + 1)]
ZONES = ("Australia/Lord_Howe", "America/St_Johns")
HOURS = (12, 21, 0)  # of the run on the last day; at 21 UTC's day is another
SOURCES = ("desk", "meta", "goog", "late", "crm", "birds", "tube", "club", "page")
TARGETED = ("country=AU", "country=NZ")
LATE = DAYS[60]
SILENT = DAYS[-15:-8]  # of the site; another goes on
SHARED = {
    "currency": "AUD",
    "min_n": 5,
    "sources": [{"name": name, "platform": "file"} for name in SOURCES],
    "ad_channels": {"meta": "paid_social", "goog": "paid_search"},
}
Placed = Iterator[tuple[str, Row]]


def shop(seed: int) -> Village:
    """Every other shop looks for people of two countries, and weighs quality its own way."""
    dice, zone = random.Random(seed), ZoneInfo(ZONES[seed % len(ZONES)])
    as_of = datetime.combine(LAST, time(HOURS[seed % len(HOURS)]), zone).astimezone(UTC)
    own = {"targeted_segments": TARGETED, "quality_weights": WEIGHTS} if seed % 2 == 0 else {}
    rows = (*_business(dice, zone), *_market(dice), *_audience(dice), *_posts(dice, zone))
    settings = {**SHARED, "timezone": zone.key, **own}
    return Village(rows, settings, as_of, tuple(_covered(zone, as_of)))


WEIGHTS = {"satisfaction": 0.25, "rating": 0.25, "not_refunded": 0.5}


def _covered(zone: ZoneInfo, as_of: datetime) -> Iterator[Coverage]:
    spans = [("desk", table, FIRST, as_of) for table in ("orders", "reviews", "survey_responses")]
    spans += [
        ("desk", "site_traffic", DAYS[9], as_of - 20 * DAY), ("late", "site_traffic", LATE, as_of),
        ("crm", "site_traffic", DAYS[2], as_of), ("birds", "messages", FIRST, as_of),
    ]  # fmt: skip
    for source, table, start, end in spans:
        yield Coverage(source=source, table_name=table, from_at=midnight(start, zone), to_at=end)


def _instant(dice: random.Random, zone: ZoneInfo) -> datetime:
    """Any moment from the first day to two days after the last, often just beside midnight."""
    first = midnight(FIRST, zone)
    # In UTC: of two times in one zone Python counts the hours on the clock, not those that passed.
    seconds = dice.choice([0, -1, 1, 5400, dice.randrange(86400)])
    at = first + DAY * dice.randrange(len(DAYS) + 2) + timedelta(seconds=seconds)
    return max(at, first)


def _perhaps(dice: random.Random, at: datetime, days: int, chance: float) -> datetime | None:
    """A whole second at most so many days later, or never."""
    later = timedelta(seconds=dice.randrange(days * 86400))
    return at + later if dice.random() < chance else None


# -- what it sold and was told ----------------------------------------------------------------


def _business(dice: random.Random, zone: ZoneInfo) -> Placed:
    for number in range(12):
        yield "desk", Member(member_id=f"c{number}", handle="x", person_id=f"p{number // 2}")
    for number in range(160):
        yield "desk", _order(dice, number, _instant(dice, zone))
        yield "desk", _review(dice, number, _instant(dice, zone))
        yield "desk", _answer(dice, number, _instant(dice, zone))
    for month in (9, 10, 11, 12):
        yield "desk", _figure("profit", date(2020, month, 28), dice.uniform(-99, 99), "AUD")
        yield "desk", _figure("profit", date(2020, month, 30), 9999, "USD")
        yield "desk", _figure("employees", date(2020, month, 2), month, "people")


def _order(dice: random.Random, number: int, at: datetime) -> Order:
    promised = _perhaps(dice, at, 4, 0.8)
    return Order(
        order_id=f"o{number}", customer_id=f"c{dice.randrange(40)}", created_at=at,
        revenue=Decimal(dice.randrange(1, 9999)) / 100, currency=dice.choice(["AUD", "AUD", "USD"]),
        cost=dice.choice([None, Decimal(dice.randrange(9999)) / 100]), promised_at=promised,
        delivered_at=dice.choice([promised, _perhaps(dice, at, 6, 0.9)]),
        refunded_at=_perhaps(dice, at, 30, 0.2),
    )  # fmt: skip


def _review(dice: random.Random, number: int, at: datetime) -> Review:
    best = dice.choice([5, 10])
    return Review(
        review_id=f"r{number}", created_at=at, rating=dice.randrange(-1, best + 2), rating_max=best,
        replied_at=_perhaps(dice, at, 9, 0.4), deleted_at=_perhaps(dice, at, 9, 0.1),
    )  # fmt: skip


def _answer(dice: random.Random, number: int, at: datetime) -> SurveyResponse:
    survey = dice.choice(["csat", "nps", "product", "employee"])
    best = 10 if survey == "nps" else dice.choice([5, 7, 10])
    return SurveyResponse(
        response_id=f"s{number}", survey=survey, score=dice.randrange(-1, best + 2),
        score_max=best, created_at=at, deleted_at=_perhaps(dice, at, 9, 0.1),
    )  # fmt: skip


def _figure(name: str, day: date, value: float, unit: str) -> Figure:
    return Figure(name=name, date=day, value=value, unit=unit)


# -- what it spent, and who came --------------------------------------------------------------


def _market(dice: random.Random) -> Placed:
    for day in (*DAYS, LAST + DAY):
        yield from _ads(dice, day)
        if day >= DAYS[2] and dice.random() < 0.5:
            yield "crm", _contacts(day, dice.choice(["organic_social", "direct"]))
        for channel in ("organic_social", "paid_social", "paid_search", "direct"):
            is_told = day >= DAYS[3] and day not in SILENT and dice.random() < 0.7
            for segment in ("all", "country=AU", "country=DE") if is_told else ():
                yield "desk", _visits(dice, day, channel, segment)
        if day >= LATE and dice.random() < 0.6:
            yield "late", _visits(dice, day, dice.choice(["paid_social", "email"]), "all")


def _ads(dice: random.Random, day: date) -> Placed:
    """Two of: ``f`` tells follows, ``g`` only by country, ``h`` only of the whole, ``c`` none."""
    for source, currency in (("meta", "AUD"), ("goog", dice.choice(["AUD", "USD"]))):
        for campaign in dice.sample("cfgh", 2):
            spend, follows = (
                Decimal(dice.choice([0, dice.randrange(900)])) / 100,
                dice.choice([None, 0, 1, 3]),
            )
            facts = {"campaign_id": campaign, "date": day, "currency": currency}
            whole = follows if campaign in "fh" else None
            yield source, AdSpend(spend=spend, follows=whole, **facts)
            # Parts of the same money: never added to their whole.
            for country in ("country=AU", "country=DE"):
                part = dice.choice([follows, 0]) if campaign in "fg" else None
                yield source, AdSpend(spend=spend / 2, segment=country, follows=part, **facts)


def _contacts(day: date, channel: str) -> SiteTraffic:
    """Of a source that counts leads alone."""
    return SiteTraffic(date=day, channel=channel, sessions=0, visitors=0, leads=1)


def _visits(dice: random.Random, day: date, channel: str, segment: str) -> SiteTraffic:
    visitors, bought = dice.choice([0, dice.randrange(1, 50)]), dice.choice([0, 0, 1, 2])
    money = dice.choice([None, Decimal(bought)])
    return SiteTraffic(
        date=day, channel=channel, segment=segment, visitors=visitors,
        sessions=visitors and visitors + 9, abandoned_sessions=visitors and dice.randrange(9),
        leads=bought,
        add_to_carts=bought + 1, purchases=bought, revenue=money,
        currency=dice.choice(["AUD", "USD"]) if money is not None else None,
    )  # fmt: skip


# -- who follows it ---------------------------------------------------------------------------


def _audience(dice: random.Random) -> Placed:
    """Metrics and accounts that begin late, one only after the run; gaps; and breakdowns."""
    for source, account, metric, days in (
        ("birds", "a", "followers", _days(dice, DAYS[0])),
        ("birds", "b", "followers", _days(dice, DAYS[30])),
        ("tube", "a", "members", _days(dice, DAYS[0])),
        ("tube", "a", "subscribers", _days(dice, DAYS[40])),
        ("club", "a", "members", _days(dice, DAYS[0])),
        ("club", "b", "members", (DAYS[5], DAYS[80])),
        ("club", "a", "followers", (LAST + DAY,)),
        ("page", "a", "followers", (DAYS[3], DAYS[38], DAYS[74], DAYS[108], DAYS[109])),
    ):  # fmt: skip
        yield from _series(dice, source, account, metric, "all", days)
    for source, metric in (("birds", "followers"), ("tube", "subscribers"), ("tube", "members")):
        for segment in (*TARGETED, "country=DE"):
            days = _days(dice, DAYS[dice.randrange(20)], 34, 35, 36)
            yield from _series(dice, source, "a", metric, segment, days)


def _days(dice: random.Random, day: date, *steps: int) -> Iterator[date]:
    while day <= LAST + DAY:
        yield day
        day += DAY * dice.choice((1, 1, 1, 2, 3, 7, 7, 7, *steps))


def _series(
    dice: random.Random, source: str, account: str, metric: str, segment: str, days: Iterable[date]
) -> Placed:  # fmt: skip
    """The platform tells what was gained for the first measurement, else perhaps."""
    value, gained = dice.choice([0, 1, 9, 300]), 2
    for day in days:
        yield source, Audience(
            account=account, metric=metric, segment=segment, measured_on=day, value=value,
            gained=gained, lost=dice.randrange(5),
            suspected_bots=dice.choice([None, 0, dice.randrange(9)]),
        )  # fmt: skip
        value = max(0, value + dice.randrange(-9, 20))
        gained = dice.choice([None, dice.randrange(9)])


def _posts(dice: random.Random, zone: ZoneInfo) -> Placed:
    for number in range(120):
        source, own = dice.choice(["birds", "tube", "club", "page", "desk"]), f"m{number}"
        at, role = _instant(dice, zone), dice.choice(["staff"] * 4 + ["member", "bot"])
        yield source, Message(
            message_id=own, thread_id=own, author_id=f"{role}@{source}", author_role=role,
            created_at=at, kind=dice.choice(["post", "post", "quote", "reply", "comment"]),
            direction="outbound" if role == "staff" else "inbound", text="and now",
            likes=dice.randrange(9), reposts=dice.randrange(4), replies=dice.randrange(4),
            deleted_at=_perhaps(dice, at, 9, 0.05),
        )  # fmt: skip
