"""GitHub: a repository's issues, pull requests, discussions, comments, stars, watchers and views.

Credentials: a fine-grained personal access token of the repository, or a GitHub App. Settings →
Developer settings: read access to Metadata, Issues, Pull requests and Discussions; with
Administration also the views (they need push access), with Members of the organisation the teams
that ``staff`` and ``bots`` name. An app's secret is a JSON object of ``app_id``,
``installation_id`` and ``private_key``; its hourly tokens are got and renewed. A public repository
is read without a token too, but slowly and without discussions.

Limits: 5,000 requests an hour (60 without a token); views reach 14 days back. GitHub's hints are
obeyed, those of its secondary limits too.

Verified: GitHub's OpenAPI and GraphQL schema of 2026, and recorded answers. Every field read is in
the first, every query valid by the second. Not against a live account.

``account`` is the repository as ``owner/name``. What changed is read oldest change first, from ten
minutes before the newest change stored; discussions newest first, down to a day before it. A
thread is read again whole when messages of it are 1, 3, 7 or 30 days old: reactions move no date,
and deleted comments are only missing. Stars count as followers (their history: the stars that
still stand), watchers as subscribers. ``terms`` are looked for in the issues of other
repositories: those are ambient. A comment counts as edited when its date of change moved
(hiding it moves it too); an issue's moves for labels and tells nothing.

Unverified: that views reach 14 days back; that a secondary limit without a hint wants a minute.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, quote

from pydantic import Field, StringConstraints

from muster.clock import DAY
from muster.errors import Rejected, SourceFailed
from muster.records import Deletion, Item, Page, Row
from muster.settings import Source
from muster.sources import Window
from muster.sources._answer import Answer, asked_wait, links, parted
from muster.sources._changes import Changes, changes
from muster.sources._downward import downward
from muster.sources._github_app import signed_as_app
from muster.sources._github_discussions import discussions
from muster.sources._github_graphql import STARS, connection, errors, query
from muster.sources._github_items import (
    PER_PAGE,
    Teams,
    has_next,
    items_of,
    listed_in,
    numbered,
    reviews,
)
from muster.sources._github_rows import rows_of, star_days
from muster.sources._github_threads import again
from muster.sources._http import Api, Http
from muster.sources._newest import (
    OPEN,
    Place,
    State,
    begin,
    finish,
    follow,
    given,
    instant,
    mapped,
    page,
    recheck,
    stamp,
    start_of,
)
from muster.sources._paging import walk
from muster.sources._tokens import hidden

OVERLAP = timedelta(minutes=10)
SEARCH_OVERLAP = DAY  # an issue is found some time after it was written
SECONDARY_WAIT = 60.0  # a limit without a hint: GitHub asks for a minute at least
_SECONDARY = re.compile(r"secondary rate limit|abuse detection", re.IGNORECASE)
_EARLIEST = datetime(2008, 1, 1, tzinfo=UTC)


class Options(Source):
    """What GitHub needs beyond what every source has."""

    platform: Literal["github"]
    account: Annotated[
        str, StringConstraints(pattern=r"^[\w.-]+/[\w.-]+$"), Field(description="owner/repository")
    ]
    api_version: Annotated[str, Field(description="version of GitHub's REST API")] = "2022-11-28"


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The connection; without a token it reads what anybody may read."""
    base_url = options.base_url or "https://api.github.com"
    headers = {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": options.api_version,
    }
    if secret and secret.lstrip().startswith("{"):
        return signed_as_app(http, base_url, headers, secret, options.name, _wait)
    signed = {**headers, "Authorization": f"Bearer {secret}" if secret else None}
    return Api(http, base_url, signed, name=options.name, wait_of=_wait, secrets=hidden(secret))


def _wait(answer: Answer) -> float | None:
    """GitHub's limits: a 403, a 429, or (GraphQL) a 200 that says RATE_LIMITED."""
    body, headers = answer.body, answer.headers
    is_graphql = any(error.get("type") == "RATE_LIMITED" for error in errors(body))
    if answer.status not in (403, 429) and not is_graphql:
        return asked_wait(answer)
    if "retry-after" in headers:
        return asked_wait(Answer(body, 429, headers, answer.seen_at))
    if headers.get("x-ratelimit-remaining") == "0" or is_graphql:
        asked = asked_wait(Answer(body, 429, headers, answer.seen_at))
        return SECONDARY_WAIT if asked is None else asked + 1  # whole seconds, rounded down
    message = body.get("message") if isinstance(body, Mapping) else ""
    return SECONDARY_WAIT if answer.status == 429 or _SECONDARY.search(str(message)) else None


def check(api: Api, options: Options) -> str:
    """Looks the repository up, and tells what this token cannot read."""
    told = _repository(api, options).body
    missing = []
    if not options.token:
        missing.append("discussions and dates of stars (set token)")
    if not _may_see_views(told):
        missing.append("views (the token needs push access and Administration: read)")
    without = f"; not its {', nor its '.join(missing)}" if missing else ""
    return f"reads {told['full_name']} on GitHub, {told['stargazers_count']:,} stars{without}"


def _repository(api: Api, options: Options) -> Answer:
    try:
        return api.get(f"/repos/{options.account}")
    except Rejected as refused:
        if not refused.is_gone:
            raise
        raise SourceFailed(
            f"{options.name}: GitHub shows no repository {options.account}: check account; a "
            "private one needs a token with read access to Metadata, Issues, Pull requests and "
            "Discussions of it"
        ) from refused


def _may_see_views(repository: Mapping[str, Any]) -> bool:
    return bool((repository.get("permissions") or {}).get("push"))


def addresses(handle: str, member_id: str, options: Options) -> tuple[str, ...]:
    """Where an account's profile is found."""
    return (f"https://github.com/{handle}",)


# ---- reading: what is new ----------------------------------------------------------------------

_LISTS = {"issues": ("issues", "issue"), "comments": ("issues/comments", "comment"),
          "remarks": ("pulls/comments", "remark")}  # fmt: skip


def pages(api: Api, window: Window) -> Iterator[Page]:
    """Repository, stars, issues, comments, discussions, then threads of messages come of age."""
    state = begin(window)
    teams, people = _teams(api, window)
    yield from _daily(api, window, state, teams, people)
    if window.options.token and given(window) == OPEN and "stars_read" not in state:
        yield from _stars(api, window, state)
    for name, (path, stream) in _LISTS.items():
        yield from _changed(api, window, state, teams, name, path, stream)
    if window.options.token and state.get("has_discussions", True):
        yield from discussions(api, window, state, teams)
    for term in window.options.terms:
        yield from _found(api, window, state, term)
    for batch in recheck(state, window, PER_PAGE):
        yield page(state, list(again(api, window, teams, state["account"], batch)))
    yield finish(state)


def _daily(
    api: Api, window: Window, state: State, teams: Teams, people: Sequence[Any]
) -> Iterator[Page]:
    """Once a UTC day: the repository, its views, and who is in the teams."""
    today = str(window.now.astimezone(UTC).date())
    if state.get("day") == today:
        return
    told = _repository(api, window.options)
    account = told.body["full_name"]
    items = [Item("repository", told.body, told.seen_at)]
    if _may_see_views(told.body):
        views = api.get(f"/repos/{account}/traffic/views", {"per": "day"})
        items.append(Item("views", views.body, views.seen_at, {"account": account}))
    items += [Item("teammate", one, told.seen_at, {"groups": teams}) for one in people]
    has_discussions = bool(told.body.get("has_discussions", True))
    state.update(day=today, account=account, has_discussions=has_discussions)
    yield page(state, items)


def _teams(api: Api, window: Window) -> tuple[Teams, list[Any]]:
    """The teams that the settings name, by member (``None``: none is named), and the members."""
    owner = window.options.account.partition("/")[0]
    teams: dict[str, list[str]] = {}
    people: list[Any] = []
    for name in window.groups:
        path = f"/orgs/{owner}/teams/{quote(name, safe='')}/members"
        try:
            members = [one for step in numbered(api, path) for one in step.items]
        except Rejected as refused:
            raise SourceFailed(
                f"{window.options.name}: the team {name!r} that staff, bots or not_bots names "
                f"cannot be read ({refused.status}): check its name, and that the token may read "
                f"Members of the organisation {owner}"
            ) from refused
        for one in members:
            teams.setdefault(str(one["id"]), []).append(name)
        people += members
    return (teams if window.groups else None), people


def _stars(api: Api, window: Window, state: State) -> Iterator[Page]:
    """Every star that still stands, oldest first: the followers' history before day one."""
    told = state.setdefault("stars", {"after": None, "total": 0, "open": {}})

    def ask(token: str | None) -> Answer:
        return query(api, window.options, STARS, after=token)

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        return connection(answer, "stargazers", "edges")

    for step in walk(ask, read, start=told["after"]):
        edges = [edge for edge in step.items if _is_dated(edge)]
        context = {"account": state["account"], "total": told["total"], "open": told["open"],
                   "is_last": step.token is None}  # fmt: skip
        days = star_days(edges, told["open"])
        last = max(days, default="")
        total = told["total"] + sum(count for day, count in days.items() if day != last)
        told = {"after": step.token, "total": total, "open": {last: days[last]} if last else {}}
        state["stars"] = told
        if step.token is None:
            state["stars_read"] = bool(state.pop("stars"))
        yield page(state, [Item("stars", edges, step.answer.seen_at, context)])


def _is_dated(edge: Any) -> bool:
    try:
        return bool(instant(edge["starredAt"]))
    except (KeyError, TypeError, ValueError):
        return False


def _changed(
    api: Api, window: Window, state: State, teams: Teams, name: str, path: str, stream: str
) -> Iterator[Page]:
    """One of REST's lists, from the oldest change that is not stored yet."""

    def ask(since: str, number: int) -> Answer:
        which = "all" if stream == "issue" else None  # only the open ones otherwise
        asked = {"state": which, "sort": "updated", "direction": "asc", "since": since,
                 "per_page": PER_PAGE, "page": number if number > 1 else None}  # fmt: skip
        return api.get(f"/repos/{window.options.account}/{path}", asked)

    def start(mark: str | None) -> str:
        if mark and given(window) == OPEN:
            return _iso(instant(mark) - OVERLAP)
        return _iso(start_of(window) or _EARLIEST)

    def changed_at(told: Any) -> str:
        return _iso(instant(told["updated_at"]))

    listed = Changes(name, ask, lambda answer: (listed_in(answer), has_next(answer)), changed_at,
                     start)  # fmt: skip
    for step in changes(state, listed):
        items = items_of(window, teams, stream, step.answer, step.items)
        if stream == "issue":
            for told in step.items:
                items += reviews(api, window, teams, state["account"], told)
        yield page(state, items)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _found(api: Api, window: Window, state: State, term: str) -> Iterator[Page]:
    """Issues and pull requests of other repositories that hold a term, newest first."""

    def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
        query = f'"{term}" -repo:{window.options.account}'.replace('""', '"')
        told = {"q": query, "sort": "created", "order": "desc", "per_page": PER_PAGE}
        return api.get("/search/issues", {**told, "page": token})

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        found = answer.body.get("items") if isinstance(answer.body, Mapping) else ()
        query = parse_qs(parted(links(answer).get("next")).query)
        return found or (), next(iter(query.get("page", ())), None)

    def place(told: Any) -> Place:
        return [stamp(instant(told["created_at"])), told["url"]]

    stream = downward(f"term:{term}", ask, read, place, window, SEARCH_OVERLAP)
    for step in follow(state, stream, window):
        yield page(state, items_of(window, None, "found", step.answer, step.items))


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The rows an item stands for."""
    yield from mapped(lambda: rows_of(item, options))
