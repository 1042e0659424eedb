"""Every door that a stranger's input comes through, by name → the function that tries one input.

The platforms are found by their recordings: a new one has its doors at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

import at_answers
import at_files
import at_platforms

Door = Callable[[Random], None]


def doors() -> dict[str, tuple[Door, int]]:
    """Each door with its share of the inputs: what is cheap and what strangers write gets most."""
    found: dict[str, tuple[Door, int]] = {}
    for name in at_platforms.PLATFORMS:
        found[f"mapping {name}"] = partial(at_platforms.mapping, name), 32_000
        found[f"fetching {name}"] = partial(at_platforms.fetching, name), 100
        found[f"cursor {name}"] = partial(at_platforms.cursor, name), 100
        found[f"secret {name}"] = partial(at_platforms.secret, name), 100
    return found | {
        "settings": (at_files.settings, 15_000),
        "kpi": (at_files.kpi, 20_000),
        "json lines": (at_files.json_lines, 15_000),
        "file": (at_files.file, 15_000),
        "excel": (at_files.excel, 100),
        "memory": (at_files.memory, 5_000),
        "token": (at_files.token, 40_000),
        "answer": (at_answers.answer, 10_000),
    }


def try_one(door: Door, name: str, seed: int, number: int) -> None:
    """One input, the same for the same seed and number."""
    door(Random(f"{seed}/{name}/{number}"))
