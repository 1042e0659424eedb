"""A small Discourse forum in memory, as a transport: what the fact sheet tells of its answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Forum(httpx.BaseTransport):
    """``before``: 'window' (ids of a window of 50), 'below' (50 posts), 'exclusive' (below it)."""

    before: str = "window"
    is_admin: bool = True
    per_page: int = 100
    users_from: int = 1
    posts: dict[int, dict[str, Any]] = field(default_factory=dict)
    topics: dict[int, dict[str, Any]] = field(default_factory=dict)
    users: dict[int, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    # ---- what happens on the forum

    def join(self, id_: int, username: str, **facts: Any) -> int:
        at = stamp(START - timedelta(days=30) + timedelta(hours=abs(id_)))
        self.users[id_] = {"id": id_, "username": username, "name": None, "created_at": at,
                           "last_seen_at": stamp(START), "admin": False, "moderator": False,
                           "staged": False, **facts}  # fmt: skip
        return id_

    def open(self, id_: int, title: str, at: datetime, **facts: Any) -> int:
        self.topics[id_] = {"id": id_, "title": title, "slug": f"topic-{id_}", "closed": False,
                            "archived": False, "archetype": "regular", "created_at": stamp(at),
                            "views": 10 + id_, "category_id": 5, "has_accepted_answer": False,
                            "tags": [], "bumped_at": stamp(at), **facts}  # fmt: skip
        return id_

    def write(
        self, id_: int, topic: int, user: int, at: datetime, html: str, **facts: Any
    ) -> dict[str, Any]:
        number = 1 + max((p["post_number"] for p in self._in(topic)), default=0)
        author = self.users[user]
        is_staff = author["admin"] or author["moderator"]
        self.posts[id_] = {
            "id": id_, "topic_id": topic, "topic_slug": f"topic-{topic}", "post_number": number,
            "post_type": 1, "username": author["username"], "name": author["name"],
            "user_id": user, "created_at": stamp(at), "updated_at": stamp(at), "version": 1,
            "cooked": html, "raw": "raw of " + html, "reply_to_post_number": None,
            "reply_count": 0, "reads": 3, "category_id": 5, "moderator": author["moderator"],
            "admin": author["admin"], "staff": is_staff, "hidden": False, "deleted_at": None,
            "user_deleted": False, "actions_summary": [], "accepted_answer": False, **facts,
        }  # fmt: skip
        self.topics[topic]["bumped_at"] = self.topics[topic]["last_posted_at"] = stamp(at)
        return self.posts[id_]

    def edit(self, id_: int, html: str, at: datetime) -> None:
        post = self.posts[id_]
        post.update(cooked=html, version=post["version"] + 1, updated_at=stamp(at))

    def delete(self, id_: int) -> None:
        del self.posts[id_]

    def delete_topic(self, id_: int) -> None:
        del self.topics[id_]
        self.posts = {key: post for key, post in self.posts.items() if post["topic_id"] != id_}

    def _in(self, topic: int) -> list[dict[str, Any]]:
        return [post for post in self.posts.values() if post["topic_id"] == topic]

    # ---- what it answers

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path, query = request.url.path, request.url.params
        self.asked.append(str(request.url))
        body = self._answer(path, query)
        if body is None:
            return httpx.Response(404, json={"errors": ["not found"], "error_type": "not_found"})
        if body == 403:
            return httpx.Response(403, json={"errors": ["not yours"], "error_type": "invalid"})
        return httpx.Response(200, json=json.loads(json.dumps(body)))

    def _answer(self, path: str, query: httpx.QueryParams) -> Any:
        if path == "/site.json":
            return {"categories": [{"id": 5, "name": "Accounts & access"}]}
        if path == "/about.json":
            return {"about": {"title": "IT forum", "stats": {"users_count": len(self.users)}}}
        if path == "/posts.json":
            return {"latest_posts": self._latest(int(query.get("before", 0)))}
        if path == "/latest.json":
            return self._topic_list(int(query.get("page", 0)))
        if path == "/admin/users/list/active.json":
            return self._user_list(int(query.get("page", 0))) if self.is_admin else 403
        if path == "/admin/reports/signups.json":
            return self._signups(query) if self.is_admin else 403
        if path.startswith("/posts/"):
            return self.posts.get(int(path.split("/")[2].removesuffix(".json")))
        return self._topic(path.removesuffix(".json").split("/")[2:], query)

    def _latest(self, before: int) -> list[dict[str, Any]]:
        highest = before or max(self.posts, default=0)
        if self.before == "exclusive" and before:
            highest = before - 1
        lowest = highest - 50 if self.before == "window" else 0
        ids = sorted((id_ for id_ in self.posts if lowest < id_ <= highest), reverse=True)
        return [self.posts[id_] for id_ in ids[:50]]

    def _topic_list(self, page: int) -> dict[str, Any]:
        topics = sorted(self.topics.values(), key=lambda one: one["bumped_at"], reverse=True)
        listed = [
            {**topic, "posts_count": len(self._in(topic["id"]))}
            for topic in topics[page * self.per_page : (page + 1) * self.per_page]
        ]
        more = (page + 1) * self.per_page < len(topics)
        url = {"more_topics_url": f"/latest?no_definitions=true&page={page + 1}"} if more else {}
        return {"topic_list": {**url, "topics": listed}}

    def _user_list(self, page: int) -> list[dict[str, Any]]:
        page = max(page - self.users_from, 0)
        listed = [self.users[id_] for id_ in sorted(self.users) if id_ > 0]
        return listed[page * 3 : page * 3 + 3]

    def _signups(self, query: httpx.QueryParams) -> dict[str, Any]:
        days = [user["created_at"][:10] for user in self.users.values()]
        asked = sorted(day for day in days if query["start_date"] <= day <= query["end_date"])
        data = [{"x": day, "y": asked.count(day)} for day in dict.fromkeys(asked)]
        return {"report": {"type": "signups", "data": data}}

    def _topic(self, parts: list[str], query: httpx.QueryParams) -> Any:
        topic = self.topics.get(int(parts[0]))
        if topic is None:
            return None
        posts = sorted(self._in(topic["id"]), key=lambda one: one["post_number"])
        bare = [{k: v for k, v in p.items() if k not in ("raw", "category_id")} for p in posts]
        if parts[1:] == ["posts"]:
            ids = {int(one) for one in query.get_list("post_ids[]")}
            return {"post_stream": {"posts": [one for one in bare if one["id"] in ids]}}
        near = int(parts[1]) if parts[1:] else 1
        shown = [one for one in bare if near - 5 <= one["post_number"] < near + 15]
        solved = next((one for one in bare if one["accepted_answer"]), None)
        answer = {"accepted_answer": {"post_number": solved["post_number"]}} if solved else {}
        stream = [one["id"] for one in bare]
        return {**topic, **answer, "post_stream": {"posts": shown, "stream": stream}}
