"""A form of Typeform and one answer to it in; its scales, and the lake's rows out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from muster.errors import Refused
from muster.records import Item, Row, SurveyResponse
from muster.settings_types import Part
from muster.sources._newest import instant
from muster.sources._text import tidy

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


def scales(form: Mapping[str, Any]) -> dict[str, float]:
    """The best score of each question that asks for one, by its ref and by its id."""
    found = {}
    for field in _fields(form.get("fields")):
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


def gone_rows(item: Item, options: Any) -> Iterator[Row]:
    """What stays of an answer: its score, and that it was taken back."""
    told = dict(item.context or {})
    created = instant(told.pop("created_at"))
    yield SurveyResponse(created_at=created, deleted_at=max(item.seen_at, created), **told)


def response_rows(item: Item, options: Any) -> Iterator[Row]:
    """The answer to a survey, unless its question was left out."""
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
