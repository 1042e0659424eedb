"""Zendesk Support: tickets, public comments, users and satisfaction ratings.

Credentials: an administrator's API token or OAuth access token. For an API token (Admin Center →
Apps and integrations → APIs → API tokens) set ``email`` to its owner's address; an OAuth token
needs the scope ``read``. The exports are for administrators. ``account`` is the subdomain:
yourname of yourname.zendesk.com.

Limits: ten calls of an export a minute, 200 to 2,500 others by plan. 429 tells how long to wait.
Every ticket that changed costs a call, so that is how fast a first fetch can be.

Verified: recorded answers of the real API (tickets, comments, users), the rest by its OpenAPI.

Tickets and users come from the incremental exports, whose cursor misses nothing and needs no
overlap; of every ticket that changed all comments are read again, so a comment that was redacted
or made private is noticed. Internal notes are left out. A comment answers the public comment
before it; what a trigger wrote is a bot's. A ticket counts as closed when it was last solved. A
deleted ticket's comments are deletions. Ratings are read again for 30 days once a UTC day, since
a customer may change one. Addresses and telephone numbers are left out before anything is stored.

Unverified: that a merge and a trigger are told as ``via.channel`` system and rule; that
``start_time`` of ratings goes by ``created_at``. Not read: the newer CSAT surveys, which have no
list of answers; community posts and the help center.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from muster.clock import DAY
from muster.errors import Rejected, SourceFailed
from muster.records import Deletion, Item, Page, Row
from muster.settings import Source
from muster.sources import Window, _zendesk_rows
from muster.sources._answer import Answer
from muster.sources._granted import granted
from muster.sources._http import Api, Http
from muster.sources._newest import State, begin, instant, mapped, page, stamp, start_of
from muster.sources._paging import walk
from muster.sources._private import without
from muster.sources._tokens import OAuth, basic, fields_of, hidden, signed

NEEDS = "an administrator's API token (with email set) or OAuth access token with scope read"
PER_PAGE = 100
EARLIEST = 1  # the exports want some start
SETTLED = timedelta(minutes=2)  # a start must lie more than a minute back
LATE, OVERLAP = 30 * DAY, timedelta(hours=1)
_PRIVATE = (
    "email", "phone", "photo", "notes", "details", "signature", "user_fields", "metadata",
    "source", "recipient", "custom_fields", "fields", "attachments",
)  # fmt: skip
_WANTS = {
    401: "check token, and email if it is an API token and no OAuth access token",
    403: "the token needs the scope read and an administrator's rights",
}


class Options(Source):
    """What Zendesk needs beyond what every source has."""

    platform: Literal["zendesk"]
    account: Annotated[
        str | None, Field(description="the subdomain: yourname of yourname.zendesk.com")
    ] = None
    email: Annotated[
        str | None, Field(description="whose API token it is; absent: an OAuth access token")
    ] = None


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The signed-in client."""
    if not (options.account or options.base_url):
        raise SourceFailed(f"{options.name}: set account to your subdomain of zendesk.com")
    base_url = options.base_url or f"https://{options.account}.zendesk.com"
    if options.email is None:
        oauth = OAuth(f"{base_url}/oauth/tokens", scope="read")
        return signed(http, base_url, secret, oauth, name=options.name, needs=NEEDS)
    token = fields_of(secret, options.name, NEEDS)["access_token"]
    headers = {"Authorization": basic(f"{options.email}/token", token)}
    return Api(http, base_url, headers, name=options.name, secrets=hidden(secret))


def check(api: Api, options: Options) -> str:
    """Who the token belongs to: it must be an administrator's."""
    user = _granted(api, "/api/v2/users/me.json", {}).body.get("user") or {}
    if not user.get("id"):
        raise SourceFailed(f"{options.name}: Zendesk does not know the token: check it and email")
    if user.get("role") != "admin":
        raise SourceFailed(
            f"{options.name}: Zendesk's exports are for administrators, but the token's user has "
            f"the role {str(user.get('role'))[:40]!r}: use an administrator's"
        )
    return f"reads Zendesk as an administrator of {api.base_url.partition('://')[2]}"


def _granted(api: Api, path: str, params: Mapping[str, Any]) -> Answer:
    return granted(api, path, params, "Zendesk", _WANTS)


def pages(api: Api, window: Window) -> Iterator[Page]:
    """Users, then tickets with their comments, then ratings; each export goes on at its cursor."""
    state = begin(window)
    for answer in _export(api, window, state, "users"):
        yield page(state, [_item("user", one, answer) for one in _records(answer, "users")])
    for answer in _export(api, window, state, "tickets", include="metric_sets"):
        for ticket in _records(answer, "tickets"):
            yield Page(tuple(_of_ticket(api, ticket, answer)))
        yield page(state, list(_gone(window, answer)))
    yield from _ratings(api, window, state)
    yield page(state)


def _export(api: Api, window: Window, state: State, name: str, **params: Any) -> Iterator[Answer]:
    """The pages of an incremental export; ``state`` has gone on before each is yielded."""
    path = f"/api/v2/incremental/{name}/cursor.json"

    def ask(cursor: str | None) -> Answer:
        at = {"cursor": cursor} if cursor else {"start_time": _start(window)}
        return _granted(api, path, {**at, "per_page": PER_PAGE, **params})

    for step in walk(ask, lambda answer: _read(answer, name), start=state.get(name)):
        state[name] = step.answer.body.get("after_cursor") or state.get(name)
        yield step.answer


def _read(answer: Answer, name: str) -> tuple[Sequence[Any], str | None]:
    is_end = answer.body.get("end_of_stream", True)
    return _records(answer, name), None if is_end else answer.body.get("after_cursor")


def _start(window: Window) -> int:
    since = start_of(window)
    return _epoch(min(since, window.now - SETTLED)) if since else EARLIEST


def _epoch(at: datetime) -> int:
    return int(at.timestamp())


def _records(answer: Answer, name: str) -> Sequence[Any]:
    found = answer.body.get(name)
    return found if isinstance(found, list) else ()


def _item(stream: str, body: Any, answer: Answer, context: Any = None) -> Item:
    return Item(stream, without(body, _PRIVATE), answer.seen_at, context)


def _of_ticket(api: Api, ticket: Any, answer: Answer) -> Iterator[Item]:
    """A ticket, and its comments with their authors, unless it was deleted."""
    number = ticket.get("id") if isinstance(ticket, Mapping) else None
    number = number if isinstance(number, int) else None
    metrics = {
        one.get("ticket_id"): one
        for one in _records(answer, "metric_sets")
        if isinstance(one, Mapping) and not isinstance(one.get("ticket_id"), dict | list)
    }
    solved_at = metrics[number].get("solved_at") if number in metrics else None
    yield _item("ticket", ticket, answer, {"solved_at": solved_at, "site": api.base_url})
    if number is not None and ticket.get("status") != "deleted":
        yield from _comments(api, number)


def _comments(api: Api, ticket: int) -> Iterator[Item]:
    """All comments of a ticket, oldest first, each with its role and the one it answers."""
    before: str | None = None
    for answer in _cursor_pages(
        api, f"/api/v2/tickets/{ticket}/comments.json", "comments", {"include": "users"}
    ):
        roles = _roles(answer)
        for comment in _records(answer, "comments"):
            told = comment if isinstance(comment, Mapping) else {}
            author = str(told.get("author_id"))
            context = {"ticket": ticket, "before": before, "role": roles.get(author),
                       "site": api.base_url}  # fmt: skip
            yield _item("comment", comment, answer, context)
            if told.get("public") is True and isinstance(told.get("id"), int):
                before = str(told["id"])


def _roles(answer: Answer) -> Mapping[str, str]:
    users = [user for user in _records(answer, "users") if isinstance(user, Mapping)]
    return {str(user.get("id")): str(user.get("role")) for user in users}


def _cursor_pages(
    api: Api,
    path: str,
    name: str,
    params: Mapping[str, Any],
    start: str | None = None,
) -> Iterator[Answer]:
    """The answers of a list with cursor pages; the list of a ticket that is gone is empty."""

    def ask(after: str | None) -> Answer:
        return _granted(api, path, {**params, "page[size]": PER_PAGE, "page[after]": after})

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        return _records(answer, name), _after(answer)

    try:
        for step in walk(ask, read, start=start):
            yield step.answer
    except Rejected as refused:
        if not refused.is_gone:
            raise


def _after(answer: Answer) -> str | None:
    meta = answer.body.get("meta") or {}
    return meta.get("after_cursor") if meta.get("has_more") else None


def _gone(window: Window, answer: Answer) -> Iterator[Item]:
    """The known comments of the tickets of a page that were deleted."""
    opened = dict(_deleted(_records(answer, "tickets")))
    for known in window.known(min(opened.values())) if opened else ():
        if known.thread_id in opened:
            told = {"message_id": known.message_id, "created_at": stamp(known.created_at)}
            yield _item("gone", {"id": known.thread_id}, answer, told)


def _deleted(tickets: Sequence[Any]) -> Iterator[tuple[str, datetime]]:
    """Id and opening of each ticket that was deleted."""
    for ticket in tickets:
        if isinstance(ticket, Mapping) and ticket.get("status") == "deleted":
            with suppress(KeyError, TypeError, ValueError):
                yield str(ticket["id"]), instant(ticket["created_at"])


def _ratings(api: Api, window: Window, state: State) -> Iterator[Page]:
    """Answers to the satisfaction survey; those of 30 days again on the first run of a UTC day."""
    begun = state.setdefault("ratings", {"from": _rated_from(window, state), "after": None})
    params = {"score": "received", "start_time": begun["from"], "sort": "created_at"}
    path = "/api/v2/satisfaction_ratings.json"
    for answer in _cursor_pages(api, path, "satisfaction_ratings", params, begun["after"]):
        begun["after"] = _after(answer)
        items = [_item("rating", one, answer) for one in _records(answer, "satisfaction_ratings")]
        yield page(state, items)
    del state["ratings"]
    state["rated_at"] = stamp(window.now)


def _rated_from(window: Window, state: State) -> int:
    if "rated_at" not in state:
        return _start(window)
    last = instant(state["rated_at"])
    is_new_day = last.date() < window.now.astimezone(UTC).date()
    return max(_epoch(last - (LATE if is_new_day else OVERLAP)), _start(window))


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The thread, message, member, answer or deletion an item stands for."""
    yield from mapped(lambda: _MAPPINGS[item.stream](item, options))


_MAPPINGS: Mapping[str, Callable[[Item, Options], Iterator[Row | Deletion]]] = {
    "user": _zendesk_rows.user_rows,
    "ticket": _zendesk_rows.ticket_rows,
    "comment": _zendesk_rows.comment_rows,
    "gone": _zendesk_rows.gone_rows,
    "rating": _zendesk_rows.rating_rows,
}
