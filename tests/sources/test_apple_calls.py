"""App Store: keys that sign, feeds that are empty by mistake, edits, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from recorded import Recorded, items_of, private_key

from muster.errors import Refused, SourceFailed
from muster.records import Item, Review
from muster.sources import Window
from muster.sources import apple_app_store as apple
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = apple.Options(
    name="appstore", platform="apple_app_store", account="7", countries=("de", "fi")
)
SPACES = 'xmlns:im="http://itunes.apple.com/rss" xmlns="http://www.w3.org/2005/Atom"'


def feed(page: int, last: int, *entries: str) -> str:
    links = "".join(
        f'<link rel="{rel}" href="https://itunes.apple.com/de/rss/customerreviews/page={n}/id=7"/>'
        for rel, n in (("self", page), ("last", last))
    )
    return f"<feed {SPACES}>{links}{''.join(entries)}</feed>"


def entry(number: int, updated: str = "2026-11-19T02:03:04-07:00", rating: str = "5") -> str:
    return (
        f"<entry><updated>{updated}</updated><id>{number}</id><title>Fine</title>"
        f'<content type="text">Works</content><content type="html">&lt;b&gt;</content>'
        f"<im:rating>{rating}</im:rating><author><name>anna</name><uri/></author></entry>"
    )


def fetch(answers: Mapping[str, list[str]], held: Any = (), cursor: Any = None) -> Any:
    """Paths asked for, items, seconds slept, the last cursor."""
    asked: list[str] = []
    slept: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        country, number = request.url.path.split("/")[1], request.url.path.split("=")[1][0]
        asked.append(f"{country}{number}")
        there = answers.get(asked[-1]) or [feed(1, 1)]
        text = there.pop(0) if len(there) > 1 else there[0]
        return httpx.Response(200, text=text, headers={"content-type": "text/xml"})

    http = Http(httpx.MockTransport(answer), clock=lambda: NOW, sleep=slept.append)
    window = Window(OPTIONS, NOW, cursor or {}, reviews=lambda: held)
    pages = list(apple.pages(apple.connect(OPTIONS, None, http), window))
    return asked, items_of(pages), slept, pages[-1].cursor


def known(review_id: str, created_at: datetime) -> Review:
    return Review(review_id=review_id, rating=1, rating_max=5, created_at=created_at)


def rows(items: list[Item]) -> list[Any]:
    return [row for item in items for row in apple.rows(item, OPTIONS)]


def test_without_a_key_every_page_of_every_country_is_read() -> None:
    asked, items, _, _ = fetch(
        {
            "de1": [feed(1, 2, entry(3), entry(2))],
            "de2": [feed(2, 2, entry(1))],
            "fi1": [feed(1, 1, entry(9), "<entry><title>The app itself</title></entry>")],
        }
    )
    assert asked == ["de1", "de2", "fi1"]
    assert [row.review_id for row in rows(items)] == ["3", "2", "1", "9"]
    assert rows(items)[0].text == "Works"


def test_a_page_that_is_empty_by_mistake_is_asked_for_again_after_a_pause() -> None:
    asked, items, slept, _ = fetch({"de1": [feed(1, 1), feed(1, 1, entry(3))], "fi1": [feed(1, 1)]})
    assert asked == ["de1", "de1", "fi1", "fi1", "fi1"]
    assert [row.review_id for row in rows(items)] == ["3"]
    assert slept == [2.0] * 3


def test_a_feed_is_read_down_to_what_is_stored() -> None:
    old = entry(1, updated="2026-11-01T00:00:00Z")
    pages = {"de1": [feed(1, 2, entry(3))], "de2": [feed(2, 2, old)], "fi1": [feed(1, 1, old)]}
    _, _, _, cursor = fetch(pages)
    again = {"de1": [feed(1, 9, entry(3))], "de2": [feed(2, 9, old)]}
    assert fetch(again, cursor=cursor)[0][:3] == ["de1", "de2", "fi1"]


def test_an_edit_keeps_the_first_date() -> None:
    first = datetime(2026, 11, 1, tzinfo=UTC)
    _, items, _, _ = fetch({"de1": [feed(1, 1, entry(3))]}, [known("3", first)])
    (row,) = rows(items)
    assert row.created_at == first
    assert row.edited_at == datetime(2026, 11, 19, 9, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize("rating", ["0", "6", "nan"])
def test_stars_that_do_not_exist_are_refused(rating: str) -> None:
    _, items, _, _ = fetch({"de1": [feed(1, 1, entry(3, rating=rating))]})
    with pytest.raises(Refused, match="stars"):
        rows(items)


def test_a_key_signs_for_twenty_minutes_and_anew_when_its_token_is_old() -> None:
    secret = Recorded("apple_app_store").secret
    tokens = []
    now = NOW

    def answer(request: httpx.Request) -> httpx.Response:
        tokens.append(request.headers["authorization"].removeprefix("Bearer "))
        body = {"data": {"attributes": {"name": "Campus"}}}
        return httpx.Response(401 if len(tokens) == 1 else 200, json=body)

    http = Http(httpx.MockTransport(answer), clock=lambda: now)
    api = apple.connect(OPTIONS, secret, http)
    now += timedelta(minutes=30)
    assert "Campus" in apple.check(api, OPTIONS)
    told = [jwt.decode(one, options={"verify_signature": False}) for one in tokens]
    assert told[1]["iat"] - told[0]["iat"] == 30 * 60
    assert told[1]["exp"] - told[1]["iat"] == 20 * 60
    assert told[1]["aud"] == "appstoreconnect-v1"
    assert jwt.get_unverified_header(tokens[1])["alg"] == "ES256"


def test_a_key_that_cannot_be_read_is_told() -> None:
    secret = '{"key_id": "a", "issuer_id": "b", "private_key": "c"}'
    with pytest.raises(SourceFailed, match="private key cannot be read"):
        apple.connect(OPTIONS, secret, Http())
    assert private_key("ES256")


def test_an_answer_counts_once_it_is_public_and_what_is_gone_keeps_its_stars() -> None:
    one = Recorded("apple_app_store")
    rows, _ = one.rows(items_of(one.pages(one.wire())))
    found = {key[1][:8]: row for key, row in rows.items()}
    assert found["00000004"]["replied_at"] == datetime(2026, 11, 18, 12, tzinfo=UTC)
    assert found["00000003"]["replied_at"] is None
    assert found["00000000"]["replied_at"] == datetime(2026, 11, 19, 12, tzinfo=UTC)
    gone = found["00000001"]
    assert (gone["rating"], gone["text"], gone["deleted_at"]) == (5, None, NOW)
