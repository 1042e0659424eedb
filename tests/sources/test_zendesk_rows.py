"""Zendesk: what a ticket, a comment and a rating mean, and how refusals are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from recorded import Recorded, last_cursor

from muster.errors import Refused, SourceFailed
from muster.records import Deletion, Item
from muster.sources import Window, zendesk
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = zendesk.Options(name="desk", platform="zendesk", account="desk", email="a@example.org")


def mapped(stream: str, body: Any, **context: Any) -> Any:
    (row,) = zendesk.rows(Item(stream, body, NOW, context), OPTIONS)
    return row


def comment(**fields: Any) -> Any:
    told = {"id": 5, "author_id": 7, "public": True, "created_at": "2026-11-10T09:00:00Z",
            "via": {"channel": "email"}, "html_body": "<p>hi</p>", **fields}  # fmt: skip
    return mapped("comment", told, ticket=35, before="4", role="end-user", site="https://d")


def ticket(**fields: Any) -> Any:
    told = {"id": 35, "subject": "VPN", "status": "solved", "created_at": "2026-11-10T09:00:00Z",
            "updated_at": "2026-11-14T09:00:00Z", **fields}  # fmt: skip
    return mapped("ticket", told, solved_at="2026-11-12T09:00:00Z", site="https://d")


def test_a_ticket_is_closed_when_it_was_solved_and_open_once_it_is_opened_again() -> None:
    assert ticket().closed_at == datetime(2026, 11, 12, 9, tzinfo=UTC)
    assert ticket(status="closed").closed_at == datetime(2026, 11, 12, 9, tzinfo=UTC)
    assert ticket(status="open").closed_at is None
    assert ticket(status="deleted").title is None


def test_an_internal_note_is_no_message_and_takes_back_what_was_one() -> None:
    assert isinstance(comment(public=False), Deletion)


@pytest.mark.parametrize("fields", [{"via": {"channel": "rule"}}, {"author_id": -1}])
def test_what_a_trigger_wrote_is_a_bots(fields: Any) -> None:
    assert comment(**fields).author_role == "bot"
    assert comment(**fields).direction == "outbound"


def test_a_mail_is_read_without_the_mail_it_answers() -> None:
    mail = "<p>It works!</p><p>On Tue, 10 Nov 2026 at 10:00, Desk wrote:</p><p>Try again.</p>"
    assert comment(html_body=mail).text == "It works!"
    quoting = "<p>It works!</p><blockquote><p>Try again.</p></blockquote>"
    assert comment(html_body=quoting).text == "It works!"
    assert comment(html_body=None, plain_body="It works!\n> Try again.").text == "It works!"


@pytest.mark.parametrize(("score", "value"), [("good", 1.0), ("bad_with_comment", 0.0)])
def test_a_rating_is_one_or_nothing_of_one(score: str, value: float) -> None:
    told = {"id": 9, "score": score, "ticket_id": 35, "created_at": "2026-11-12T11:00:00Z"}
    row = mapped("rating", told)
    assert (row.score, row.score_max, row.survey, row.thread_id) == (value, 1.0, "csat", "35")


def test_a_survey_only_offered_is_no_answer_and_an_unknown_score_is_refused() -> None:
    told = {"id": 9, "score": "offered", "created_at": "2026-11-12T11:00:00Z"}
    assert not list(zendesk.rows(Item("rating", told, NOW), OPTIONS))
    with pytest.raises(Refused, match="good or bad"):
        mapped("rating", {**told, "score": "fine"})


def answering(body: Any, status: int = 200) -> Any:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, json=body)

    http = Http(transport=httpx.MockTransport(answer), clock=lambda: NOW)
    return zendesk.connect(OPTIONS, "token-of-api", http), seen


def test_an_api_token_signs_with_the_address_of_its_owner() -> None:
    api, seen = answering({"user": {"id": 1, "role": "admin"}})
    assert "administrator" in zendesk.check(api, OPTIONS)
    assert seen[0].headers["authorization"] == "Basic YUBleGFtcGxlLm9yZy90b2tlbjp0b2tlbi1vZi1hcGk="


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"user": {"id": None}}, 200, "does not know the token"),
        ({"user": {"id": 1, "role": "agent"}}, 200, "administrator"),
        ({"error": "Forbidden"}, 403, "scope read"),
        ({"error": "Couldn't authenticate you"}, 401, "check token"),
    ],
)
def test_a_token_that_may_not_read_is_told_what_it_lacks(body: Any, status: int, says: str) -> None:
    api, _ = answering(body, status)
    with pytest.raises(SourceFailed, match=says):
        zendesk.check(api, OPTIONS)


HOURS, MONTH = timedelta(hours=1), timedelta(days=30)


@pytest.mark.parametrize(("later", "back"), [(2 * HOURS, HOURS), (24 * HOURS, MONTH)])
def test_ratings_of_30_days_are_read_again_once_a_day(later: timedelta, back: timedelta) -> None:
    one, now = Recorded("zendesk"), NOW + later
    cursor = last_cursor(list(one.pages(one.wire())))
    assert cursor
    api, seen = answering({"end_of_stream": True})
    list(zendesk.pages(api, Window(OPTIONS, now, cursor)))
    (since,) = [req.url.params["start_time"] for req in seen if "ratings" in req.url.path]
    assert int(since) == (NOW - back).timestamp()


def test_nothing_that_names_a_person_beyond_the_tables_is_stored() -> None:
    one = Recorded("zendesk")
    stored = repr(list(one.pages(one.wire())))
    for private in ("mia@example.org", "192.0.2.7", "ip_address"):
        assert private not in stored
