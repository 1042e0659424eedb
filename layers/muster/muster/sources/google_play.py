"""Google Play: reviews of our app with words, with our answers, edits and deletions.

Credentials: a Google service account's key file, its account invited to the Play Console (Users
and permissions) with the right "Reply to reviews" for the app. The Android Publisher API must be
on in the account's Google Cloud project. ``account`` is the app's package name.

Limits: only reviews of the last seven days, so fetch at least daily; 200 requests an hour. A run
asks once for 100 reviews and looks up 30 at most. Older ones are in the Play Console's monthly CSV
files: ``muster import``.

Verified: the machine-readable description of the API (fields and paths); not a live account.

A review that is edited gets a new date and keeps its id; its first date stays when it was written.
All reviews of the seven days are read again once a UTC day, since answers come late; on days 1, 3
and 6 each is looked up, and one that is not there any more is deleted. Stars without words,
countries and ids of people are not told, so a review's author is a name.

Unverified: the seven days and 100 reviews a request; 200 requests an hour; that newest changed
ones come first; that one that was taken back is answered with 404.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from muster.clock import DAY
from muster.errors import Refused
from muster.records import Item, KnownMessage, Page, Review, Row
from muster.settings import Source
from muster.sources import Window, _google
from muster.sources._answer import Answer, asked_wait
from muster.sources._downward import done_today, downward, is_due_today
from muster.sources._granted import granted
from muster.sources._http import Api, Http
from muster.sources._newest import Place, begin, finish, follow, mapped, page, stamp
from muster.sources._reviews import (
    first,
    gone_rows,
    known_reviews,
    looked_at_again,
    looked_up,
    times,
)
from muster.sources._text import tidy
from muster.sources._tokens import OAuth, signed

NEEDS = "a Google service account's key file (JSON) whose account may reply to the app's reviews"
RIGHT = (
    'give the service account the right "Reply to reviews" in the Play Console, and turn the '
    "Android Publisher API on in its project"
)
SCOPE = "https://www.googleapis.com/auth/androidpublisher"
PER_PAGE = 100
LISTED = 7 * DAY  # how long a review is listed after its last change
OVERLAP = DAY
AGES = (1, 3, 6)  # days on which a review is looked up: while it is surely listed
LOOK_UPS = 30  # a run: the rest of the day's are done by the next ones
TOO_FAST = 60.0  # seconds until there is some room again
BEST = 5.0
_TOO_FAST = ("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded")


class Options(Source):
    """What Google Play needs beyond what every source has."""

    platform: Literal["google_play"]
    account: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z][\w.]*$"),
        Field(description="the app's package name: org.example.app"),
    ]


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The client, signed in as the service account."""
    google = OAuth(_google.TOKENS, scope=SCOPE, plain=False)
    base_url = options.base_url or "https://androidpublisher.googleapis.com"
    return signed(http, base_url, secret, google, name=options.name, needs=NEEDS, wait_of=_wait_of)


def _wait_of(answer: Answer) -> float | None:
    asked = asked_wait(answer)
    is_too_fast = answer.status == 429 or (answer.status == 403 and _reasons(answer) & {*_TOO_FAST})
    return TOO_FAST if asked is None and is_too_fast else asked


def _reasons(answer: Answer) -> set[str]:
    """Why a request was refused, in Google's own words."""
    error = answer.body.get("error") if isinstance(answer.body, Mapping) else None
    told = error.get("errors") if isinstance(error, Mapping) else None
    return {str(one.get("reason")) for one in told or () if isinstance(one, Mapping)}


def check(api: Api, options: Options) -> str:
    """Asks for the newest review."""
    found = _reviews(_granted(api, _path(options), {"maxResults": 1}))
    newest = "none in the last seven days" if not found else "the newest of the last seven days"
    return f"reads Google Play's reviews of {options.account}: {newest}"


def _path(options: Options) -> str:
    return f"/androidpublisher/v3/applications/{options.account}/reviews"


def _granted(api: Api, path: str, params: Mapping[str, Any] | None = None) -> Answer:
    return granted(api, path, params, "Google Play", {401: RIGHT, 403: RIGHT})


def pages(api: Api, window: Window) -> Iterator[Page]:
    """What changed, newest first; then known reviews again that are still listed."""
    state, known = begin(window), known_reviews(window)

    def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
        return _granted(api, _path(window.options), {"maxResults": PER_PAGE, "token": token})

    overlap = LISTED if is_due_today(state, window, "late") else OVERLAP
    for step in follow(state, downward("reviews", ask, _read, _place, window, overlap), window):
        if step.token is None:
            done_today(state, window, "late")
        yield page(state, [_item(known, one, step.answer) for one in step.items])
    ours = {key: one for key, one in known.items() if one.product == window.options.account}
    for one in islice(looked_at_again(state, window, ours, _came_of_age), LOOK_UPS):
        yield page(state, [_again(api, window.options, known, one)])
    yield finish(state)


def _came_of_age(known: KnownMessage, last: datetime, now: datetime) -> bool:
    return any(last < known.created_at + days * DAY <= now for days in AGES) and (
        now - known.created_at < LISTED - timedelta(hours=12)
    )


def _read(answer: Answer) -> tuple[Sequence[Any], str | None]:
    following = (answer.body.get("tokenPagination") or {}).get("nextPageToken")
    return _reviews(answer), following or None


def _reviews(answer: Answer) -> Sequence[Any]:
    """The reviews of a page; an empty one is only ``{}``."""
    found = answer.body.get("reviews")
    return found if isinstance(found, list) else ()


def _place(review: Any) -> Place:
    return [stamp(_time(_comment(review, "userComment")["lastModified"])), review["reviewId"]]


def _item(known: Mapping[str, Review], review: Any, answer: Answer) -> Item:
    told = review if isinstance(review, Mapping) else {}
    return Item("review", review, answer.seen_at, first(known, told.get("reviewId")))


def _again(api: Api, options: Options, known: Mapping[str, Review], one: Review) -> Item:
    def read() -> Item:
        answer = _granted(api, f"{_path(options)}/{one.review_id}")
        return _item(known, answer.body, answer)

    return looked_up(api, one, read)


def rows(item: Item, options: Options) -> Iterator[Row]:
    """The review an item stands for."""
    rows_of = gone_rows if item.stream == "gone" else _review_rows
    yield from mapped(lambda: rows_of(item, options))


def _review_rows(item: Item, options: Source) -> Iterator[Review]:
    review = item.body
    said, answered = _comment(review, "userComment"), _comment(review, "developerComment")
    created, edited = times(_time(said["lastModified"]), item.context)
    title, text = _words(said.get("originalText") or said.get("text") or "")
    yield Review(
        review_id=review["reviewId"],
        product=options.account,
        author_id=review.get("authorName") or None,
        rating=_stars(said["starRating"]),
        rating_max=BEST,
        title=title,
        text=text,
        created_at=created,
        edited_at=edited,
        replied_at=_time(answered["lastModified"]) if answered else None,
    )


def _comment(review: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The member's comment or our answer, wherever it stands among the comments."""
    found = (one[kind] for one in review["comments"] if one.get(kind))
    return next(found, {})


def _words(text: str) -> tuple[str | None, str | None]:
    """Title and text: where there is a title, a tab parts them."""
    title, tab, rest = text.partition("\t")
    title, rest = (title, rest) if tab else ("", text)
    return tidy(title) or None, tidy(rest) or None


def _stars(value: Any) -> float:
    if not 1 <= value <= BEST:
        raise Refused(f"a rating of {value} is none of 1 to 5 stars")
    return float(value)


def _time(told: Mapping[str, Any]) -> datetime:
    """``{"seconds": "1443676826", "nanos": 713000000}`` → its instant."""
    micros = int(told.get("nanos") or 0) // 1000
    return datetime.fromtimestamp(int(told["seconds"]), UTC) + timedelta(microseconds=micros)
