"""Lists sorted by last change, oldest first, in; steps to fetch, and the cursor that resumes, out.

Pages are asked for by the instant of the last change seen, not by number: what changes while the
list is read moves to its end and would push others over a numbered page's edge, unread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from muster.sources._answer import Answer
from muster.sources._newest import State
from muster.sources._paging import Step, walk


@dataclass(frozen=True)
class Changes:
    """One such list: how to ask for its page ``n`` since an instant, and how to read that.

    ``read`` tells the items and whether more follow; ``changed_at`` an item's instant, as text
    that sorts; ``start`` where to begin, from the newest instant that is stored (``None``: none).
    """

    name: str
    ask: Callable[[str, int], Answer]
    read: Callable[[Answer], tuple[Sequence[Any], bool]]
    changed_at: Callable[[Any], str]
    start: Callable[[str | None], str]


def changes(state: State, stream: Changes) -> Iterator[Step[str]]:
    """The steps of a list to its end; ``state`` is advanced before each is yielded."""
    entry = state.setdefault("changes", {}).setdefault(stream.name, {})
    start = entry.get("walk") or _token(stream.start(entry.get("mark")), 1)
    now = start  # the page being read: its token tells from where the next is asked

    def ask(token: str | None) -> Answer:
        nonlocal now
        now = token or start
        since, _, number = now.rpartition(" ")
        return stream.ask(since, int(number))

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        items, has_more = stream.read(answer)
        return items, _next(now, _newest(stream, items)) if has_more and items else None

    for step in walk(ask, read, start=start):
        newest = _newest(stream, step.items)
        entry["mark"] = max(newest, entry.get("mark") or newest) or None
        entry["walk"] = step.token
        yield step


def _token(since: str, number: int) -> str:
    return f"{since} {number}"


def _next(token: str, newest: str) -> str:
    """From the newest change on; by number only where a whole page changed in one instant."""
    since, _, number = token.rpartition(" ")
    return _token(newest, 1) if newest > since else _token(since, int(number) + 1)


def _newest(stream: Changes, items: Sequence[Any]) -> str:
    return max((at for item in items if (at := _changed_at(stream, item))), default="")


def _changed_at(stream: Changes, item: Any) -> str:
    try:
        return stream.changed_at(item)
    except (KeyError, TypeError, ValueError, AttributeError):
        return ""  # an item of unknown shape has no say in where the list stands
