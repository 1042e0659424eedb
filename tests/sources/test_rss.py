"""Feeds: every dialect, what is wrong with them, what is hostile, and what is missing in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import items_of, last_cursor

from muster.errors import Refused, SourceFailed, Unavailable
from muster.records import Deletion, Item, KnownMessage, Member, Message, Thread
from muster.sources import Window, _rss_feed, rss
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = rss.Options(name="b", platform="rss", base_url="https://b.example/feed", lang="de")
FILES = "/etc/hostname"


def fetch(
    text: str | Callable[[str], Any], cursor: Any = None, options: Any = OPTIONS,
    kind: str = "application/xml", **window: Any,
) -> tuple[list[Item], Any]:  # fmt: skip
    """The items of a feed's text (or of the text of each address), and the last cursor."""

    def answer(request: httpx.Request) -> httpx.Response:
        told = text if isinstance(text, str) else text(str(request.url))
        return httpx.Response(200, content=told.encode(), headers={"content-type": kind})

    now = window.pop("now", NOW)
    http = Http(
        transport=httpx.MockTransport(answer), clock=lambda: now, sleep=lambda seconds: None
    )
    pages = list(rss.pages(rss.connect(options, None, http), Window(options, now, cursor or {},
                                                                    **window)))  # fmt: skip
    return items_of(pages), last_cursor(pages)


def rows(items: list[Item], options: Any = OPTIONS) -> list[Any]:
    return [row for item in items for row in rss.rows(item, options)]


def messages(text: str, options: Any = OPTIONS) -> list[Message]:
    return [one for one in rows(fetch(text, options=options)[0], options) if
            isinstance(one, Message)]  # fmt: skip


def feed(*items: str, more: str = "") -> str:
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>B</title>{more}\
{"".join(items)}</channel></rss>'


def item(number: int, more: str = "", day: int = 19) -> str:
    at = f"<pubDate>{day} Nov 2026 1{number}:00:00 +0200</pubDate>" if day else ""
    return f"<item><guid>{number}</guid>{at}<description>Hi {number}</description>{more}</item>"


ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr"
  xmlns:thr="http://purl.org/syndication/thread/1.0"><title>B</title><entry>
  <id>tag:b,9</id><title>Re</title><published>2026-11-19T10:00:00+02:00</published>
  <updated>2026-11-19T12:00:00Z</updated><link href="https://b.example/p#c9"/>
  <author><name>Mira</name><uri>https://mira.example</uri><email>m@x.example</email></author>
  <content type="text">a &lt;b&gt; c</content>
  <thr:in-reply-to ref="tag:b,1" href="https://b.example/p"/></entry></feed>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
  xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
  <channel rdf:about="https://b.example/"><title>B</title></channel>
  <item rdf:about="https://b.example/p#c9"><link>https://b.example/p#c9</link><title>Re</title>
  <description>a &lt;b&gt;c&lt;/b&gt;</description><dc:creator>Mira</dc:creator>
  <dc:date>2026-11-19T10:00:00+02:00</dc:date></item></rdf:RDF>"""


def test_atom() -> None:
    message, member = rows(fetch(ATOM)[0])
    assert message == Message(
        message_id="tag:b,9", thread_id="https://b.example/p", parent_id="tag:b,1", lang="fr",
        author_id="https://mira.example", created_at=datetime(2026, 11, 19, 8, tzinfo=UTC),
        edited_at=datetime(2026, 11, 19, 12, tzinfo=UTC), kind="comment", channel="B",
        url="https://b.example/p#c9", text="a <b> c",
    )  # fmt: skip
    assert (member.display_name, member.links) == ("Mira", ("https://mira.example",))


def test_rss_of_the_first_kind() -> None:
    (message,) = messages(RDF)
    assert (message.message_id, message.author_id) == ("https://b.example/p#c9", "Mira")
    assert (message.text, message.created_at.hour) == ("a c", 8)
    assert message.thread_id == "https://b.example/p"


@pytest.mark.parametrize(
    ("holds", "kind", "direction", "role"),
    [("comments", "comment", "inbound", "member"), ("posts", "post", "outbound", "staff"),
     ("mentions", "post", "ambient", "member")],
)  # fmt: skip
def test_what_a_feed_holds(holds: str, kind: str, direction: str, role: str) -> None:
    options = OPTIONS.model_copy(update={"holds": holds})
    text = feed(item(1, "<title>T &amp;amp; t</title>"))
    (message,) = messages(text, options)
    assert (message.kind, message.direction, message.author_role) == (kind, direction, role)
    assert message.text == ("Hi 1" if holds == "comments" else "T & t\n\nHi 1")
    threads = [one for one in rows(fetch(text)[0], options) if isinstance(one, Thread)]
    assert [one.title for one in threads] == ([] if holds == "comments" else ["T & t"])


@pytest.mark.parametrize(
    ("author", "name"),
    [("mira@x.example (Mira)", "Mira"), ("mira@x.example", None), ("Mira", "Mira")],
)
def test_an_address_of_mail_is_no_name(author: str, name: str | None) -> None:
    found = rows(fetch(feed(item(1, f"<author>{author}</author>")))[0])
    assert found[0].author_id == name
    assert "x.example" not in repr(found)
    assert [one.handle for one in found if isinstance(one, Member)] == ([name] if name else [])


def test_an_entry_without_a_time_keeps_the_one_at_which_it_was_first_seen() -> None:
    items, cursor = fetch(feed(item(1, day=0)))
    later, cursor = fetch(feed(item(2, day=0), item(1, day=0)), cursor, now=NOW + timedelta(days=1))
    found = {one.message_id: one.created_at for one in rows(items + later)}
    assert found == {"1": NOW, "2": NOW + timedelta(days=1)}
    _, cursor = fetch(feed(item(3, day=0)), cursor, now=NOW + timedelta(days=2))
    assert list(cursor["seen"]) == ["3"]


def test_an_entry_that_tells_only_its_last_change_is_one_message_for_ever() -> None:
    """Else it would be another one in each month in which it was edited."""

    def told(changed: str) -> str:
        return ATOM.replace("<published>2026-11-19T10:00:00+02:00</published>", "").replace(
            "2026-11-19T12:00:00Z", changed
        )

    first, cursor = fetch(told("2026-10-02T12:00:00Z"))
    written = datetime(2026, 10, 2, 12, tzinfo=UTC)
    there = KnownMessage("tag:b,9", "https://b.example/p", written)
    for again in (
        fetch(told("2026-11-19T12:00:00Z"), cursor)[0],
        fetch(told("2026-11-19T12:00:00Z"), known=lambda at: [there])[0],
    ):
        (message,) = (one for one in rows(first + again)[2:] if isinstance(one, Message))
        assert (message.created_at, message.edited_at) == (written, NOW - timedelta(days=1))


def known(*numbers: int) -> Callable[[datetime], Any]:
    made = {n: datetime(2026, 11, 19, 8 + n, tzinfo=UTC) for n in numbers}
    told = [KnownMessage(str(n), "t", at) for n, at in made.items()]
    return lambda at: [one for one in told if one.created_at >= at]


def test_an_entry_missing_between_others_is_a_deletion_and_an_older_one_is_not() -> None:
    items, _ = fetch(feed(item(4), item(2)), known=known(1, 2, 3, 4))
    gone = [one.message_id for one in rows(items) if isinstance(one, Deletion)]
    assert gone == ["3"]


def test_nothing_is_taken_for_deleted_in_a_feed_without_order_or_entries() -> None:
    for text in (feed(item(2), item(4)), feed()):
        items, _ = fetch(text, known=known(1, 2, 3, 4))
        assert not [one for one in items if one.stream == "gone"]


def test_older_pages_are_read_down_to_what_is_known_on_the_same_host_only() -> None:
    def page(url: str) -> str:
        older = '<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="next" href="{}"/>'
        if "page=2" in url:
            return feed(item(1, day=1), more=older.format("https://other.example/feed"))
        return feed(item(4), more=older.format("?page=2").replace('"?', '"/feed?'))

    with pytest.raises(SourceFailed, match="b: .*other.example"):
        fetch(page)
    asked: list[str] = []
    fetch(lambda url: asked.append(url) or page(url).replace("other.example", "b.example/x?"),
          until=NOW)  # type: ignore[func-returns-value]  # fmt: skip
    assert "https://b.example/feed?page=2" in asked


def test_a_broken_feed_is_read_as_far_as_it_goes() -> None:
    text = feed(item(1, "<category>a & b</category>"), item(2).replace("Hi", "&nbsp;Hi &"),
                "<item><title>nothing</title></item>")  # fmt: skip
    items, _ = fetch(text, kind="text/plain; charset=utf-8")
    read = [one for one in items if "nothing" not in one.body["xml"]]
    assert [one.text for one in rows(read) if isinstance(one, Message)] == ["Hi 1", "Hi & 2"]
    with pytest.raises(Refused, match="without an id"):
        rows([one for one in items if one not in read])


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>' + feed(
    item(1, "<title>&b;</title>")
)
FILE = f'<!DOCTYPE x [<!ENTITY f SYSTEM "file://{FILES}">]>' + feed(item(1, "<title>&f;</title>"))


@pytest.mark.parametrize("text", [LAUGHS, FILE])
def test_a_feed_that_defines_entities_is_refused(text: str) -> None:
    with pytest.raises(Unavailable, match="b: .*defines entities"):
        fetch(text)


@pytest.mark.parametrize("text", ["<h1>Sign in</h1>", feed(item(1))[:-9], "", FILES, "https://x/"])
def test_what_is_no_whole_feed_is_asked_for_again_and_never_opened(text: str) -> None:
    with pytest.raises(Unavailable, match="b: .*no feed, or a cut one"):
        fetch(text)
    with pytest.raises(Unavailable):
        fetch(feed(item(1)), kind="text/html")


def test_hostile_entries_are_inert() -> None:
    hostile = ('<link>javascript:alert(1)</link><description>&lt;script&gt;x&lt;/script&gt;'
               '&lt;img src=x onerror=y alt="a"&gt;b</description>')  # fmt: skip
    (message,) = messages(feed(f"<item><guid>1</guid>{hostile}</item>"))
    assert (message.url, message.text) == (None, "ab")


@given(st.text(max_size=300))
def test_an_entry_of_any_shape_is_read_or_refused(text: str) -> None:
    body: Mapping[str, Any] = {"root": text, "xml": f"<item>{text}</item>"}
    assert isinstance(_rss_feed.entry(body), dict)
    assert _rss_feed.entry(text) == {} == _rss_feed.entry({"xml": None})


def test_an_answer_that_is_no_feed_says_so() -> None:
    with pytest.raises(SourceFailed, match="b: there is no RSS or Atom feed"):
        fetch("<x></feed>")


def test_thousands_of_entries_that_never_end_are_read_in_no_time() -> None:
    """For each, the end was looked for through all that follows: an hour for a megabyte."""
    begun = time.process_time()
    found = _rss_feed.feed(f"<rss><channel>{'<item>' * 12_000}</channel></rss>")
    assert found.is_feed and not found.entries
    assert time.process_time() - begun < 5
