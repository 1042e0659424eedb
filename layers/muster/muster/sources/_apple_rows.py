"""One review as Apple sent it in, from either of its services; the lake's rows out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from muster.errors import Refused
from muster.records import Item, Review
from muster.settings import Source
from muster.sources._newest import instant
from muster.sources._reviews import times
from muster.sources._text import tidy

BEST = 5.0
LAST_PAGE = 10  # of a feed, whatever its links say
_ATOM, _STORE = "{http://www.w3.org/2005/Atom}", "{http://itunes.apple.com/rss}"
_PUBLISHED = "PUBLISHED"


def review_rows(item: Item, options: Source) -> Iterator[Review]:
    """A review from App Store Connect, with our answer once it is public."""
    review, context = item.body, item.context or {}
    told = review["attributes"]
    created, edited = times(instant(told["createdDate"]), context)
    response = context.get("response") or {}
    is_answered = response.get("state") == _PUBLISHED
    yield Review(
        review_id=review["id"],
        product=options.account,
        author_id=told.get("reviewerNickname") or None,
        rating=_stars(told["rating"]),
        rating_max=BEST,
        title=tidy(told.get("title") or "") or None,
        text=tidy(told.get("body") or "") or None,
        created_at=created,
        edited_at=edited,
        replied_at=instant(response["lastModifiedDate"]) if is_answered else None,
    )


def entry_rows(item: Item, options: Source) -> Iterator[Review]:
    """A review from a store's public feed, which tells no answers."""
    entry = item.body
    created, edited = times(instant(entry["updated"]), item.context)
    yield Review(
        review_id=entry["id"],
        product=options.account,
        author_id=_account(entry.get("uri") or "") or entry.get("name") or None,
        rating=_stars(entry["rating"]),
        rating_max=BEST,
        title=tidy(entry.get("title") or "") or None,
        text=tidy(entry.get("content") or "") or None,
        created_at=created,
        edited_at=edited,
    )


def _stars(value: Any) -> float:
    stars = float(value)
    if not 1 <= stars <= BEST:
        raise Refused(f"a rating of {stars:g} is none of 1 to 5 stars")
    return stars


def _account(address: str) -> str:
    """``https://itunes.apple.com/us/reviews/id1`` → ``1``."""
    last = address.rstrip("/").rpartition("/")[2]
    return last.removeprefix("id") if last.startswith("id") else ""


def entries(feed: str) -> list[dict[str, str]]:
    """The reviews of a feed, what they say by name; the app itself, which has no stars, is none."""
    found = (_entry(one) for one in ElementTree.fromstring(feed.strip()).iter(f"{_ATOM}entry"))
    return [one for one in found if "rating" in one]


def _entry(entry: ElementTree.Element) -> dict[str, str]:
    told = {
        name: entry.findtext(f"{space}{name}")
        for space, names in ((_ATOM, ("id", "updated", "title")), (_STORE, ("rating", "version")))
        for name in names
    }
    told |= {name: entry.findtext(f"{_ATOM}author/{_ATOM}{name}") for name in ("name", "uri")}
    told["content"] = entry.findtext(f"{_ATOM}content[@type='text']")
    return {name: value for name, value in told.items() if value is not None}


def next_page(feed: str) -> int | None:
    """The number of the page after this one, if there is one, by the feed's own links."""
    links = ElementTree.fromstring(feed.strip()).findall(f"{_ATOM}link")
    numbers = {link.get("rel"): _number(link.get("href", "")) for link in links}
    here, last = numbers.get("self", 1), min(numbers.get("last", 1), LAST_PAGE)
    return here + 1 if here < last else None


def _number(address: str) -> int:
    """``…/page=2/id=1/…`` → 2."""
    number = address.partition("/page=")[2].partition("/")[0]
    return int(number) if number.isdecimal() else 1


def answers(body: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Our answers that came along with reviews, by id."""
    found = body.get("included")
    return {
        str(one.get("id")): one.get("attributes") or {}
        for one in (found if isinstance(found, list) else ())
        if isinstance(one, Mapping) and one.get("type") == "customerReviewResponses"
    }
