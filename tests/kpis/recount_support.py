"""Issues → the values of every KPI of support for a period, counted by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from recount_people import Line
from recount_periods import Hours, Period
from recount_stories import Episode, Stories, span

from muster.records import Thread

Told = Iterator[tuple[str, str, float, int]]  # KPI, segment, value, n
Wait = tuple[float, bool]


def seconds(span: timedelta) -> float:
    return span.total_seconds()


def mean(kpi: str, numbers: Sequence[float], segment: str = "all") -> Told:
    if numbers:
        yield kpi, segment, sum(numbers) / len(numbers), len(numbers)


def count(kpi: str, number: int, segment: str = "all") -> Told:
    if number:
        yield kpi, segment, number, number


def quantile(kpi: str, waits: Sequence[Wait], share: Fraction, segment: str) -> Told:
    """Kaplan and Meier's: the first wait after which at most the rest still waits."""
    left = Fraction(1)
    for wait in sorted({one for one, is_over in waits if is_over}):
        at_risk = sum(one >= wait for one, _ in waits)
        left *= 1 - Fraction(sum(one == wait and is_over for one, is_over in waits), at_risk)
        if left <= 1 - share:
            yield kpi, segment, wait, len(waits)
            return


class Support:
    """The issues of a community, asked for a period's values."""

    def __init__(self, stories: Stories, hours: dict[str, Hours | None]) -> None:
        self.stories, self.as_of, self.hours = stories, stories.as_of, hours
        self.issues, self.settings = stories.issues, stories.settings

    def of(self, period: Period) -> Told:
        opened = [one for one in self.issues if period.has(one.opener.day)]
        yield from count("issues_opened", len(opened))
        for segment in ("all", "inbound", "outreach"):
            chosen = [one for one in opened if segment in ("all", one.kind)]
            yield from self._first_responses(chosen, segment)
        yield from self._rates(opened)
        yield from self._standing(period)
        yield from self._resolved(period)
        yield from self._burden(period)

    def _response(self, one: Episode, measure: Callable[[datetime, datetime], float]) -> Wait:
        """The wait for staff's first word, so far, or until it needed none any more."""
        end = one.first_response_at or one.resolved_at or self.as_of
        return measure(one.opened_at, end), one.first_response_at is not None

    def _first_responses(self, issues: Sequence[Episode], segment: str) -> Told:
        waits = [self._response(one, lambda a, b: seconds(b - a)) for one in issues]
        yield from quantile("first_response_median", waits, Fraction(1, 2), segment)
        yield from quantile("first_response_p90", waits, Fraction(9, 10), segment)
        yield from mean("first_response_mean", [one for one, is_over in waits if is_over], segment)
        answered = [one for one in issues if one.first_response_at]
        timed = [one for one in issues if self.hours[one.opener.source]]
        for name, is_in in (("in", True), ("off", False)):
            chosen = [
                seconds(one.first_response_at - one.opened_at)
                for one in answered
                if (own := self.hours[one.opener.source]) and own.inside(one.opened_at) == is_in
            ]
            yield from mean(f"first_response_{name}_hours_mean", chosen, segment)
        work = [self._response(one, self.hours[one.opener.source].between) for one in timed]
        yield from quantile("first_response_business_median", work, Fraction(1, 2), segment)

    def _within(self, one: Episode, end: datetime | None, window: str) -> bool:
        return end is not None and end - one.opened_at <= self._span(one, window)

    def _span(self, one: Episode, window: str) -> timedelta:
        return span(self.settings, one.opener.source, window)

    def _passed(self, one: Episode, window: str) -> bool:
        return one.opened_at + self._span(one, window) < self.as_of

    def _rates(self, opened: Sequence[Episode]) -> Told:
        due = [one for one in opened if one.kind == "inbound" and self._passed(one, "answer")]
        kept = [self._within(one, one.first_response_at, "answer") for one in due]
        yield from mean("response_rate", kept)
        due = [one for one in opened if self._passed(one, "resolution")]
        yield from mean(
            "resolution_rate", [self._within(one, one.resolved_at, "resolution") for one in due]
        )
        answered = [one for one in opened if one.first_response_at]
        yield from mean("escalation_rate", [one.escalated_at is not None for one in answered])
        yield from mean("outreach_share", [one.kind == "outreach" for one in answered])
        waits = [
            (
                seconds((one.resolved_at or one.escalated_at or self.as_of) - one.opened_at),
                one.resolved_at is not None,
            )
            for one in opened
        ]
        yield from quantile("time_to_resolution_median", waits, Fraction(1, 2), "all")

    def _standing(self, period: Period) -> Told:
        def is_past(at: datetime | None) -> bool:
            return at is not None and at < period.end_at

        here = [one for one in self.issues if is_past(one.opened_at)]
        waiting = [
            one
            for one in here
            if one.kind == "inbound"
            and not is_past(one.first_response_at)
            and not is_past(one.resolved_at)
        ]
        yield from count("unanswered_issues", len(waiting))
        if waiting:
            oldest = max(period.end_at - one.opened_at for one in waiting)
            yield "oldest_wait", "all", seconds(oldest), len(waiting)
        still = [
            one
            for one in here
            if not is_past(one.resolved_at) and not is_past(one.escalated_at)
            and (one.kind == "inbound" or is_past(one.first_response_at))
        ]  # fmt: skip
        yield from count("open_issues", len(still))

    def _resolved(self, period: Period) -> Told:
        done = [
            one
            for one in self.issues
            if one.resolved_at and period.has(self.stories.people.day(one.resolved_at))
        ]
        until = [sum(said.at <= one.resolved_at for said in one.staff) for one in done]
        yield from mean("replies_to_resolution", until)
        limit = self.settings["reply_limit"]
        yield from mean("reply_limit_kept", [one <= limit for one in until])
        yield from mean("one_touch_resolution", [one == 1 for one in until])
        back = [
            one.reopened_at is not None
            and one.reopened_at - one.resolved_at <= self._span(one, "reopen")
            for one in done
        ]
        yield from mean("reopened_rate", back)
        solved = [one for one in done if one.resolved_by == "solution"]
        yield from mean("self_service_rate", [self._is_peers(one) for one in solved])

    def _is_peers(self, one: Episode) -> bool:
        """Solved by another member's message."""
        people, source, solver = self.stories.people, one.opener.source, one.solver
        if isinstance(solver, Line):
            return solver.role == "member" and solver.person != one.opener.person
        wrote = {
            line.role for line in self.stories.threads[source, one.opener.thread]
            if line.row.author_id == solver and not line.row.deleted_at
        }  # fmt: skip
        is_other = solver and people.person(source, solver) != one.opener.person
        return bool(is_other and "member" in wrote and "staff" not in wrote)

    def _burden(self, period: Period) -> Told:
        said = [line for one in self.issues for line in one.staff if period.has(line.day)]
        if said:
            busiest = max(Counter(line.person for line in said).values())
            yield "response_burden", "all", busiest / len(said), len(said)

    def solutions(self, period: Period) -> Told:
        """Members' threads with an accepted solution, where there ever was one."""
        told = []
        for (source, _), said in self.stories.threads.items():
            if said[0].counts and said[0].role == "member":
                row = self.stories.people.threads.get((source, said[0].thread))
                channel = said[0].row.channel or (row and row.channel)
                told.append((source, channel, said[0].day, self._is_solved(row, said)))
        solving = {(source, channel) for source, channel, _, is_solved in told if is_solved}
        if named := self.settings.get("solution_channels"):
            solving = {one[:2] for one in told if one[1] in named}
        chosen = [one for one in told if one[:2] in solving and period.has(one[2])]
        yield from mean("solution_rate", [one[3] for one in chosen])

    def _is_solved(self, row: Thread | None, said: Sequence[Line]) -> bool:
        if row and row.solved_at:
            return row.solved_at < self.as_of
        return any(one.row.is_solution and not one.row.deleted_at for one in said)
