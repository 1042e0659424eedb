"""What may fail for a moment → what it gives, asked again after a few pauses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

Made = TypeVar("Made")


def patiently(
    do: Callable[[], Made],
    trouble: type[Exception],
    pauses: Sequence[float],
    sleep: Callable[[float], None],
) -> Made:
    """What ``do`` gives, after pauses (in seconds) as it meets ``trouble``; raises the last one."""
    for pause in pauses:
        with suppress(trouble):
            return do()
        sleep(pause)
    return do()
