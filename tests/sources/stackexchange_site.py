"""A small site of Stack Exchange in memory, as a server: what its API answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOME = "https://desk.example.org"


def epoch(at: datetime) -> int:
    return int(at.timestamp())


@dataclass
class Site:
    """``pagesize`` bounds a page; ``more`` is merged into every answer's wrapper."""

    pagesize: int = 3
    users: dict[int, dict[str, Any]] = field(default_factory=dict)
    questions: dict[int, dict[str, Any]] = field(default_factory=dict)
    answers: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def join(self, id_: int, name: str, **facts: Any) -> None:
        self.users[id_] = {
            "user_id": id_, "user_type": "registered", "display_name": name, "reputation": 1,
            "link": f"{HOME}/users/{id_}", **facts,
        }  # fmt: skip

    def ask(
        self, id_: int, who: int | None, at: datetime, body: str, *tags: str, **facts: Any
    ) -> None:
        self.questions[id_] = {
            "question_id": id_, "owner": self._owner(who), "creation_date": epoch(at),
            "last_activity_date": epoch(at), "tags": list(tags),
            "title": f"How &#39;to&#39; {id_}?",
            "link": f"{HOME}/questions/{id_}/how-to", "is_answered": False, "view_count": 12,
            "answer_count": 0, "score": 1, "body": body, **facts,
        }  # fmt: skip

    def answer(
        self, id_: int, question: int, who: int | None, at: datetime, body: str, **facts: Any
    ) -> None:
        there = self.questions[question]
        there["answer_count"] += 1
        there["last_activity_date"] = max(there["last_activity_date"], epoch(at))
        if facts.get("is_accepted"):
            there["accepted_answer_id"] = id_
        self.answers[id_] = {
            "answer_id": id_, "question_id": question, "owner": self._owner(who), "score": -2,
            "creation_date": epoch(at), "last_activity_date": epoch(at), "is_accepted": False,
            "body": body, **facts,
        }  # fmt: skip

    def comment(self, id_: int, post: int, who: int, at: datetime, body: str) -> None:
        self.comments[id_] = {
            "comment_id": id_, "post_id": post, "owner": self._owner(who), "score": 4,
            "creation_date": epoch(at), "edited": False, "body": body,
        }  # fmt: skip

    def _owner(self, who: int | None) -> dict[str, Any]:
        if who is None:
            return {"user_type": "does_not_exist", "display_name": "user7"}
        return self.users[who]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, query = request.url.path.removeprefix("/2.3"), request.url.params
        self.asked.append(f"{path}?{query}")
        number = int(query.get("page", 1))
        found = list(self._found(path, query))
        part = found[(number - 1) * self.pagesize : number * self.pagesize]
        body = {"items": part, "has_more": number * self.pagesize < len(found),
                "quota_max": 300, "quota_remaining": 299, **self.more}  # fmt: skip
        return httpx.Response(200, json=body)

    def _found(self, path: str, query: httpx.QueryParams) -> Any:
        _, first, *rest = path.split("/")
        named = rest[0] if rest and rest[0][0].isdecimal() else ""
        ids = {int(one) for one in named.split(";") if one}
        if first == "info":
            return [{"total_users": len(self.users)}]
        if first == "filters":
            return [{"filter": "!made", "filter_type": "safe"}]
        if first == "users":
            return self._profiles(ids)
        assert query["filter"] == "!made"
        there = [one for id_, one in self.questions.items() if id_ in ids]
        return [self._whole(one) for one in (there if ids else self._listed(query))]

    def _whole(self, question: dict[str, Any]) -> dict[str, Any]:
        id_ = question["question_id"]
        under = [one for one in self.answers.values() if one["question_id"] == id_]
        answers = [{**one, "comments": self._comments(one["answer_id"])} for one in under]
        told = {"answers": answers, "comments": self._comments(id_)}
        return {**question, **{key: found for key, found in told.items() if found}}

    def _comments(self, post: int) -> list[dict[str, Any]]:
        return [one for one in self.comments.values() if one["post_id"] == post]

    def _profiles(self, ids: set[int]) -> list[dict[str, Any]]:
        return [
            {**one, "creation_date": epoch(START), "location": "Z&#252;rich", "is_employee": False}
            for id_, one in self.users.items()
            if id_ in ids
        ]

    def _listed(self, query: httpx.QueryParams) -> list[Any]:
        changed = sorted(self.questions.values(), key=lambda one: one["last_activity_date"])
        return [
            one
            for one in changed
            if one["last_activity_date"] >= int(query["min"])
            and (query.get("tagged") is None or query["tagged"] in one["tags"])
            and query.get("q", "") in one["body"]
        ]


def small_site() -> Site:
    """Questions with an accepted answer, an edit, comments, a lost author, a moderator."""
    there = Site()
    there.join(1, "Desk", user_type="moderator")
    there.join(11, "Anna &amp; Co", reputation=101)
    there.join(12, "bela")
    there.ask(40, 11, START, "<p>My <b>VPN</b> fails &amp; I cannot log in</p>", "vpn", "wlan")
    there.ask(41, None, START + 30 * HOUR, "<p>Printer?</p>", "vpn")
    there.ask(42, 12, START + 31 * HOUR, "<p>Which network?</p>", "vpn",
              last_edit_date=epoch(START + 33 * HOUR))  # fmt: skip
    there.ask(43, 11, START + 400 * HOUR, "<p>Password?</p>", "vpn",
              closed_date=epoch(START + 402 * HOUR))  # fmt: skip
    there.ask(44, 12, START + 401 * HOUR, "<p>eduroam on a TV?</p>", "tv")
    quote = "<blockquote><p>My VPN fails</p></blockquote><p>Try now</p>"
    there.answer(50, 40, 1, START + HOUR, quote, is_accepted=True)
    there.answer(51, 40, None, START + 2 * HOUR, "<p>Same here</p>")
    there.answer(52, 42, 11, START + 32 * HOUR, "<p>eduroam</p>")
    there.answer(53, 42, 12, START + 33 * HOUR, "<p>The guests&#39; one</p>")
    there.questions[41]["last_activity_date"] = epoch(START + 33 * HOUR)
    there.comment(90, 50, 11, START + 3 * HOUR, "Works, <i>thanks</i>")
    there.comment(91, 42, 11, START + 34 * HOUR, "At home?")
    return there
