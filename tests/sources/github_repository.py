"""A small repository on GitHub in memory, as a server: what its REST and GraphQL answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
API = "https://api.github.com/repos/campus/desk"
WEB = "https://github.com/campus/desk"


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Repository:
    """``per_page`` bounds a page of REST, ``first`` one of GraphQL."""

    per_page: int = 3
    first: int = 2
    may_push: bool = True
    has_discussions: bool = True
    users: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    remarks: dict[int, dict[str, Any]] = field(default_factory=dict)
    discussions: dict[int, dict[str, Any]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    teams: dict[str, list[str]] = field(default_factory=dict)
    reviews: dict[int, dict[str, Any]] = field(default_factory=dict)
    foreign: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    # ---- what happens there

    def join(self, login: str, number: int, association: str = "NONE", kind: str = "User") -> None:
        self.users[login] = (number, association, kind)

    def open(self, number: int, who: str | None, at: datetime, body: str | None = "?",
             **facts: Any) -> dict[str, Any]:  # fmt: skip
        kind = "pull" if "pull_request" in facts else "issues"
        self.issues[number] = {
            **self._said(who, at, body), "id": 9000 + number, "number": number,
            "title": f"Question {number}", "labels": [{"id": 1, "name": "vpn"}],
            "state": "open", "comments": 0, "closed_at": None, "repository_url": API,
            "html_url": f"{WEB}/{kind}/{number}", **facts,
        }  # fmt: skip
        return self.issues[number]

    def comment(self, number: int, issue: int, who: str | None, at: datetime, body: str,
                **facts: Any) -> dict[str, Any]:  # fmt: skip
        kind = "pull" if "pull_request" in self.issues[issue] else "issues"
        self.issues[issue]["comments"] += 1
        self.issues[issue]["updated_at"] = stamp(at)
        self.comments[number] = {
            **self._said(who, at, body), "id": number, "issue_url": f"{API}/issues/{issue}",
            "html_url": f"{WEB}/{kind}/{issue}#issuecomment-{number}", **facts,
        }  # fmt: skip
        return self.comments[number]

    def elsewhere(self, number: int, who: str, at: datetime, body: str) -> dict[str, Any]:
        """An issue of another repository."""
        home = "https://api.github.com/repos/city/portal"
        self.foreign.insert(0, {
            **self._said(who, at, body), "id": 8000 + number, "number": number, "title": "Wi-Fi",
            "labels": [], "comments": 1, "repository_url": home, "url": f"{home}/issues/{number}",
            "html_url": f"https://github.com/city/portal/issues/{number}",
        })  # fmt: skip
        return self.foreign[0]

    def remark(self, number: int, pull: int, who: str, at: datetime, body: str,
               **facts: Any) -> None:  # fmt: skip
        self.remarks[number] = {
            **self._said(who, at, body), "id": number, "pull_request_url": f"{API}/pulls/{pull}",
            "html_url": f"{WEB}/pull/{pull}#discussion_r{number}", **facts,
        }  # fmt: skip

    def review(self, number: int, pull: int, who: str, at: datetime, body: str) -> None:
        said = self._said(who, at, body)
        at_, said["created_at"] = said.pop("created_at"), None
        kept = {key: said[key] for key in ("user", "author_association", "body")}
        self.reviews[number] = {
            **kept, "id": number, "state": "APPROVED", "submitted_at": at_,
            "pull_request_url": f"{API}/pulls/{pull}",
            "html_url": f"{WEB}/pull/{pull}#pullrequestreview-{number}",
        }  # fmt: skip

    def discuss(self, number: int, who: str, at: datetime, body: str, **facts: Any) -> None:
        self.discussions[number] = {
            **self._spoken(9500 + number, who, at, body, f"{WEB}/discussions/{number}"),
            "number": number, "title": f"How to {number}?", "updatedAt": stamp(at),
            "closed": False, "closedAt": None, "stateReason": None, "isAnswered": False,
            "answerChosenAt": None, "answer": None, "labels": {"nodes": [{"name": "wlan"}]},
            "category": {"name": "Q&A", "isAnswerable": True}, "comments": [], **facts,
        }  # fmt: skip

    def reply(self, id_: int, discussion: int, who: str | None, at: datetime, body: str,
              under: int | None = None, **facts: Any) -> dict[str, Any]:  # fmt: skip
        there = self.discussions[discussion]
        url = f"{WEB}/discussions/{discussion}#discussioncomment-{id_}"
        said = {**self._spoken(id_, who, at, body, url), "deletedAt": None, "isAnswer": False,
                "isMinimized": False, "minimizedReason": None, **facts}  # fmt: skip
        there["updatedAt"] = stamp(at)
        if under is None:
            said |= {"id": f"DC_{id_}", "replies": {"totalCount": 0, "nodes": []}}
            there["comments"].append(said)
        else:
            (above,) = (one for one in there["comments"] if one["databaseId"] == under)
            above["replies"]["nodes"].append(said)
            above["replies"]["totalCount"] += 1
        return said

    def _said(self, who: str | None, at: datetime, body: str | None) -> dict[str, Any]:
        id_, association, kind = self.users[who] if who else (0, "NONE", "User")
        user = {"login": who, "id": id_, "type": kind, "site_admin": False} if who else None
        return {"user": user, "author_association": association, "body": body,
                "created_at": stamp(at), "updated_at": stamp(at),
                "reactions": {"total_count": 0, "+1": 0, "-1": 0}}  # fmt: skip

    def _spoken(self, id_: int, who: str | None, at: datetime, body: str,
                url: str) -> dict[str, Any]:  # fmt: skip
        number, association, kind = self.users[who] if who else (0, "NONE", "User")
        author = {"login": who, "__typename": kind, "databaseId": number, "name": None,
                  "createdAt": "2020-01-01T00:00:00Z", "location": "Graz",
                  "websiteUrl": "https://example.org"}  # fmt: skip
        return {"databaseId": id_, "body": body, "createdAt": stamp(at), "lastEditedAt": None,
                "url": url, "upvoteCount": 1, "author": author if who else None,
                "authorAssociation": association,
                "reactionGroups": [{"content": "HEART", "reactors": {"totalCount": 1}},
                                   {"content": "THUMBS_DOWN", "reactors": {"totalCount": 4}}]
                }  # fmt: skip

    # ---- what it answers

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, query = request.url.path, request.url.params
        self.asked.append(f"{path}?{query}")
        if path == "/graphql":
            told = json.loads(request.content)
            return httpx.Response(200, json=self._graphql(told["query"], told["variables"]))
        if not path.startswith("/repos/campus/desk"):
            return self._elsewhere(request, path)
        parts = path.removeprefix("/repos/campus/desk").strip("/").split("/")
        match parts:
            case [""]:
                return httpx.Response(200, json=self._about())
            case ["traffic", "views"]:
                days = [{"timestamp": "2026-11-18T00:00:00Z", "count": 9, "uniques": 4},
                        {"timestamp": "2026-11-20T00:00:00Z", "count": 1, "uniques": 1},
                ]  # fmt: skip
                return httpx.Response(200, json={"count": 10, "uniques": 5, "views": days})
            case ["issues"]:
                return self._changed(request, self.issues)
            case ["issues", "comments"]:
                return self._changed(request, self.comments)
            case ["pulls", "comments"]:
                return self._changed(request, self.remarks)
            case ["issues", number]:
                found = self.issues.get(int(number))
                return httpx.Response(200 if found else 404, json=found or {"message": "Not Found"})
            case [_, number, "comments" | "reviews" as kind]:
                below = self.remarks if parts[0] == "pulls" else self.comments
                kept = self.reviews if kind == "reviews" else below
                ending = f"/{parts[0]}/{number}"
                return self._page(request, [
                    one for one in kept.values()
                    if one.get("issue_url", one.get("pull_request_url", "")).endswith(ending)
                ])  # fmt: skip
        raise LookupError(path)

    def _elsewhere(self, request: httpx.Request, path: str) -> httpx.Response:
        if path.startswith("/orgs/campus/teams/"):
            members = [self._said(one, START, "")["user"] for one in self.teams[path.split("/")[4]]]
            return self._page(request, members)
        if path == "/search/issues":
            return self._page(request, self.foreign, "items")
        found = [one for one in self.foreign if one["url"].endswith(path)]
        return httpx.Response(200 if found else 404, json=found[0] if found else {})

    def _about(self) -> dict[str, Any]:
        return {"full_name": "campus/desk", "stargazers_count": len(self.stars),
                "subscribers_count": 3, "watchers_count": len(self.stars), "forks_count": 1,
                "has_discussions": self.has_discussions,
                "permissions": {"pull": True, "push": self.may_push},
                }  # fmt: skip

    def _changed(self, request: httpx.Request, kept: dict[int, Any]) -> httpx.Response:
        since = request.url.params["since"]
        found = [one for one in kept.values() if one["updated_at"] >= since]
        return self._page(request, sorted(found, key=lambda one: (one["updated_at"], one["id"])))

    def _page(self, request: httpx.Request, found: list[Any], key: str = "") -> httpx.Response:
        number = int(request.url.params.get("page", 1))
        part = found[(number - 1) * self.per_page : number * self.per_page]
        more = number * self.per_page < len(found)
        link = f'<{request.url.copy_merge_params({"page": number + 1})}>; rel="next"'
        return httpx.Response(
            200, headers={"link": link} if more else {}, json={key: part} if key else part
        )

    def _graphql(self, query: str, told: dict[str, Any]) -> Any:
        if "stargazers(" in query:
            edges = [{"starredAt": at} for at in self.stars]
            return _repository(stargazers=self._listed("edges", edges, told))
        if "discussions(" in query:
            assert self.has_discussions, "a token need not be allowed to ask for what is not there"
            changed = sorted(self.discussions.values(), key=lambda one: one["updatedAt"])[::-1]
            nodes = [{"number": one["number"], "updatedAt": one["updatedAt"]} for one in changed]
            return _repository(discussions=self._listed("nodes", nodes, told))
        if "node(id:" in query:
            every = [one for found in self.discussions.values() for one in found["comments"]]
            (comment,) = [one for one in every if one["id"] == told["id"]]
            replies = self._listed("nodes", comment["replies"]["nodes"], told)
            return {"data": {"node": {"replies": replies}}}
        found = self.discussions.get(told["number"])
        self.asked.append(f"discussion {told['number']}")
        if found is None:
            problem = {"type": "NOT_FOUND", "message": "Could not resolve to a Discussion"}
            return {**_repository(discussion=None), "errors": [problem]}
        comments = self._listed("nodes", [self._cut(one) for one in found["comments"]], told)
        return _repository(discussion={**found, "comments": comments})

    def _cut(self, comment: dict[str, Any]) -> dict[str, Any]:
        """A comment with the first of its replies."""
        first = self._listed("nodes", comment["replies"]["nodes"], {"after": None})
        return {**comment, "replies": first}

    def _listed(self, key: str, found: list[Any], told: dict[str, Any]) -> dict[str, Any]:
        start = int(told["after"] or 0)
        end = start + self.first
        info = {"hasNextPage": end < len(found), "endCursor": str(min(end, len(found)))}
        return {"totalCount": len(found), "pageInfo": info, key: found[start:end]}


def _repository(**told: Any) -> dict[str, Any]:
    return {"data": {"repository": told}}


def small_repository() -> Repository:
    """A fortnight of a help desk: an edit, a lost author, staff, a bot, a pull, an answer."""
    there = Repository()
    for login, number, association, kind in (
        ("desk", 1, "OWNER", "User"), ("anna", 11, "NONE", "User"),
        ("bela", 12, "CONTRIBUTOR", "User"),
        ("helper[bot]", 5, "NONE", "Bot"),
    ):  # fmt: skip
        there.join(login, number, association, kind)
    there.stars = [stamp(START + hours * HOUR) for hours in (-900, -899, -100, 420)]
    there.open(1, "anna", START, "<!-- template -->\n**VPN** fails &amp; I cannot log in")
    there.open(2, None, START + 3 * HOUR, None)
    there.open(3, "bela", START + 300 * HOUR, "Mends it", pull_request={"url": f"{API}/pulls/3"})
    there.open(4, "anna", START + 400 * HOUR, "Printer?", labels=["printer"])
    there.comment(101, 1, "helper[bot]", START + HOUR, "Have you read the handbook?")
    there.comment(102, 1, "desk", START + 2 * HOUR, "> VPN fails\n\nTry now",
                  updated_at=stamp(START + 4 * HOUR))  # fmt: skip
    there.comment(104, 1, "anna", START + 4 * HOUR, "It *works*, thanks")
    there.comment(103, 3, "desk", START + 301 * HOUR, "Thanks!",
                  reactions={"total_count": 3, "+1": 2, "-1": 1})  # fmt: skip
    there.issues[1].update(closed_at=stamp(START + 5 * HOUR), updated_at=stamp(START + 301 * HOUR))
    there.remark(201, 3, "desk", START + 302 * HOUR, "A space too many")
    there.remark(202, 3, "bela", START + 303 * HOUR, "Done", in_reply_to_id=201)
    there.remark(203, 3, "desk", START + 303 * HOUR, "Good")
    there.remark(204, 3, "bela", START + 304 * HOUR, "And so?", in_reply_to_id=201)
    there.review(401, 3, "desk", START + 305 * HOUR, "Well *done*")
    there.review(402, 3, "bela", START + 306 * HOUR, "")
    for number, hours in ((11, 6), (12, 350), (13, 360)):
        there.discuss(number, "anna", START + hours * HOUR, "Which *network*?")
    there.reply(301, 12, "desk", START + 351 * HOUR, "eduroam", isAnswer=True)
    there.reply(302, 12, "bela", START + 352 * HOUR, "Same here", under=301)
    there.reply(305, 12, "anna", START + 352.5 * HOUR, "Now it works", under=301)
    there.reply(306, 12, "desk", START + 352.6 * HOUR, "Good", under=301)
    there.reply(303, 12, None, START + 353 * HOUR, "And me")
    there.reply(304, 12, "anna", START + 354 * HOUR, "", deletedAt=stamp(START + 355 * HOUR))
    answer = there.discussions[12]["comments"][0]
    there.discussions[12].update(
        isAnswered=True, answerChosenAt=stamp(START + 356 * HOUR), closed=True,
        closedAt=stamp(START + 356 * HOUR), answer={"databaseId": 301, "author": answer["author"]},
    )  # fmt: skip
    for number in range(1, 5):
        there.elsewhere(number, "bela", START + (number * 2) * HOUR, "eduroam of the campus?")
    there.teams = {"desk-team": ["desk"]}
    return there
