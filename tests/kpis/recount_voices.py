"""Lines → the values of reputation and community health for a period, counted by hand."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import groupby

from recount_people import Line
from recount_periods import Period
from recount_stories import Stories
from recount_support import Told, count, mean


class Voices:
    """What members say, how they keep together, and what we post."""

    def __init__(self, stories: Stories, first: date) -> None:
        self.stories, self.people, self.first = stories, stories.people, first
        self.said = [one for one in stories.lines if one.counts]
        self.members = [one for one in self.said if one.role == "member"]
        self.by_id = {(one.source, one.row.message_id): one for one in stories.lines}
        self.new = self._newcomers()

    def of(self, period: Period, before: Period, is_covered: bool) -> Told:
        here = [one for one in self.members if period.has(one.day)]
        yield from self._moods(here)
        yield from self._named(here)
        yield from count("messages", len(here))
        yield from count("feedback_messages", sum(self._is_wish(one) for one in here))
        yield from self._persons(period, before, {one.person for one in here}, is_covered)
        yield from self._stickiness(period, here)
        yield from self._connections(here)
        yield from self._threads(period)
        yield from self._posts(period)

    # -- what they say ------------------------------------------------------------------------

    def _moods(self, here: list[Line]) -> Told:
        scores = [one.row.sentiment for one in here if one.row.sentiment is not None]
        yield from mean("sentiment_mean", scores)
        yield from mean("negative_share", [one <= -0.05 for one in scores])
        yield from mean("positive_share", [one >= 0.05 for one in scores])

    def _named(self, here: list[Line]) -> Told:
        for kpi in ("brand", "product"):
            for term in self.people.settings[f"{kpi}_terms"]:
                found = [one.row.sentiment for one in here if names(one, term)]
                scores = [one for one in found if one is not None]
                yield from mean(f"{kpi}_sentiment", scores, term)
        for source, ones in groupby(here, lambda one: one.source):
            brands = self.people.settings["brand_terms"]
            named = [one for one in ones if any(names(one, term) for term in brands)]
            yield from count("mentions", len(named), source)

    def _is_wish(self, one: Line) -> bool:
        thread = self.people.threads.get((one.source, one.thread))
        told = {one.row.channel, *one.row.tags}
        if thread:
            told |= {thread.channel, *thread.tags}
        return not told.isdisjoint(self.people.settings["feedback"])

    # -- who they are -------------------------------------------------------------------------

    def _newcomers(self) -> dict[str, date]:
        """Person → the day they were new: of the first joining or the first message."""
        firsts: dict[str, date] = {}
        joined = [
            (self.people.person(source, row.member_id), self.people.day(row.joined_at))
            for (source, _), row in self.people.members.items()
            if row.joined_at and row.joined_at < self.stories.as_of
            and self._is_member(source, row.member_id)
        ]  # fmt: skip
        wrote = [(one.person, one.day) for one in self.members]
        for person, day in (*joined, *wrote):
            firsts[person] = min(day, firsts.get(person, day))
        return firsts

    def _is_member(self, source: str, account: str) -> bool:
        """Neither a bot's account nor one of staff on the day of joining."""
        row = self.people.members[source, account]
        day = self.people.day(row.joined_at)
        is_staff = row.role == "staff" or self.people.named("staff", source, account, day)
        return not is_staff and not self.people.is_bot(source, account, day)

    def _persons(self, period: Period, before: Period, wrote: set[str], is_known: bool) -> Told:
        yield from count("active_members", len(wrote))
        new = {person for person, day in self.new.items() if period.has(day)}
        yield from count("new_members", len(new))
        if wrote or is_known:  # that nobody wrote is told only of what somebody looked at
            old = [person for person, day in self.new.items() if before.has(day)]
            yield from mean("new_member_retention", [one in wrote for one in old])
            known = [person for person, day in self.new.items() if day < period.following]
            yield from mean("contributors_share", [one in wrote for one in known])

    def _stickiness(self, period: Period, here: list[Line]) -> Told:
        if period.grain in ("day", "week") or not here:
            return
        end = min(period.following, self.people.day(self.stories.as_of - MOMENT) + DAY)
        days = (end - max(period.start, self.first)).days
        daily = len({(one.day, one.person) for one in here})
        active = len({one.person for one in here})
        yield "stickiness", "all", daily / days / active, active

    def _connections(self, here: list[Line]) -> Told:
        pairs = {
            frozenset((one.person, other.person))
            for one in here
            if (other := self._answered(one)) and other.counts and other.role == "member"
            and other.person != one.person
        }  # fmt: skip
        yield from count("member_connections", len(pairs))

    def _answered(self, one: Line) -> Line | None:
        """What it replies to: its parent, or without one what opened the thread."""
        if one.parent:
            return self.by_id.get((one.source, one.parent))
        return self.stories.threads[one.source, one.thread][0]

    # -- threads and posts --------------------------------------------------------------------

    def _threads(self, period: Period) -> Told:
        opened = [
            [one for one in said if one.counts]
            for said in self.stories.threads.values()
            if said[0].counts and said[0].role == "member" and period.has(said[0].day)
        ]
        yield from count("threads_opened", len(opened))
        yield from mean("replies_per_thread", [len(said) - 1 for said in opened])
        first = [self._first_answer(said) for said in opened]
        yield from mean("peer_answer_share", [one.role == "member" for one in first if one])

    def _first_answer(self, said: list[Line]) -> Line | None:
        later = [one for one in said if one.at > said[0].at and one.person != said[0].person]
        return next(iter(later), None)

    def _posts(self, period: Period) -> Told:
        """Posts and quotes of ours; replies are none."""
        posts = [
            one.row
            for one in self.said
            if one.role == "staff" and one.row.kind in ("post", "quote") and period.has(one.day)
        ]
        for kpi in ("likes", "reposts") if posts else ():
            total = sum(getattr(row, kpi) for row in posts)
            yield kpi, "all", total, total
        views = [row.views for row in posts if row.views is not None]
        known = sum(day < period.following for day in self.new.values())
        if views and known:
            yield "announcement_reach", "all", sum(views) / len(views) / known, len(views)


MOMENT, DAY = timedelta(microseconds=1), timedelta(days=1)


def names(one: Line, term: str) -> bool:
    return re.search(rf"\b{re.escape(term)}\b", one.row.text, re.I) is not None
