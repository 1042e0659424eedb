"""A seed → a small lake with rows in every table, the settings that read them, and what it covers.

It is made to be awkward: threads under announcements, letters that engines fold differently,
microseconds, silence, deletions, accounts of one person, money in two currencies.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

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
    Thread,
)

BEGINS = datetime(2025, 11, 3, tzinfo=UTC)
DAYS = 150
AS_OF = BEGINS + timedelta(days=DAYS, hours=9, microseconds=123_457)
SOURCES = ("desk", "bird", "007")
SEGMENTS = ("all", "country=DE", "country=US")
SETTINGS = {
    "community": "Desk",
    "timezone": "Europe/Berlin",
    "currency": "EUR",
    "brand_terms": ["Σύστημα", "Bob's", "İstanbul", "C++"],
    "product_terms": ["Größe", "print  shop", "ẞ3"],
    "auto_replies": [r"out of\s+office", "ABWESENHEIT"],
    "escalation": {"tags": ["desk"], "patterns": [r"KOMM \bvorbei\b", r"zimmer \d+$"]},
    "resolution_tags": ["done"],
    "feedback": ["Feedback"],
    "targeted_segments": ["country=DE"],
    "staff": [{"source": "desk", "account": "@Ada", "valid_from": "2025-12-01"}],
    "bots": [{"account": "ΟΔΟΣ"}],
    "business_hours": [{"country": "DE", "hours": {"mon-fri": ["08:00-12:00", "13:00-02:00"]}}],
    "sources": [
        {
            "name": "bird",
            "platform": "file",
            "episode_gap": "12h",
            "lang": "de",
            "windows": {"quiet": "30h", "answer": "6h"},
            "escalation": {"tags": ["done"], "patterns": ["^so", "ISTANBUL$"]},
            "auto_replies": ["größe"],
            "closing_phrases": {"de": ["Οδός", "passt's"]},
        },
        {"name": "google_ads", "platform": "file"},
    ],
}
WORDS = (
    "thanks", "THANK YOU", "thank\xa0you", "thank\u000byou", "danke", "GELÖST", "gelöst!",
    "it works", "İt works", "ıt works", "WORKS NOW", "thanks in advance", "?", "？", "¿", "so",
    "call us", "DM ME", "komm vorbei", "vorbeikommen", "Zimmer 12", "zimmer ١٢", "out of  office",
    "abwesenheit", "ΣΎΣΤΗΜΑ", "σύστημα", "συστημα", "bobs", "BOB’S", "Bob's", "ISTANBUL",
    "İstanbul", "istanbul", "c++", "C+", "größe", "GRÖSSE", "GRÖẞE", "print shop", "Print\n Shop",
    "ß3", "ss3", "you’re the best", "contact our K\u212alub at", "e\u0301", "🎉", "_", "\u2028",
    "\x85", "passt’s", "ΟΔΌΣ", "a b c d e f g h i j k l",
)  # fmt: skip


def rows(seed: int) -> Iterator[tuple[str, Row]]:
    """Rows of every table with the source they are of."""
    chance = Random(seed)
    yield from _members(chance)
    yield from _conversations(chance)
    yield from _business(chance)
    yield from _daily(chance)


def coverage() -> tuple[Coverage, ...]:
    """Successes that vouch for most of the time, of one source with a hole."""
    spans = {"messages": "desk", "orders": "shop", "site_traffic": "site"}
    early = BEGINS + timedelta(days=70)
    late = BEGINS + timedelta(days=72)
    return (
        *(Coverage(source=source, table_name=table, from_at=BEGINS, to_at=AS_OF)
          for table, source in spans.items()),
        Coverage(source="bird", table_name="messages", from_at=BEGINS, to_at=early),
        Coverage(source="bird", table_name="messages", from_at=late, to_at=AS_OF),
    )  # fmt: skip


def _moment(chance: Random) -> datetime:
    return BEGINS + timedelta(microseconds=chance.randrange(DAYS * 86_400_000_000))


def _members(chance: Random) -> Iterator[tuple[str, Row]]:
    handles = ("@ada", "Ada", "Οδος", "οδοσ", "İda", None)
    for source in SOURCES:
        for number in range(40):
            yield (
                source,
                Member(
                    member_id=f"m{number}",
                    handle=chance.choice(handles) if chance.random() < 0.3 else f"h{number}",
                    role=chance.choices(("member", "staff", "bot"), (8, 1, 0.3))[0],
                    is_bot=chance.random() < 0.03,
                    joined_at=_moment(chance) if chance.random() < 0.8 else None,
                    person_id=f"p{number}" if number % 5 == 0 else None,
                ),
            )


def _conversations(chance: Random) -> Iterator[tuple[str, Row]]:
    for number in range(420):
        source = chance.choice(SOURCES)
        opened = _moment(chance)
        thread = f"t{number}"
        yield (
            source,
            Thread(
                thread_id=thread,
                title=f"Thread {number}",
                created_at=opened,
                channel=chance.choice(("Help", "Feedback", None)),
                tags=("done",) if chance.random() < 0.05 else (),
                closed_at=opened + timedelta(days=9) if chance.random() < 0.1 else None,
                solved_at=opened + timedelta(days=2) if chance.random() < 0.1 else None,
                solved_by=f"m{chance.randrange(40)}",
            ),
        )
        yield from ((source, one) for one in _messages(chance, thread, opened))


def _messages(chance: Random, thread: str, opened: datetime) -> Iterator[Message]:
    at, known = opened, [thread]
    is_announcement = chance.random() < 0.2
    for number in range(chance.choice((1, 2, 3, 5, 8, 14))):
        role = chance.choices(("member", "staff", "bot"), (5, 4, 0.3))[0]
        message_id = thread if number == 0 else f"{thread}-{number}"
        is_staff = role == "staff" or (number == 0 and is_announcement)
        yield Message(
            message_id=message_id,
            thread_id=thread,
            parent_id=None if number == 0 else chance.choice((*known[-3:], None, "gone")),
            author_id=None if chance.random() < 0.03 else f"m{chance.randrange(40)}",
            author_role="staff" if is_staff else role,
            created_at=at,
            deleted_at=at + timedelta(days=1) if chance.random() < 0.05 else None,
            kind=chance.choices(("post", "reply", "quote", "direct"), (5, 4, 1, 1))[0],
            direction="outbound" if is_staff else chance.choice(("inbound", "inbound", "ambient")),
            channel=chance.choice(("Help", "Feedback", None)),
            tags=tuple(chance.sample(("desk", "done", "Feedback"), chance.choice((0, 0, 0, 1)))),
            lang=chance.choice(("en", "de-AT", "qme", "und", None)),
            text=_text(chance),
            is_solution=chance.random() < 0.06,
            likes=chance.randrange(9),
            reposts=chance.randrange(4),
            replies=chance.randrange(5),
            views=chance.randrange(400) if chance.random() < 0.7 else None,
            sentiment=chance.choice((None, 0.05, -0.05, round(chance.uniform(-1, 1), 4))),
        )
        known.append(message_id)
        at += timedelta(microseconds=int(chance.expovariate(1 / 40_000_000_000)) + 400)


def _text(chance: Random) -> str | None:
    parts = chance.choices(WORDS, k=chance.choice((0, 1, 1, 2, 3, 6)))
    joined = "".join(part + chance.choice((" ", "  ", "\n", ", ", "")) for part in parts)
    return None if chance.random() < 0.05 else joined


def _business(chance: Random) -> Iterator[tuple[str, Row]]:
    for number in range(400):
        at = _moment(chance)
        due = at + timedelta(days=5)
        told = chance.choice((None, at + timedelta(days=3), at + timedelta(days=8)))
        yield (
            chance.choice(("shop", "stall")),
            Order(
                order_id=str(number),
                customer_id=f"c{chance.randrange(90)}",
                created_at=at,
                revenue=Decimal(chance.randrange(1, 90_000)) / 100,
                cost=Decimal(chance.randrange(1, 50_000)) / 100 if chance.random() < 0.8 else None,
                currency=chance.choice(("EUR", "EUR", "USD")),
                promised_at=due if chance.random() < 0.8 else None,
                delivered_at=told,
                refunded_at=at + timedelta(days=6) if chance.random() < 0.1 else None,
            ),
        )
        best = chance.choice((5.0, 10.0))
        yield (
            "polls",
            SurveyResponse(
                response_id=str(number),
                survey=("csat", "nps", "product", "employee")[number % 4],
                score=float(chance.randrange(int(best) + 2)),
                score_max=best,
                created_at=_moment(chance),
            ),
        )
        yield (
            "stars",
            Review(
                review_id=str(number),
                author_id=f"m{chance.randrange(40)}",
                rating=float(chance.randrange(1, 6)),
                rating_max=5.0,
                created_at=at,
                replied_at=at + timedelta(days=40) if chance.random() < 0.5 else None,
            ),
        )


def _daily(chance: Random) -> Iterator[tuple[str, Row]]:
    for number in range(DAYS):
        day = BEGINS.date() + timedelta(days=number)
        yield from _measured(chance, day, number)
        for channel in ("organic_social", "paid_social", "paid_search", "other"):
            for segment in SEGMENTS:
                if chance.random() < 0.7:
                    yield "site", _traffic(chance, day, channel, segment)
        for source in ("meta", "google_ads"):
            for segment in SEGMENTS:
                yield (
                    source,
                    AdSpend(
                        campaign_id=f"k{number % 3}",
                        segment=segment,
                        date=day,
                        currency=chance.choice(("EUR", "EUR", "USD")),
                        spend=Decimal(chance.randrange(1, 90_000)) / 100,
                        follows=chance.randrange(9) if chance.random() < 0.7 else None,
                    ),
                )


def _measured(chance: Random, day: date, number: int) -> Iterator[tuple[str, Row]]:
    for source in ("bird", "desk"):
        for segment in SEGMENTS:
            if chance.random() < 0.5 and not 60 < number < 100:
                yield (
                    source,
                    Audience(
                        account="us",
                        metric="followers" if source == "bird" else "members",
                        segment=segment,
                        measured_on=day,
                        value=1000 + number * 3 + chance.randrange(20),
                        gained=chance.randrange(5) if chance.random() < 0.3 else None,
                        suspected_bots=chance.randrange(9) if chance.random() < 0.5 else None,
                    ),
                )
    if number % 30 == 0:
        yield "books", Figure(name="Profit", date=day, value=1234.5 + number, unit="EUR")
        yield "books", Figure(name="employees", date=day, value=7.5 + number % 4, unit="people")


def _traffic(chance: Random, day: date, channel: str, segment: str) -> SiteTraffic:
    return SiteTraffic(
        date=day,
        channel=channel,
        segment=segment,
        sessions=chance.randrange(1, 90),
        visitors=chance.randrange(1, 60),
        abandoned_sessions=chance.randrange(9),
        leads=chance.randrange(5),
        add_to_carts=chance.randrange(7),
        purchases=chance.randrange(4),
        revenue=Decimal(chance.randrange(90_000)) / 100 if chance.random() < 0.8 else None,
        currency=chance.choice(("EUR", "USD")),
    )
