"""A page is mapped while the next is awaited; a batch is stored while others are read."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import Any, Generic, TypeVar

from muster.pipeline.batches import SOME_ITEMS
from muster.records import Item, Page

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


class Meanwhile(Generic[Made]):
    """A page's items are worked on while its platform makes the next: in order, in one thread."""

    def __init__(self, work: Callable[[Item], Made]) -> None:
        self._work = work
        self._last: Page | None = None
        self._done: list[Made] = []
        self._coming: Iterator[Made] = iter(())

    def each(
        self, pages: Iterable[Page], is_metered: bool, settle: Callable[[], None]
    ) -> Generator[tuple[Page, Iterable[Made]], None, None]:
        """Each page with what the work makes of its items, which may raise what the work raised.

        Where that is safer, the next is asked for once the last is stored, which ``settle`` awaits.
        """
        try:
            for page in pages:
                yield from self._finished()
                self._last, self._done, self._coming = page, [], map(self._work, page.items)
                if is_metered or page.is_last_copy:
                    yield from self._finished()
                    settle()
        except Exception:
            yield from self._finished()
            raise
        yield from self._finished()

    def use(self) -> None:
        """Work on some of the last page while an answer is awaited; what that raises waits, too."""
        try:
            self._done.extend(islice(self._coming, SOME_ITEMS - len(self._done)))
        except Exception as error:
            self._coming = _raising(error)

    def _finished(self) -> Iterator[tuple[Page, Iterable[Made]]]:
        page, self._last = self._last, None
        if page is not None:
            yield page, chain(self._done, self._coming)


def _raising(error: Exception) -> Iterator[Any]:
    raise error
    yield


def after(settle: Callable[[], None], found: Iterable[Given]) -> Iterator[Given]:
    """What is found, each looked up when all that was given before is done."""
    settle()
    for one in found:
        yield one
        settle()
