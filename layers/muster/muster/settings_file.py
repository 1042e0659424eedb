"""The text of ``muster.yaml`` → ``Settings``, or one clear line: file, line, key and the fix."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from muster.errors import BadSettings
from muster.settings import Settings, Source
from muster.settings_problems import Location, first_problem

DEEPEST = 50
MOST_NODES = 100_000  # with every alias written out; a settings file of a thousand sources has less
_UNREAD = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, OverflowError)


class _Loader(yaml.SafeLoader):
    """YAML 1.2's booleans: ``off`` and ``NO`` (Norway) stay words; dates are read by pydantic."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """The value of a node; what PyYAML stumbles over (``!!int x``) is an error with a line."""
        try:
            found = super().construct_object(node, deep)
            return _whole(found) if isinstance(found, str) else found
        except _UNREADABLE as error:
            kind = str(node.tag).rpartition(":")[2]
            problem = f"{str(node.value)[:60]!r} cannot be read as {kind}"
            raise yaml.constructor.ConstructorError(
                problem=problem, problem_mark=node.start_mark
            ) from error


def _whole(text: str) -> str:
    """Characters that JSON writes as two halves (``\\ud83d\\ude00``) as one; half a one is none."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16")


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag not in _UNREAD]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(true|false|True|False)$"), list("tfTF")
)


class _Fast(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The same in a tenth of the time, with worse words for what it cannot read."""


_Fast.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


def load(path: Path, options: Callable[[str], type[Source]]) -> Settings:
    """Read and validate ``path``; ``options`` gives the settings class of a platform's sources."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BadSettings(f"{path}: not found. Write one with: muster init") from error
    except UnicodeDecodeError as error:
        raise BadSettings(f"{path}: cannot be read: save it as UTF-8 text") from error
    except OSError as error:
        raise BadSettings(f"{path}: cannot be read: {error.strerror}") from error
    return parse(text, str(path), options)


def parse(text: str, name: str, options: Callable[[str], type[Source]]) -> Settings:
    """Validate the ``text`` of a settings file called ``name``; raises ``BadSettings``."""
    data, lines = _compose(text, name)
    try:
        with_options = data | {"sources": _sources(data.get("sources"), options)}
        settings = Settings.model_validate(with_options)
    except _Misfit as misfit:
        raise BadSettings(_sentence(name, lines, misfit.at, misfit.problem)) from misfit
    except ValidationError as error:
        at, problem = first_problem(error, Settings)
        raise BadSettings(_sentence(name, lines, at, problem)) from error
    _refuse_doubles(settings, name, lines)
    return settings


class _Misfit(Exception):
    """A problem at a place of the file."""

    def __init__(self, at: Location, problem: str) -> None:
        super().__init__(problem)
        self.at, self.problem = at, problem


def _compose(text: str, name: str) -> tuple[dict[str, Any], Mapping[Location, int]]:
    """The data, and the line of every key and item (1-based)."""
    try:
        node = _node(text, name)
        _refuse_repeated_keys(node, name)  # before what `<<` brings stands among them
        data = None if node is None else _Loader("").construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadSettings(f"{name}:{line}: not YAML: {error.problem}{_hint(error)}") from error
    except yaml.YAMLError as error:
        raise BadSettings(f"{name}: not YAML: {error}") from error
    except RecursionError as error:
        raise BadSettings(f"{name}:1: nested too deeply, or an alias holds itself") from error
    if node is None or not isinstance(data, dict):
        raise BadSettings(f"{name}:1: expected keys such as community: and sources:")
    return data, dict(_lines(node, ()))


def _hint(error: yaml.MarkedYAMLError) -> str:
    """What most often lies behind words that only YAML's own people understand."""
    problem = str(error.problem)
    if "'\\t'" in problem:
        return ": indent with spaces, not with tabs"
    if "expected <block end>" in problem or "not allowed here" in problem:
        return ": is this line indented as its neighbours are?"
    return ""


def _node(text: str, name: str) -> yaml.Node | None:
    try:
        _refuse_depth(text, name)
        node = yaml.compose(text, Loader=_Fast)
    except yaml.YAMLError:
        node = yaml.compose(text, Loader=_Loader)
    if node is not None and _unfolded(node, {}) > MOST_NODES:
        raise BadSettings(f"{name}:1: its aliases unfold to more than {MOST_NODES:,} values")
    return node


def _refuse_depth(text: str, name: str) -> None:
    """Nobody nests settings like this, and the fast loader would end the process over it."""
    depth = 0
    event: Any
    for event in yaml.parse(text, Loader=_Fast):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            line = event.start_mark.line + 1
            raise BadSettings(f"{name}:{line}: nested more than {DEEPEST} levels deep")


def _unfolded(node: yaml.Node, known: dict[int, int | None]) -> int:
    """How many nodes there are with every alias written out; one holding itself never ends."""
    if id(node) in known:
        if (count := known[id(node)]) is None:
            raise RecursionError
        return count
    known[id(node)] = None
    inner = node.value if isinstance(node, yaml.CollectionNode) else []
    parts = [part for one in inner for part in (one if isinstance(one, tuple) else (one,))]
    known[id(node)] = count = 1 + sum(_unfolded(part, known) for part in parts)
    return count


def place(path: Path, name: str, at: Location) -> str:
    """Where a key of the file called ``name`` stands: ``muster.yaml:12``."""
    _, lines = _compose(path.read_text(encoding="utf-8"), name)
    return f"{name}:{lines.get(at, 1)}"


def _lines(node: yaml.Node, at: Location) -> Iterator[tuple[Location, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*at, key.value)
            yield place, key.start_mark.line + 1
            yield from _lines(value, place)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*at, index), value.start_mark.line + 1
            yield from _lines(value, (*at, index))


def _refuse_repeated_keys(node: yaml.Node | None, name: str) -> None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    seen: set[str] = set()
    for key in (key for key, _ in pairs if isinstance(key, yaml.ScalarNode)):
        if key.value in seen:
            line = key.start_mark.line + 1
            raise BadSettings(f"{name}:{line}: {key.value!r} stands here a second time: keep one")
        seen.add(key.value)
    children = node.value if isinstance(node, yaml.SequenceNode) else [child for _, child in pairs]
    for child in children:
        _refuse_repeated_keys(child, name)


def _sources(raw: Any, options: Callable[[str], type[Source]]) -> list[Source]:
    if raw is None:
        return []
    if not isinstance(raw, list):
        raise _Misfit(("sources",), "expected a list of sources, each with name and platform")
    return [_source(item, ("sources", index), options) for index, item in enumerate(raw)]


def _source(raw: Any, at: Location, options: Callable[[str], type[Source]]) -> Source:
    if not isinstance(raw, dict) or not isinstance(raw.get("platform"), str):
        raise _Misfit(at, "a source needs a name and a platform")
    try:
        model = options(raw["platform"])
    except BadSettings as error:
        raise _Misfit((*at, "platform"), str(error)) from error
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        inner, problem = first_problem(error, model)
        raise _Misfit((*at, *inner), problem) from error


def _sentence(name: str, lines: Mapping[Location, int], at: Location, problem: str) -> str:
    """``muster.yaml:12: sources[0].tokn: unknown key 'tokn': did you mean 'token'?``"""
    known = next((at[:end] for end in range(len(at), 0, -1) if at[:end] in lines), ())
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in known)
    path = "".join(parts).lstrip(".")
    return f"{name}:{lines.get(known, 1)}: {path + ': ' if path else ''}{problem}"


def _refuse_doubles(settings: Settings, name: str, lines: Mapping[Location, int]) -> None:
    for part in ("sources", "goals", "reports"):
        seen: set[str] = set()
        for index, item in enumerate(getattr(settings, part)):
            if item.name in seen:
                problem = f"the name {item.name!r} is taken: give each of the {part} its own"
                raise BadSettings(_sentence(name, lines, (part, index, "name"), problem))
            seen.add(item.name)


def json_schema(models: Mapping[str, type[Source]]) -> dict[str, Any]:
    """The JSON Schema of ``muster.yaml``, with every platform's own keys."""
    schema = TypeAdapter(Settings).json_schema()
    union: Any = typing.Union[tuple(models.values())]  # noqa: UP007
    sources = TypeAdapter(union).json_schema()
    schema["$defs"] |= sources.pop("$defs", {})
    schema["properties"]["sources"] = {"type": "array", "items": sources}
    schema["$defs"].pop("Source", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "muster.yaml"} | {
        key: value for key, value in schema.items() if key != "title"
    }
