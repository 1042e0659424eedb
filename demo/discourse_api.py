"""Discourse's API over the simulated forum: a request in, the JSON a real forum would give out."""

from __future__ import annotations

import math
import re
import time
from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime

from demo import limits
from demo.community import World
from demo.discourse_views import CATEGORIES, Views
from demo.exchange import Answer, Request
from demo.people import FORUM
from demo.threads import Message, Thread

API_KEY = "demo-forum-key"
_NOT_FOUND = Answer(
    {
        "errors": ["The requested URL or resource could not be found."],
        "error_type": "not_found",
    },
    404,
)
_FORBIDDEN = Answer(
    {
        "errors": [
            "You are not permitted to view the requested resource. "
            "The API username or key is invalid."
        ],
        "error_type": "invalid_access",
    },
    403,
)
_FIRST_ID = 1001
_PRIVATE_GAP = (4_000, 130)  # so many ids went to private messages that readers never see


class Discourse:
    """The forum as the key ``API_KEY`` of an administrator sees it."""

    def __init__(self, world: World, now: Callable[[], datetime], are_limited: bool) -> None:
        self.world, self.now = world, now
        self.meter = limits.Meter(limits.DISCOURSE) if are_limited else None
        self.posts = world.messages[FORUM]
        self._number()
        self.topics = {thread.id: thread for thread in world.threads[FORUM]}
        self.views = Views(world, now)
        self._latest: tuple[datetime | None, list[Thread]] = (None, [])
        self.ids = [post.id for post in self.posts]
        self.by_id = {post.id: post for post in self.posts}
        routes: list[tuple[str, Callable[..., Answer]]] = [
            (r"/posts", self._all_posts),
            (r"/posts/(\d+)", self._post),
            (r"/posts/by_number/(\d+)/(\d+)", self._by_number),
            (r"/t/(\d+)", self._topic),
            (r"/t/(\d+)/posts", self._topic_posts),
            (r"/t/(?:[^/]+/)?(\d+)/(\d+)", self._topic_near),
            (r"/t/[^/\d][^/]*/(\d+)", self._topic),
            (r"/latest", self._topic_list),
            (r"/about", self._about),
            (r"/site", self._site),
            (r"/categories", self._categories),
            (r"/admin/users/list/(\w+)", self._users),
            (r"/u/([^/]+)", self._user),
            (r"/groups/([^/]+)/members", self._members),
        ]
        self.routes = [(re.compile(pattern + r"(?:\.json)?"), call) for pattern, call in routes]

    def _number(self) -> None:
        """Ids in the order of writing, with the gaps of drafts and private messages."""
        last = _FIRST_ID
        for n, post in enumerate(self.posts):
            last += 1 + (n % 41 == 0) * (n % 5) + (n == _PRIVATE_GAP[0]) * _PRIVATE_GAP[1]
            post.id = last
        threads = sorted(self.world.threads[FORUM], key=lambda thread: thread.messages[0].id)
        for topic_id, thread in enumerate(threads, 301):
            thread.id = topic_id
            thread.messages.sort(key=lambda post: post.id)
            for number, post in enumerate(thread.messages, 1):
                post.number = number

    def answer(self, request: Request) -> Answer:
        """The answer to one request."""
        if self.meter:
            is_fine, _, ends = self.meter.take()
            if not is_fine:
                return _slow_down(ends)
        key = request.headers.get("api-key")
        if key is not None and key != API_KEY:
            return _FORBIDDEN
        for pattern, call in self.routes:
            if (match := pattern.fullmatch(request.path)) and request.method == "GET":
                is_public = not request.path.startswith(("/admin/", "/groups/"))
                return call(request, *match.groups()) if key or is_public else _NOT_FOUND
        return _NOT_FOUND

    def _sees(self, request: Request, post: Message) -> bool:
        is_staff = "api-key" in request.headers
        return self.views.is_visible(post) and (is_staff or post.kind != "whisper")

    def _all_posts(self, request: Request) -> Answer:
        """The posts whose ids are among the 50 below ``before``, newest first."""
        visible = bisect_right(self.posts, self.now(), key=lambda post: post.at)
        newest = self.ids[visible - 1] + 1
        before = request.number("before", 0)
        before = before if before > 0 else newest
        upper = min(bisect_right(self.ids, before - 1), visible)
        lower = bisect_right(self.ids, before - 51)
        found = [post for post in self.posts[lower:upper] if self._sees(request, post)]
        return Answer({"latest_posts": [self.views.post(post, True) for post in reversed(found)]})

    def _post(self, request: Request, post_id: str) -> Answer:
        post = self.by_id.get(int(post_id))
        return self._single(request, post)

    def _by_number(self, request: Request, topic_id: str, number: str) -> Answer:
        thread = self.topics.get(int(topic_id))
        posts = thread.messages if thread else []
        return self._single(request, next((p for p in posts if p.number == int(number)), None))

    def _single(self, request: Request, post: Message | None) -> Answer:
        """One post; staff sees deleted ones, with ``deleted_at``."""
        if post is None or post.at > self.now():
            return _NOT_FOUND
        if not self._sees(request, post) and "api-key" not in request.headers:
            return _NOT_FOUND
        return Answer(self.views.post(post, True))

    def _seen(self, request: Request, topic_id: str) -> tuple[Thread | None, list[Message]]:
        """A topic and the posts one may see; a deleted one is still shown to staff."""
        thread = self.topics.get(int(topic_id))
        posts = thread.messages if thread else []
        if not posts or posts[0].at > self.now():
            return None, []
        if self.views.is_visible(posts[0]):
            return thread, [post for post in posts if self._sees(request, post)]
        if "api-key" not in request.headers:
            return None, []
        return thread, [p for p in posts if p is posts[0] or p.exists(self.now())]

    def _topic(self, request: Request, topic_id: str) -> Answer:
        thread, posts = self._seen(request, topic_id)
        if thread is None:
            return _NOT_FOUND
        has_raw = request.first("include_raw") == "true"
        return Answer(self.views.topic(thread, posts, posts[:20], has_raw))

    def _topic_near(self, request: Request, topic_id: str, number: str) -> Answer:
        thread, posts = self._seen(request, topic_id)
        if thread is None:
            return _NOT_FOUND
        at = bisect_right([post.number for post in posts], int(number))
        near = posts[max(at - 6, 0) : max(at - 6, 0) + 20]
        return Answer(self.views.topic(thread, posts, near, request.first("include_raw") == "true"))

    def _topic_posts(self, request: Request, topic_id: str) -> Answer:
        """The posts asked for by id, else the first twenty; ``cooked`` only, unless asked."""
        thread, posts = self._seen(request, topic_id)
        if thread is None:
            return _NOT_FOUND
        wanted = {int(text) for text in request.listed("post_ids[]", "post_ids") if text.isdigit()}
        found = [post for post in posts if post.id in wanted] if wanted else posts[:20]
        has_raw = request.first("include_raw") == "true"
        stream = {"posts": [self.views.post(post, has_raw) for post in found]}
        return Answer({"post_stream": stream, "id": thread.id})

    def _topic_list(self, request: Request) -> Answer:
        """Topics by activity; ``more_topics_url`` while there are more."""
        size = min(max(request.number("per_page", 30), 1), 100)
        page = max(request.number("page", 0), 0)
        topics = self._by_activity()
        if request.first("order") == "created":
            topics = sorted(topics, key=lambda thread: thread.messages[0].at, reverse=True)
        if request.first("ascending") == "true":
            topics = topics[::-1]
        shown = topics[page * size : (page + 1) * size]
        more = (page + 1) * size < len(topics)
        return Answer(self.views.topic_list(shown, size, page + 1 if more else None))

    def _by_activity(self) -> list[Thread]:
        now = self.now()
        if self._latest[0] != now:
            shown = [t for t in self.topics.values() if self.views.is_visible(t.messages[0])]
            shown.sort(key=lambda t: (self.views.bumped_at(t), t.id), reverse=True)
            self._latest = (now, shown)
        return self._latest[1]

    def _about(self, request: Request) -> Answer:
        return Answer({"about": self.views.about(self._by_activity())})

    def _site(self, request: Request) -> Answer:
        return Answer(self.views.site())

    def _categories(self, request: Request) -> Answer:
        shown = [self.views.category(name) for name in CATEGORIES]
        return Answer({"category_list": {"can_create_category": True, "categories": shown}})

    def _users(self, request: Request, flag: str) -> Answer:
        """A hundred accounts a page; pages count from 1, and page 0 is page 1 again."""
        people = self.views.accounts(flag)
        if request.first("order") == "created":
            newest_first = request.first("asc") != "true"
            people = sorted(people, key=lambda user: user["created_at"], reverse=newest_first)
        page = max(request.number("page", 1) - 1, 0)
        return Answer(people[page * 100 : (page + 1) * 100])

    def _user(self, request: Request, username: str) -> Answer:
        person = self.views.by_username(username)
        return (
            Answer({"user_badges": [], "user": self.views.user(person)}) if person else _NOT_FOUND
        )

    def _members(self, request: Request, name: str) -> Answer:
        people = self.views.group(name)
        if people is None:
            return _NOT_FOUND
        limit = min(request.number("limit", 50), 1000)
        offset = request.number("offset", 0)
        meta = {"total": len(people), "limit": limit, "offset": offset}
        return Answer({"members": people[offset : offset + limit], "owners": [], "meta": meta})


def _slow_down(ends: float) -> Answer:
    wait = max(math.ceil(ends - time.time()), 1)
    said = f"You've performed this action too many times. Please wait {wait} seconds before trying."
    return Answer(
        {
            "errors": [said],
            "error_type": "rate_limit",
            "extras": {"wait_seconds": wait, "time_left": f"{wait} seconds"},
        },
        429,
        {
            "Retry-After": str(wait),
            "Discourse-Rate-Limit-Error-Code": "admin_api_key_rate_limit",
        },
    )
