"""Bluesky's XRPC calls over the simulated network: a request in, the JSON it would answer out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from demo import limits
from demo.bluesky_notices import notices
from demo.bluesky_posts import COLLECTION, Records, cid, did, handle, tid
from demo.bluesky_tokens import ACCESS, REFRESH, token
from demo.bluesky_tokens import problem as problem_of
from demo.community import World
from demo.exchange import Answer, Request, stamp, unstamp
from demo.people import BLUESKY, Person
from demo.threads import Message

PASSWORD = "demo-blue-sky-word"
_PUBLIC_WALL = "<html><head><title>403 Forbidden</title></head><body>Forbidden</body></html>"


class Bluesky:
    """The network as a signed-in account's server passes it on."""

    def __init__(
        self,
        world: World,
        now: Callable[[], datetime],
        are_limited: bool,
        followers: dict[date, tuple[int, int]],
        base_url: Callable[[], str],
    ) -> None:
        self.now, self.followers, self.base_url = now, followers, base_url
        self.records = Records(world)
        self.us = self.records.us
        self.people = {did(person): person for person in world.crowds[BLUESKY].people}
        self.by_handle = {handle(person): person for person in self.people.values()}
        self.messages = self.records.messages
        self.notices = notices(self.records)
        self.meter = limits.Meter(limits.BLUESKY) if are_limited else None
        self.sessions = limits.Meter(limits.SESSIONS) if are_limited else None
        self.calls: dict[str, tuple[str, bool, Callable[[Request], Answer]]] = {
            "com.atproto.server.createSession": ("POST", False, self._create_session),
            "com.atproto.server.refreshSession": ("POST", False, self._refresh_session),
            "com.atproto.repo.listRecords": ("GET", False, self._list_records),
            "app.bsky.actor.getProfile": ("GET", False, self._profile),
            "app.bsky.feed.getAuthorFeed": ("GET", False, self._author_feed),
            "app.bsky.feed.getPostThread": ("GET", False, self._thread),
            "app.bsky.feed.getPosts": ("GET", False, self._posts),
            "app.bsky.feed.searchPosts": ("GET", False, self._search),
            "app.bsky.notification.listNotifications": ("GET", True, self._notifications),
            "app.bsky.graph.getFollowers": ("GET", False, self._followers),
        }

    def answer(self, request: Request) -> Answer:
        """The answer to one request, with the headers of its rate limit."""
        name = request.path.removeprefix("/xrpc/")
        meter = self.sessions if name.endswith("createSession") else self.meter
        headers: dict[str, str] = {}
        if meter:
            is_fine, left, ends = meter.take()
            headers = {
                "RateLimit-Limit": str(meter.limit.requests),
                "RateLimit-Remaining": str(left),
                "RateLimit-Reset": str(int(ends) + 1),
                "RateLimit-Policy": f"{meter.limit.requests};w={int(meter.limit.seconds)}",
            }
            if not is_fine:
                told = {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}
                return Answer(told, 429, headers)
        found = self._called(name, request)
        return Answer(found.body, found.status, {**headers, **found.headers})

    def _called(self, name: str, request: Request) -> Answer:
        if name not in self.calls:
            return Answer(
                {"error": "MethodNotImplemented", "message": "Method Not Implemented"}, 501
            )
        method, needs_session, call = self.calls[name]
        if request.method != method:
            said = f"Incorrect HTTP method ({request.method}) expected {method}"
            return _invalid(said)
        if request.bearer and not name.startswith("com.atproto.server."):
            problem = problem_of(request.bearer, ACCESS)
            if problem:
                return problem
        elif needs_session and not request.bearer:
            told = {"error": "AuthMissing", "message": "Authentication Required"}
            return Answer(told, 401)
        limit = request.number("limit", 50)
        if method == "GET" and not 1 <= limit <= 100:
            side = (
                f"big (maximum 100, got {limit})"
                if limit > 100
                else f"small (minimum 1, got \
{limit})"
            )
            return _invalid(f"Invalid {name} params: integer too {side}")
        return call(request)

    # --- signing in ------------------------------------------------------------------------

    def _create_session(self, request: Request) -> Answer:
        told = request.json()
        if told.get("identifier") not in (handle(self.us), did(self.us)) or (
            told.get("password") != PASSWORD
        ):
            said = "Invalid identifier or password"
            return Answer({"error": "AuthenticationRequired", "message": said}, 401)
        return Answer(self._session())

    def _refresh_session(self, request: Request) -> Answer:
        problem = problem_of(request.bearer, REFRESH)
        return problem or Answer(self._session())

    def _session(self) -> dict[str, Any]:
        service = {
            "id": "#atproto_pds",
            "type": "AtprotoPersonalDataServer",
            "serviceEndpoint": self.base_url(),
        }
        return {
            "did": did(self.us),
            "didDoc": {"id": did(self.us), "service": [service]},
            "handle": handle(self.us),
            "email": "it-help@nordufer.example",
            "emailConfirmed": True,
            "accessJwt": token(did(self.us), ACCESS, limits.ACCESS_SECONDS),
            "refreshJwt": token(did(self.us), REFRESH, 90 * 86400),
            "active": True,
        }

    # --- accounts --------------------------------------------------------------------------

    def _actor(self, request: Request, name: str = "actor") -> Person | None:
        text = request.first(name)
        person = self.people.get(text) or self.by_handle.get(text)
        is_gone = person is not None and person.gone_at is not None and person.gone_at <= self.now()
        return None if person is None or is_gone or person.joined_at > self.now() else person

    def _profile(self, request: Request) -> Answer:
        person = self._actor(request)
        if person is None:
            return _invalid("Profile not found")
        mine = [m for m in self.messages if m.author is person and m.exists(self.now())]
        is_us = person is self.us
        return Answer(
            {
                **self.records.author(person),
                "description": "The IT help desk of Nordufer University." if is_us else "",
                "indexedAt": stamp(person.joined_at),
                "followersCount": self._follower_count() if is_us else person.serial * 13 % 400,
                "followsCount": 40,
                "postsCount": len(mine),
            }
        )

    def _follower_count(self) -> int:
        day = max((day for day in self.followers if day <= self.now().date()), default=None)
        return self.followers[day][0] if day else 0

    def _followers(self, request: Request) -> Answer:
        """Some of the followers: those who ever wrote."""
        person = self._actor(request)
        if person is None:
            return _invalid("Actor not found")
        others = [one for one in self.people.values() if one.joined_at <= self.now()]
        start = request.number("cursor", 0)
        limit = request.number("limit", 50)
        told: dict[str, Any] = {
            "followers": [self.records.author(one) for one in others[start : start + limit]],
            "subject": self.records.author(person),
        }
        if start + limit < len(others):
            told["cursor"] = str(start + limit)
        return Answer(told)

    # --- posts -----------------------------------------------------------------------------

    def _author_feed(self, request: Request) -> Answer:
        """What an account wrote and reposted, newest first; the cursor is ``time__cid``."""
        person = self._actor(request)
        if person is None:
            return _invalid("Profile not found")
        now, kind = self.now(), request.first("filter", "posts_with_replies")
        entries: list[tuple[datetime, Message, bool]] = []
        for n, message in enumerate(self.messages):
            is_own = message.author is person and message.exists(now)
            if is_own and not (kind == "posts_no_replies" and message.parent):
                entries.append((self.records.indexed_at(message), message, False))
            reposted_at = message.at + timedelta(hours=2)
            is_reposted = person is self.us and n % 97 == 5 and message.author is not person
            if is_reposted and message.exists(now) and reposted_at <= now:
                entries.append((reposted_at, message, True))
        entries.sort(key=lambda entry: entry[0], reverse=True)
        return self._feed_page(request, entries, person)

    def _feed_page(
        self, request: Request, entries: list[tuple[datetime, Message, bool]], person: Person
    ) -> Answer:
        now, limit, cursor = self.now(), request.number("limit", 50), request.first("cursor")
        if cursor:
            ms, _, rest = cursor.partition("__")
            if not (ms.isdigit() and rest):
                said = {"error": "InternalServerError", "message": "Internal Server Error"}
                return Answer(said, 500)
            entries = [entry for entry in entries if _ms(entry[0]) < int(ms)]
        feed = [self._entry(at, message, is_repost, person) for at, message, is_repost in
                entries[:limit]]  # fmt: skip
        told: dict[str, Any] = {"feed": feed}
        if len(entries) > limit:
            at, message, _ = entries[limit - 1]
            told["cursor"] = f"{_ms(at)}__{self.records.reference(message, now)['cid']}"
        return Answer(told)

    def _entry(
        self, at: datetime, message: Message, is_repost: bool, person: Person
    ) -> dict[str, Any]:
        now = self.now()
        entry: dict[str, Any] = {"post": self.records.view(message, now)}
        if message.parent:
            entry["reply"] = {
                "root": self.records.above(message.thread.messages[0], now),
                "parent": self.records.above(message.parent, now),
            }
        if is_repost:
            entry["reason"] = {
                "$type": "app.bsky.feed.defs#reasonRepost",
                "by": self.records.author(person),
                "indexedAt": stamp(at),
            }
        return entry

    def _posts(self, request: Request) -> Answer:
        uris = request.query.get("uris", []) + request.query.get("uris[]", [])
        if not 1 <= len(uris) <= 25:
            said = f"array too big (maximum 25, got {len(uris)})"
            return _invalid(f"Invalid app.bsky.feed.getPosts params: {said}")
        found = [self.records.by_uri.get(uri) for uri in uris]
        now = self.now()
        return Answer({"posts": [self.records.view(m, now) for m in found if m and m.exists(now)]})

    def _thread(self, request: Request) -> Answer:
        """The tree below a post; a deleted answer takes what hangs below it out of sight."""
        uri, now = request.first("uri"), self.now()
        message = self.records.by_uri.get(uri)
        if message is None or not message.exists(now):
            return Answer({"error": "NotFound", "message": f"Post not found: {uri}"}, 400)
        depth = request.number("depth", 6)
        node = self._node(message, depth)
        if message.parent and request.number("parentHeight", 80) > 0:
            node["parent"] = self._parent(message.parent)
        return Answer({"thread": node})

    def _node(self, message: Message, depth: int) -> dict[str, Any]:
        now = self.now()
        node: dict[str, Any] = {
            "$type": "app.bsky.feed.defs#threadViewPost",
            "post": self.records.view(message, now),
            "threadContext": {},
        }
        if depth > 0:
            below = [reply for reply in message.replies if reply.exists(now)]
            node["replies"] = [self._node(reply, depth - 1) for reply in below]
        return node

    def _parent(self, message: Message) -> dict[str, Any]:
        if not message.exists(self.now()):
            return self.records.above(message, self.now())
        node = self._node(message, 0)
        if message.parent:
            node["parent"] = self._parent(message.parent)
        return node

    def _search(self, request: Request) -> Answer:
        """Posts that hold all words, or a quoted phrase; signed in only, as on the real network."""
        if not request.bearer:
            return Answer(_PUBLIC_WALL, 403)
        now, limit = self.now(), request.number("limit", 25)
        start = request.number("cursor", 0)
        since, until = unstamp(request.first("since")), unstamp(request.first("until"))
        q = request.first("q").lower()
        wanted = [q.strip('"')] if q.startswith('"') else q.split()
        found = [
            message
            for message in reversed(self.messages)
            if message.exists(now)
            and all(word in self.records.text(message, now).lower() for word in wanted)
            and (since is None or message.at >= since)
            and (until is None or message.at < until)
        ]
        shown = found[start : start + limit]
        told: dict[str, Any] = {
            "posts": [self.records.view(message, now) for message in shown],
            "hitsTotal": len(found),
        }
        if start + limit < len(found):
            told["cursor"] = str(start + limit)
        return Answer(told)

    def _list_records(self, request: Request) -> Answer:
        """The records of a repository, newest first; the cursor is the last key."""
        person = self._actor(request, "repo")
        if person is None:
            said = f"Could not find repo: {request.first('repo')}"
            return _invalid(said)
        now, limit, cursor = self.now(), request.number("limit", 50), request.first("cursor")
        mine = [m for m in reversed(self.messages) if m.author is person and m.exists(now)]
        if request.first("collection") != COLLECTION:
            mine = []
        if cursor:
            mine = [m for m in mine if self.records.keys[m] < cursor]
        shown = mine[:limit]
        records = [
            {**self.records.reference(m, now), "value": self.records.record(m, now)} for m in shown
        ]
        told: dict[str, Any] = {"records": records}
        if shown:
            told["cursor"] = self.records.keys[shown[-1]]
        return Answer(told)

    def _notifications(self, request: Request) -> Answer:
        """Who answered, named, quoted, liked or followed us; the cursor is a time."""
        now, limit = self.now(), request.number("limit", 50)
        reasons = set(request.query.get("reasons", []) + request.query.get("reasons[]", []))
        before = unstamp(request.first("cursor")) or now + timedelta(seconds=1)
        end = bisect_right(self.notices, before, key=lambda notice: notice[0])
        found = [
            notice for notice in reversed(self.notices[:end])
            if notice[0] < before and notice[0] <= now
            and (notice[2] is None or notice[2].exists(now))
            and (not reasons or notice[1] in reasons)
        ]  # fmt: skip
        told: dict[str, Any] = {
            "notifications": [self._notice(*notice) for notice in found[:limit]],
            "priority": False,
            "seenAt": stamp(now),
        }
        if len(found) > limit:
            told["cursor"] = stamp(found[limit - 1][0])
        return Answer(told)

    def _notice(
        self, at: datetime, reason: str, message: Message | None, who: Person
    ) -> dict[str, Any]:
        now = self.now()
        told = {
            "author": self.records.author(who),
            "reason": reason,
            "isRead": False,
            "indexedAt": stamp(at),
            "labels": [],
        }
        if message is None:
            uri = f"at://{did(who)}/app.bsky.graph.follow/{tid(at, who.serial)}"
            record = {
                "$type": "app.bsky.graph.follow",
                "subject": did(self.us),
                "createdAt": stamp(at),
            }
            return {**told, "uri": uri, "cid": cid(uri), "record": record}
        reference, record = (
            self.records.reference(message, now),
            self.records.record(message, now),
        )
        told |= {**reference, "record": record}
        if message.parent and reason == "reply":
            told["reasonSubject"] = self.records.uris[message.parent]
        return told


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _invalid(said: str) -> Answer:
    return Answer({"error": "InvalidRequest", "message": said}, 400)
