"""What the simulated community leaves behind: threads, their messages, edits and deletions."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime

from demo.people import Person
from demo.words import About

REGULAR, WHISPER, ACTION = "regular", "whisper", "action"


@dataclass(slots=True, eq=False)
class Message:
    """One message with everything that will ever happen to it; ids are given at the end."""

    thread: Thread
    author: Person
    at: datetime
    text: str
    parent: Message | None = None
    kind: str = REGULAR
    edits: list[tuple[datetime, str]] = field(default_factory=list)
    deleted_at: datetime | None = None
    deleted_by: str = ""
    likes: int = 0
    views: int = 0
    quotes: Message | None = None
    id: int = 0
    number: int = 0
    edit_ids: list[int] = field(default_factory=list)
    replies: list[Message] = field(default_factory=list)

    def exists(self, now: datetime) -> bool:
        """Whether it has been written and not deleted."""
        return self.at <= now and not self.is_deleted(now)

    def is_deleted(self, now: datetime) -> bool:
        """Whether it, or the account that wrote it, is gone."""
        return self.deleted_at is not None and self.deleted_at <= now

    def version(self, now: datetime) -> int:
        """How many edits it has had."""
        return bisect_right(self.edits, now, key=lambda edit: edit[0])

    def text_at(self, now: datetime) -> str:
        """Its text after the edits so far."""
        version = self.version(now)
        return self.edits[version - 1][1] if version else self.text


@dataclass(slots=True, eq=False)
class Thread:
    """A topic of the forum, or everything below one post of a social network.

    ``openers`` are the messages that open an issue (again); ``is_ambient``: nobody was named.
    """

    source: str
    about: About
    lang: str
    title: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    is_ambient: bool = False
    is_announcement: bool = False
    messages: list[Message] = field(default_factory=list)
    openers: list[Message] = field(default_factory=list)
    accepted: Message | None = None
    accepted_at: datetime | None = None
    closed_at: datetime | None = None
    escalated_at: datetime | None = None
    views: int = 0
    id: int = 0

    def add(
        self,
        author: Person,
        at: datetime,
        text: str,
        parent: Message | None = None,
        kind: str = REGULAR,
    ) -> Message:
        """Write a message into the thread."""
        message = Message(self, author, at, text, parent, kind)
        self.messages.append(message)
        return message
