"""A template's name and its facts go in, the text comes out, escaped where it is HTML.

A community's own templates (``templates/`` beside ``muster.yaml``) come before ours of that name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from textwrap import wrap
from traceback import extract_tb
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from muster.errors import BadSettings
from muster.reports import numbers
from muster.reports.compiled import Compiled

_own: ContextVar[Path | None] = ContextVar("own templates", default=None)
PACKAGE = Path(__file__).resolve().parents[1]


def folder(kind: str) -> Path:
    """Where the templates of a kind (email, site) are: in the package, else in the checkout."""
    places = (PACKAGE / "templates", PACKAGE.parents[2] / "templates")
    return next(place / kind for place in places if (place / kind).is_dir())


@contextmanager
def own(templates: Path) -> Iterator[None]:
    """While it lasts, templates of that folder stand in for ours."""
    token = _own.set(templates if templates.is_dir() else None)
    try:
        yield
    finally:
        _own.reset(token)


def file(kind: str, name: str) -> Path:
    """A file of a kind that is no template (a style sheet): the community's own, else ours."""
    return next(path for path in (place / name for place in _places(kind)) if path.is_file())


def _places(kind: str) -> tuple[Path, ...]:
    theirs = _own.get()
    return (theirs / kind, folder(kind)) if theirs else (folder(kind),)


def environment(kind: str) -> Environment:
    """Templates of a kind; ``.html`` is escaped, ``.txt`` is not, an unknown name is an error."""
    return _environment(_places(kind))


def filled(kind: str, name: str, facts: Mapping[str, Any]) -> str:
    """The template with its facts; ``BadSettings`` with the line where one of the community's own
    does not fit."""
    try:
        return environment(kind).get_template(name).render(facts)
    except Exception as error:  # whatever theirs asks for
        place = _own_line(error)
        if not place:
            raise
        said = getattr(error, "message", None) or error
        raise BadSettings(
            f"{place}: {said}: mend it, or take the file away to have ours"
        ) from error


def _own_line(error: Exception) -> str:
    """The line of the community's own templates that an error arose in, or nothing."""
    places = [(frame.filename, frame.lineno) for frame in extract_tb(error.__traceback__)]
    if isinstance(error, TemplateSyntaxError):
        places.append((error.filename or "", error.lineno))
    theirs = _own.get()
    own = [place for place in places if theirs and Path(place[0]).is_relative_to(theirs)]
    return "{}:{}".format(*own[-1]) if own else ""


@cache
def _environment(places: tuple[Path, ...]) -> Environment:
    made = SandboxedEnvironment(
        loader=FileSystemLoader(places),
        bytecode_cache=Compiled(),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"sentence": sentence, "glued": numbers.glued, "wrapped": wrapped}
    return made


def wrapped(text: str, width: int, indent: str = "") -> str:
    """The text in lines of at most so many characters; lines after the first are indented."""
    lines = wrap(numbers.glued(text), width, break_long_words=False, break_on_hyphens=False)
    return f"\n{indent}".join(lines).replace("\u00a0", " ")


def sentence(text: str) -> str:
    """The text with a capital at its start; the rest stays as it is."""
    return text[:1].upper() + text[1:]
