"""``muster.yaml`` and the environment → frozen, validated settings; unknown keys are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from muster.settings_reports import Report, Smtp, Unsubscribe
from muster.settings_types import (
    CURRENCY,
    BaseUrl,
    Day,
    Duration,
    Grain,
    Keep,
    Part,
    Pattern,
    Secret,
    Sentiment,
    Slug,
    Zone,
    parse_duration,
)  # fmt: skip

__all__ = [
    "Account", "Athena", "BaseUrl", "Baseline", "Duration", "Escalation", "Event", "Goal", "Grain",
    "OwnWindows", "Part", "QualityWeights", "Report", "Schedule", "Secret", "Sentiment", "Settings",
    "Smtp", "Source", "Target", "Unsubscribe", "Windows", "parse_duration", "weekdays",
]  # fmt: skip
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d|24:00)")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _is_lake(text: str) -> str:
    if ("://" in text or text.lower().startswith("s3:")) and not text.startswith("s3://"):
        raise ValueError(f"{text!r} is no lake: write a folder or s3://bucket/prefix")
    return text.rstrip("/") if text.startswith("s3://") else text  # /site is put behind it


class Schedule(Part):
    """Working hours from ``valid_from`` on, until a later schedule takes over."""

    valid_from: Day | None = None
    country: Annotated[str | None, Field(description="ISO 3166 country of the holidays")] = None
    region: Annotated[str | None, Field(description="its subdivision, e.g. BE for Berlin")] = None
    closed: tuple[Day, ...] = ()
    hours: Annotated[
        Mapping[str, tuple[str, ...]],
        Field(description="days (mon, mon-fri) → ranges (09:00-12:30); over midnight allowed"),
    ]

    @model_validator(mode="after")
    def _readable(self) -> Schedule:
        for days, ranges in self.hours.items():
            weekdays(days)
            for text in ranges:
                if not _HOURS.fullmatch(text):
                    raise ValueError(f"{text!r} is no range of hours: write 09:00-17:30")
        return self


def weekdays(days: str) -> tuple[int, ...]:
    """``mon-fri`` → (0, 1, 2, 3, 4); ``fri-mon`` wraps."""
    first, _, last = days.partition("-")
    if first not in WEEKDAYS or (last and last not in WEEKDAYS):
        raise ValueError(f"{days!r} names no weekday: write mon, tue … or mon-fri")
    start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
    return tuple((start + step) % 7 for step in range((end - start) % 7 + 1))


class Account(Part):
    """An account (handle or id), a platform's group or a platform's role: who is what, and when."""

    source: Annotated[str | None, Field(description="only on this source; all if absent")] = None
    account: Annotated[str | None, Field(description="handle or id")] = None
    group: Annotated[str | None, Field(description="everyone in this group of the platform")] = None
    role: Annotated[str | None, Field(description="everyone with this platform role")] = None
    valid_from: Day | None = None
    valid_until: Annotated[Day | None, Field(description="its last day")] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Account:
        if sum(bool(one) for one in (self.account, self.group, self.role)) != 1:
            raise ValueError("set exactly one of: account, group, role")
        return self


class Escalation(Part):
    """What sends a member elsewhere: tags, and patterns beside the built-in ones."""

    tags: Annotated[
        tuple[str, ...], Field(description="of a message of ours, or of its whole thread")
    ] = ()
    patterns: Annotated[tuple[Pattern, ...], Field(description="what a message of ours says")] = ()


class OwnWindows(Part):
    """A source's own spans, where they differ from the community's."""

    answer: Duration | None = None
    resolution: Duration | None = None
    reopen: Duration | None = None
    join: Duration | None = None
    quiet: Duration | None = None


EpisodeGap = Annotated[
    Duration | Literal["off"], Field(description="silence that starts a new episode")
]


class Source(Part):
    """What every platform's settings share; a platform's own file adds the rest."""

    name: Slug
    platform: str
    base_url: BaseUrl | None = None
    account: Annotated[str | None, Field(description="our account or space to read")] = None
    token: Secret | None = None
    every: Duration = timedelta(hours=1)
    since: Day | None = None
    keep: Keep = {}
    lang: Annotated[
        str | None,
        Field(description="language where the platform tells none; absent: detected per message"),
    ] = None
    sentiment: Annotated[
        Sentiment | None, Field(description="scorer of this source; absent: the community's")
    ] = None
    timezone: Annotated[
        Zone | None, Field(description="of its days, where it counts in its own: an ad account")
    ] = None
    episode_gap: EpisodeGap = "off"
    chat: Annotated[
        bool, Field(description="its lines tell no thread: they are joined to conversations")
    ] = False
    terms: Annotated[tuple[str, ...], Field(description="search terms for ambient posts")] = ()
    windows: Annotated[OwnWindows, Field(description="instead of the community's")] = OwnWindows()
    business_hours: Annotated[
        tuple[Schedule, ...], Field(description="instead of the community's")
    ] = ()
    escalation: Annotated[Escalation, Field(description="beside the community's")] = Escalation()
    resolution_tags: Annotated[tuple[str, ...], Field(description="beside the community's")] = ()
    auto_replies: Annotated[
        tuple[Pattern, ...], Field(description="patterns beside the community's")
    ] = ()
    closing_phrases: Annotated[
        Mapping[str, tuple[str, ...]], Field(description="language → phrases, beside the others")
    ] = {}


class _AnySource(Source):
    model_config = ConfigDict(extra="ignore")


def any_source(platform: str) -> type[Source]:
    """What all platforms share, for whoever asks none: the rest is checked where it is used."""
    return _AnySource


class Windows(Part):
    """The spans the KPI definitions rest on."""

    answer: Duration = timedelta(hours=24)
    resolution: Duration = timedelta(days=7)
    reopen: Duration = timedelta(days=14)
    join: Duration = timedelta(minutes=10)
    quiet: Duration = timedelta(hours=72)
    episode_gap: Annotated[
        Duration, Field(description="of direct messages; a source has its own")
    ] = timedelta(hours=24)


class Athena(Part):
    """Where ``engine: athena`` asks: the stack's outputs name both."""

    database: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$")]
    workgroup: str


class QualityWeights(Part):
    """How much each part of the product quality index weighs; together 1."""

    satisfaction: Annotated[float, Field(ge=0, le=1)] = 0.5
    rating: Annotated[float, Field(ge=0, le=1)] = 0.3
    not_refunded: Annotated[float, Field(ge=0, le=1)] = 0.2

    @model_validator(mode="after")
    def _whole(self) -> QualityWeights:
        total = self.satisfaction + self.rating + self.not_refunded
        if abs(total - 1) > 1e-9:
            raise ValueError(f"the weights add up to {total:g}: make them add up to 1")
        return self


class Baseline(Part):
    """The span whose mean a relative target starts from."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    from_: Annotated[Day, Field(alias="from")]
    to: Day


class Target(Part):
    """Exactly one of at_least, at_most, reach, increase_by, decrease_by."""

    at_least: str | float | None = None
    at_most: str | float | None = None
    reach: str | float | None = None
    increase_by: str | float | None = None
    decrease_by: str | float | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Target:
        if len(self.model_fields_set) != 1:
            raise ValueError("set exactly one of: " + ", ".join(type(self).model_fields))
        return self

    @property
    def form(self) -> str:
        """Which of the five forms is set."""
        return next(iter(self.model_fields_set))


class Goal(Part):
    """A KPI, a target, a date, and the objective it serves."""

    name: str
    objective: Annotated[str, Field(description="the business objective this goal serves")]
    kpi: str
    segment: str = "all"
    target: Target
    baseline: Baseline | None = None
    by: Day
    owner: str | None = None
    influence: tuple[str, ...] = ()
    accept_outside_influence: bool = False

    @model_validator(mode="after")
    def _has_baseline(self) -> Goal:
        if self.target.form in ("increase_by", "decrease_by") and self.baseline is None:
            raise ValueError(f"{self.target.form} needs a baseline: {{from: DATE, to: DATE}}")
        return self


class Event(Part):
    """Something worth marking on every chart: a campaign, an outage."""

    name: str
    starts: Day
    ends: Day | None = None


class Settings(Part):
    """Everything in ``muster.yaml``."""

    community: str
    note: Annotated[str | None, Field(description="shown on mail and site, e.g. simulated")] = None
    timezone: Zone = "UTC"
    currency: Annotated[str, StringConstraints(pattern=CURRENCY)] = "EUR"
    language: Annotated[
        str, Field(description="main language: of messages whose own nobody could tell")
    ] = "en"
    sentiment: Annotated[
        Sentiment,
        Field(description="scorer of moods: vader (English, free), comprehend (AWS, paid), none"),
    ] = "vader"
    business_hours: tuple[Schedule, ...] = ()
    staff: tuple[Account, ...] = ()
    bots: tuple[Account, ...] = ()
    not_bots: Annotated[
        tuple[Account, ...], Field(description="never suspected, whatever they write")
    ] = ()
    sources: tuple[Source, ...] = ()
    brand_terms: tuple[str, ...] = ()
    product_terms: tuple[str, ...] = ()
    escalation: Escalation = Escalation()
    resolution_tags: tuple[str, ...] = ()
    auto_replies: Annotated[
        tuple[Pattern, ...], Field(description="patterns of automatic texts")
    ] = ()
    closing_phrases: Annotated[
        Mapping[str, tuple[str, ...]], Field(description="language → phrases, added to ours")
    ] = {}
    solution_channels: Annotated[
        tuple[str, ...], Field(description="where answers get accepted; if absent: ever got")
    ] = ()
    feedback: Annotated[tuple[str, ...], Field(description="channels and tags of wishes")] = ()
    targeted_segments: Annotated[
        tuple[str, ...], Field(description="of audience and visitors, as the platforms name them")
    ] = ()
    ad_channels: Annotated[
        Mapping[str, str],
        Field(description="source of ad spend → channel of site traffic it pays for; platforms "
              "of ads know theirs, an imported source must be named: {my-ads: paid_social}"),
    ] = {}  # fmt: skip
    windows: Windows = Windows()
    quality_weights: QualityWeights = QualityWeights()
    reply_limit: Annotated[int, Field(ge=1)] = 4
    min_n: Annotated[int, Field(ge=1)] = 5
    goals: tuple[Goal, ...] = ()
    reports: tuple[Report, ...] = (Report(),)
    mail: Annotated[
        Literal["outbox", "smtp", "ses"], Field(description="what takes the mails that are sent")
    ] = "outbox"
    smtp: Smtp | None = None
    unsubscribe: Annotated[
        Unsubscribe | None, Field(description="a stack in AWS has its own; else by mail if absent")
    ] = None
    events: tuple[Event, ...] = ()
    keep: Keep = {}
    lake: Annotated[str, AfterValidator(_is_lake)] = "./lake"
    engine: Annotated[
        Literal["duckdb", "spark", "athena"],
        Field(description="what measures: duckdb in one process, the environment's Spark, Athena"),
    ] = "duckdb"
    athena: Athena | None = None

    @model_validator(mode="after")
    def _asks_somewhere(self) -> Settings:
        if self.engine == "athena" and self.athena is None:
            raise ValueError("engine: athena needs athena: {database: …, workgroup: …}, as the "
                             "stack's outputs AthenaDatabase and AthenaWorkgroup say")  # fmt: skip
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The community's time zone."""
        return ZoneInfo(self.timezone)

    def source(self, name: str) -> Source | None:
        """The source of that name; none where only imports feed it."""
        return next((one for one in self.sources if one.name == name), None)

    @property
    def longest_windows(self) -> Windows:
        """Each window at its longest over the community and its sources: after it all is known."""
        own = [source.windows.model_dump(exclude_none=True) for source in self.sources]
        longest = {
            name: max([span, *(one[name] for one in own if name in one)])
            for name, span in self.windows
        }
        return Windows(**longest)
