"""A mapping's items in, the fields it reads out; and whether a machine-readable spec knows them."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from real import DATA

Path = tuple[str, ...]
ITEM = "[]"  # a step into a list
EVERY = "*"  # all keys were gone through


class Watched(dict[str, Any]):
    """A JSON object that notes which of its fields are asked for, at any depth."""

    def __init__(self, told: Mapping[str, Any], note: Callable[[Path], None], at: Path = ()):
        super().__init__({key: watched(value, note, (*at, key)) for key, value in told.items()})
        self._note, self._at = note, at

    def __getitem__(self, key: str) -> Any:
        self._note((*self._at, key))
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._note((*self._at, key))
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self._note((*self._at, str(key)))
        return super().__contains__(key)


def watched(value: Any, note: Callable[[Path], None], at: Path = ()) -> Any:
    """A JSON value whose objects are watched."""
    if isinstance(value, Mapping):
        return Watched(value, note, at)
    if isinstance(value, list):
        return [watched(one, note, (*at, ITEM)) for one in value]
    return value


@cache
def load(file: str) -> Mapping[str, Any]:
    """A spec of ``../shared/data/specs``: OpenAPI, Swagger or Google's discovery format."""
    raw = (DATA / "specs" / file).read_bytes()
    told: Mapping[str, Any] = json.loads(lzma.decompress(raw) if file.endswith(".xz") else raw)
    return told


def schema(spec: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The schema of a name (``Comment``), or at a pointer (``#/paths/~1x/get/responses/…``)."""
    if not name.startswith("#"):
        found: Mapping[str, Any] = _schemas(spec)[name]
        return found
    here: Any = spec
    for step in name.removeprefix("#/").split("/"):
        step = step.replace("~1", "/").replace("~0", "~")
        here = here[int(step)] if isinstance(here, list) else here[step]
    told: Mapping[str, Any] = here
    return told


def _schemas(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    components = spec.get("components") or {}
    found = components.get("schemas") or spec.get("definitions") or spec.get("schemas")
    assert isinstance(found, Mapping)
    return found


def knows(spec: Mapping[str, Any], node: Any, path: Sequence[str]) -> bool:
    """Whether a field of this path may be there by the schema ``node``."""
    if not path:
        return True
    return any(_step(spec, one, path) for one in _options(spec, node))


def _step(spec: Mapping[str, Any], node: Mapping[str, Any], path: Sequence[str]) -> bool:
    head, rest = path[0], path[1:]
    if head == ITEM:
        items = node.get("items")
        items = items if isinstance(items, list) else [items]
        return any(knows(spec, one, rest) for one in items if one is not None)
    properties = node.get("properties") or {}
    if head in properties:
        return knows(spec, properties[head], rest)
    more = node.get("additionalProperties")
    return isinstance(more, Mapping) and knows(spec, more, rest)


def _options(
    spec: Mapping[str, Any], node: Any, seen: frozenset[str] = frozenset()
) -> Iterator[Any]:
    """A schema and all it refers to as itself, its parts and its alternatives."""
    if isinstance(node, list):  # Slack's documents list alternatives bare
        for one in node:
            yield from _options(spec, one, seen)
        return
    if not isinstance(node, Mapping):
        return
    yield node
    reference = node.get("$ref")
    if isinstance(reference, str) and reference not in seen:
        yield from _options(spec, schema(spec, reference), seen | {reference})
    for way in ("allOf", "oneOf", "anyOf"):
        for one in node.get(way) or ():
            yield from _options(spec, one, seen)
    if isinstance(node.get("items"), Mapping | list) and "type" not in node:
        yield from _options(spec, node["items"], seen)
