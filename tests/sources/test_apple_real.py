"""App Store: every review of real public feeds comes out as a row."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from real import absent, files

from muster.records import Item, Review
from muster.sources import apple_app_store as apple
from muster.sources._apple_rows import entries, next_page

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = apple.Options(name="appstore", platform="apple_app_store", account="1404176564")


def feeds() -> Iterator[str]:
    for name, raw in files("apple_app_store", "customerreviews"):
        if name.endswith(".xml"):
            yield raw.decode()


def told(entry: str, tag: str, more: str = "") -> str:
    """What stands between a tag and its end, by other means than an XML parser."""
    found = re.search(rf"<{tag}{more}[^>]*>(.*?)</{tag}>", entry, re.DOTALL)
    assert found
    return html.unescape(found[1])


@absent
def test_every_recorded_review_is_a_row() -> None:
    count = 0
    for feed in feeds():
        raw = re.findall(r"<entry>.*?</entry>", feed, re.DOTALL)
        rated = [entry for entry in raw if "<im:rating>" in entry]
        found = entries(feed)
        assert len(found) == len(rated)
        for entry, item in zip(rated, found, strict=True):
            (row,) = apple.rows(Item("entry", item, NOW), OPTIONS)
            assert isinstance(row, Review)
            assert row.review_id == told(entry, "id")
            assert row.rating == float(told(entry, "im:rating"))
            assert row.created_at == datetime.fromisoformat(told(entry, "updated"))
            assert row.author_id == told(entry, "uri").rpartition("/id")[2]
            content, title = told(entry, "content", ' type="text"'), told(entry, "title")
            assert (row.text or "").split() == content.split()
            assert (row.title or "").split() == title.split()
            count += 1
    assert count >= 50


@absent
def test_a_recorded_feed_tells_its_next_page() -> None:
    assert [next_page(feed) for feed in feeds()]
    assert all(next_page(feed) == 2 for feed in feeds())
