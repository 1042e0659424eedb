"""One local AWS for all tests that need one; they run in the order their files are given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from world import CACHE, World, run, world


@pytest.fixture(scope="session")
def cloud() -> Iterator[World]:
    """The stack after its first run."""
    with world(CACHE / "test-aws", say) as found:
        run(found, say)
        yield found


def say(text: str) -> None:
    """Told by ``pytest -s``."""
    print(text, flush=True)
