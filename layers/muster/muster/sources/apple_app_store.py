"""Apple's App Store: reviews of our app, with our answers, edits and deletions.

Credentials: an App Store Connect key with the role Customer Support, as JSON ``{"key_id",
"issuer_id", "private_key"}`` (App Store Connect → Users and Access → Integrations; the private key
is the text of the .p8 file). Without a key the public feeds of ``countries`` are read: the newest
500 reviews of each, without answers or deletions; Apple's terms allow that for little more than
looking at other people's apps. ``account`` is the app's id, the number in its address.

Limits: 3,600 requests an hour with a key, 200 reviews each; the feeds end after ten pages of 50.

Verified: real feeds (50 reviews), the generated client of Apple's own OpenAPI for the rest.

A review that is edited gets a new date and keeps its id; its first date stays when it was written.
Reviews of 30 days are read again once a UTC day, since answers come late; on days 1, 3, 7 and 30
each is looked up, and one that is not there any more is deleted. Stars without words are in
neither service. Ids differ between the two: stay with one.

Unverified: that an edit changes ``createdDate``; the limit of 3,600 requests and its rolling hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

from pydantic import Field, StringConstraints

from muster.clock import DAY
from muster.errors import Rejected, SourceFailed
from muster.records import Item, Page, Review, Row
from muster.settings import Source
from muster.sources import Window, _apple_rows
from muster.sources._answer import Answer, asked_wait, parted, xml_body
from muster.sources._apple_rows import answers, entries, next_page
from muster.sources._downward import done_today, downward, is_due_today
from muster.sources._granted import granted
from muster.sources._http import Api, Http
from muster.sources._newest import Place, State, begin, finish, follow, instant, mapped, page, stamp
from muster.sources._reviews import first, gone, gone_rows, known_reviews, looked_at_again
from muster.sources._tokens import fields_of, hidden, jwt

NEEDS = 'the key of App Store Connect as {"key_id", "issuer_id", "private_key"}'
LIVES = timedelta(minutes=20)  # the longest Apple takes
LATE, OVERLAP = 30 * DAY, DAY
HOURLY = 60.0  # seconds after which the rolling hour has room again
EMPTY_TRIES, EMPTY_PAUSE = 3, 2.0  # a feed's page is empty by mistake now and then
FIELDS = {
    "include": "response",
    "fields[customerReviews]": "rating,title,body,reviewerNickname,createdDate,territory,response",
    "fields[customerReviewResponses]": "responseBody,lastModifiedDate,state",
}


class Options(Source):
    """What the App Store needs beyond what every source has."""

    platform: Literal["apple_app_store"]
    account: Annotated[
        str, StringConstraints(pattern=r"^\d+$"), Field(description="the app's id, a number")
    ]
    countries: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")], ...],
        Field(description="stores whose public feeds are read where there is no key"),
    ] = ("us",)


class Feeds(Api):
    """The stores' public feeds, for who has no key."""


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The client: of App Store Connect with a key, of the public feeds without."""
    if not secret:
        base_url = options.base_url or "https://itunes.apple.com"
        return Feeds(http, base_url, {}, name=options.name, pause_of=_pause_of)
    fields = fields_of(secret, options.name, NEEDS, "key_id", "issuer_id", "private_key")

    def signature() -> dict[str, str | None]:
        return {"Authorization": f"Bearer {_token(options, fields, http)}"}

    return Api(
        http,
        options.base_url or "https://api.appstoreconnect.apple.com",
        signature(),
        name=options.name,
        wait_of=_wait_of,
        renew=lambda refused: signature() if refused.status == 401 else None,
        secrets=hidden(secret),
    )


def _token(options: Options, fields: Mapping[str, Any], http: Http) -> str:
    claims = {"iss": fields["issuer_id"], "aud": "appstoreconnect-v1"}
    key, kid = fields["private_key"], fields["key_id"]
    try:
        return jwt(claims, key, http.clock(), LIVES, algorithm="ES256", kid=kid)
    except ValueError as error:
        raise SourceFailed(f"{options.name}: {error}: needs {NEEDS}") from None


def _wait_of(answer: Answer) -> float | None:
    asked = asked_wait(answer)
    return HOURLY if asked is None and answer.status == 429 else asked


def _pause_of(answer: Answer) -> float | None:
    is_empty = isinstance(answer.body, str) and not entries(answer.body)
    return EMPTY_PAUSE if is_empty else None


def check(api: Api, options: Options) -> str:
    """Looks the app up; by the public feeds, its newest reviews in the first store."""
    if isinstance(api, Feeds):
        feed = _feed(api, options.account, options.countries[0], 1).body
        return f"reads the public feed: {len(entries(feed))} reviews on its first page"
    told = _granted(api, f"/v1/apps/{options.account}", {"fields[apps]": "name"}).body
    return f"reads the App Store's reviews of {told['data']['attributes']['name']}"


def _granted(api: Api, path: str, params: Mapping[str, Any]) -> Answer:
    role = "give the key the role Customer Support, and the app to it"
    return granted(api, path, params, "App Store Connect", {403: role})


def pages(api: Api, window: Window) -> Iterator[Page]:
    """Reviews newest first, then known ones again; or the public feed of each country."""
    state, known = begin(window), known_reviews(window)
    if isinstance(api, Feeds):
        for country in window.options.countries:
            yield from _of_feed(api, window, state, known, country)
    else:
        yield from _of_app(api, window, state, known)
        for one in looked_at_again(state, window, known):
            yield page(state, [_looked_up(api, known, one)])
    yield finish(state)


def _of_app(api: Api, window: Window, state: State, known: Mapping[str, Review]) -> Iterator[Page]:
    path = f"/v1/apps/{window.options.account}/customerReviews"

    def ask(asked: Mapping[str, Any], cursor: str | None) -> Answer:
        order = {"sort": "-createdDate", "limit": 200, "cursor": cursor}
        return _granted(api, path, {**FIELDS, **order})

    overlap = LATE if is_due_today(state, window, "late") else OVERLAP
    stream = downward("reviews", ask, _read, _place, window, overlap)
    for step in follow(state, stream, window):
        if step.token is None:
            done_today(state, window, "late")
        responses = answers(step.answer.body)
        yield page(state, [_item(known, one, responses, step.answer) for one in step.items])


def _read(answer: Answer) -> tuple[Sequence[Any], str | None]:
    found = answer.body.get("data")
    following = (answer.body.get("links") or {}).get("next")
    cursor = parse_qs(parted(following).query).get("cursor")
    return found if isinstance(found, list) else (), cursor[0] if cursor else None


def _place(review: Any) -> Place:
    return [stamp(instant(review["attributes"]["createdDate"])), review["id"]]


def _item(
    known: Mapping[str, Review],
    review: Any,
    responses: Mapping[str, Mapping[str, Any]],
    answer: Answer,
) -> Item:
    """A review with our answer to it, if there is one."""
    told = review if isinstance(review, Mapping) else {}
    links = told.get("relationships") if isinstance(told.get("relationships"), Mapping) else {}
    data = ((links or {}).get("response") or {}).get("data") or {}
    context = {**first(known, told.get("id")), "response": responses.get(str(data.get("id")))}
    return Item("review", review, answer.seen_at, context)


def _looked_up(api: Api, known: Mapping[str, Review], one: Review) -> Item:
    try:
        answer = _granted(api, f"/v1/customerReviews/{one.review_id}", FIELDS)
    except Rejected as refused:
        if not refused.is_gone:
            raise
        return gone(one, api.http.clock())
    return _item(known, answer.body.get("data"), answers(answer.body), answer)


def _of_feed(
    api: Api, window: Window, state: State, known: Mapping[str, Review], country: str
) -> Iterator[Page]:
    def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
        return _feed(api, window.options.account, country, int(token or 1))

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        following = next_page(answer.body)
        return entries(answer.body), str(following) if following else None

    stream = downward(f"feed:{country}", ask, read, _feed_place, window, OVERLAP)
    for step in follow(state, stream, window):
        items = [
            Item("entry", entry, step.answer.seen_at, first(known, entry.get("id")))
            for entry in step.items
        ]
        yield page(state, items)


def _feed(api: Api, app: str, country: str, number: int) -> Answer:
    """A page of a store's feed, asked for again if it is empty."""
    path = f"/{country}/rss/customerreviews/page={number}/id={app}/sortby=mostrecent/xml"
    answer = api.get(path, read=xml_body)
    for _ in range(EMPTY_TRIES - 1):
        if entries(answer.body):
            break
        answer = api.get(path, read=xml_body)
    return answer


def _feed_place(entry: Any) -> Place:
    return [stamp(instant(entry["updated"])), entry["id"].zfill(20)]


def rows(item: Item, options: Options) -> Iterator[Row]:
    """The review an item stands for."""
    yield from mapped(lambda: _MAPPINGS[item.stream](item, options))


_MAPPINGS: Mapping[str, Callable[[Item, Options], Iterator[Row]]] = {
    "review": _apple_rows.review_rows,
    "entry": _apple_rows.entry_rows,
    "gone": gone_rows,
}
