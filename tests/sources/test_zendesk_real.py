"""Zendesk: every recorded ticket, comment and user of the real API comes out as a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from real import absent, exchanges

from muster.records import Item, Member, Message, Thread
from muster.sources import zendesk

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = zendesk.Options(name="desk", platform="zendesk", account="desk")


def told(name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every record of a kind in any answer, alone or in a list, with the path it came from."""
    for found in exchanges("zendesk", "zenpy", host="zendesk.com", status=None):
        if found.status < 300 and isinstance(found.body, Mapping):
            alone = [found.body[name]] if isinstance(found.body.get(name), Mapping) else []
            for one in [*alone, *(found.body.get(f"{name}s") or ())]:
                yield found.path, one


def mapped(stream: str, body: Any, **context: Any) -> Any:
    (row,) = zendesk.rows(Item(stream, body, NOW, context), OPTIONS)
    return row


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


@absent
def test_every_recorded_ticket_is_a_thread() -> None:
    tickets = [one for _, one in told("ticket") if "via" in one]
    if not tickets:
        pytest.skip("no recorded tickets")
    for ticket in tickets:
        row = mapped("ticket", ticket)
        assert isinstance(row, Thread)
        assert row.thread_id == str(ticket["id"])
        assert row.title == (ticket["subject"].strip() or None)
        assert row.created_at == at(ticket["created_at"])
        assert (row.closed_at is not None) == (ticket["status"] in ("solved", "closed"))
        assert row.channel == ticket["via"]["channel"]


@absent
def test_every_recorded_comment_is_a_message() -> None:
    comments = list(told("comment"))
    assert comments
    for path, comment in comments:
        ticket = int(path.split("/tickets/")[1].split("/")[0])
        row = mapped("comment", comment, ticket=ticket, before=None, role="agent")
        assert isinstance(row, Message) == comment["public"]
        assert row.message_id == str(comment["id"])
        assert row.thread_id == str(ticket)
        assert row.author_id == str(comment["author_id"])
        assert row.created_at == at(comment["created_at"])
        assert row.text == comment["plain_body"].strip()


@absent
def test_every_recorded_user_is_a_member() -> None:
    users = [one for _, one in told("user") if "role" in one]
    assert len(users) > 100
    for user in users:
        row = mapped("user", user)
        assert isinstance(row, Member)
        assert row.member_id == str(user["id"])
        assert row.role == ("member" if user["role"] == "end-user" else "staff")
        assert row.joined_at == at(user["created_at"])
