"""What pydantic finds wrong in settings → where, and what to write instead."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from muster.names import nearest
from muster.settings_types import SHAPES

Location = tuple[str | int, ...]

# Words of a programmer, in those of somebody who writes YAML.
_PLAINLY = {
    "string_type": "expected text: put a number, a date or true and false into quotes",
    "tuple_type": "expected a list: [one, two], or one a line, each after a dash",
    "mapping_type": "expected keys with values: {key: value}, or one a line",
    "dict_type": "expected keys with values: {key: value}, or one a line",
    "int_parsing": "expected a whole number",
    "float_parsing": "expected a number",
    "bool_parsing": "expected true or false",
    "date_from_datetime_parsing": "expected a day: write 2026-11-24",
}


def first_problem(error: ValidationError, model: type[BaseModel]) -> tuple[Location, str]:
    """Where and what; unknown keys first, since they often explain the rest."""
    problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    problem = _nearest_miss(problems, model)
    at = tuple(part for part in problem["loc"] if not str(part).startswith("function-"))
    if problem["type"] == "extra_forbidden":
        return at, _unknown_key(str(at[-1]), _model_at(model, at[:-1]))
    if problem["type"] == "missing":
        meant = _described(model, at)
        return at[:-1], f"{at[-1]!r} is missing: add it{f' ({meant})' if meant else ''}"
    if problem["type"] == "model_type":
        inner = _model_at(model, at)
        return at, f"expected keys with values: {', '.join(_keys(inner)) if inner else ''}"
    if problem["type"] == "string_pattern_mismatch":
        return at, _misshapen(str(problem["ctx"]["pattern"]), model, at)
    if problem["input"] is None:
        return at, "nothing stands here: write a value, or take the key out"
    text = problem["msg"].removeprefix("Value error, ")
    return at, _PLAINLY.get(problem["type"], text)


def _nearest_miss(problems: Sequence[Any], model: type[BaseModel]) -> Any:
    """The first problem; where a value may be of several kinds, of the kind that fits furthest."""
    first = problems[0]
    *owner, _ = first["loc"] or ("",)
    if not owner or _model_at(model, tuple(owner)):
        return first
    same = [one for one in problems if list(one["loc"][: len(owner)]) == owner]
    return max(same, key=lambda one: len(one["loc"]))


def _unknown_key(key: str, model: type[BaseModel] | None) -> str:
    return f"unknown key {key!r}: {nearest(key, _keys(model) if model else [])}"


def _misshapen(pattern: str, model: type[BaseModel], at: Location) -> str:
    """The text itself is not shown: it may be a token that stands where only its place belongs."""
    if pattern in SHAPES:
        return SHAPES[pattern]
    return f"expected {_described(model, at) or 'other text'}, of the form {pattern}"


def _described(model: type[BaseModel], at: Location) -> str | None:
    owner = _model_at(model, at[:-1])
    field = owner.model_fields.get(str(at[-1])) if owner and at else None
    return field.description if field else None


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(model: type[BaseModel], at: Location) -> type[BaseModel] | None:
    """The settings class that the keys at this place belong to."""
    found: type[BaseModel] | None = model
    for part in at:
        if isinstance(part, int) or found is None:
            continue
        named = {field.alias or name: field for name, field in found.model_fields.items()}
        found = _model_in(named[part].annotation) if part in named else None
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(argument) for argument in typing.get_args(annotation))
    return next((model for model in inner if model), None)
