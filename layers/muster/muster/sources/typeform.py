"""Typeform: answers to surveys of satisfaction, recommendation and effort.

Credentials: a personal access token with the scopes ``forms:read`` and ``responses:read`` (account
menu → Personal tokens), or an OAuth app's ``{"client_id", "client_secret", "refresh_token"}``;
Typeform replaces the refresh token with each use, the new one is kept.

Limits: two requests a second; 1,000 answers a request, back to the form's first one.

Verified: field names by the schemas of two published connectors; not against a live account.

``forms`` says for each form (the end of its address, typeform.com/to/ID) which survey it is, and
may name the questions by their ``ref``: without ``score`` it is the first one that asks for a
number on a scale, without ``comment`` the first long text. What is best on the scale is read from
the form. ``respondent`` and ``thread`` name hidden fields that hold the account and the
conversation; other hidden fields, mail addresses, telephone numbers, files, links and what is
known of the browser are left out before anything is stored. Answers that came late are read again
for an hour. An answer taken back at Typeform stays here until ``muster erase`` removes it.

Unverified: the limit of two requests a second; that answers may be listed half an hour late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from muster.errors import Refused, Rejected, SourceFailed
from muster.records import Item, Page, Row, SurveyResponse
from muster.settings import Source
from muster.settings_types import Part
from muster.sources import Window
from muster.sources._answer import Answer, asked_wait
from muster.sources._http import Api, Http
from muster.sources._newest import State, begin, instant, mapped, page, stamp, start_of
from muster.sources._paging import walk
from muster.sources._private import without
from muster.sources._text import tidy
from muster.sources._tokens import OAuth, signed

NEEDS = "a personal access token with the scopes forms:read and responses:read"
PAGE_SIZE = 1000
OVERLAP = timedelta(hours=1)
SPACING = 1.0  # seconds to wait where Typeform only says: too fast
_PRIVATE = ("email", "phone_number", "file_url", "url", "payment", "metadata", "hidden")
_SCALES = ("opinion_scale", "rating", "nps", "yes_no")
_BEST = {"nps": 11, "opinion_scale": 11, "rating": 5}  # steps where the form does not say


class Form(Part):
    """One form: which survey it is, and which of its questions count."""

    survey: Annotated[
        Literal["csat", "nps", "ces", "product", "employee"],
        Field(description="what its scores are answers to"),
    ]
    score: Annotated[
        str | None, Field(description="ref of the question; absent: the first on a scale")
    ] = None
    best: Annotated[
        float | None, Field(gt=0, description="best score; absent: as the form's scale has it")
    ] = None
    comment: Annotated[
        str | None, Field(description="ref of the question; absent: the first long text")
    ] = None
    respondent: Annotated[
        str | None, Field(description="hidden field that holds the account's id")
    ] = None
    thread: Annotated[
        str | None, Field(description="hidden field that holds the conversation's id")
    ] = None


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
    """The answer; a refusal says which scope is missing."""
    try:
        return api.get(path, params)
    except Rejected as refused:
        if refused.status != 403:
            raise
        raise SourceFailed(
            f"{api.name}: Typeform refuses {path} (403): the token lacks the scope {scope}, or the "
            "form is another account's"
        ) from None


def pages(api: Api, window: Window) -> Iterator[Page]:
    """The answers of each form, oldest first, from an hour before the last one known."""
    state = begin(window)
    for form_id in window.options.forms:
        yield from _responses(api, window, state, form_id)
    yield page(state)


def _responses(api: Api, window: Window, state: State, form_id: str) -> Iterator[Page]:
    entry = state.setdefault("forms", {}).setdefault(form_id, {})
    begun = entry.setdefault("walk", {"since": _since(window, entry), "after": None, "high": None})
    scales = _scales(_granted(api, f"/forms/{form_id}", "forms:read"))
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
        yield page(state, [_item(window, form_id, scales, one, step.answer) for one in step.items])


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


def _scales(answer: Answer) -> dict[str, float]:
    """The best score of each question that asks for one, by its ref and by its id."""
    found = {}
    for field in _fields(answer.body.get("fields")):
        best = _best(field)
        for name in (field.get("ref"), field.get("id")):
            if best and isinstance(name, str):
                found[name] = best
    return found


def _fields(told: Any) -> Iterator[Mapping[str, Any]]:
    """All questions of a form, those in groups too."""
    for field in told if isinstance(told, list) else ():
        if isinstance(field, Mapping):
            yield field
            yield from _fields((field.get("properties") or {}).get("fields"))


def _best(field: Mapping[str, Any]) -> float | None:
    kind, told = field.get("type"), field.get("properties") or {}
    if kind == "yes_no":
        return 1.0
    if kind not in _SCALES:
        return None
    steps = told.get("steps") or _BEST[kind]
    starts_at_one = kind == "rating" or told.get("start_at_one")
    return float(steps if starts_at_one else steps - 1)


def _item(
    window: Window, form_id: str, scales: Mapping[str, float], response: Any, answer: Answer
) -> Item:
    """The answer without what names a person; of the hidden fields only those asked for."""
    form = window.options.forms[form_id]
    hidden = (response.get("hidden") if isinstance(response, Mapping) else None) or {}
    wanted = {name: _named(hidden.get(name)) for name in (form.respondent, form.thread) if name}
    context = {"form": form_id, "scales": dict(scales), "hidden": wanted}
    return Item("response", without(response, _PRIVATE), answer.seen_at, context)


def rows(item: Item, options: Options) -> Iterator[Row]:
    """The answer to a survey, unless its question was left out."""
    yield from mapped(lambda: _response_rows(item, options))


def _response_rows(item: Item, options: Options) -> Iterator[Row]:
    response, context = item.body, item.context or {}
    form = options.forms.get(context["form"])
    if form is None:
        raise Refused(f"form {context['form']} is no longer among the source's forms")
    scored = _scored(response.get("answers") or (), form, context["scales"])
    if scored is None:
        return
    score, best = scored
    hidden = context["hidden"]
    yield SurveyResponse(
        response_id=response["token"],
        survey=form.survey,
        score=score,
        score_max=best,
        respondent_id=hidden.get(form.respondent),
        thread_id=hidden.get(form.thread),
        comment=_comment(response.get("answers") or (), form),
        created_at=instant(response["submitted_at"]),
    )


def _scored(
    answers: Sequence[Any], form: Form, scales: Mapping[str, float]
) -> tuple[float, float] | None:
    """Score and best possible score; ``Refused`` where the scale is not known."""
    for answer in answers:
        names = _names(answer)
        if _is_asked(answer, form.score, _SCALES):
            value = answer.get("number", answer.get("boolean"))
            best = form.best or next((scales[name] for name in names if name in scales), None)
            if best is None or value is None:
                raise Refused(f"question {names[0]} has no scale: set best of its form")
            return float(value), best
    return None


def _names(answer: Mapping[str, Any]) -> list[str]:
    field = answer["field"]
    return [name for name in (field.get("ref"), field.get("id")) if name]


def _is_asked(answer: Mapping[str, Any], named: str | None, kinds: Sequence[str]) -> bool:
    """Whether it answers the question that the settings name, or is of a kind that counts."""
    return named in _names(answer) if named else answer["field"].get("type") in kinds


def _comment(answers: Sequence[Any], form: Form) -> str | None:
    for answer in answers:
        if _is_asked(answer, form.comment, ("long_text",)):
            return tidy(str(answer.get("text") or "")) or None
    return None


def _named(value: Any) -> str | None:
    """A hidden field's value, unless it is empty or somebody's address."""
    text = str(value or "").strip()
    return text if text and "@" not in text else None
