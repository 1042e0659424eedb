"""An answer of GitHub in; its entries out as items, each with what its mapping needs to know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from muster.errors import Rejected
from muster.records import Item
from muster.sources import Window
from muster.sources._answer import Answer
from muster.sources._downward import is_within
from muster.sources._http import Api
from muster.sources._newest import instant
from muster.sources._paging import Step, walk

PER_PAGE = 100
Teams = Mapping[str, list[str]] | None  # the teams of each account that is in one


def items_of(
    window: Window, teams: Teams, stream: str, answer: Answer, entries: Iterable[Any]
) -> list[Item]:
    """The entries written in the window."""
    return [
        Item(stream, told, answer.seen_at, groups_of(teams, told))
        for told in entries
        if is_within(window, _written, told)
    ]


def _written(told: Any) -> datetime:
    return instant(told["submitted_at"] if "submitted_at" in told else told["created_at"])


def reviews(api: Api, window: Window, teams: Teams, repository: str, issue: Any) -> Iterator[Item]:
    """The reviews of a pull request; of what is none, nothing."""
    number = issue.get("number") if isinstance(issue, Mapping) else None
    if not isinstance(number, int) or "pull_request" not in issue:
        return
    try:
        for step in numbered(api, f"/repos/{repository}/pulls/{number}/reviews"):
            said = [told for told in step.items if _has_words(told)]
            yield from items_of(window, teams, "review", step.answer, said)
    except Rejected as refused:
        if not refused.is_gone:  # deleted since it was listed
            raise


def _has_words(told: Any) -> bool:
    """Whether a review says anything; one that is not submitted yet has no time."""
    is_read = isinstance(told, Mapping) and "body" in told
    return not is_read or bool(told["body"] and told.get("submitted_at"))


def groups_of(teams: Teams, told: Any) -> dict[str, Any]:
    """The teams of those who wrote an entry and its replies; nothing where none is named."""
    if teams is None:
        return {}
    return {"groups": {one: teams[one] for one in _authors(told) if one in teams}}


def _authors(told: Any) -> Iterator[str]:
    if isinstance(told, Mapping):
        for author, key in ((told.get("user"), "id"), (told.get("author"), "databaseId")):
            if isinstance(author, Mapping):
                yield str(author.get(key))
        replies = told.get("replies")
        for reply in replies.get("nodes") or () if isinstance(replies, Mapping) else ():
            yield from _authors(reply)


def listed_in(answer: Answer) -> list[Any]:
    """The entries of one of REST's lists."""
    return answer.body if isinstance(answer.body, list) else []


def has_next(answer: Answer) -> bool:
    """Whether a list of REST's goes on."""
    return 'rel="next"' in answer.headers.get("link", "")


def numbered(api: Api, path: str) -> Iterator[Step[int]]:
    """The pages of one of REST's lists, by number."""
    now = 1

    def ask(number: int | None) -> Answer:
        nonlocal now
        now = number or 1
        return api.get(path, {"per_page": PER_PAGE, "page": number})

    def read(answer: Answer) -> tuple[Sequence[Any], int | None]:
        return listed_in(answer), now + 1 if has_next(answer) else None

    return walk(ask, read)
