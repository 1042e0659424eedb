"""The tables that a measuring writes: one frozen dataclass each, as in :mod:`muster.records`.

They hold no ``observed_at``: each measuring writes them anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date as Day
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

if TYPE_CHECKING:
    from muster.records import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """An episode of a thread that a member opened; its month (in the path) is ``opened_at``'s."""

    source: Annotated[str, "name of the source"]
    thread_id: Annotated[str, "the thread it is in"]
    root_id: Annotated[str, "the first message: the thread's, or below an announcement"]
    episode: Annotated[int, "which of its root's, from 1"]
    message_id: Annotated[str, "the message that opened it"]
    author_id: Annotated[str | None, "the account that opened it; none if hidden"]
    opened_at: Annotated[datetime, "when it was opened"]
    direction: Annotated[str, "of the message that opened it: inbound or ambient"]
    message_kind: Annotated[str, "its kind: post, reply, comment, direct …"]
    channel: Annotated[str | None, "its channel"]
    lang: Annotated[str, "its language, as judged"]
    url: Annotated[str | None, "where to read it"]
    issue_kind: Annotated[str | None, "inbound or outreach (staff came to it); else no issue"]
    first_response_at: Annotated[datetime | None, "staff's first word to whoever opened it"]
    first_peer_answer_at: Annotated[datetime | None, "another member's first word to them"]
    escalated_at: Annotated[datetime | None, "when staff first sent it elsewhere"]
    resolved_at: Annotated[datetime | None, "when it was resolved first"]
    resolved_by: Annotated[str | None, "how: solution, closed, tag or assumed"]
    solver_role: Annotated[str | None, "role of whose answer solved it: staff or member"]
    is_solved_by_another: Annotated[bool, "solved by another person than whoever opened it"]
    is_reopening: Annotated[bool, "it took up again what had been resolved"]
    reopened_at: Annotated[datetime | None, "when a later episode took it up again"]
    messages: Annotated[int, "human messages in it"]
    staff_messages: Annotated[int, "staff's among them"]
    staff_messages_to_resolution: Annotated[int, "staff's up to the resolution; 0 if there is none"]
    thread_url: Annotated[str | None, "where to read the thread"]
    thread_channel: Annotated[str | None, "channel of the message, else of the thread"]
    title: Annotated[str | None, "title of the thread"]
    calendar: Annotated[int, "which business hours held: 0 the community's, else a source's own"]
    first_response_seconds: Annotated[float | None, "wait of an issue for staff's first word"]
    time_to_resolution_seconds: Annotated[float | None, "time of an issue to its resolution"]
    opened_day: Annotated[Day, "local day it was opened on"]
    first_response_day: Annotated[Day | None, "local day of staff's first word"]
    escalated_day: Annotated[Day | None, "local day of the escalation"]
    resolved_day: Annotated[Day | None, "local day of the resolution"]
    is_in_hours: Annotated[bool | None, "opened in business hours; none without business hours"]
    opened_clock: Annotated[float | None, "business seconds on the calendar's clock when opened"]
    first_response_clock: Annotated[
        float | None, "the same at staff's first word: the difference is the wait in business time"
    ]
    resolved_clock: Annotated[float | None, "the same at the resolution"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingIssue:
    """An inbound issue that nobody of the staff has answered, and that is not resolved."""

    source: Annotated[str, "name of the source"]
    thread_id: Annotated[str, "the thread it is in"]
    message_id: Annotated[str, "the message that opened it"]
    opened_at: Annotated[datetime, "since when it waits"]
    waited_seconds: Annotated[float, "how long by the time of measuring"]
    title: Annotated[str | None, "title of the thread"]
    url: Annotated[str | None, "where to read it"]
    channel: Annotated[str | None, "its channel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiValue:
    """One value of one KPI: derived, written by measure."""

    kpi: Annotated[str, "id of the KPI"]
    version: Annotated[int, "of its definition"]
    grain: Annotated[str, "day, week, month, quarter or year"]
    period_start: Annotated[Day, "first local day of the period"]
    segment: Annotated[str, "'all' or a part of it"]
    value: Annotated[float, "in the KPI's unit"]
    n: Annotated[int, "what the value rests on"]
    too_few: Annotated[bool, "n is below min_n"]
    partial: Annotated[bool, "still running, or its window has not passed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalStatus:
    """A goal's verdict for one period: derived, written by measure."""

    goal: Annotated[str, "its name"]
    kpi: Annotated[str, "id of the KPI it is set on"]
    period_start: Annotated[Day, "first local day of the period judged"]
    status: Annotated[str, "met, on_track, at_risk, off_track or no_data"]
    value: Annotated[float | None, "the KPI's value"]
    target: Annotated[float | None, "the target in the KPI's unit"]
    expected: Annotated[float | None, "value the straight pace asks for by now"]
    projected: Annotated[float | None, "value the present trend reaches on the due date"]
    arrives_on: Annotated[Day | None, "day the present trend reaches the target"]
    reason: Annotated[str, "the verdict in one sentence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectedAccount:
    """An account that behaves like a bot, by one rule: derived, written by measure."""

    source: Annotated[str, "name of the source"]
    member_id: Annotated[str, "the account"]
    rule: Annotated[str, "duplicate_text or burst"]
    rule_version: Annotated[int, "of its definition"]
    days: Annotated[int, "UTC days on which it was met"]
    most: Annotated[int, "most messages of one text a day, or in ten minutes"]
    since: Annotated[datetime, "first message of the evidence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a success vouches for: derived from the sources' states."""

    source: Annotated[str, "name of the source"]
    table_name: Annotated[str, "the table vouched for"]
    from_at: Annotated[datetime, "from here"]
    to_at: Annotated[datetime, "to here, exclusive"]


#: Of each table whoever wants to read it asks these: name → row type.
DERIVED: Mapping[str, type] = {
    "conversations": Conversation, "waiting": WaitingIssue, "kpi_values": KpiValue,
    "goal_status": GoalStatus, "suspected_accounts": SuspectedAccount, "coverage": Coverage,
}  # fmt: skip


def derived_columns(name: str) -> tuple[Column, ...]:
    """The columns of a derived table in file order."""
    from muster.records import columns

    return columns(DERIVED[name])[:-1]
