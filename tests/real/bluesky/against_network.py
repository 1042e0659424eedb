"""The Bluesky connector against a real network on loopback; ``make test-bluesky`` starts both.

Not named ``test_``: it runs only where ``run.sh`` says where the network listens.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from muster.clock import system_clock
from muster.errors import SourceFailed
from muster.records import (
    TABLE_OF,
    TABLES,
    Audience,
    Deletion,
    KnownMessage,
    Member,
    Message,
    Page,
    Row,
)
from muster.sources import Window, bluesky
from muster.sources._http import Http

BASE_URL = os.environ["MUSTER_BLUESKY_URL"]
PASSWORD = "a-password-of-this-run"
POSTS = "app.bsky.feed.post"
NUMBERS = count(1)


@dataclass(frozen=True)
class Account:
    """Somebody on the network, who writes through their PDS."""

    handle: str
    did: str
    token: str

    def call(self, method: str, **body: Any) -> Any:
        """A procedure's answer."""
        answer = httpx.post(f"{BASE_URL}/xrpc/{method}", json=body, headers=self._signed)
        answer.raise_for_status()
        return answer.json()

    def ask(self, method: str, **params: Any) -> Any:
        """A query's answer."""
        answer = httpx.get(f"{BASE_URL}/xrpc/{method}", params=params, headers=self._signed)
        answer.raise_for_status()
        return answer.json()

    @property
    def _signed(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    def post(self, text: str, **fields: Any) -> dict[str, str]:
        """Write a post; its address and version."""
        written = self.send(text, **fields)
        until(lambda: versions(self, written["uri"]) == [written["cid"]])
        return written

    def send(self, text: str, **fields: Any) -> dict[str, str]:
        """Write a post without waiting until the network shows it."""
        record = {"$type": POSTS, "text": text, "createdAt": now(), "langs": ["en"], **fields}
        return self.create(POSTS, record)

    def create(self, collection: str, record: Any, **fields: Any) -> dict[str, str]:
        """Write a record; its address and version."""
        place = {"repo": self.did, "collection": collection, **fields}
        made = self.call("com.atproto.repo.createRecord", **place, record=record)
        return {"uri": made["uri"], "cid": made["cid"]}

    def answer(self, parent: dict[str, str], root: dict[str, str], text: str) -> dict[str, str]:
        """Write a reply."""
        return self.post(text, reply={"root": root, "parent": parent})

    def overwrite(self, written: dict[str, str], text: str) -> None:
        """Put another text under the same address."""
        record = self.ask("app.bsky.feed.getPosts", uris=written["uri"])["posts"][0]["record"]
        made = self.call(
            "com.atproto.repo.putRecord",
            repo=self.did,
            collection=POSTS,
            rkey=written["uri"].rpartition("/")[2],
            record={**record, "text": text},
        )
        until(lambda: versions(self, written["uri"]) == [made["cid"]])

    def delete(self, written: dict[str, str]) -> None:
        """Delete a post."""
        self.call(
            "com.atproto.repo.deleteRecord",
            repo=self.did,
            collection=POSTS,
            rkey=written["uri"].rpartition("/")[2],
        )
        until(lambda: versions(self, written["uri"]) == [])

    def hears_of(self, written: dict[str, str]) -> None:
        """Wait until the network has told them of a post."""
        until(lambda: written["uri"] in [
            told["uri"]
            for told in self.ask("app.bsky.notification.listNotifications")["notifications"]
        ])  # fmt: skip


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for the network's view, which follows the PDS at its own pace."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "the network's view does not catch up"
        time.sleep(0.05)


def versions(reader: Account, uri: str) -> list[str]:
    return [post["cid"] for post in reader.ask("app.bsky.feed.getPosts", uris=uri)["posts"]]


def mention(text: str, whom: Account) -> list[dict[str, Any]]:
    start = text.encode().index(b"@")
    end = start + len(f"@{whom.handle}")
    return [
        {
            "index": {"byteStart": start, "byteEnd": end},
            "features": [{"$type": "app.bsky.richtext.facet#mention", "did": whom.did}],
        }
    ]


def newcomer(name: str) -> Account:
    handle = f"{name}{next(NUMBERS)}.test"
    body = {"handle": handle, "email": f"{handle}@example.org", "password": PASSWORD}
    made = httpx.post(f"{BASE_URL}/xrpc/com.atproto.server.createAccount", json=body)
    made.raise_for_status()
    account = Account(handle, made.json()["did"], made.json()["accessJwt"])
    profile = {"$type": "app.bsky.actor.profile", "displayName": name.title()}
    account.create("app.bsky.actor.profile", profile, rkey="self")
    until(lambda: _profile(account).get("displayName") == name.title())
    return account


def _profile(account: Account) -> Any:
    try:
        return account.ask("app.bsky.actor.getProfile", actor=account.did)
    except httpx.HTTPStatusError:
        return {}


@pytest.fixture
def desk() -> Account:
    return newcomer("desk")


@pytest.fixture
def mira() -> Account:
    return newcomer("mira")


@pytest.fixture
def jonas() -> Account:
    return newcomer("jonas")


def options(account: Account, *terms: str) -> bluesky.Options:
    return bluesky.Options(
        name="sky", platform="bluesky", account=account.handle, base_url=BASE_URL, terms=terms
    )


def fetch(
    chosen: bluesky.Options,
    cursor: Any = None,
    known: tuple[KnownMessage, ...] = (),
    later: timedelta = timedelta(0),
) -> Iterator[Page]:
    with bluesky.connect(chosen, PASSWORD, Http()) as api:
        window = Window(chosen, system_clock() + later, cursor or {}, known=lambda at: known)
        for page in bluesky.pages(api, window):
            yield replace(page, cursor=json.loads(json.dumps(page.cursor)))


def merged(chosen: bluesky.Options, pages: list[Page]) -> dict[tuple[Any, ...], Row | Deletion]:
    """Rows by primary key, the later over the earlier."""
    found: dict[tuple[Any, ...], Row | Deletion] = {}
    for item in (item for page in pages for item in page.items):
        for row in bluesky.rows(item, chosen):
            if isinstance(row, Deletion):
                found["deletion", row.message_id] = row
            else:
                table = TABLES[TABLE_OF[type(row)]]
                found[table.name, *(getattr(row, name) for name in table.key)] = row
    return found


def messages(chosen: bluesky.Options, pages: list[Page]) -> dict[str, Message]:
    rows = merged(chosen, pages).values()
    return {row.message_id: row for row in rows if isinstance(row, Message)}


def known(message: Message) -> KnownMessage:
    return KnownMessage(message.message_id, message.thread_id, message.created_at)


def test_a_conversation_under_our_post(desk: Account, mira: Account, jonas: Account) -> None:
    root = desk.post("The Wi-Fi works again")
    first = mira.answer(root, root, "Not for me")
    second = jonas.answer(first, root, "Nor for me")
    ours = desk.answer(second, root, "Which building, both of you?")
    found = messages(options(desk), list(fetch(options(desk))))
    ids = [written["uri"] for written in (root, first, second, ours)]
    assert [found[uri].parent_id for uri in ids] == [None, *ids[:3]]
    assert {found[uri].thread_id for uri in ids} == {root["uri"]}
    assert [found[uri].direction for uri in ids] == ["outbound", "inbound", "inbound", "outbound"]
    assert [found[uri].author_role for uri in ids] == ["staff", "member", "member", "staff"]
    assert [found[uri].text for uri in ids][:2] == ["The Wi-Fi works again", "Not for me"]
    assert found[root["uri"]].replies == 1
    created = [found[uri].created_at for uri in ids]
    assert created == sorted(created)


def test_mentions_are_inbound_and_quotes_ambient(desk: Account, mira: Account) -> None:
    ours = desk.post("New opening hours")
    text = f"😟 @{desk.handle} my order has not arrived"
    called = mira.post(text, facets=mention(text, desk))
    quoted = mira.post("Look", embed={"$type": "app.bsky.embed.record", "record": ours})
    answered = desk.answer(called, called, "Which number?")
    desk.hears_of(called)
    desk.hears_of(quoted)
    found = messages(options(desk), list(fetch(options(desk))))
    assert (found[called["uri"]].direction, found[called["uri"]].kind) == ("inbound", "post")
    assert (found[quoted["uri"]].direction, found[quoted["uri"]].kind) == ("ambient", "quote")
    assert found[answered["uri"]].thread_id == called["uri"]
    assert found[called["uri"]].lang == "en"


def test_members_with_names(desk: Account, mira: Account) -> None:
    text = f"@{desk.handle} hello"
    desk.hears_of(mira.post(text, facets=mention(text, desk)))
    rows = merged(options(desk), list(fetch(options(desk))))
    author = rows["members", mira.did]
    assert isinstance(author, Member)
    assert (author.handle, author.display_name, author.role) == (mira.handle, "Mira", "member")


def test_search_finds_ambient_posts(desk: Account, mira: Account) -> None:
    term = f"zebra{next(NUMBERS)}"
    written = mira.post(f"Has anybody seen the {term}?")
    found = messages(options(desk, term), list(fetch(options(desk, term))))
    assert found[written["uri"]].direction == "ambient"


def test_more_than_a_page_and_a_kill_between(desk: Account) -> None:
    written = {desk.send(f"Notice {number}")["uri"] for number in range(119)}
    written.add(desk.post("The last notice")["uri"])  # the network shows them in order
    whole = list(fetch(options(desk)))
    assert set(messages(options(desk), whole)) == written
    assert len([page for page in whole if page.items]) >= 3
    before = whole[:2]
    assert len(messages(options(desk), before)) == 100
    after = list(fetch(options(desk), before[-1].cursor))
    assert merged(options(desk), before + after) == merged(options(desk), whole)


def test_fetching_twice_gives_the_same(desk: Account, mira: Account) -> None:
    root = desk.post("Maintenance on Saturday")
    desk.hears_of(mira.answer(root, root, "All day?"))
    first = list(fetch(options(desk)))
    second = list(fetch(options(desk), first[-1].cursor))
    assert merged(options(desk), first + second) == merged(options(desk), first)


def test_what_came_since_is_read(desk: Account) -> None:
    desk.post("First")
    first = list(fetch(options(desk)))
    written = desk.post("Second")
    second = messages(options(desk), list(fetch(options(desk), first[-1].cursor)))
    assert second[written["uri"]].text == "Second"


def test_a_deleted_post_is_a_deletion(desk: Account, mira: Account) -> None:
    root = desk.post("Exams start on Monday")
    reply = mira.answer(root, root, "At eight?")
    below = desk.answer(reply, root, "At nine")
    first = list(fetch(options(desk)))
    before = messages(options(desk), first)
    assert set(before) == {root["uri"], reply["uri"], below["uri"]}
    mira.delete(reply)
    known_now = tuple(known(message) for message in before.values())
    again = fetch(options(desk), first[-1].cursor, known_now, later=timedelta(days=1))
    rows = merged(options(desk), list(again))
    gone = [row for row in rows.values() if isinstance(row, Deletion)]
    assert [row.message_id for row in gone] == [reply["uri"]]
    assert gone[0].created_at == before[reply["uri"]].created_at


def test_an_overwritten_post_keeps_its_id(desk: Account) -> None:
    written = desk.post("Closed on Firday")
    first = list(fetch(options(desk)))
    desk.overwrite(written, "Closed on Friday")
    second = list(fetch(options(desk), first[-1].cursor))
    before, after = messages(options(desk), first), messages(options(desk), second)
    assert list(before) == list(after) == [written["uri"]]
    assert after[written["uri"]].text == "Closed on Friday"
    assert after[written["uri"]].created_at == before[written["uri"]].created_at


def test_followers(desk: Account, mira: Account) -> None:
    follow = {"$type": "app.bsky.graph.follow", "subject": desk.did, "createdAt": now()}
    mira.create("app.bsky.graph.follow", follow)
    until(lambda: _profile(desk).get("followersCount") == 1)
    rows = merged(options(desk), list(fetch(options(desk)))).values()
    (audience,) = [row for row in rows if isinstance(row, Audience)]
    assert (audience.account, audience.metric, audience.value) == (desk.did, "followers", 1)


def test_a_wrong_password_is_one_clear_line(desk: Account) -> None:
    with pytest.raises(SourceFailed, match=f"sky: .*{desk.handle}.*check account and app password"):
        bluesky.connect(options(desk), "wrong-password", Http())


def test_a_stale_token_is_renewed(desk: Account) -> None:
    with bluesky.connect(options(desk), PASSWORD, Http()) as api:
        api.sign({"Authorization": "Bearer not.a.token"})
        assert desk.handle in bluesky.check(api, options(desk))


def test_a_bad_token_that_cannot_be_renewed_fails(desk: Account) -> None:
    with bluesky.connect(options(desk), PASSWORD, Http()) as api:
        api.sign({"Authorization": "Bearer not.a.token"})
        api._refresh = "not.a.token.either"
        with pytest.raises(SourceFailed, match="^sky: .*check account and app password"):
            list(bluesky.pages(api, Window(options(desk), system_clock(), {})))


def test_a_refused_cursor_costs_a_new_start(desk: Account) -> None:
    written = desk.post("Still here")
    walk = {"bounds": [None, None], "asked": {"from": None, "until": None}, "high": None}
    cursor = {"streams": {"feed": {"walk": {**walk, "token": "no-such-cursor"}}}}
    with bluesky.connect(options(desk), PASSWORD, Http(sleep=lambda seconds: None)) as api:
        pages = list(bluesky.pages(api, Window(options(desk), system_clock(), cursor)))
    assert written["uri"] in messages(options(desk), pages)
