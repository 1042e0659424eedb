"""Rows and settings → who wrote: role and person of each message, as the rulings say in words.

Plain and slow on purpose, and written without the SQL, to hold it against.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from muster.records import Member, Message, Row, Thread

JOINS = timedelta(hours=1)


@dataclass(frozen=True)
class Line:
    """A message that is known at ``as_of``, and who wrote it."""

    source: str
    row: Message
    role: str
    person: str
    thread: str
    parent: str | None
    day: date
    at: datetime = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", self.row.created_at)

    @property
    def order(self) -> tuple[datetime, str]:
        return self.at, self.row.message_id

    @property
    def counts(self) -> bool:
        return self.role != "bot" and self.row.deleted_at is None


class People:
    """Who is who by the table ``members``, the settings and what was written until ``as_of``."""

    def __init__(
        self, rows: tuple[tuple[str, Row], ...], settings: Mapping[str, Any], as_of: datetime
    ) -> None:
        self.settings, self.zone = settings, ZoneInfo(settings["timezone"])
        self.members = {(s, r.member_id): r for s, r in rows if isinstance(r, Member)}
        self.messages = [(s, r) for s, r in rows if isinstance(r, Message) and r.created_at < as_of]
        self.threads = {(s, r.thread_id): r for s, r in rows if isinstance(r, Thread)}
        self.suspected = set(self._suspects())

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def person(self, source: str, account: str) -> str:
        member = self.members.get((source, account))
        return (member and member.person_id) or f"{source}/{account}"

    def named(self, key: str, source: str, account: str, day: date | None = None) -> bool:
        """Whether the settings' list names the account (on that day, if one is asked for)."""
        member = self.members.get((source, account))
        for entry in self.settings.get(key, ()):
            names = {account.lower(), *([member.handle.lower()] if member else [])}
            is_one = entry.get("account", "").lower().lstrip("@") in names
            is_in = bool(member) and (
                entry.get("group") in (member.groups or ())
                or entry.get("role") in (member.platform_roles or ())
            )
            held = day is None or (
                str(day) >= entry.get("valid_from", "0")
                and str(day) <= entry.get("valid_until", "9")
            )
            if entry.get("source", source) == source and (is_one or is_in) and held:
                return True
        return False

    def is_bot(self, source: str, account: str, day: date | None = None) -> bool:
        member = self.members.get((source, account))
        is_marked = bool(member) and (member.is_bot or member.role == "bot")
        is_named = self.named("bots", source, account, day)
        return is_marked or is_named or (source, account) in getattr(self, "suspected", ())

    def role(self, source: str, row: Message) -> str:
        if row.author_role == "bot" or self.is_bot(source, row.author_id, self.day(row.created_at)):
            return "bot"
        if any(re.search(one, row.text or "", re.I) for one in self.settings["auto_replies"]):
            return "bot"
        is_listed = self.named("staff", source, row.author_id, self.day(row.created_at))
        return "staff" if row.author_role == "staff" or is_listed else "member"

    def was_ever_staff(self, source: str, account: str) -> bool:
        """By the platform, or by the settings whenever."""
        member = self.members.get((source, account))
        return (
            bool(member and member.role == "staff")
            or self.named("staff", source, account)
            or any(
                (s, r.author_id, r.author_role) == (source, account, "staff")
                for s, r in self.messages
            )
        )

    def _suspects(self) -> Iterator[tuple[str, str]]:
        """Eight messages of one text of thirty letters within a UTC day."""
        times: Counter[tuple] = Counter()
        for source, row in self.messages:
            text = row.text or ""
            if len(text) >= 30 and row.kind != "repost" and self.role(source, row) == "member":
                times[source, row.author_id, row.created_at.astimezone(UTC).date(), text] += 1
        for (source, account, _, _), count in times.items():
            is_cleared = self.named("not_bots", source, account)
            if count >= 8 and not is_cleared and not self.was_ever_staff(source, account):
                yield source, account


def lines(people: People) -> list[Line]:
    """Everything written before ``as_of``, in order, in the conversations of its chat."""
    places = _placed(people)
    return sorted(
        (
            Line(
                source, row, people.role(source, row), people.person(source, row.author_id),
                *places.get((source, row.message_id), (row.thread_id, row.parent_id)),
                people.day(row.created_at),
            )
            for source, row in people.messages
        ),
        key=lambda one: (one.source, *one.order),
    )  # fmt: skip


def _placed(people: People) -> dict[tuple[str, str], tuple[str, str | None]]:
    """Lines of a chat: the conversation each belongs to, and what it answers."""
    chats = {one["name"] for one in people.settings["sources"] if one.get("chat")}
    told = [(s, r) for s, r in people.messages if s in chats]
    placed: dict[tuple[str, str], tuple[str, str | None]] = {}
    spoken: list[tuple[str, Message]] = []
    for source, row in sorted(told, key=lambda one: (one[1].created_at, one[1].message_id)):
        key = (source, row.message_id)
        placed[key] = (row.thread_id, row.parent_id)
        if row.parent_id:
            placed[key] = (placed[source, row.parent_id][0], row.parent_id)
        elif spoken:
            latest = placed[source, spoken[-1][1].message_id][0]
            there = [one for s, one in spoken if placed[s, one.message_id][0] == latest]
            if _joins(people, source, row, there):
                placed[key] = (latest, answered(people, source, row, there, placed))
        spoken.append((source, row))
    return placed


def _joins(people: People, source: str, row: Message, there: list[Message]) -> bool:
    who = people.person(source, row.author_id)
    wrote = [one for one in there if people.person(source, one.author_id) == who]
    is_own = any(row.created_at - one.created_at <= JOINS for one in wrote)
    return is_own or bool(_called(people, source, row, there))


def _called(people: People, source: str, row: Message, there: list[Message]) -> list[Message]:
    """The lines of others there whom this one names."""
    names = {one.lower() for one in re.findall(r"@(\w+)", row.text or "")}
    return [
        one
        for one in there
        if people.person(source, one.author_id) != people.person(source, row.author_id)
        and (member := people.members.get((source, one.author_id)))
        and member.handle.lower() in names
    ]


def answered(
    people: People, source: str, row: Message, there: list[Message],
    placed: Mapping[tuple[str, str], tuple[str, str | None]],
) -> str:  # fmt: skip
    """Whom it names last; else the last line that goes on from one of theirs."""
    if called := _called(people, source, row, there):
        return called[-1].message_id
    by_id = {one.message_id: one for one in there}
    who = people.person(source, row.author_id)

    def goes_on(one: Message | None) -> bool:
        while one is not None:
            if people.person(source, one.author_id) == who:
                return True
            one = by_id.get(placed[source, one.message_id][1] or "")
        return False

    return [one for one in there if goes_on(one)][-1].message_id
