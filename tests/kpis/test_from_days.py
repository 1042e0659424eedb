"""A longer period's value made from its days is the one that its own SQL gives for the period."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from small_lake import START, at, covers, measured, message
from thorough import tries

from muster.kpis import catalogue
from muster.records import Audience, Order, Review, Row, SurveyResponse, Thread

BY_DAYS = [kpi for kpi in catalogue.load() if kpi.from_days]
SETTINGS = {
    "timezone": "America/New_York",
    "brand_terms": ["Acme"],
    "product_terms": ["Rocket"],
    "feedback": ["ideas"],
    "business_hours": [{"hours": {"mon-sun": ["08:00-20:00"]}}],
}
TEXTS = ("Where is it?", "and now", "thank you", "please dm us", "Acme sent a Rocket", None)


def made(seed: int) -> Iterator[Row]:
    """Three months of a small community: every table that a KPI from days reads."""
    dice = random.Random(seed)
    for number in range(90):
        thread, hours = f"t{number % 30}", dice.uniform(0, 24 * 90)
        role = dice.choice(["member", "member", "staff"])
        yield message(
            thread if number < 30 else f"m{number}", hours, role,
            thread_id=thread, author_id=f"{role} {dice.randrange(6)}", text=dice.choice(TEXTS),
            channel=dice.choice([None, "ideas"]), sentiment=dice.choice([None, -0.5, 0.1, 0.7]),
            kind=dice.choice(["post", "reply"]), likes=dice.randrange(9),
            is_solution=dice.random() < 0.1,
        )  # fmt: skip
    for number in range(30):
        when = at(dice.uniform(0, 24 * 90))
        closed = when + timedelta(days=3) if dice.random() < 0.2 else None
        yield Thread(thread_id=f"t{number}", created_at=START, closed_at=closed)
        yield Review(review_id=f"r{number}", rating=dice.randint(1, 5), rating_max=5,
                     created_at=when)  # fmt: skip
        survey = dice.choice(["csat", "nps", "product", "employee"])
        yield SurveyResponse(response_id=f"s{number}", survey=survey,
                             score=dice.randint(0, 10), score_max=10, created_at=when)  # fmt: skip
        yield Order(order_id=f"o{number}", customer_id=f"c{dice.randrange(9)}", created_at=when,
                    revenue=10, currency="EUR", promised_at=when + timedelta(days=2),
                    refunded_at=dice.choice([None, when + timedelta(days=9)]),
                    delivered_at=when + timedelta(days=dice.randint(1, 4)))  # fmt: skip
    for day in range(0, 90, 7):
        yield Audience(account="a", metric="followers", measured_on=at(days=day).date(),
                       value=1000 + dice.randrange(99))  # fmt: skip


def found(rows, kpis) -> dict[tuple[str, ...], tuple[float, int, bool]]:
    outcome = measured(
        rows, kpis=kpis, as_of=at(days=80), coverage=[covers(START, at(days=80))], **SETTINGS
    )
    assert outcome.problems == ()
    return {
        (one.kpi, one.grain, str(one.period_start), one.segment): (one.value, one.n, one.partial)
        for one in outcome.values
    }


def renamed(**changes) -> list:
    """The KPIs under names of their own: built-in ones cannot be passed changed."""
    return [dataclasses.replace(kpi, id=f"own_{kpi.id}", **changes) for kpi in BY_DAYS]


@pytest.mark.parametrize("seed", range(tries(1, 10)))
def test_periods_from_days_have_the_values_of_their_own_sql(seed):
    rows = list(made(seed))
    from_days, alone = found(rows, renamed()), found(rows, renamed(from_days=""))
    assert {key[0] for key in alone} == {f"own_{kpi.id}" for kpi in BY_DAYS}
    assert from_days.keys() == alone.keys()
    for key, (value, n, is_partial) in alone.items():
        assert from_days[key] == (pytest.approx(value, abs=2e-9), n, is_partial), key


def test_a_wrong_way_from_days_would_be_seen():
    rows = list(made(1))
    assert found(rows, renamed(from_days="mean")) != found(rows, renamed(from_days=""))


def test_days_that_break_a_promise_are_not_used_for_longer_periods():
    messages = next(kpi for kpi in BY_DAYS if kpi.id == "messages")
    broken = dataclasses.replace(messages, id="own", assertions=("value <> 1",))
    outcome = measured(list(made(1)), kpis=[broken], as_of=at(days=80), **SETTINGS)
    months = [one.value for one in outcome.values if (one.kpi, one.grain) == ("own", "month")]
    assert any("KPI own, by day: the assertion 'value <> 1'" in one for one in outcome.problems)
    assert months and not [one for one in outcome.values if one.grain == "day"]
