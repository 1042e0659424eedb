"""A template's name goes in, a Jinja environment that escapes comes out."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

PACKAGE = Path(__file__).resolve().parents[1]


def folder(kind: str) -> Path:
    """Where the templates of a kind (email, site) are: in the package, else in the checkout."""
    places = (PACKAGE / "templates", PACKAGE.parents[2] / "templates")
    return next(place / kind for place in places if (place / kind).is_dir())


@cache
def environment(kind: str) -> Environment:
    """Templates of a kind; ``.html`` is escaped, ``.txt`` is not, an unknown name is an error."""
    made = Environment(
        loader=FileSystemLoader(folder(kind)),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["sentence"] = sentence
    return made


def sentence(text: str) -> str:
    """The text with a capital at its start; the rest stays as it is."""
    return text[:1].upper() + text[1:]
