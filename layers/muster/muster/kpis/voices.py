"""A measured lake and a period → its best answers, and the threads in which people were unhappy.

Both are for people to read, no figures: the answers that members liked or accepted, and the threads
with most of what the scorer reads as unhappy, each with its unhappiest sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from muster.kpis import steps
from muster.kpis.periods import naive

SHOWN = 3
#: A message at least this unhappy must be among a thread's; the scale ends at -1.
UNHAPPY = -0.4

# Every message of the threads in which somebody wrote in the period.
_HEARD = """
create or replace temp table heard_messages as
with
placed as (
    select
        messages.source,
        messages.message_id,
        messages.created_at,
        coalesce(joined_lines.thread_id, messages.thread_id) as in_thread
    from messages
    left join joined_lines
        on joined_lines.source = messages.source
        and joined_lines.message_id = messages.message_id
),
threads_heard as (
    select distinct source, in_thread
    from placed
    where created_at >= $start_at and created_at < $end_at
),
heard as (
    select placed.source, placed.message_id
    from placed
    semi join threads_heard
        on threads_heard.source = placed.source and threads_heard.in_thread = placed.in_thread
)
select messages.*
from messages
semi join heard
    on heard.source = messages.source and heard.message_id = messages.message_id
"""
_ANSWERS = """
with
written as (
    select * from human_messages where created_at >= $start_at and created_at < $end_at
)
select
    written.source,
    coalesce(threads.title, '') as title,
    coalesce(written.url, '') as url,
    messages.text,
    -- With the sign, by which erasing finds a handle that is a plain word.
    coalesce('@' || members.handle, '') as author,
    messages.likes + messages.reposts as likes,
    written.is_solution,
    written.is_staff
from written
join messages
    on messages.source = written.source and messages.message_id = written.message_id
left join threads
    on threads.source = written.source and threads.thread_id = written.thread_id
left join members
    on members.source = written.source and members.member_id = written.author_id
where written.message_id <> written.root_id  -- it answers what opened its conversation
    and not coalesce(written.is_by_opener, false)
    and not written.is_escalating
    and not written.is_closing
    and messages.text is not null
    and (written.is_solution or messages.likes + messages.reposts > 0)
order by
    messages.likes + messages.reposts + case when written.is_solution then 3 else 0 end desc,
    written.created_at desc,
    written.source,
    written.message_id
limit $shown
"""
_UNHAPPY = """
with
written as (
    select human_messages.*, messages.text
    from human_messages
    join messages
        on messages.source = human_messages.source
        and messages.message_id = human_messages.message_id
    where human_messages.created_at >= $start_at
        and human_messages.created_at < $end_at
        and not human_messages.is_staff
        and human_messages.sentiment <= -0.05
        and messages.text is not null
),
ranked as (
    select
        *,
        row_number() over (
            partition by source, thread_id order by sentiment, created_at, message_id
        ) as place,
        sum(sentiment) over (partition by source, thread_id) as weight,
        count(*) over (partition by source, thread_id) as messages
    from written
)
select
    ranked.source,
    coalesce(threads.title, '') as title,
    coalesce(ranked.url, threads.url, '') as url,
    ranked.text,
    ranked.messages
from ranked
left join threads
    on threads.source = ranked.source and threads.thread_id = ranked.thread_id
where ranked.place = 1 and ranked.sentiment <= $unhappy
order by ranked.weight, ranked.source, ranked.thread_id
limit $shown
"""

# Their times first: by these the lake's files are told apart.
_TEXTS = """
select source, message_id, text
from messages
where created_at in (select unnest($times))
    and list_contains($asked, {'source': source, 'message_id': message_id})
    and text is not null
"""


@dataclass(frozen=True)
class Said:
    """Rows of both questions, texts whole, best and unhappiest first."""

    answers: tuple[dict[str, Any], ...]
    unhappy: tuple[dict[str, Any], ...]


def said(
    connection: duckdb.DuckDBPyConnection,
    parameters: Mapping[str, Any],
    start_at: datetime,
    end_at: datetime,
) -> Said:
    """What was written from ``start_at`` to ``end_at`` (exclusive); ``connection`` is measured."""
    span = {"start_at": naive(start_at), "end_at": naive(end_at)}
    connection.execute(_HEARD, span)
    connection.execute("create temp view messages as select * from heard_messages")
    try:
        _judge(connection, parameters)
        return Said(
            _rows(connection, _ANSWERS, {**span, "shown": SHOWN}),
            _rows(connection, _UNHAPPY, {**span, "shown": SHOWN, "unhappy": UNHAPPY}),
        )
    finally:
        connection.execute("drop view temp.messages")


def texts(
    connection: duckdb.DuckDBPyConnection, asked: Mapping[tuple[str, str], datetime]
) -> dict[tuple[str, str], str]:
    """The texts of messages, asked for by source and id, with the instants they were written at."""
    if not asked:
        return {}
    named = [{"source": source, "message_id": message} for source, message in asked]
    times = [naive(moment) for moment in asked.values()]
    found = connection.execute(_TEXTS, {"asked": named, "times": times}).fetchall()
    return {(source, message): text for source, message, text in found}


def _judge(connection: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any]) -> None:
    """Say who wrote the messages heard, in which role: a run that went on knows changed ones."""
    shared = steps.load()
    known = steps.needed(["from suspected_accounts"], shared)
    for name in steps.needed(["from human_messages"], shared):
        if name not in known:
            steps.run(connection, name, shared[name], parameters)


def _rows(
    connection: duckdb.DuckDBPyConnection, sql: str, asked: dict[str, Any]
) -> tuple[dict[str, Any], ...]:
    found = connection.execute(sql, asked)
    names = [column[0] for column in found.description or ()]
    return tuple(dict(zip(names, row, strict=True)) for row in found.fetchall())
