"""A lake → one scan of it, and nine support KPIs by week by hand: in Polars and in plain SQL.

An issue is a member's inbound thread, its clock starts at its first message; there are no episodes,
no persons and no settings but the escalation phrases.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
from lakes import END

NINE = (
    "issues_opened", "first_response_mean", "first_response_median", "first_response_p90",
    "response_rate", "escalation_rate", "time_to_resolution_median", "resolution_rate",
    "one_touch_resolution",
)  # fmt: skip
NEEDED = (
    "source", "message_id", "thread_id", "parent_id", "author_id", "author_role", "created_at",
    "deleted_at", "kind", "direction", "channel", "tags", "url", "lang", "is_solution", "likes",
    "reposts", "replies", "views", "sentiment",
)  # fmt: skip
ESCALATION = (
    r"(?i)\b((dm|pm|direct message|message) (us|me)|send us an? (dm|message|e-?mail)"
    r"|(call|phone) (us|our)|(open|submit|file|raise|create) an? (support )?(ticket|case|request))"
    r"\b"
)
AS_OF = END.replace(tzinfo=None)
DAY, QUIET = 86_400.0, 72 * 3_600.0


def _engine(lake: Path, memory: str) -> duckdb.DuckDBPyConnection:
    found = duckdb.connect()
    found.execute(f"set timezone = 'UTC'; set threads = 2; set memory_limit = '{memory}'")
    found.execute("set enable_progress_bar = false")
    files = f"read_parquet('{lake}/tables/messages/**/*.parquet', hive_partitioning = true)"
    found.execute(f"create view messages as select * from {files}")
    return found


def scan(lake: Path, memory: str) -> object:
    """Every column of messages that some KPI needs, read once."""
    counts = ", ".join(f"count({name})" for name in NEEDED)
    return (
        _engine(lake, memory)
        .execute(f"select {counts}, sum(length(text)) from messages")
        .fetchall()
    )


def sql(lake: Path, memory: str) -> list[dict[str, object]]:
    """The nine in plain SQL, a row for each week."""
    facts = {"as_of": AS_OF, "escalation": ESCALATION}
    found = _engine(lake, memory).execute(SQL, facts)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


SQL = f"""
with written as (
    select
        source, thread_id, message_id, author_id, created_at::timestamp as created_at,
        author_role = 'staff' as is_staff, direction, is_solution,
        author_role = 'staff' and regexp_matches(text, $escalation) as is_escalating
    from messages
    where deleted_at is null and author_role <> 'bot' and created_at < $as_of
),
numbered as (
    select
        *,
        row_number() over (partition by source, thread_id order by created_at, message_id) as place,
        first(author_id) over (partition by source, thread_id order by created_at, message_id)
            as opener
    from written
),
threads as (
    select
        source, thread_id,
        min(created_at) as opened_at,
        min(case when place = 1 and not is_staff then direction end) as direction,
        min(case when is_staff and author_id <> opener then created_at end) as answered_at,
        min(case when is_escalating then created_at end) as escalated_at,
        min(case when is_solution then created_at end) as solved_at,
        max(created_at) as last_at,
        max(case when is_staff then created_at end) as last_staff_at
    from numbered
    group by source, thread_id
),
ended as (
    select
        *,
        case
            when solved_at is not null then solved_at
            when last_staff_at = last_at and escalated_at is null
                and epoch($as_of - last_at) > {QUIET} then last_at + interval 72 hour
        end as resolved_at
    from threads
    where direction = 'inbound'
),
issues as (
    select
        ended.source, ended.thread_id, date_trunc('week', opened_at) as week, opened_at,
        answered_at, escalated_at, resolved_at,
        epoch(coalesce(answered_at, resolved_at, $as_of) - opened_at) as wait,
        epoch(coalesce(resolved_at, escalated_at, $as_of) - opened_at) as span
    from ended
),
touches as (
    select source, thread_id, count(*) as touches
    from written
    join issues using (source, thread_id)
    where is_staff and created_at <= resolved_at
    group by source, thread_id
),
clocks as (
    select week, 'first' as clock, wait as t, answered_at is not null as is_event from issues
    union all
    select week, 'resolution', span, resolved_at is not null from issues
),
risks as (
    select
        week, clock, t, count(*) filter (is_event) as events,
        sum(count(*)) over (
            partition by week, clock order by t rows between current row and unbounded following
        ) as at_risk
    from clocks
    group by week, clock, t
),
surviving as (
    select week, clock, t,
        exp(sum(ln(greatest(1.0 - events / at_risk, 1e-300))) over (
            partition by week, clock order by t)) as share
    from risks
),
quantiles as (
    select
        week,
        min(t) filter (clock = 'first' and share <= 0.5 + 1e-9) as first_response_median,
        min(t) filter (clock = 'first' and share <= 0.1 + 1e-9) as first_response_p90,
        min(t) filter (clock = 'resolution' and share <= 0.5 + 1e-9) as time_to_resolution_median
    from surviving
    group by week
),
plain as (
    select
        week,
        count(*) as issues_opened,
        avg(wait) filter (answered_at is not null) as first_response_mean,
        avg((answered_at is not null and wait <= {DAY})::int)
            filter (epoch($as_of - opened_at) > {DAY}) as response_rate,
        avg((escalated_at is not null)::int) filter (answered_at is not null) as escalation_rate,
        avg((resolved_at is not null and span <= 7 * {DAY})::int)
            filter (epoch($as_of - opened_at) > 7 * {DAY}) as resolution_rate
    from issues
    group by week
),
touched as (
    select
        date_trunc('week', resolved_at) as week,
        avg((coalesce(touches, 0) = 1)::int) as one_touch_resolution
    from issues
    left join touches using (source, thread_id)
    where resolved_at is not null
    group by 1
)
select * from plain left join quantiles using (week) left join touched using (week) order by week
"""


def polars(lake: Path, memory: str) -> list[dict[str, object]]:
    """The same rows in Polars, lazily, on its streaming engine."""
    messages = pl.scan_parquet(f"{lake}/tables/messages/**/*.parquet", hive_partitioning=True)
    written = messages.filter(
        pl.col("deleted_at").is_null(), pl.col("author_role") != "bot", pl.col("created_at") < END
    ).select(
        "source", "thread_id", "message_id", "author_id", "created_at", "direction", "is_solution",
        is_staff=pl.col("author_role") == "staff",
        is_escalating=(pl.col("author_role") == "staff")
        & pl.col("text").str.contains(ESCALATION).fill_null(False),
    )  # fmt: skip
    issues = _issues(written).collect(engine="streaming")
    return _weekly(issues, written).to_dicts()


def _issues(written: pl.LazyFrame) -> pl.LazyFrame:
    at = pl.col("created_at")
    first = at.arg_min()
    opened = written.group_by("source", "thread_id").agg(
        opened_at=at.min(), opener=pl.col("author_id").get(first),
        by_staff=pl.col("is_staff").get(first), direction=pl.col("direction").get(first),
        escalated_at=at.filter("is_escalating").min(), solved_at=at.filter("is_solution").min(),
        last_at=at.max(), last_staff_at=at.filter("is_staff").max(),
    ).filter(~pl.col("by_staff"), pl.col("direction") == "inbound")  # fmt: skip
    answers = (
        written.filter("is_staff")
        .join(opened.select("source", "thread_id", "opener"), on=["source", "thread_id"])
        .filter(pl.col("author_id") != pl.col("opener"))
        .group_by("source", "thread_id")
        .agg(answered_at=at.min())
    )
    is_quiet = (
        (pl.col("last_staff_at") == pl.col("last_at"))
        & pl.col("escalated_at").is_null()
        & ((pl.lit(END) - pl.col("last_at")).dt.total_seconds() > QUIET)
    )
    resolved = pl.coalesce(
        "solved_at", pl.when(is_quiet).then(pl.col("last_at") + pl.duration(hours=72))
    )
    joined = opened.join(answers, on=["source", "thread_id"], how="left")
    return joined.with_columns(resolved_at=resolved).with_columns(
        week=pl.col("opened_at").dt.truncate("1w"),
        wait=_seconds(pl.coalesce("answered_at", "resolved_at", pl.lit(END))),
        span=_seconds(pl.coalesce("resolved_at", "escalated_at", pl.lit(END))),
        age=_seconds(pl.lit(END)),
    )


def _seconds(until: pl.Expr) -> pl.Expr:
    return (until - pl.col("opened_at")).dt.total_milliseconds() / 1000.0


def _weekly(issues: pl.DataFrame, written: pl.LazyFrame) -> pl.DataFrame:
    is_answered, is_resolved = (pl.col(n).is_not_null() for n in ("answered_at", "resolved_at"))
    plain = issues.group_by("week").agg(
        issues_opened=pl.len(),
        first_response_mean=pl.col("wait").filter(is_answered).mean(),
        response_rate=(is_answered & (pl.col("wait") <= DAY)).filter(pl.col("age") > DAY).mean(),
        escalation_rate=pl.col("escalated_at").is_not_null().filter(is_answered).mean(),
        resolution_rate=(is_resolved & (pl.col("span") <= 7 * DAY))
        .filter(pl.col("age") > 7 * DAY).mean(),
    )  # fmt: skip
    first = _surviving(issues, "wait", is_answered)
    span = _surviving(issues, "span", is_resolved)
    parts = (
        _quantile(first, "first_response_median", 0.5), _quantile(first, "first_response_p90", 0.1),
        _quantile(span, "time_to_resolution_median", 0.5), _one_touch(issues, written),
    )  # fmt: skip
    for part in parts:
        plain = plain.join(part, on="week", how="left")
    return plain.sort("week")


def _surviving(issues: pl.DataFrame, t: str, is_event: pl.Expr) -> pl.DataFrame:
    times = issues.group_by("week", t).agg(leaving=pl.len(), events=is_event.sum()).sort("week", t)
    at_risk = pl.col("leaving").reverse().cum_sum().reverse().over("week")
    step = (1 - pl.col("events") / at_risk).clip(1e-300).log()
    return times.with_columns(share=step.cum_sum().over("week").exp(), t=pl.col(t))


def _quantile(surviving: pl.DataFrame, name: str, share: float) -> pl.DataFrame:
    reached = surviving.filter(pl.col("share") <= share + 1e-9)  # as rounding leaves it
    return reached.group_by("week").agg(pl.col("t").min().alias(name))


def _one_touch(issues: pl.DataFrame, written: pl.LazyFrame) -> pl.DataFrame:
    resolved = issues.filter(pl.col("resolved_at").is_not_null())
    touches = (
        written.filter("is_staff")
        .join(resolved.lazy(), on=["source", "thread_id"])
        .filter(pl.col("created_at") <= pl.col("resolved_at"))
        .group_by("source", "thread_id")
        .agg(touches=pl.len())
        .collect(engine="streaming")
    )
    return (
        resolved.join(touches, on=["source", "thread_id"], how="left")
        .with_columns(week=pl.col("resolved_at").dt.truncate("1w"))
        .group_by("week")
        .agg(one_touch_resolution=(pl.col("touches") == 1).fill_null(False).mean())
    )
