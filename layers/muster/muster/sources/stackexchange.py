"""Stack Exchange: questions of a site or of our tags, their answers and comments, who wrote them.

Credentials: none needed; a key of a registered app (https://stackapps.com) raises the quota from
300 to 10,000 requests a day. ``token`` names the key; with one, authors' profiles are read too.

Limits: 300 requests a day and address, 10,000 with a key. A pause that an answer asks for
(``backoff``) is kept before the next request, whatever that is for.

Verified: a recorded page of real questions; the sheet of the API. Not against the live API.

``account`` is the site as the API names it (``stackoverflow``). With ``tags`` only questions that
have one of them are read, oldest change first, from a day before the newest change stored; without
any, the site is ours: all of it is read, and its members are counted (nobody tells how many
follow a tag). Questions found by ``terms`` only are ambient. Each question comes with its answers
and the comments under both, by one filter that is made once. Comments move no date: threads are
read again daily until they are a week old, and when messages of them are 1, 3, 7 or 30 days old;
what is missing then is a deletion. When an answer was accepted is not told: ``solved_at`` stays
empty. Content is CC BY-SA: ``url`` leads to the original and its author.

Unverified: the shape of answers, comments and users beyond what the recorded questions show; that
a comment moves no ``last_activity_date``; that employees are marked; that a filter gives all
comments; errors other than ``throttle_violation``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from muster.clock import DAY
from muster.errors import Rejected, SourceFailed, Unavailable
from muster.records import Deletion, Item, KnownMessage, Page, Row
from muster.settings import Source
from muster.sources import Window
from muster.sources._answer import Answer, WaitOf, asked_wait
from muster.sources._changes import Changes, changes
from muster.sources._downward import done_today, is_due_today, is_within
from muster.sources._http import Api, Http
from muster.sources._missing import missing
from muster.sources._newest import (
    OPEN,
    State,
    begin,
    came_of_age,
    finish,
    given,
    mapped,
    page,
    recheck,
    start_of,
)
from muster.sources._stackexchange_rows import at, author, home_of, is_found, rows_of
from muster.sources._tokens import hidden

OVERLAP = DAY
YOUNG = 7 * DAY  # how long a question is read again every day: comments move no date
PER_CALL = 100
BREATH = 1.0  # seconds added to a pause that is asked for
_THROTTLED, _TROUBLED = 502, (500, 503)
FIELDS = ";".join((
    "question.body", "question.answers", "question.comments", "question.last_edit_date",
    "answer.body", "answer.comments", "answer.last_edit_date", "comment.body",
))  # fmt: skip
_SECONDS = re.compile(r"(\d+) seconds?")


class Options(Source):
    """What Stack Exchange needs beyond what every source has."""

    platform: Literal["stackexchange"]
    account: Annotated[str, Field(description="the site as its API names it: stackoverflow")]
    tags: Annotated[
        tuple[str, ...], Field(description="tags of ours; absent: the whole site is ours")
    ] = ()
    filter: Annotated[
        str | None, Field(description="a filter of the API made before; absent: one is made")
    ] = None


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The connection; without a key it reads at the quota of the address."""
    return Api(
        http,
        options.base_url or "https://api.stackexchange.com/2.3",
        {},
        name=options.name,
        wait_of=_wait_of(options.name),
        pause_of=_pause,
        params={"site": options.account, "key": secret},
        secrets=hidden(secret),
    )


def _wait_of(name: str) -> WaitOf:
    """Limits are a 400 with an error of their own; trouble of the server is one too."""

    def wait(answer: Answer) -> float | None:
        told = answer.body if isinstance(answer.body, Mapping) else {}
        if told.get("error_id") in _TROUBLED:
            said = str(told.get("error_message"))[:200]
            raise Unavailable(f"{name}: Stack Exchange is in trouble: {said}")
        if told.get("error_id") == _THROTTLED:
            found = _SECONDS.search(str(told.get("error_message")))
            return float(found[1]) + BREATH if found else 60.0
        return asked_wait(answer)

    return wait


def _pause(answer: Answer) -> float | None:
    asked = answer.body.get("backoff") if isinstance(answer.body, Mapping) else None
    return asked + BREATH if isinstance(asked, int | float) else None


def check(api: Api, options: Options) -> str:
    """Asks the site how large it is; tells the quota that is left."""
    try:
        answer = api.get("/info")
    except Rejected as refused:
        if refused.status not in (400, 404):
            raise
        raise SourceFailed(
            f"{refused}: check account (a site as https://api.stackexchange.com/2.3/sites names "
            "it) and token (an app's key of https://stackapps.com)"
        ) from refused
    left, most = (answer.body.get(name, 0) for name in ("quota_remaining", "quota_max"))
    what = f"questions tagged {' or '.join(options.tags)}" if options.tags else "all questions"
    return f"reads {what} of {options.account}; {left:,} of today's {most:,} requests are left"


def addresses(handle: str, member_id: str, options: Options) -> tuple[str, ...]:
    """Where an account's profile is found, on sites named after their address."""
    return (f"https://{options.account}.com/users/{member_id}",) if handle else ()


def pages(api: Api, window: Window) -> Iterator[Page]:
    """The site's size, questions with all that stands under them, then those of age again."""
    state = begin(window)
    _choose_fields(api, window.options, state)
    if not window.options.tags and is_due_today(state, window, "site"):
        answer = api.get("/info")
        done_today(state, window, "site")
        sizes = [told for told in _list(answer) if isinstance(told, Mapping)]
        yield page(state, [Item("site", told, answer.seen_at) for told in sizes[:1]])
    for tag in window.options.tags or (None,):
        yield from _questions(api, window, state, f"tag:{tag}", "/questions", {"tagged": tag})
    for term in window.options.terms:
        asked = {"q": term}
        yield from _questions(api, window, state, f"term:{term}", "/search/advanced", asked)
    for batch in recheck(state, window, PER_CALL, _is_due):
        yield page(state, list(_again(api, window, state, batch)))
    yield finish(state)


def _choose_fields(api: Api, options: Options, state: State) -> None:
    """A filter that also gives texts, answers and comments: made once, the API keeps it."""
    if options.filter:
        state["filter"] = {"name": options.filter}
    elif state.get("filter", {}).get("fields") != FIELDS:
        made = _list(api.get("/filters/create", {"base": "default", "include": FIELDS}))
        if not (made and isinstance(made[0], Mapping) and made[0].get("filter")):
            raise SourceFailed(f"{options.name}: Stack Exchange makes no filter: set one as filter")
        state["filter"] = {"fields": FIELDS, "name": made[0]["filter"]}


def _questions(
    api: Api, window: Window, state: State, name: str, path: str, which: Mapping[str, Any]
) -> Iterator[Page]:
    """Questions from the oldest change that is not stored yet, each with its answers."""

    def ask(since: str, number: int) -> Answer:
        asked = {**which, "sort": "activity", "order": "asc", "min": since, "page": number}
        return api.get(path, {**asked, "filter": state["filter"]["name"], "pagesize": PER_CALL})

    def start(mark: str | None) -> str:
        if mark and given(window) == OPEN:
            return str(int(mark) - int(OVERLAP.total_seconds()))
        begun = start_of(window)
        return str(int(begun.timestamp())) if begun else "1200000000"  # before the first site

    def changed_at(told: Any) -> str:
        return str(int(told["last_activity_date"]))

    listed = Changes(name, ask, lambda answer: (_list(answer), _has_more(answer)), changed_at,
                     start)  # fmt: skip
    for step in changes(state, listed):
        yield page(state, list(_whole(api, window, step.answer, step.items)))


def _list(answer: Answer) -> Sequence[Any]:
    return (answer.body.get("items") or ()) if isinstance(answer.body, Mapping) else ()


def _has_more(answer: Answer) -> bool:
    return isinstance(answer.body, Mapping) and bool(answer.body.get("has_more"))


def _whole(api: Api, window: Window, answer: Answer, questions: Sequence[Any]) -> Iterator[Item]:
    """Questions, their answers, the comments under both, and (with a key) who wrote them."""
    items: list[Item] = []
    for told in questions:
        if not _is_question(told):
            items.append(Item("question", told, answer.seen_at))
            continue
        context = _context(window.options, told)
        answers = told.get("answers") or ()
        items.append(Item("question", _alone(told), answer.seen_at, _solved(told)))
        items += [Item("answer", _alone(one), answer.seen_at, context) for one in answers]
        for post in (told, *filter(_is_post, answers)):
            comments = post.get("comments") or ()
            items += [Item("comment", one, answer.seen_at, context) for one in comments]
    inside = [item for item in items if is_within(window, _written, item.body)]
    yield from inside
    if window.options.token:
        yield from _users(api, inside)


def _is_question(told: Any) -> bool:
    return (isinstance(told, Mapping) and isinstance(told.get("question_id"), int)
            and isinstance(told.get("link"), str))  # fmt: skip


def _is_post(told: Any) -> bool:
    return isinstance(told, Mapping)


def _alone(told: Any) -> Any:
    """A post without what stands under it: each of that is an item of its own."""
    if not isinstance(told, Mapping):
        return told
    return {key: value for key, value in told.items() if key not in ("answers", "comments")}


def _written(told: Any) -> datetime:
    return at(told["creation_date"])


def _context(options: Options, question: Mapping[str, Any]) -> dict[str, Any]:
    """What the mapping of what stands under a question needs to know of it."""
    told = {"question": str(question["question_id"]), "home": home_of(question)}
    return {**told, "is_found": is_found(options, question)}


def _solved(question: Mapping[str, Any]) -> dict[str, Any]:
    """Who wrote the accepted answer."""
    accepted = question.get("accepted_answer_id")
    found = (one for one in question.get("answers") or () if _is_post(one))
    one = next((one for one in found if one.get("answer_id") == accepted), None)
    return {"solved_by": _author(one)} if accepted and one else {}


def _users(api: Api, items: Sequence[Item]) -> Iterator[Item]:
    found = {one for item in items if (one := _author(item.body))}
    for first in range(0, len(found), PER_CALL):
        ids = ";".join(sorted(found, key=int)[first : first + PER_CALL])
        answer = api.get(f"/users/{ids}", {"pagesize": PER_CALL})
        yield from (Item("user", told, answer.seen_at) for told in _list(answer))


def _author(told: Any) -> str | None:
    try:
        return author(told)
    except (KeyError, TypeError, AttributeError):
        return None


# ---- known messages again ----------------------------------------------------------------------


def _is_due(known: KnownMessage, last: datetime, now: datetime) -> bool:
    """Messages that came of age, and every day young questions."""
    is_young = known.message_id == known.thread_id and now - known.created_at < YOUNG
    return is_young or came_of_age(known, last, now)


def _again(api: Api, window: Window, state: State, batch: Sequence[KnownMessage]) -> Iterator[Item]:
    """The threads of these messages as they are now; what is missing in them is gone."""
    ids = ";".join(sorted({known.thread_id for known in batch}, key=int))
    asked = {"pagesize": PER_CALL, "filter": state["filter"]["name"]}
    answer = api.get(f"/questions/{ids}", asked)
    items = list(_whole(api, window, answer, _list(answer)))
    yield from items
    yield from missing(window, items, batch, rows_of, answer.seen_at)


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The rows an item stands for."""
    yield from mapped(lambda: rows_of(item, options))
