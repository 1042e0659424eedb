"""Every field that a platform's mapping reads exists in the platform's machine-readable spec.

A recording says where: ``"spec": {"file": "youtube.v3.json.xz", "streams": {"comment": "Comment"},
"beyond": {"comment": ["snippet.bodyHtml"]}}``, or a list of such. Instead of a file of
``../shared/data`` a ``package`` may be named, see ``spec_packages.py``. A schema is a name or a
``#/pointer/into/the/file``; a list of them means any, ``{"*": …}`` an object of our own whose
values are such. ``beyond`` are fields (with all below them) that the spec does not know though the
platform sends them; none may stand there that it does know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from recorded import RECORDINGS, Recorded, items_of
from spec_packages import SPECS
from specs import DATA, Path, knows, load, schema, watched

from muster.pipeline.batches import UNMAPPABLE
from muster.records import Item
from muster.sources import platform_names

RECORDED = [name for name in platform_names() if (RECORDINGS / f"{name}.json").exists()]
SPECIFIED = [
    pytest.param(name, told, id=f"{name}-{told.get('package') or told['file']}")
    for name in RECORDED
    for told in [Recorded(name).told.get("spec", [])]
    for told in (told if isinstance(told, list) else [told])
]


def read_in(one: Recorded, stream: str) -> set[Path]:
    """The fields that mapping the stream's recorded items asks for."""
    read: set[Path] = set()
    for item in items_of(one.pages(one.wire())):
        if item.stream == stream:
            body = watched(item.body, read.add)
            try:
                list(one.platform.rows(Item(stream, body, item.seen_at, item.context), one.options))
            except UNMAPPABLE:
                continue
    return read


def is_known(spec: Any, named: Any, path: Path) -> bool:
    """Whether one of the schemas named for a stream has the field."""
    if isinstance(named, dict):
        (inner,) = named.values()
        return len(path) == 1 or is_known(spec, inner, path[1:])
    names = named if isinstance(named, list) else [named]
    return any(knows(spec, schema(spec, one), path) for one in names)


def first_of(beyond: set[str], path: str) -> str:
    """The field or the object around it that is beyond the spec; the path itself if none is."""
    return next((one for one in beyond if path == one or path.startswith(f"{one}.")), path)


@pytest.mark.parametrize(("name", "told"), SPECIFIED)
def test_every_field_read_is_in_the_specification(name: str, told: Mapping[str, Any]) -> None:
    one, spec = Recorded(name), spec_of(told)
    for stream, named in told["streams"].items():
        read = read_in(one, stream)
        assert read, f"no item of stream {stream!r} in the recording"
        unknown = {".".join(path) for path in read if not is_known(spec, named, path)}
        beyond = set(told.get("beyond", {}).get(stream, ()))
        assert {first_of(beyond, path) for path in unknown} == beyond, (stream, unknown)


def spec_of(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """A specification from a registry or from a file; the test is skipped where it is not."""
    if "package" in told:
        return SPECS[told["package"]]()
    if not (DATA / "specs" / told["file"]).exists():
        pytest.skip(f"../shared/data/specs/{told['file']} is absent")
    return load(told["file"])


SPEC: dict[str, Any] = {
    "components": {"schemas": {
        "Post": {"allOf": [{"$ref": "#/components/schemas/Thing"}], "properties": {
            "by": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Thing"}]},
            "tags": {"type": "array", "items": {"properties": {"name": {}}}},
            "counts": {"additionalProperties": {"type": "integer"}}}},
        "Thing": {"properties": {"id": {}, "parent": {"$ref": "#/components/schemas/Thing"}}},
    }}
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("id", True), ("by.id", True), ("parent.parent.id", True), ("tags.[].name", True),
        ("counts.likes", True), ("name", False), ("by.name", False), ("tags.[].id", False),
        ("id.more", False),
    ],
)  # fmt: skip
def test_a_field_is_looked_up_through_references_lists_and_alternatives(
    path: str, expected: bool
) -> None:
    assert knows(SPEC, schema(SPEC, "Post"), path.split(".")) is expected


def test_every_way_of_asking_for_a_field_is_noted() -> None:
    read: set[Path] = set()
    body = watched({"a": {"b": 1}, "list": [{"c": 2}]}, read.add)
    assert body["a"].get("b") == 1 and "x" not in body and body["list"][0]["c"] == 2
    with pytest.raises(KeyError):
        body["missing"]
    assert read == {("a",), ("a", "b"), ("x",), ("list",), ("list", "[]", "c"), ("missing",)}
