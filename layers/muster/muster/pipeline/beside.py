"""Batches are stored in a thread beside the one that reads pages and maps them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from muster.records import Page

Given = TypeVar("Given")
Made = TypeVar("Made")


class Beside(Generic[Given, Made]):
    """``work``, done in order, at most one behind what is made; after a failure nothing more."""

    def __init__(self, work: Callable[[Given], Made]) -> None:
        self._work = work
        self._running: Future[Made] | None = None

    def each(self, given: Iterable[Given]) -> Iterator[Made]:
        """What the work makes of each. Where ``given`` fails, that is raised after the last."""
        with ThreadPoolExecutor(1) as thread:
            try:
                for one in given:
                    yield from self._finished()
                    self._running = thread.submit(self._work, one)
            except Exception:
                yield from self._finished()
                raise
            yield from self._finished()

    def settle(self) -> None:
        """Wait until all that was given so far is done; raises what the work raised."""
        if (running := self._running) is not None:
            running.result()

    def _finished(self) -> Iterator[Made]:
        """What was made last."""
        if self._running is not None:
            yield self._running.result()  # raises each time: nothing is given after a failure


def in_turn(
    pages: Iterable[Page], is_metered: bool, settle: Callable[[], None]
) -> Generator[Page, None, None]:
    """A platform's pages; where that is safer, the next is asked for once the last is stored."""
    for page in pages:
        yield page
        if is_metered or page.is_last_copy:
            settle()


def after(settle: Callable[[], None], found: Iterable[Given]) -> Iterator[Given]:
    """What is found, each looked up when all that was given before is done."""
    settle()
    for one in found:
        yield one
        settle()
