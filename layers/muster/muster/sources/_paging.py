"""How to ask for a page and how to read it in; page after page out, until one of the exits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from muster.errors import Rejected, Unavailable
from muster.sources._answer import Answer

MAX_PAGES = 10_000
REPEATS = 3  # equal pages in a row that end a walk
FORGOTTEN = (400, 404, 410, 422)  # how a place is refused that the platform knows no more

Token = TypeVar("Token")


@dataclass(frozen=True)
class Step(Generic[Token]):
    """One page of a walk: its answer, its items, and the token to continue from (none: the end)."""

    answer: Answer
    items: Sequence[Any]
    token: Token | None


def walk(
    ask: Callable[[Token | None], Answer],
    read: Callable[[Answer], tuple[Sequence[Any], Token | None]],
    *,
    start: Token | None = None,
    is_old: Callable[[Any], bool] = lambda _: False,
    max_pages: int = MAX_PAGES,
) -> Iterator[Step[Token]]:
    """Page after page: ``ask`` fetches the page of a token, ``read`` tells its items and the next.

    Ends when there is no next token, when a token comes back, when a page holds only items that
    ``is_old`` (older than the cursor), or when the same page came three times in a row; the last
    step's token is then ``None``. A repeated page is not yielded again. ``start`` resumes; one that
    is refused, as it has expired, costs a new start. Past ``max_pages`` it raises ``Unavailable``:
    what was yielded stands, and the last step's token goes on from there.
    """
    token, used, items, repeats = start, {start}, None, 1
    for number in range(max_pages):
        try:
            answer = ask(token)
        except Rejected as refused:
            if number or start is None or refused.status not in FORGOTTEN:
                raise
            answer, used = ask(None), {None}
        before, (items, token) = items, read(answer)
        repeats = repeats + 1 if items and items == before else 1
        is_past = bool(items) and all(is_old(item) for item in items)
        is_end = token is None or token in used or is_past or repeats >= REPEATS
        if is_end or repeats == 1:
            yield Step(answer, items if repeats == 1 else (), None if is_end else token)
        if is_end:
            return
        used.add(token)
    raise Unavailable(f"more than {max_pages} pages without an end: run again to continue")
