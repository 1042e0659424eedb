"""A template's name goes in, a Jinja environment that escapes comes out.

A community's own templates (``templates/`` beside ``muster.yaml``) come before ours of that name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from textwrap import wrap

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

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
