"""A language goes in, its module of words comes out: every string of mail and site, one file each.

To add a language, copy ``en.py`` and what it reads, translate them, and name them by its ISO 639-1
code.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module, resources
from types import ModuleType

from muster.errors import BadSettings


def languages() -> tuple[str, ...]:
    """The languages there are words for."""
    files = resources.files(__name__).iterdir()
    return tuple(
        sorted(file.name.removesuffix(".py") for file in files if len(file.name) == len("en.py"))
    )


@cache
def load(language: str = "en") -> ModuleType:
    """The words of ``language``."""
    if language not in languages():
        known = ", ".join(languages())
        raise BadSettings(f"there are no words for the language {language!r}: choose from {known}")
    return import_module(f"{__name__}.{language}")
