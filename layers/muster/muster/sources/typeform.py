"""Typeform: answers to surveys of satisfaction, recommendation and effort.

Credentials: a personal access token with the scopes ``forms:read`` and ``responses:read`` (account
menu → Personal tokens), or an OAuth app's ``{"client_id", "client_secret", "refresh_token"}``;
Typeform replaces the refresh token with each use, the new one is kept.

Limits: two requests a second; 1,000 answers a request, back to the form's first one.

Verified: field names and paging by a published connector; not against a live account.

``forms`` says for each form (the end of its address, typeform.com/to/ID) which survey it is, and
may name the questions by their ``ref``: without ``score`` it is the first one that asks for a
number on a scale, without ``comment`` the first long text. What is best on the scale is read from
the form. ``respondent`` and ``thread`` name hidden fields that hold the account and the
conversation; other hidden fields, mail addresses, telephone numbers, files, links and what is
known of the browser are left out before anything is stored. Answers that came late are read again
for an hour. On days 1, 3, 7 and then every 30 days each answer is looked up by its id: one that
was deleted at Typeform counts up to then, and its comment goes.

Unverified: the limit of two requests a second; that answers may be listed half an hour late; how
many ids ``included_response_ids`` takes (an answer that lists others is not believed).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from muster.clock import DAY
from muster.errors import Rejected, SourceFailed
from muster.records import Item, KnownMessage, Page, Row, SurveyResponse
from muster.settings import Source
from muster.sources import Window
from muster.sources._answer import Answer, asked_wait
from muster.sources._granted import granted
from muster.sources._http import Api, Http
from muster.sources._newest import (
    State,
    begin,
    came_of_age,
    instant,
    mapped,
    page,
    recheck,
    stamp,
    start_of,
)
from muster.sources._paging import walk
from muster.sources._private import without
from muster.sources._tokens import OAuth, signed
from muster.sources._typeform_rows import Form, gone_rows, response_rows, scales

NEEDS = "a personal access token with the scopes forms:read and responses:read"
PAGE_SIZE = 1000
OVERLAP = timedelta(hours=1)
LOOK_UPS = 50  # ids a request: they stand in its address
MONTH, FOREVER = 30 * DAY, 36_500 * DAY
SPACING = 1.0  # seconds to wait where Typeform only says: too fast
_PRIVATE = ("email", "phone_number", "file_url", "url", "payment", "metadata", "hidden")


class Options(Source):
    """What Typeform needs beyond what every source has."""

    platform: Literal["typeform"]
    forms: Annotated[
        Mapping[str, Form], Field(description="id of a form → which survey it is")
    ] = {}


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The signed-in client; https://api.eu.typeform.com as ``base_url`` for accounts in the EU."""
    base_url = options.base_url or "https://api.typeform.com"
    oauth = OAuth(f"{base_url}/oauth/token", scope="forms:read responses:read offline")
    return signed(http, base_url, secret, oauth, name=options.name, needs=NEEDS, wait_of=_wait_of)


def _wait_of(answer: Answer) -> float | None:
    asked = asked_wait(answer)
    return SPACING if asked is None and answer.status == 429 else asked


def check(api: Api, options: Options) -> str:
    """Counts the answers of the first form."""
    if not options.forms:
        raise SourceFailed(
            f"{options.name}: set forms to what is to be read: forms: {{ID: {{survey: nps}}}}"
        )
    first = next(iter(options.forms))
    told = _granted(api, f"/forms/{first}/responses", "responses:read", page_size=1).body
    return f"reads Typeform: form {first} has {told['total_items']:,} answers"


def _granted(api: Api, path: str, scope: str, **params: Any) -> Answer:
    lacks = f"the token lacks the scope {scope}, or the form is another account's"
    return granted(api, path, params, "Typeform", {403: lacks})


def pages(api: Api, window: Window) -> Iterator[Page]:
    """The answers of each form, oldest first, from an hour before the last one known."""
    state = begin(window)
    for form_id in window.options.forms:
        yield from _responses(api, window, state, form_id)
    yield from _looked_up(api, window, state)
    yield page(state)


def _responses(api: Api, window: Window, state: State, form_id: str) -> Iterator[Page]:
    entry = state.setdefault("forms", {}).setdefault(form_id, {})
    begun = entry.setdefault("walk", {"since": _since(window, entry), "after": None, "high": None})
    best = scales(_granted(api, f"/forms/{form_id}", "forms:read").body)
    path = f"/forms/{form_id}/responses"

    def ask(after: str | None) -> Answer:
        order = {"after": after} if after else {"sort": "submitted_at,asc"}
        bounds = {"since": begun["since"], "until": _until(window)}
        asked = {"page_size": PAGE_SIZE, "response_type": "completed", **order, **bounds}
        return _granted(api, path, "responses:read", **asked)

    for step in walk(ask, lambda answer: (_items(answer), _last(answer)), start=begun["after"]):
        begun["after"] = step.token
        begun["high"] = max(
            filter(None, [begun["high"], *map(_submitted, step.items)]), default=None
        )
        if step.token is None:
            _finished(entry, begun)
        yield page(state, [_item(window, form_id, best, one, step.answer) for one in step.items])


def _looked_up(api: Api, window: Window, state: State) -> Iterator[Page]:
    """Known answers again that came of age: those in none of the forms any more are gone."""
    known = {one.response_id: one for one in window.responses() if one.deleted_at is None}

    def told(at: datetime) -> Iterator[KnownMessage]:
        for one in known.values():
            if one.created_at >= at:
                yield KnownMessage(one.response_id, one.response_id, one.created_at)

    again = replace(window, known=told)
    for batch in recheck(state, again, LOOK_UPS, _is_due, FOREVER):
        ids = [one.message_id for one in batch]
        missing = _missing(api, [*state["forms"]], ids)
        yield page(state, [_gone(known[one], api.http.clock()) for one in ids if one in missing])


def _missing(api: Api, forms: Sequence[str], ids: Sequence[str]) -> set[str]:
    """Which of the answers no form has; none if a form lists others, or fewer than it counts.

    Forms that were read and are not any more are asked too: their answers stay what they are.
    """
    missing = set(ids)
    for form_id in forms:
        asked = {"page_size": PAGE_SIZE, "included_response_ids": ",".join(ids)}
        try:
            answer = _granted(api, f"/forms/{form_id}/responses", "responses:read", **asked)
        except Rejected as refused:
            if not refused.is_gone:
                raise
            continue
        found = {one.get("token") for one in _items(answer) if isinstance(one, Mapping)}
        if not found <= set(ids) or answer.body.get("total_items") != len(found):
            return set()
        missing -= found
    return missing


def _is_due(known: KnownMessage, last: datetime, now: datetime) -> bool:
    """Whether it came of age, or another 30 days have passed."""
    months = [(at - known.created_at) // MONTH for at in (last, now)]
    return came_of_age(known, last, now) or max(months[0], 0) < months[1]


def _gone(known: SurveyResponse, seen_at: datetime) -> Item:
    told = {"response_id": known.response_id, "survey": known.survey, "score": known.score,
            "score_max": known.score_max, "created_at": stamp(known.created_at)}  # fmt: skip
    return Item("gone", None, seen_at, told)


def _finished(entry: State, begun: State) -> None:
    del entry["walk"]
    if begun["high"]:
        entry["mark"] = max(begun["high"], entry.get("mark") or begun["high"])


def _since(window: Window, entry: State) -> str | None:
    start = instant(entry["mark"]) - OVERLAP if entry.get("mark") else start_of(window)
    return _seconds(start) if start else None


def _until(window: Window) -> str | None:
    return _seconds(window.until) if window.until else None


def _seconds(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _items(answer: Answer) -> Sequence[Any]:
    found = answer.body.get("items")
    return found if isinstance(found, list) else ()


def _last(answer: Answer) -> str | None:
    """The token to go on after: a page that was not full is followed by an empty one.

    After a last one without a token the next run goes on, from an hour before.
    """
    last = next(reversed(_items(answer)), None)
    token = last.get("token") if isinstance(last, Mapping) else None
    return token if isinstance(token, str) else None


def _submitted(response: Any) -> str | None:
    try:
        return stamp(instant(response["submitted_at"]))
    except (KeyError, TypeError, ValueError):
        return None


def _item(
    window: Window, form_id: str, best: Mapping[str, float], response: Any, answer: Answer
) -> Item:
    """The answer without what names a person; of the hidden fields only those asked for."""
    form = window.options.forms[form_id]
    hidden = (response.get("hidden") if isinstance(response, Mapping) else None) or {}
    wanted = {name: _named(hidden.get(name)) for name in (form.respondent, form.thread) if name}
    context = {"form": form_id, "scales": dict(best), "hidden": wanted}
    return Item("response", without(response, _PRIVATE), answer.seen_at, context)


def _named(value: Any) -> str | None:
    """A hidden field's value, unless it is empty or somebody's address."""
    text = str(value or "").strip()
    return text if text and "@" not in text else None


def rows(item: Item, options: Options) -> Iterator[Row]:
    """The answer to a survey, or that it was taken back."""
    rows_of = gone_rows if item.stream == "gone" else response_rows
    yield from mapped(lambda: rows_of(item, options))
