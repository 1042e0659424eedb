"""Messages that came of age in; their threads as GitHub tells them now, and what is gone, out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from muster.errors import Rejected
from muster.records import Item, KnownMessage
from muster.sources import Window
from muster.sources._github_discussions import discussion
from muster.sources._github_items import Teams, items_of, numbered, reviews
from muster.sources._github_rows import DISCUSSION, FOREIGN, rows_of
from muster.sources._http import Api
from muster.sources._missing import missing


def again(
    api: Api, window: Window, teams: Teams, repository: str, batch: Sequence[KnownMessage]
) -> Iterator[Item]:
    """Every thread of these messages, whole; those of them that are missing in it are gone."""
    threads: dict[str, list[KnownMessage]] = {}
    for known in batch:
        threads.setdefault(known.thread_id, []).append(known)
    for thread, messages in threads.items():
        if FOREIGN in thread:
            items = list(_foreign(api, window, thread))
        elif not thread.startswith(DISCUSSION):
            items = list(_thread(api, window, teams, repository, thread))
        elif window.options.token:
            number = int(thread.removeprefix(DISCUSSION))
            items = list(discussion(api, window, teams, {"number": number}))
        else:
            continue
        yield from items
        yield from missing(window, items, messages, rows_of, window.now)


def _thread(api: Api, window: Window, teams: Teams, repository: str, number: str) -> Iterator[Item]:
    """An issue or pull request with its comments; nothing once it is deleted or moved away."""
    home = f"/repos/{repository}"
    try:
        answer = api.get(f"{home}/issues/{number}")
    except Rejected as refused:
        if not refused.is_gone:
            raise
        return
    issue = answer.body
    if not str(issue.get("repository_url")).lower().endswith(home.lower()):
        return
    yield from items_of(window, teams, "issue", answer, [issue])
    yield from _comments(api, window, teams, f"{home}/issues/{number}/comments", "comment")
    if "pull_request" in issue:
        yield from _comments(api, window, teams, f"{home}/pulls/{number}/comments", "remark")
        yield from reviews(api, window, teams, repository, issue)


def _foreign(api: Api, window: Window, thread: str) -> Iterator[Item]:
    """An issue of another repository; nothing once it is not to be seen any more."""
    repository, _, number = thread.partition(FOREIGN)
    try:
        answer = api.get(f"/repos/{repository}/issues/{number}")
    except Rejected as refused:
        if not refused.is_gone:
            raise
        return
    yield from items_of(window, None, "found", answer, [answer.body])


def _comments(api: Api, window: Window, teams: Teams, path: str, stream: str) -> Iterator[Item]:
    for step in numbered(api, path):
        yield from items_of(window, teams, stream, step.answer, step.items)
