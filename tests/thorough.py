"""How much a property is tried: a little on every run, much more by ``make test-thorough``."""

from __future__ import annotations

import os

IS_THOROUGH = bool(os.environ.get("MUSTER_THOROUGH"))


def tries(usual: int, thorough: int) -> int:
    """How many examples, or seeds, are tried; every run draws other examples."""
    return thorough if IS_THOROUGH else usual
