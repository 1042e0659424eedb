"""Settings, coverage and the run's time → the small tables and parameters that the SQL reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any

import duckdb

from muster import scratch
from muster.clock import DAY, local_midnight
from muster.errors import BadSettings
from muster.kpis import joining, per_source, phrases
from muster.kpis.catalogue import GRAINS
from muster.kpis.engine import view_of
from muster.kpis.periods import naive, periods
from muster.kpis.typed import quoted
from muster.kpis.worktime import by_utc_day
from muster.measured import Coverage
from muster.settings import Account, Settings

HORIZON = timedelta(days=3660)
AD_CHANNELS: Mapping[str, str] = {
    "meta": "paid_social", "meta_ads": "paid_social", "linkedin": "paid_social",
    "linkedin_ads": "paid_social", "google_ads": "paid_search",
}  # fmt: skip

GIVEN: Mapping[str, Mapping[str, str]] = {
    "named_accounts": {
        "role": "varchar", "source": "varchar", "account": "varchar", "group_name": "varchar",
        "platform_role": "varchar", "from_at": "timestamp", "until_at": "timestamp",
    },
    "source_settings": per_source.COLUMNS,
    "joined_lines": joining.COLUMNS,
    "escalation_tags": {"source": "varchar", "tag": "varchar"},
    "resolution_tags": {"source": "varchar", "tag": "varchar"},
    "solution_channels": {"channel": "varchar"},
    "targeted_segments": {"segment": "varchar"},
    "ad_channels": {"source": "varchar", "channel": "varchar"},
    "term_spellings": {"subject": "varchar", "term": "varchar", "spelling": "varchar"},
    "feedback_names": {"name": "varchar"},
    "covered_spans": {
        "source": "varchar", "table_name": "varchar", "from_at": "timestamp", "to_at": "timestamp",
    },
    "work_pieces": {
        "calendar": "bigint", "day": "date", "start_at": "timestamp", "end_at": "timestamp",
        "is_working": "boolean", "seconds_before": "double",
    },
    "every_period": {
        "grain": "varchar", "period_start": "date", "end_on": "date",
        "start_at": "timestamp", "end_at": "timestamp", "is_partial": "boolean",
        "previous_start": "date",
    },
    "day_spans": {
        "utc_day": "date", "start_at": "timestamp", "end_at": "timestamp", "day": "date",
    },
}  # fmt: skip


def parameters(settings: Settings, as_of: datetime) -> dict[str, Any]:
    """The scalar settings, by the name the SQL uses; windows in seconds."""
    windows, longest = settings.windows, settings.longest_windows
    return {
        "as_of": naive(as_of),
        "language": settings.language,
        "currency": settings.currency,
        "answer_window": windows.answer.total_seconds(),
        "resolution_window": windows.resolution.total_seconds(),
        "reopen_window": windows.reopen.total_seconds(),
        "longest_answer": longest.answer.total_seconds(),
        "longest_resolution": longest.resolution.total_seconds(),
        "longest_reopen": longest.reopen.total_seconds(),
        "quiet": windows.quiet.total_seconds(),
        "episode_gap": windows.episode_gap.total_seconds(),
        "reply_limit": settings.reply_limit,
        "min_n": settings.min_n,
        "satisfaction_weight": settings.quality_weights.satisfaction,
        "rating_weight": settings.quality_weights.rating,
        "refund_weight": settings.quality_weights.not_refunded,
        "auto_replies": phrases.anywhere(settings.auto_replies),
        "escalation": phrases.escalation(settings.escalation.patterns),
        "closing_phrases": phrases.closing(settings.closing_phrases),
        "thanks_in_advance": phrases.in_advance(),
        "pleas": phrases.pleas(),
        "brand_terms": phrases.terms(settings.brand_terms),
        "product_terms": phrases.terms(settings.product_terms),
        "naming_terms": phrases.terms((*settings.brand_terms, *settings.product_terms)),
        **per_source.expressions(settings.sources),
    }


def check_patterns(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Refuse, by name, a pattern of the settings that is no regular expression."""
    groups = {"auto_replies": settings.auto_replies, "escalation": settings.escalation.patterns}
    for key, patterns in (*groups.items(), *per_source.patterns(settings.sources)):
        for pattern in patterns:
            try:
                connection.execute("select regexp_matches('', $p)", {"p": pattern}).fetchall()
            except duckdb.Error as error:
                raise BadSettings(
                    f"{key}: {pattern!r} is no regular expression: {error}"
                ) from error


def prepare(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    as_of: datetime,
    coverage: Sequence[Coverage],
    grains: Iterable[str],
    oldest: Mapping[str, Iterable[str]] | None = None,
) -> bool:
    """Make the small tables: who is who, tags, coverage, the work calendar, every period.

    Tells whether the periods reach back to the first thing known (no farther than ten years).
    ``oldest`` may name files of some tables in which their first row is: the others are not read.
    """
    known = _known_from(connection, coverage, as_of, oldest or {})
    first = min(max(known, as_of - HORIZON), as_of - DAY)
    # Where clocks begin does not move with the first thing known, so that they can be kept.
    earliest = min(next(periods(one, settings.zone, first, as_of)).start_at for one in GRAINS)
    rows: dict[str, Iterable[Sequence[Any]]] = {
        "named_accounts": _accounts(settings),
        "source_settings": per_source.rows(settings.sources),
        "joined_lines": joining.joined_lines(connection, settings, as_of),
        "escalation_tags": per_source.tags(
            settings.escalation.tags, ((one.name, one.escalation.tags) for one in settings.sources)
        ),
        "resolution_tags": per_source.tags(
            settings.resolution_tags, ((one.name, one.resolution_tags) for one in settings.sources)
        ),
        "solution_channels": [(channel,) for channel in settings.solution_channels],
        "targeted_segments": [
            (one,) for one in dict.fromkeys(settings.targeted_segments or ("all",))
        ],
        "ad_channels": _ad_channels(settings).items(),
        "term_spellings": _term_spellings(settings),
        "feedback_names": [(name,) for name in settings.feedback],
        "covered_spans": covered(coverage),
        "work_pieces": per_source.work_pieces(settings, earliest - DAY, as_of + DAY),
        "every_period": _every_period(settings, grains, first, as_of),
        "day_spans": _day_spans(settings, earliest, as_of),
    }
    for table, columns in GIVEN.items():
        fill(connection, table, columns, rows[table])
    return known >= first


def fill(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, str],
    rows: Iterable[Sequence[Any]],
) -> None:
    """A new table with these rows, by way of JSON Lines: single inserts take a millisecond each."""
    kinds = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    connection.execute(f"create or replace temp table {table} ({kinds})")
    rows = iter(rows)
    if (first := next(rows, None)) is None:
        return
    with scratch.folder() as folder:
        path = folder / "rows.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for row in chain((first,), rows):
                named = dict(zip(columns, map(_plain, row), strict=True))
                file.write(json.dumps(named) + "\n")
        read = ", ".join(f"{name}: {quoted(kind)}" for name, kind in columns.items())
        connection.execute(
            f"insert into {table} select * from read_json({quoted(str(path))}, "
            f"format = 'newline_delimited', columns = {{{read}}})"
        )


def covered(coverage: Iterable[Coverage]) -> list[tuple[str, str, datetime, datetime]]:
    """Coverage with the touching spans of a source's table joined."""
    spans: list[tuple[str, str, datetime, datetime]] = []
    in_order = sorted(coverage, key=lambda row: (row.source, row.table_name, row.from_at))
    for row in in_order:
        last = spans[-1] if spans else None
        if last and last[:2] == (row.source, row.table_name) and row.from_at <= last[3]:
            spans[-1] = (*last[:3], max(last[3], row.to_at))
        else:
            spans.append((row.source, row.table_name, row.from_at, row.to_at))
    return spans


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return naive(value).isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else value


def _accounts(settings: Settings) -> Iterator[tuple[Any, ...]]:
    """Who is staff, bot or human by the settings, with the days they count from and until."""
    lists = {"staff": settings.staff, "bot": settings.bots, "human": settings.not_bots}
    for role, accounts in lists.items():
        for one in accounts:
            name = one.account and one.account.removeprefix("@")
            yield role, one.source, name, one.group, one.role, *_validity(one, settings)


def _ad_channels(settings: Settings) -> dict[str, str]:
    """Channel of each ad source by name: as the settings say of it, else of its platform."""
    chosen = {**AD_CHANNELS, **settings.ad_channels}
    by_platform = {
        one.name: chosen[one.platform] for one in settings.sources if one.platform in chosen
    }
    return {**AD_CHANNELS, **by_platform, **settings.ad_channels}


def _term_spellings(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Each brand and product term, with the forms in which a text may hold it."""
    for subject, terms in (("brand", settings.brand_terms), ("product", settings.product_terms)):
        for term in dict.fromkeys(terms):
            for spelling in phrases.spellings(term):
                yield subject, term, spelling


def _validity(account: Account, settings: Settings) -> tuple[datetime, datetime]:
    """From the first moment of ``valid_from`` to the last of ``valid_until``, local dates."""
    start, end = account.valid_from, account.valid_until
    return (
        local_midnight(start, settings.zone) if start else datetime(1, 1, 2, tzinfo=UTC),
        local_midnight(end + DAY, settings.zone) if end else datetime(9999, 1, 1, tzinfo=UTC),
    )


_STARTS = """
select min(happened_at) from (
    select min(created_at) as happened_at from messages union all
    select min(created_at) from threads union all
    select cast(min(measured_on) as timestamp) from audience union all
    select cast(min(date) as timestamp) from ad_spend union all
    select cast(min(date) as timestamp) from site_traffic union all
    select min(created_at) from reviews union all
    select min(created_at) from survey_responses union all
    select min(created_at) from orders union all
    select cast(min(date) as timestamp) from figures
)
"""


def _known_from(
    connection: duckdb.DuckDBPyConnection,
    coverage: Sequence[Coverage],
    as_of: datetime,
    oldest: Mapping[str, Iterable[str]],
) -> datetime:
    """The first instant anything is known of."""
    starts = _STARTS
    for table, paths in oldest.items():
        view_of(connection, f"oldest_{table}", table, paths)
        starts = starts.replace(f"from {table} ", f"from oldest_{table} ")
    at = connection.execute(starts).fetchall()[0][0]
    known = [row.from_at for row in coverage] + ([at.replace(tzinfo=UTC)] if at else [])
    return min(known, default=as_of)


def _every_period(
    settings: Settings, grains: Iterable[str], first: datetime, as_of: datetime
) -> Iterator[tuple[Any, ...]]:
    """The periods of each grain, each with the first day of the one before."""
    for grain in grains:
        previous = None
        for period in periods(grain, settings.zone, first, as_of):
            yield grain, *vars(period).values(), previous
            previous = period.period_start


def _day_spans(
    settings: Settings, earliest: datetime, as_of: datetime
) -> Iterator[tuple[date, datetime, datetime, date]]:
    """The local days of every period, each cut at the midnights of UTC: a day of a timestamp is
    then found by equality."""
    for day in periods("day", settings.zone, earliest, as_of):
        for start_at, end_at in by_utc_day(day.start_at, day.end_at):
            yield start_at.date(), start_at, end_at, day.period_start
