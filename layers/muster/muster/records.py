"""The tables of the lake: one frozen dataclass a table, and what flows between fetch and merge.

A column is a field; its annotation is its type (``str`` ids and text, ``datetime`` UTC instants,
``date``, ``bool``, ``int``, ``float``, ``Decimal`` money, ``tuple[str, ...]`` lists), ``| None``
means nullable, and ``Annotated`` carries its meaning. Everything that needs a schema (Parquet,
DuckDB, Glue, import, documentation) derives it from here. Schemas only grow by nullable columns.

Every table also has ``observed_at`` (when Muster first saw the row in its present state) and the
partition column ``source`` (in the path, never in the file).
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date as Day
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

# What flows by the million is frozen for the type checker only: at run time each value of a frozen
# dataclass is set the long way round, which is three quarters of the cost of making one.
if TYPE_CHECKING:
    from dataclasses import dataclass as row
else:

    def row(*, frozen: bool, **how: bool) -> Any:
        return dataclass(unsafe_hash=frozen, **how)


SCHEMA_VERSION = 1

Role = Literal["member", "staff", "bot"]
Kind = Literal["post", "reply", "comment", "direct", "repost", "quote"]
Direction = Literal["inbound", "ambient", "outbound"]


class Words(tuple[str, ...]):
    """Words that KPIs look for in a column; it may hold others, for KPIs of your own."""

    def __new__(cls, *words: str) -> Words:
        return super().__new__(cls, words)


WHOLE = Words("all")
CHANNELS = Words(
    "organic_social", "paid_social", "organic_search", "paid_search",
    "direct", "referral", "email", "other",
)  # fmt: skip


@row(frozen=True, slots=True, kw_only=True)
class Message:
    """A post, reply, comment, mention or direct message."""

    message_id: Annotated[str, "the platform's id"]
    thread_id: Annotated[str, "the platform's thread, else the chain's root"]
    parent_id: Annotated[str | None, "the message it replies to"] = None
    author_id: Annotated[str | None, "the account that wrote it; none if hidden"] = None
    author_role: Annotated[Role, "by the platform's flag when first seen"] = "member"
    created_at: Annotated[datetime, "when it was written"]
    edited_at: Annotated[datetime | None, "last edit"] = None
    deleted_at: Annotated[datetime | None, "when it was deleted, or found missing"] = None
    kind: Annotated[Kind, "what sort of message"] = "post"
    direction: Annotated[Direction, "to us, about us, or by us"] = "inbound"
    channel: Annotated[str | None, "category, channel or board"] = None
    tags: Annotated[tuple[str, ...], "the platform's tags"] = ()
    url: Annotated[str | None, "where to read it"] = None
    lang: Annotated[str | None, "BCP 47 language, told or set, else detected; und: unclear"] = None
    text: Annotated[str | None, "plain text without quotes of others; none once deleted"] = None
    is_solution: Annotated[bool, "accepted as the thread's answer"] = False
    likes: Annotated[int, "likes and reactions"] = 0
    reposts: Annotated[int, "reposts and quotes"] = 0
    replies: Annotated[int, "direct replies, as the platform counts them"] = 0
    views: Annotated[int | None, "views, where the platform tells"] = None
    sentiment: Annotated[float | None, "-1 to 1; none where the scorer cannot read"] = None


@row(frozen=True, slots=True, kw_only=True)
class Member:
    """A person's account on a source."""

    member_id: Annotated[str, "the platform's id"]
    handle: Annotated[str | None, "the name others type"] = None
    display_name: Annotated[str | None, "the name others read"] = None
    role: Annotated[Role, "by the platform's flag"] = "member"
    is_bot: Annotated[bool, "the platform's bot mark"] = False
    joined_at: Annotated[datetime | None, "when the account joined"] = None
    last_seen_at: Annotated[datetime | None, "last visit or message known"] = None
    location: Annotated[str | None, "as the member wrote it"] = None
    lang: Annotated[str | None, "BCP 47 language"] = None
    person_id: Annotated[str | None, "the same person on several sources"] = None
    groups: Annotated[tuple[str, ...] | None, "groups of the platform named in the settings"] = None
    platform_roles: Annotated[tuple[str, ...] | None, "as the platform names them"] = None
    links: Annotated[tuple[str, ...] | None, "addresses the member's profile gives"] = None
    email_hash: Annotated[str | None, "verified address, keyed hash only"] = None


@row(frozen=True, slots=True, kw_only=True)
class Thread:
    """What the platform says of a whole conversation."""

    thread_id: Annotated[str, "the platform's id"]
    title: Annotated[str | None, "its title"] = None
    url: Annotated[str | None, "where to read it"] = None
    channel: Annotated[str | None, "category, channel or board"] = None
    tags: Annotated[tuple[str, ...], "the platform's tags"] = ()
    created_at: Annotated[datetime, "when it was opened"]
    closed_at: Annotated[datetime | None, "when the platform closed it"] = None
    solved_at: Annotated[datetime | None, "when an answer was accepted"] = None
    solved_by: Annotated[str | None, "author of the accepted answer"] = None
    priority: Annotated[str | None, "as the platform names it"] = None
    views: Annotated[int | None, "views, where the platform tells"] = None


@row(frozen=True, slots=True, kw_only=True)
class Audience:
    """One measurement of an audience."""

    account: Annotated[str, "whose audience"]
    metric: Annotated[str, "of whom", Words("followers", "subscribers", "members")]
    segment: Annotated[str, "a breakdown like country=US, else", WHOLE] = "all"
    measured_on: Annotated[Day, "UTC day of the measurement"]
    value: Annotated[int, "size of the audience"]
    gained: Annotated[int | None, "gained that day, where the platform tells"] = None
    lost: Annotated[int | None, "lost that day, where the platform tells"] = None
    suspected_bots: Annotated[int | None, "of them suspected bots"] = None


@row(frozen=True, slots=True, kw_only=True)
class AdSpend:
    """One campaign's day."""

    campaign_id: Annotated[str, "the ad platform's id"]
    segment: Annotated[str, "a breakdown, else", WHOLE] = "all"
    date: Annotated[Day, "day in the ad account's time zone"]
    campaign: Annotated[str | None, "its name"] = None
    currency: Annotated[str, "ISO 4217"]
    spend: Annotated[Decimal, "money spent"]
    impressions: Annotated[int, "times shown"] = 0
    clicks: Annotated[int, "clicks"] = 0
    follows: Annotated[int | None, "new followers"] = None
    leads: Annotated[int | None, "leads"] = None
    purchases: Annotated[int | None, "purchases"] = None
    revenue: Annotated[Decimal | None, "revenue of those purchases"] = None


@row(frozen=True, slots=True, kw_only=True)
class SiteTraffic:
    """One channel's day on our own site."""

    date: Annotated[Day, "day in the site's time zone"]
    channel: Annotated[str, "how they came", CHANNELS]
    segment: Annotated[str, "a breakdown, else", WHOLE] = "all"
    sessions: Annotated[int, "visits"]
    visitors: Annotated[int, "distinct visitors that day"]
    abandoned_sessions: Annotated[int, "sessions with a cart and no purchase"] = 0
    leads: Annotated[int, "leads"] = 0
    add_to_carts: Annotated[int, "additions to a cart"] = 0
    purchases: Annotated[int, "purchases"] = 0
    revenue: Annotated[Decimal | None, "revenue"] = None
    currency: Annotated[str | None, "ISO 4217"] = None


@row(frozen=True, slots=True, kw_only=True)
class Review:
    """A public review."""

    review_id: Annotated[str, "the platform's id"]
    product: Annotated[str | None, "what was reviewed"] = None
    author_id: Annotated[str | None, "who wrote it"] = None
    rating: Annotated[float, "as given"]
    rating_max: Annotated[float, "best possible rating"]
    title: Annotated[str | None, "its title"] = None
    text: Annotated[str | None, "plain text"] = None
    created_at: Annotated[datetime, "when it was written"]
    edited_at: Annotated[datetime | None, "last edit"] = None
    replied_at: Annotated[datetime | None, "when we answered"] = None
    sentiment: Annotated[float | None, "-1 to 1; none where the scorer cannot read"] = None
    deleted_at: Annotated[datetime | None, "when it was taken back, or found missing"] = None


@row(frozen=True, slots=True, kw_only=True)
class SurveyResponse:
    """An answer to a survey."""

    response_id: Annotated[str, "the platform's id"]
    survey: Annotated[str, "what was asked", Words("csat", "nps", "product", "employee")]
    score: Annotated[float, "as given"]
    score_max: Annotated[float, "best possible score"]
    respondent_id: Annotated[str | None, "who answered"] = None
    thread_id: Annotated[str | None, "the conversation it is about"] = None
    comment: Annotated[str | None, "plain text"] = None
    created_at: Annotated[datetime, "when it was given"]
    deleted_at: Annotated[datetime | None, "when it was taken back, or found missing"] = None


@row(frozen=True, slots=True, kw_only=True)
class Order:
    """A sale."""

    order_id: Annotated[str, "the shop's id"]
    customer_id: Annotated[str, "who bought"]
    created_at: Annotated[datetime, "when it was placed"]
    revenue: Annotated[Decimal, "net revenue"]
    cost: Annotated[Decimal | None, "cost of goods"] = None
    currency: Annotated[str, "ISO 4217"]
    channel: Annotated[str | None, "where the buyer came from"] = None
    promised_at: Annotated[datetime | None, "promised delivery"] = None
    delivered_at: Annotated[datetime | None, "delivery"] = None
    refunded_at: Annotated[datetime | None, "refund"] = None


@row(frozen=True, slots=True, kw_only=True)
class Figure:
    """A business figure no API gives (employees, profit, revenue …)."""

    name: Annotated[str, "what it is"]
    date: Annotated[Day, "the day it is of"]
    value: Annotated[float, "the figure"]
    unit: Annotated[str, "its unit"]


Row = (
    Message | Member | Thread | Audience | AdSpend
    | SiteTraffic | Review | SurveyResponse | Order | Figure
)  # fmt: skip


@row(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A message found deleted: its row keeps ids, times and counts, its content is nulled."""

    message_id: str
    created_at: datetime
    deleted_at: datetime


KEPT = "kept/"  # below it lies what a measuring keeps for the next
KEPT_SINCE = f"{KEPT}since"  # changes whenever none of that may be used any more


@dataclass(frozen=True)
class Table:
    """How a row type is stored: its name, primary key (besides source), month and order.

    ``month`` names the row's own immutable time, ``None`` for a table without a month level.
    ``order`` sorts rows inside an object. ``keep_first`` columns never change once written;
    with ``fill``, a null never overwrites a value (rows of that table may come in parts).
    ``derived`` columns are worked out from the text, each from those before it too: they stay
    while what they rest on stays.
    """

    name: str
    row: type
    key: tuple[str, ...]
    month: str | None
    order: tuple[str, ...]
    keep_first: tuple[str, ...] = ()
    fill: bool = False
    derived: tuple[str, ...] = ()


TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        Table("messages", Message, ("message_id",), "created_at", ("thread_id", "created_at"),
              keep_first=("author_role",), derived=("lang", "sentiment")),
        Table("members", Member, ("member_id",), None, (), fill=True),
        Table("threads", Thread, ("thread_id",), "created_at", ("created_at",)),
        Table("audience", Audience, ("account", "metric", "segment", "measured_on"), "measured_on",
              ("account", "metric", "segment", "measured_on")),
        Table("ad_spend", AdSpend, ("campaign_id", "segment", "date"), "date",
              ("campaign_id", "date")),
        Table("site_traffic", SiteTraffic, ("date", "channel", "segment"), "date",
              ("channel", "date")),
        Table("reviews", Review, ("review_id",), "created_at", ("created_at",),
              derived=("sentiment",)),
        Table("survey_responses", SurveyResponse, ("response_id",), "created_at",
              ("survey", "created_at")),
        Table("orders", Order, ("order_id",), "created_at", ("created_at",)),
        Table("figures", Figure, ("name", "date"), "date", ("name", "date")),
    )
}  # fmt: skip
TABLE_OF: Mapping[type, str] = {table.row: table.name for table in TABLES.values()}


@dataclass(frozen=True)
class Column:
    """One column: ``type`` is string, strings, timestamp, date, bool, int, float or money.

    ``words`` are those that KPIs look for.
    """

    name: str
    type: str
    nullable: bool
    meaning: str
    words: tuple[str, ...] = ()


_TYPES = {
    str: "string", tuple[str, ...]: "strings", datetime: "timestamp", Day: "date",
    bool: "bool", int: "int", float: "float", Decimal: "money",
}  # fmt: skip


@cache
def columns(row: type) -> tuple[Column, ...]:
    """The columns of a row type in file order, ``observed_at`` last."""
    hints = typing.get_type_hints(row, include_extras=True)
    found = [_column(field.name, hints[field.name]) for field in fields(row)]
    return (*found, Column("observed_at", "timestamp", False, "when first seen in this state"))


def _column(name: str, hint: Any) -> Column:
    plain, meaning, *words = typing.get_args(hint)
    options = [option for option in typing.get_args(plain) if option is not type(None)]
    is_union = type(None) in typing.get_args(plain)
    kind = options[0] if is_union else plain
    if typing.get_origin(kind) is Literal:
        meaning, kind = f"{meaning}: {', '.join(typing.get_args(kind))}", str
    for known in words:
        meaning = f"{meaning}: {', '.join(known)}"
    return Column(name, _TYPES[kind], is_union, meaning, *words)


@row(frozen=True, slots=True)
class Item:
    """One API item exactly as received.

    ``stream`` names the platform's own mapping for it; ``context`` holds facts learned beside it
    that the mapping needs (never a secret), so that raw can be replayed without the platform.
    """

    stream: str
    body: Any
    seen_at: datetime
    context: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Items of one answer, and the cursor to continue from once everything up to here is stored."""

    items: tuple[Item, ...]
    cursor: Mapping[str, Any] | None = None  # all the source resumes from, as JSON; None: unsafe
    is_last_copy: bool = False  # forgotten once the next page is asked for: stored before


@dataclass(frozen=True, slots=True)
class KnownMessage:
    """A message the lake already holds; a source re-reads it for edits and deletions."""

    message_id: str
    thread_id: str
    created_at: datetime
    edited_at: datetime | None = None
