"""Lines → conversations, their episodes, and the issues among them, told message by message."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from recount_people import Line, People, lines

from muster.records import Thread

HOUR = timedelta(hours=1)
CLOSES = re.compile(r"\b(thanks|thank you|works now|danke)\b", re.I)
SENDS_AWAY = re.compile(r"\bdm us\b|\bopen a ticket\b|ring the bell", re.I)
SPANS = {"answer": 24 * HOUR, "quiet": 72 * HOUR, "resolution": 168 * HOUR, "reopen": 336 * HOUR}
HOW = ("solution", "closed", "tag", "assumed")
Due = tuple[datetime, int, Line | str | None]  # when, how (place in HOW), and whose solution


@dataclass
class Episode:
    """From a member's message to whatever ended it; a question that is gone opens none."""

    opener: Line | None
    opened_at: datetime
    is_reopening: bool
    said: list[Line] = field(default_factory=list)
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    solver: Line | str | None = None
    reopened_at: datetime | None = None
    escalated_at: datetime | None = None

    @property
    def staff(self) -> list[Line]:
        return [one for one in self.said if one.role == "staff"]

    @property
    def first_response_at(self) -> datetime | None:
        return min(
            (
                one.at
                for one in self.staff
                if one.at > self.opened_at and one.person != self.opener.person
            ),
            default=None,
        )

    @property
    def kind(self) -> str | None:
        """Inbound or outreach, if it is an issue at all."""
        if self.opener.row.direction == "inbound":
            return "inbound"
        is_ours = self.opener.row.direction == "ambient" and self.first_response_at
        return "outreach" if is_ours else None


def span(settings: Mapping[str, Any], source: str, name: str) -> timedelta:
    """A source's own window, else the community's."""
    own = next((one for one in settings["sources"] if one["name"] == source), {})
    hours = own.get("windows", {}).get(name)
    return int(hours[:-1]) * HOUR if hours else SPANS[name]


@dataclass
class Conversation:
    """What hangs together; ``parts`` are all its lines, also those that count nowhere."""

    source: str
    row: Thread | None
    parts: list[Line]
    root: Line
    is_announced: bool
    is_marked_elsewhere: bool = False

    @cached_property
    def said(self) -> list[Line]:
        return [one for one in self.parts if one.counts]

    @property
    def marked(self) -> list[Line]:
        """Accepted answers that are still there; somebody accepted a bot's, too."""
        return [one for one in self.parts if one.row.is_solution and not one.row.deleted_at]


class Stories:
    """All conversations of a community, as known at ``as_of``."""

    def __init__(self, people: People, as_of: datetime) -> None:
        self.people, self.settings, self.as_of = people, people.settings, as_of
        self.lines = lines(people)
        self.threads: dict[tuple[str, str], list[Line]] = defaultdict(list)
        for one in self.lines:
            self.threads[one.source, one.thread].append(one)
        self.conversations = [
            told for key, said in self.threads.items() for told in self._split(key, said)
        ]
        self.escalating = {
            one.order for said in self.threads.values() for one in self._sent_away(said)
        }
        self.episodes = [one for told in self.conversations for one in self._told(told)]
        self.issues = [one for one in self.episodes if one.opener and one.kind]

    def is_announcement(self, said: list[Line]) -> bool:
        return said[0].role == "staff" and said[0].row.kind != "direct"

    def _split(self, key: tuple[str, str], said: list[Line]) -> Iterator[Conversation]:
        row = self.people.threads.get(key)
        if not self.is_announcement(said):
            yield Conversation(key[0], row, said, said[0], False)
            return
        below: dict[str, list[Line]] = defaultdict(list)
        by_id = {one.row.message_id: one for one in said}
        for one in said:
            if root := self._root(one, by_id, said[0]):
                below[root.row.message_id].append(one)
        is_marked = any(one.row.is_solution and not one.row.deleted_at for one in said)
        for root_id, parts in below.items():
            yield Conversation(key[0], row, parts, by_id[root_id], True, is_marked)

    def _root(self, one: Line, by_id: Mapping[str, Line], opening: Line) -> Line | None:
        """The first below the announcement that is no word of ours."""
        root, here = None, one
        while here is not None and here is not opening:
            if here.role == "member":
                root = here
            here = by_id.get(here.parent or "")
        return root

    def _sent_away(self, said: list[Line]) -> list[Line]:
        """Staff's messages that send elsewhere; by a thread's tag its last, if none does."""
        staff = [one for one in said if one.role == "staff" and one.counts]
        found = [one for one in staff if self._sends_away(one)]
        row = self.people.threads.get((said[0].source, said[0].thread))
        is_tagged = row and "elsewhere" in row.tags and not self.is_announcement(said)
        return found or (staff[-1:] if is_tagged else [])

    def _sends_away(self, one: Line) -> bool:
        is_upstairs = one.source == "chat" and "ask upstairs" in one.row.text
        is_told = SENDS_AWAY.search(one.row.text) or is_upstairs
        return "elsewhere" in one.row.tags or bool(is_told)

    def closes(self, one: Line, told: Conversation) -> bool:
        """Thanks: short, without a question, unless it is how a topic or a request begins."""
        text = re.sub("thanks in advance", "", one.row.text, flags=re.I)
        is_short = len(one.row.text.split()) <= 12 and "?" not in text
        if one.role != "member" or not is_short or not CLOSES.search(text):
            return False
        is_asking = "please" in text or (told.row is not None and not told.is_announced)
        return not (one is told.root and is_asking)

    def _due(self, told: Conversation) -> list[Due]:
        """What resolves for certain, in order."""
        row, found = told.row, []
        if row and row.solved_at:
            if told.marked or not told.is_marked_elsewhere:
                by = row.solved_by or next(iter(told.marked), None)
                found.append((row.solved_at, 0, by))
        else:
            found += [(one.at, 0, one) for one in told.marked]
        if row and row.closed_at:
            found.append((row.closed_at, 1, None))
        ends = {"done", "fixed"} if told.source == "forum" else {"done"}
        found += [(one.at, 2, None) for one in told.said if ends & {*one.row.tags}]
        if row and ends & {*row.tags} and told.said:
            found.append((told.said[-1].at, 2, None))
        return sorted((one for one in found if one[0] < self.as_of), key=lambda one: one[:2])

    def _gap(self, told: Conversation, one: Line) -> timedelta | None:
        if one.row.kind == "direct":
            return 24 * HOUR
        return {"forum": None, "net": 24 * HOUR, "chat": 25 * HOUR}[told.source]

    def _told(self, told: Conversation) -> list[Episode]:
        """Reads on, message after message; what falls on one instant is heard before it counts."""
        due, episodes = self._due(told), list[Episode]()
        if told.root.role == "member" and told.root.row.deleted_at:
            episodes.append(Episode(None, told.root.at, False))
        before: datetime | None = None
        for one in told.said:
            now = episodes[-1] if episodes else None
            if now:
                self._settle(now, due, told, one.at)
            if self._opens(one, now, before, told):
                is_over = now is not None and now.resolved_at is not None
                if now is not None and is_over:
                    now.reopened_at = one.at
                episodes.append(Episode(one, one.at, is_over))
            before = one.at
            if episodes:
                self._hear(one, episodes[-1])
        for one in episodes:
            self._settle(one, due if one is episodes[-1] else [], told, self.as_of)
        return episodes

    def _opens(
        self, one: Line, now: Episode | None, before: datetime | None, told: Conversation
    ) -> bool:
        if one.role != "member" or self.closes(one, told):
            return False
        if now is None or now.resolved_at is not None:
            return True
        if now.opener is None and not now.staff:
            return True  # whoever wrote before staff is taken for the one who asked
        gap = self._gap(told, one)
        is_silent = gap is not None and before is not None and one.at - before >= gap
        return is_silent and bool(now.staff)

    def _hear(self, one: Line, now: Episode) -> None:
        now.said.append(one)
        if one.role == "staff" and one.order in self.escalating and now.escalated_at is None:
            now.escalated_at = one.at

    def _settle(self, now: Episode, due: list[Due], told: Conversation, before: datetime) -> None:
        """The first way in which it was resolved, if that came before this instant."""
        if now.resolved_at is not None:
            return
        ways = [one for one in due if now.opened_at <= one[0] < before]
        heard = [one for one in now.said if not self.closes(one, told)]
        if heard and heard[-1].role == "staff" and now.escalated_at is None:
            at = heard[-1].at + span(self.settings, told.source, "quiet")
            ways += [(at, 3, None)] if at < before else []
        if ways:
            at, how, now.solver = min(ways, key=lambda one: one[:2])
            now.resolved_at, now.resolved_by = at, HOW[how]
