"""Pages are read ahead, and batches stored, in threads beside the one that maps what was read."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
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


class Ahead:
    """A platform's pages, the next asked for in a thread of its own while the last is in use.

    ``settle`` waits until all that was given to be stored is stored.
    """

    def __init__(self, settle: Callable[[], None]) -> None:
        self._settle = settle
        self._is_wanted = Event()  # whoever uses the pages is done with the last

    def each(self, pages: Iterable[Page], is_metered: bool) -> Generator[Page, None, None]:
        """The pages; where that is safer, the next is asked for only once the last is stored."""
        given = iter(pages)
        with ThreadPoolExecutor(1) as thread:
            try:
                coming = thread.submit(next, given, None)
                while page := self._arrived(coming):
                    if not (is_alone := is_metered or page.is_last_copy):
                        coming = thread.submit(next, given, None)
                    yield page
                    if is_alone:
                        self._settle()
                        coming = thread.submit(next, given, None)
            finally:
                self._is_wanted.set()

    def settle(self) -> None:
        """For the platform: wait until all pages it gave are in use no more, and are stored if
        they made a whole batch."""
        self._is_wanted.wait()
        self._settle()

    def _arrived(self, coming: Future[Page | None]) -> Page | None:
        self._is_wanted.set()
        page = coming.result()
        self._is_wanted.clear()
        return page


def after(settle: Callable[[], None], found: Iterable[Given]) -> Iterator[Given]:
    """What is found, each looked up when all that was given before is done."""
    settle()
    for one in found:
        yield one
        settle()
