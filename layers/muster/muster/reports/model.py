"""The view model: one object that email, text part, site and JSON render as it is.

Every ``…_text`` is ready to show, in the report's words and units. Raw numbers stand beside for
charts and JSON. ``tone`` is better · worse · changed (no good direction) · routine · early · none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Tone = Literal["better", "worse", "changed", "routine", "early", "none"]
Event = tuple[str, date, date]  # its name, its first and its last day


@dataclass(frozen=True)
class Point:
    """One period of a series; ``tone`` marks signals, ``value`` is None where there is no data."""

    period_start: date
    value: float | None
    n: int
    tone: Tone
    label: str
    value_text: str


@dataclass(frozen=True)
class Band:
    """A stretch of points (indices, end exclusive) that shares natural process limits."""

    start: int
    end: int
    mean: float
    lower: float
    upper: float
    is_locked: bool
    mean_text: str = ""
    lower_text: str = ""
    upper_text: str = ""


@dataclass(frozen=True)
class Comparison:
    """The value beside another one: 'last week', 'quarter so far', 'a year before'."""

    name: str
    value_text: str
    change_text: str
    direction: Literal["up", "down", "same", "none"]


@dataclass(frozen=True)
class Segment:
    """One segment's value of the period."""

    name: str
    value: float
    value_text: str
    n: int


@dataclass(frozen=True)
class Break:
    """A new definition of a KPI: its version, the day it took over, and what that means."""

    version: int
    since: date
    text: str


@dataclass(frozen=True)
class Measure:
    """One KPI in one report; one segment of it where the KPI is never summed (followers)."""

    kpi: str
    title: str
    question: str
    definition: str
    sql: str
    version: int
    unit: str
    better: Literal["up", "down", "none"]
    grain: str
    value: float | None
    value_text: str
    n: int
    n_text: str
    is_too_few: bool
    comparisons: tuple[Comparison, ...]
    tone: Tone
    reading: str
    why: str
    points: tuple[Point, ...]
    bands: tuple[Band, ...]
    target: float | None
    target_text: str
    segments: tuple[Segment, ...]
    segment: str = "all"
    segment_name: str = ""  # as the title says it
    target_label: str = ""  # the bare target for the chart's edge: "4 h"
    breaks: tuple[Break, ...] = ()
    period_text: str = ""  # of the value, where it is not the report's: "October 2026"


@dataclass(frozen=True)
class GoalLine:
    """One goal with its verdict and what its bullet bar needs (0…1 along the bar)."""

    name: str
    objective: str
    kpi: str
    status: Literal["met", "on_track", "at_risk", "off_track", "no_data"]
    status_text: str
    value_text: str
    target_text: str
    expected_text: str
    by_text: str
    owner: str
    reason: str
    value_at: float | None
    target_at: float | None
    expected_at: float | None


@dataclass(frozen=True)
class Change:
    """One signal in words; ``events`` are those that lay in the periods it speaks of."""

    kpi: str
    title: str
    tone: Tone
    text: str
    events: tuple[str, ...] = ()


@dataclass(frozen=True)
class Waiting:
    """One issue that still waits for an answer; ``quote`` stands where there is no title."""

    title: str
    url: str | None
    source: str
    waited_text: str
    opened_text: str
    quote: str = ""


@dataclass(frozen=True)
class Praise:
    """One of the best answers; ``text`` says who gave it and how it was received."""

    title: str
    url: str
    quote: str
    text: str


@dataclass(frozen=True)
class Complaint:
    """A thread in which people were unhappy; ``text`` says where, and how much was written."""

    title: str
    url: str
    quote: str
    text: str


@dataclass(frozen=True)
class Freshness:
    """How current one source is; ``detail`` is the error in English, where the report is not."""

    source: str
    platform: str
    last_success_text: str
    is_stale: bool
    messages: int
    quarantined: int
    problem: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class ReportView:
    """Everything one report says."""

    name: str
    community: str
    note: str
    title: str
    voice: str
    grain: str
    period_start: date
    period_end: date
    period_text: str
    as_of: datetime
    subject: str
    preheader: str
    opening: tuple[str, ...]
    goals: tuple[GoalLine, ...]
    changes: tuple[Change, ...]
    headline: Measure | None
    measures: tuple[Measure, ...]
    waiting: tuple[Waiting, ...] = ()
    missing: tuple[str, ...]
    freshness: tuple[Freshness, ...]
    events: tuple[Event, ...]
    how_to_read: tuple[str, ...]
    site_url: str = ""
    unsubscribe_url: str = ""
    suspected: str = ""
    event_texts: tuple[str, ...] = ()  # each of ``events`` with its days
    language: str = "en"  # BCP 47: de, en-US
    waiting_left: str = ""
    unchanged: str = ""  # what stands where nothing changed
    praise: tuple[Praise, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    waiting_old: tuple[Waiting, ...] = ()  # who has waited so long that the site alone lists them
    old_text: str = ""  # how many they are
