"""A measured lake → what people said in the reports' last periods, as quotes that fit a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from html import escape
from itertools import chain
from typing import TYPE_CHECKING

from muster.clock import last_whole_period, local_midnight, next_period
from muster.reports import inert, numbers, quoted
from muster.results import Answer, UnhappyThread, Voices, WaitingIssue
from muster.settings import Settings

if TYPE_CHECKING:
    import duckdb


def voices(
    connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime
) -> Iterator[Voices]:
    """One for each grain of the settings' reports, of its last whole period before ``as_of``."""
    from muster.kpis.given import parameters
    from muster.kpis.voices import said

    zone, given = settings.zone, parameters(settings, as_of)
    for grain in sorted({one.grain for one in settings.reports}):
        start = last_whole_period(as_of, zone, grain)
        end = local_midnight(next_period(start, grain), zone)
        found = said(connection, given, local_midnight(start, zone), end)
        yield Voices(
            grain,
            start,
            tuple(Answer(quote=inert.excerpt(row.pop("text")), is_accepted=row.pop("is_solution"),
                         **row) for row in found.answers),
            tuple(UnhappyThread(quote=inert.excerpt(row.pop("text")), **row)
                  for row in found.unhappy),
        )  # fmt: skip


def begun(
    connection: duckdb.DuckDBPyConnection, waiting: Sequence[WaitingIssue], in_all: int
) -> tuple[WaitingIssue, ...]:
    """The same issues; those a report shows have their first words, where they have no title."""
    from muster.kpis.voices import texts

    shown = chain(*quoted.waiting(waiting, in_all))
    bare = [one for one in shown if not (one.title or "").strip()]
    found = texts(connection, {(one.source, one.message_id): one.opened_at for one in bare})
    quotes = {key: inert.excerpt(text) for key, text in found.items()}
    return tuple(
        replace(one, quote=quotes.get((one.source, one.message_id), "")) for one in waiting
    )


def spellings(texts: Iterable[str]) -> frozenset[str]:
    """How texts may stand in what was published: whole or as a quote, as they are or in HTML."""
    told = {one for text in texts for one in (text, inert.excerpt(text)) if len(one) > 3}
    return frozenset(way for one in told for way in (one, *_in_html(one)))


def _in_html(text: str) -> tuple[str, ...]:
    """As a page's template escapes it, and as it is in a mail once styles are in its tags."""
    in_page = escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
    in_mail = escape(text, quote=False)
    return in_page, in_mail, numbers.glued(in_mail)
