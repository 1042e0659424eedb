"""What measuring yields and goals and reports read: definitions, values, readings, facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from muster.measured import GoalStatus, KpiValue

GRAINS = ("day", "week", "month", "quarter", "year")


@dataclass(frozen=True)
class StartingGoal:
    """The goal a new project begins with: its name, objective, form (at_least …) and amount."""

    name: str
    objective: str
    form: str
    amount: str


@dataclass(frozen=True)
class Kpi:
    """A KPI's definition, from the header of its ``.sql``.

    ``unit`` is seconds · ratio · count · money · score; ``table`` is the table whose coverage
    decides between 0 and no value; ``lowest``/``highest`` bound what is possible. ``statistic``
    says what sort of figure it is (count · mean · quantile · ratio · state), ``zero`` which segment
    of a covered but empty period is 0 (all · source), ``needs`` which settings must be filled,
    ``influence`` of what the owner of a goal on it must influence something, ``assertions`` what
    must hold for every row (SQL), ``settles`` the window (answer · resolution · reopen) that must
    pass after a period before its value stands still, ``rows`` a select of the rows a value counts,
    where its SQL does not show them, ``starter`` the types of community whose new projects begin
    with it, ``goal`` the goal on it that they begin with, and ``from_days`` (sum · mean · last) how
    the value of a longer period follows from those of its days.
    """

    id: str
    title: str
    question: str
    definition: str
    unit: Literal["seconds", "ratio", "count", "money", "score"]
    better: Literal["up", "down", "none"]
    communities: tuple[str, ...]
    version: int
    table: str
    grains: tuple[str, ...]
    lowest: float | None
    highest: float | None
    sql: str

    def grain_at(self, grain: str) -> str:
        """``grain``, or the next coarser one if the KPI is not measured that often."""
        coarser = GRAINS[GRAINS.index(grain) :]
        return next((choice for choice in coarser if choice in self.grains), grain)

    statistic: Literal["count", "mean", "quantile", "ratio", "state"] = "count"
    zero: Literal["all", "source"] | None = None
    needs: tuple[str, ...] = ()
    influence: tuple[str, ...] = ()
    assertions: tuple[str, ...] = ()
    settles: str = ""
    rows: str = ""
    starter: tuple[str, ...] = ()
    goal: StartingGoal | None = None
    from_days: str = ""


@dataclass(frozen=True)
class Rows:
    """Rows of one table behind a value, the first ones; ``total`` says how many there are.

    ``contributions`` are the columns that the value is made of; without any, each row counts 1.
    """

    table: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: int
    contributions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Behind:
    """A value as the lake gives it now (None: no value), how it is computed, and of what rows.

    ``formula`` is SQL for value and n; ``trouble`` says why rows are missing.
    """

    value: float | None
    n: int
    formula: tuple[str, str]
    parts: tuple[Rows, ...]
    trouble: str = ""


@dataclass(frozen=True)
class Definition:
    """A version of a KPI, and the local date of the first measurement that knew it."""

    kpi: str
    version: int
    since: date


#: Whom a report lists among those who wait: of who has waited for longer it tells the number.
LATELY = timedelta(days=30)


@dataclass(frozen=True)
class WaitingIssue:
    """An issue nobody has answered yet."""

    source: str
    thread_id: str
    message_id: str
    opened_at: datetime
    waited_seconds: float
    title: str | None
    url: str | None
    channel: str | None
    quote: str = ""  # how its message begins, where its thread has no title

    @property
    def is_old(self) -> bool:
        """Whether it has waited for longer than ``LATELY``."""
        return self.waited_seconds > LATELY.total_seconds()


@dataclass(frozen=True)
class Answer:
    """One of a period's best answers: liked by members, or accepted as the solution."""

    source: str
    title: str
    url: str
    quote: str
    author: str
    likes: int
    is_accepted: bool
    is_staff: bool


@dataclass(frozen=True)
class UnhappyThread:
    """A thread in which people were unhappy, with one of its sentences; nobody is named."""

    source: str
    title: str
    url: str
    quote: str
    messages: int


@dataclass(frozen=True)
class Voices:
    """What people said in one period, shortly: the best answers, and where they were unhappy."""

    grain: str
    period_start: date
    answers: tuple[Answer, ...] = ()
    unhappy: tuple[UnhappyThread, ...] = ()


@dataclass(frozen=True)
class SourceFacts:
    """How current and how clean one source is, and of which time zone its days are, if its own."""

    name: str
    platform: str
    last_success_at: datetime | None
    last_error: str
    is_stale: bool
    messages: int
    quarantined: int
    timezone: str | None = None
    trouble: str = ""  # what kind of error last_error tells of


@dataclass(frozen=True)
class OtherMoney:
    """Money in another currency than the community's: it is left out of every KPI."""

    table: str
    currency: str
    rows: int
    amount: float


@dataclass(frozen=True)
class Limits:
    """Natural process limits of points ``start`` … ``end`` (exclusive) of a series."""

    start: int
    end: int
    mean: float
    lower: float
    upper: float
    is_locked: bool


@dataclass(frozen=True)
class Reading:
    """A series read as an XmR chart.

    ``rules[i]`` names the rules point ``i`` meets (outside · run · near_limit), ``sides[i]`` is
    +1 above and -1 below its mean (0 on it, or without a value). ``maturity`` is early (fewer
    than 6 points) · limits (6 to 11: rule 1 only) · full.
    """

    limits: tuple[Limits, ...]
    rules: tuple[tuple[str, ...], ...]
    sides: tuple[int, ...]
    maturity: Literal["early", "limits", "full"]


@dataclass(frozen=True)
class SuspectedBots:
    """How many accounts behave like bots, and how many of their messages no figure counts."""

    accounts: int = 0
    messages: int = 0


@dataclass(frozen=True)
class Measured:
    """One run of measure: everything a report is made of.

    ``problems`` are KPIs that failed; ``definitions`` every version a KPI has had, oldest first;
    ``waiting`` the issues of ``LATELY`` and then the old ones, each longest first,
    ``waiting_more`` how many wait besides, ``waiting_old`` how many of all are old.
    """

    as_of: datetime
    kpis: tuple[Kpi, ...]
    values: tuple[KpiValue, ...]
    goals: tuple[GoalStatus, ...]
    waiting: tuple[WaitingIssue, ...]
    sources: tuple[SourceFacts, ...]
    problems: tuple[str, ...] = ()
    suspected: SuspectedBots = SuspectedBots()
    definitions: tuple[Definition, ...] = ()
    other_money: tuple[OtherMoney, ...] = ()
    voices: tuple[Voices, ...] = ()
    waiting_more: int = 0
    waiting_old: int = 0

    @property
    def waiting_in_all(self) -> int:
        return len(self.waiting) + self.waiting_more
