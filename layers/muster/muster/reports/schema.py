"""The dataclasses of the site's JSON documents go in, their JSON Schemas come out."""

from __future__ import annotations

import types
import typing
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any, Literal

from muster.reports.data import DOCUMENTS, VERSION

_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    type(None): {"type": "null"},
}


def schema(document: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one of report, kpis, goals, index.

    Fields may be added later, so unknown ones are allowed; every present one is required.
    """
    parts: dict[str, Any] = {}
    reference = _of(DOCUMENTS[document], parts)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Muster {document}, version {VERSION}",
        **reference,
        "$defs": dict(sorted(parts.items())),
    }


def files() -> dict[str, Any]:
    """Every schema by its path below ``data/``."""
    return {f"schema/{name}.schema.json": schema(name) for name in DOCUMENTS}


def _of(kind: Any, parts: dict[str, Any]) -> dict[str, Any]:
    if kind in _PLAIN:
        return _PLAIN[kind]
    if is_dataclass(kind):
        return _object(kind, parts)
    arguments = typing.get_args(kind)
    origin = typing.get_origin(kind)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_of(option, parts) for option in arguments]}
    if origin is tuple and arguments[-1] is Ellipsis:
        return {"type": "array", "items": _of(arguments[0], parts)}
    if origin is tuple:
        items = [_of(item, parts) for item in arguments]
        return {"type": "array", "prefixItems": items, "minItems": len(items)}
    raise TypeError(f"no JSON Schema for {kind!r}")


def _object(kind: Any, parts: dict[str, Any]) -> dict[str, Any]:
    if kind.__name__ not in parts:
        parts[kind.__name__] = {}  # taken, before its own fields are looked at
        hints = typing.get_type_hints(kind)
        names = [field.name for field in fields(kind)]
        parts[kind.__name__] = {
            "type": "object",
            "description": (kind.__doc__ or "").strip(),
            "properties": {name: _of(hints[name], parts) for name in names},
            "required": names,
        }
    return {"$ref": f"#/$defs/{kind.__name__}"}
