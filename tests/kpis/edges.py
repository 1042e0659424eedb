"""Conversations that lie exactly on what decides, and a second beside it: part of every village."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from muster.records import Member, Message, Row

HOUR = timedelta(hours=1)
MORE = 1 / 3600  # a second longer
STAFF, UMA, VERA = "anna", "uma", "vera"
Line = tuple[float, str, str]  # hours after the opening, who, what


def thanks(words: int) -> str:
    return f"thank you {'so ' * (words - 3)}much"


def edges(start: datetime, as_of: datetime) -> Iterator[tuple[str, Row]]:
    """Of a village's net (gap 24 h, quiet 72 h, reopen 400 h) and forum (no gap, quiet 48 h)."""
    for account in (UMA, "uma2"):
        yield "net", Member(member_id=f"{account}@net", handle=account, person_id="p:uma")
    opened = start + 30 * HOUR
    for number, late in enumerate((0, MORE, -MORE)):
        for thread, source, lines in (
            ("gap", "net", asked((25 + late, UMA, "and now"))),
            ("quiet", "net", asked((73 + late, UMA, "and now"))),
            ("reopen", "net", asked((473 + late, UMA, "and now"))),
            ("still", "forum", asked((49 + late, UMA, "and now"))),
            ("thanks", "forum", asked((60, UMA, thanks(12 + number)))),
        ):
            yield from told(source, f"{thread}{number}", opened, lines)
        # The quiet hours, or the window for an answer, end with what is known.
        yield from told("net", f"calm{number}", as_of - (73 + late) * HOUR, asked())
        again = asked((30, UMA, "and now"), (128, STAFF, "try again"))
        yield from told("net", f"late{number}", as_of - (200 + late) * HOUR, again)
        yield from told("net", f"due{number}", as_of - (48 + late) * HOUR, asked()[:1])
    yield from told("net", "self", opened, ((0, UMA, "and now"), (1, "uma2", "and now"),
                                            (2, VERA, "and now")))  # fmt: skip
    sent = ((0, STAFF, "and now"), (1, UMA, "does it work?"), (2, STAFF, "try again"),
            (3, UMA, "and now?"))  # fmt: skip
    yield from told("net", "letter", opened, sent, kind="direct")


def asked(*later: Line) -> tuple[Line, ...]:
    """A question, staff's answer an hour later, and what comes then."""
    return (0, UMA, "does it work?"), (1, STAFF, "try again"), *later


def told(
    source: str, thread: str, opened: datetime, lines: tuple[Line, ...], **more: Any
) -> Iterator[tuple[str, Row]]:
    """Messages that all reply to the first."""
    for number, (hours, name, text) in enumerate(lines):
        yield source, Message(
            message_id=f"{thread}-{number}", thread_id=f"{thread}-0",
            parent_id=f"{thread}-0" if number else None, author_id=f"{name}@{source}",
            author_role="staff" if name == STAFF else "member", text=text, lang="en",
            direction="outbound" if name == STAFF else "inbound", created_at=opened + hours * HOUR,
            **more,
        )  # fmt: skip
