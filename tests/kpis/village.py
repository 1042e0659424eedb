"""Dice → a small made-up community: its rows, its settings, until when it is known and by whom.

Steps between messages lie often right on the gaps, windows and quiet hours that decide; authors are
often several accounts of one person, staff for a while only, or bots.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from edges import edges

from muster.measured import Coverage
from muster.records import Member, Message, Row, Thread

HOUR = timedelta(hours=1)
# Zones whose clocks change within the weeks told, one of them by half an hour.
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC")
FIRST, WEEKS = date(2026, 9, 14), 9
SHARED = {
    "community": "Village",
    "min_n": 5,
    "reply_limit": 2,
    "brand_terms": ["Acme", "Acme Cloud"],
    "product_terms": ["Rocket"],
    "feedback": ["wishes"],
    "auto_replies": ["out of office"],
    "resolution_tags": ["done"],
    "escalation": {"tags": ["elsewhere"], "patterns": ["ring the bell"]},
    "not_bots": [{"account": "poet"}],
    "sources": [
        {
            "name": "forum",
            "platform": "file",
            "resolution_tags": ["fixed"],
            "windows": {"answer": "4h", "quiet": "48h", "resolution": "72h"},
        },
        {
            "name": "net",
            "platform": "file",
            "episode_gap": "24h",
            "windows": {"answer": "48h", "reopen": "400h"},
        },
        {
            "name": "chat",
            "platform": "file",
            "episode_gap": "25h",
            "chat": True,
            "escalation": {"patterns": ["ask upstairs"]},
            "windows": {"join": "1h"},
        },
    ],
}
STAFF = ("anna", "ben", "carl", "dora")
MEMBERS = ("mia", "noah", "olga", "paul", "quinn", "rosa", "sam", "tina")
OTHERS = ("robot", "beeper", "flagged", "poet", "spammer")
ASKS = (
    "and now", "does it work?", "Acme is slow", "the Rocket of ACME cloud?", "acmeish rockets",
    "thank you", "works now, Acme", "thanks? not yet", "please, thank you", "Thanks in advance",
    "thank you " + "so " * 11 + "much", "out of office until Monday", "danke dir", "gelöst, danke?",
)  # fmt: skip
SAYS = (
    "try again", "we look into it", "please DM us", "do ring the bell", "have a look at the Rocket",
    "please open a ticket", "thank you", "ask upstairs",
)  # fmt: skip
AD = "Cheap telephones, best prices, all colours"
STEPS = (0, 0, 0.1, 1, 1, 1, 2, 3.999, 4, 4.001, 11, 23, 24, 24, 25, 47, 48, 49, 72, 73, 168, 337)


@dataclass(frozen=True)
class Village:
    rows: tuple[tuple[str, Row], ...]
    settings: dict[str, Any]
    as_of: datetime
    coverage: tuple[Coverage, ...]


def village(seed: int, threads: int = 60) -> Village:
    dice = random.Random(seed)
    zone = ZoneInfo(dice.choice(ZONES))
    start = midnight_of(FIRST, zone)
    end = start + timedelta(weeks=WEEKS)
    days = DAY * dice.randrange(7 * (WEEKS - 4), 7 * WEEKS)
    as_of = midnight_of(FIRST + days, zone) + HOUR * dice.choice([0, 7, 15.5])
    rows = [*_people(dice, start, end)]
    for number in range(threads):
        source = dice.choice(["forum", "forum", "net", "net", "chat"])
        told = {"forum": _topic, "net": _post, "chat": _lines}[source]
        opened = (
            start + HOUR * dice.choice([0, 0.5, 22]) + timedelta(days=dice.randrange(7 * WEEKS))
        )
        rows += [(source, row) for row in told(dice, f"{source[0]}{number:03}", opened)]
    rows += [("net", row) for row in _spam(start + timedelta(days=dice.randrange(30)))]
    rows += edges(start, as_of)
    return Village(tuple(rows), _settings(dice, zone), as_of, tuple(_covered(dice, start, as_of)))


def midnight_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _settings(dice: random.Random, zone: ZoneInfo) -> dict[str, Any]:
    middle = FIRST + timedelta(days=dice.randrange(10, 40))
    days = {"mon-fri": ["09:00-12:30", "13:00-17:00"], "sat": ["22:00-06:00"]}
    hours = [{"hours": days, "closed": [str(middle + timedelta(days=3))]},
             {"hours": {"mon-sun": ["08:00-20:00"]}, "valid_from": str(middle)}]  # fmt: skip
    staff = [
        {"account": "carl", "valid_from": str(middle), "valid_until": str(middle + 9 * DAY)},
        {"group": "helpers", "source": "net"},
        {"role": "moderator", "valid_from": str(middle - 5 * DAY)},
    ]
    bots = [{"account": "@Beeper", "source": "net", "valid_until": str(middle)}]
    sources = [dict(one) for one in SHARED["sources"]]
    if dice.random() < 0.5:
        sources[1]["business_hours"] = [{"hours": {"mon-sun": ["00:00-24:00"]}}]
    own = {"timezone": zone.key, "staff": staff, "bots": bots, "sources": sources}
    if dice.random() < 0.3:
        own["solution_channels"] = ["help"]
    return {**SHARED, **own, **({"business_hours": hours} if dice.random() < 0.8 else {})}


DAY = timedelta(days=1)
LATEST = datetime(2999, 1, 1, tzinfo=UTC)


def _covered(dice: random.Random, start: datetime, as_of: datetime) -> Iterator[Coverage]:
    for source in ("forum", "net", "chat"):
        if dice.random() < 0.6:
            begin, end = start + DAY * dice.randrange(9), as_of - DAY * dice.choice([0, 0, 9])
            yield Coverage(source=source, table_name="messages", from_at=begin, to_at=end)


def _people(dice: random.Random, start: datetime, end: datetime) -> Iterator[tuple[str, Row]]:
    """Accounts ``handle@source``; two of a name are often one person, and some have no row."""
    joined_names = {name for name in (*STAFF, *MEMBERS) if dice.random() < 0.5}
    pairs = {"rosa": "sam"} if dice.random() < 0.5 else {}
    for source in ("forum", "net", "chat"):
        for name in (*STAFF, *MEMBERS, *OTHERS):
            if dice.random() < 0.8 or name in OTHERS:
                person = pairs.get(name, name)
                yield source, Member(
                    member_id=f"{name}@{source}", handle=name.title(), is_bot=name == "robot",
                    person_id=f"p:{person}" if person in joined_names else None,
                    joined_at=dice.choice([None, start + (end - start) * dice.uniform(-0.3, 1)]),
                    groups=("helpers",) if name == "dora" else None,
                    platform_roles=("moderator",) if (source, name) == ("chat", "tina") else None,
                    role="staff" if name == "anna" else "member",
                )  # fmt: skip
    yield "forum", Member(member_id="lurker", handle="lurker", joined_at=start + 5 * DAY)


def _said(
    dice: random.Random, source: str, own: str, at: datetime, thread: str, name: str, **more: Any
) -> Message:
    """What somebody says; anna and ben (on some days) are staff by the platform's flag."""
    is_flagged = name == "anna" or (name == "ben" and at.day % 3 > 0)
    role = "bot" if name == "flagged" else "staff" if is_flagged else "member"
    text = dice.choice(SAYS if name in STAFF else ASKS)
    is_gone, is_german = dice.random() < 0.06, "danke" in text
    facts = {
        "kind": dice.choice(["post", "reply", "comment", "quote", "repost"]),
        "direction": "outbound" if role == "staff" else "inbound",
        "text": text,
        "tags": dice.choice([()] * 5 + [("wishes",), ("elsewhere",), ("done",), ("fixed",)]),
        "sentiment": dice.choice([None, -0.9, -0.05, 0.0, 0.049, 0.05, 0.8]),
        "likes": dice.randrange(9), "reposts": dice.randrange(3),
        "lang": "de" if is_german else "en", "views": dice.choice([None, dice.randrange(99)]),
        **more,
    }  # fmt: skip
    said = Message(
        message_id=own, thread_id=thread, author_role=role, created_at=at,
        author_id=f"{name}@{source}", **facts,
    )  # fmt: skip
    return (
        replace(said, text=None, deleted_at=at + dice.choice([1, 9000]) * HOUR) if is_gone else said
    )


def _times(dice: random.Random, opened: datetime) -> Iterator[datetime]:
    at = opened
    for _ in range(dice.randrange(1, 11)):
        yield at
        at += HOUR * dice.choice(STEPS)


def _who(dice: random.Random, asker: str) -> str:
    return dice.choice([asker, asker, dice.choice(STAFF), dice.choice(STAFF), dice.choice(MEMBERS),
                        dice.choice((*MEMBERS, *OTHERS))])  # fmt: skip


def _topic(dice: random.Random, thread: str, opened: datetime) -> Iterator[Row]:
    """A forum's: most have a row in ``threads``, few answers say what they answer."""
    asker = dice.choice((*MEMBERS, *MEMBERS, *STAFF, *OTHERS[:3]))
    channel, marked = dice.choice(["help", "wishes", None]), opened - HOUR
    is_single = dice.random() < 0.8
    said: list[Message] = []
    for number, at in enumerate(_times(dice, opened)):
        parents = [None, None, *(one.message_id for one in said)]
        parent = dice.choice(["lost", *parents * 9]) if said else None
        said.append(_said(
            dice, "forum", f"{thread}-{number:02}", at, thread,
            _who(dice, asker) if said else asker,
            parent_id=parent, channel=dice.choice([channel, channel, None]),
            is_solution=bool(said) and at > marked and dice.random() < 0.1,
        ))  # fmt: skip
        if said[-1].is_solution:
            marked = LATEST if is_single else at
    yield from said
    if is_single:
        yield _row(dice, thread, channel, said)


def _row(dice: random.Random, thread: str, channel: str | None, said: list[Message]) -> Thread:
    """What the platform tells of a topic: when it was solved or closed, and its tags."""
    times = [one.created_at for one in said]
    later = [None, None, None, *(at + dice.choice([0, 1, 50]) * HOUR for at in times)]
    solved = dice.choice(later)
    authors = [one.author_id for one in said]
    is_marked = any(one.is_solution for one in said)
    return Thread(
        thread_id=thread, created_at=times[0], channel=channel, solved_at=solved,
        closed_at=dice.choice(later),
        solved_by=dice.choice([None, *authors]) if solved and not is_marked else None,
        tags=dice.choice([(), (), (), ("done",), ("elsewhere",), ("wishes", "done")]),
    )  # fmt: skip


def _post(dice: random.Random, thread: str, opened: datetime) -> Iterator[Row]:
    """A network's: the thread is the root of the chain of parents; ours are announcements."""
    asker = dice.choice([*MEMBERS, *STAFF])
    way = dice.choice(["inbound", "inbound", "ambient"])
    said: list[Message] = []
    for number, at in enumerate(_times(dice, opened)):
        own = thread if not said else f"{thread}-{number:02}"
        name = _who(dice, asker) if said else asker
        more = {} if name in ("anna", "ben") else {"direction": way}
        more |= {"kind": "direct"} if thread.endswith("7") else {}
        parent = dice.choice([said[0], *said[-3:]]).message_id if said else None
        said.append(_said(dice, "net", own, at, thread, name, parent_id=parent, **more))
    yield from said


def _lines(dice: random.Random, thread: str, opened: datetime) -> Iterator[Row]:
    """Some minutes of a channel whose lines tell no thread; some reply, some name somebody."""
    asker = dice.choice(MEMBERS)
    said: list[Message] = []
    for number, at in enumerate(_times(dice, opened)):
        own = f"{thread}-{number:02}"
        parent = dice.choice([None, None, None, *said])
        name = _who(dice, asker)
        named = dice.choice(["", "", f"@{dice.choice([asker, *STAFF])} "])
        told = _said(
            dice, "chat", own, at, parent.thread_id if parent else own, name, channel="room",
            parent_id=parent.message_id if parent else None, kind="comment",
        )  # fmt: skip
        said.append(replace(told, text=told.text and named + told.text))
    yield from said


def _spam(at: datetime) -> Iterator[Row]:
    """Eight equal texts on a day; and by somebody whom the settings clear."""
    for name in ("spammer", "poet"):
        for number in range(8):
            own = f"{name}-{number}"
            yield Message(
                message_id=own, thread_id=own, author_id=f"{name}@net", text=AD, lang="en",
                created_at=at.replace(hour=12) + timedelta(minutes=number),
            )  # fmt: skip
