"""What the network tells our account: records go in, notices by time come out."""

from __future__ import annotations

from datetime import datetime, timedelta

from demo.bluesky_posts import Records
from demo.people import Person
from demo.threads import Message

Notice = tuple[datetime, str, Message | None, Person]


def notices(records: Records) -> list[Notice]:
    """Everything that concerns us, by time."""
    us = records.us
    found: list[Notice] = []
    for n, message in enumerate(records.messages):
        if message.author is us:
            continue
        at = records.indexed_at(message)
        reason = _reason(message, us)
        if reason:
            found.append((at, reason, message, message.author))
        if n % 6 == 0:
            found.append((at + timedelta(minutes=3), "follow", None, message.author))
    return sorted(found, key=lambda notice: notice[0])


def _reason(message: Message, us: Person) -> str:
    root = message.thread.messages[0]
    if message.parent and us in (message.parent.author, root.author):
        return "reply"
    if "@us " in message.text:
        return "mention"
    return "quote" if message.quotes and message.quotes.author is us else ""
