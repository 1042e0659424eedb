"""X's API v2 over the simulated posts: a request in, the JSON that X would answer out."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from demo import limits
from demo.community import World
from demo.exchange import Answer, Request, stamp, unstamp
from demo.people import Person, X
from demo.x_posts import Post, post_json, posts, snowflake, user_id
from demo.x_query import BadQuery, Test, predicate

BEARER = "demo-x-bearer"
REFRESH = "demo-x-refresh-"  # and a number; each works once
_PROBLEMS = "https://api.twitter.com/2/problems"
_UNAUTHORIZED = Answer(
    {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}, 401
)
_MENTIONS, _TIMELINE = 800, 3200  # how many of the newest these lists reach back
_TWEET_DEFAULTS = ("id", "text", "edit_history_tweet_ids")
_USER_DEFAULTS = ("id", "name", "username")


class XApi:
    """X as an app with the bearer token ``BEARER``, or a user whose tokens rotate, sees it."""

    def __init__(
        self,
        world: World,
        now: Callable[[], datetime],
        are_limited: bool,
        followers: dict[date, tuple[int, int]],
    ) -> None:
        self.now, self.followers = now, followers
        self.used_up: set[str] = set()
        self.us = world.crowds[X].desk[0]
        self.people = {person.handle.lower(): person for person in world.crowds[X].people}
        self.by_user_id = {user_id(person): person for person in world.crowds[X].people}
        self.posts = posts(world)
        self.ids = [post.id for post in self.posts]
        self.by_id = {post.id: post for post in self.posts}
        self.meters = {
            name: limits.Meter(limits.Limit(count, limits.X_SECONDS))
            for name, count in limits.X_LIMITS.items()
            if are_limited
        }
        routes: list[tuple[str, str, Callable[..., Answer]]] = [
            (r"/2/users/by/username/(\w+)", "users", self._user_by_name),
            (r"/2/users/(\d+)", "users", self._user_by_id),
            (r"/2/users/(\d+)/tweets", "tweets", self._timeline),
            (r"/2/users/(\d+)/mentions", "mentions", self._mentioning),
            (r"/2/tweets", "lookup", self._lookup),
            (r"/2/tweets/search/recent", "search/recent", self._recent),
            (r"/2/tweets/search/all", "search/all", self._archive),
        ]
        self.routes = [(re.compile(path), name, call) for path, name, call in routes]

    def answer(self, request: Request) -> Answer:
        """The answer to one request, with the headers of its rate limit."""
        if request.path == "/2/oauth2/token":
            return self._granted(request)
        if not request.bearer.startswith(BEARER):
            return _UNAUTHORIZED
        for pattern, name, call in self.routes:
            if match := pattern.fullmatch(request.path):
                is_fine, headers = self._metered(name)
                if not is_fine:
                    return _too_many(headers)
                found = call(request, *match.groups())
                return Answer(found.body, found.status, headers)
        return _problem("Not Found", 404, "about:blank", "Not Found")

    def _granted(self, request: Request) -> Answer:
        """A new access token, and a refresh token in place of the one that was sent."""
        form = dict(parse_qsl((request.body or b"").decode()))
        old = form.get("refresh_token", "")
        number = old.removeprefix(REFRESH)
        if old in self.used_up or not (old.startswith(REFRESH) and number.isdecimal()):
            said = "Value passed for the token was invalid."
            return Answer({"error": "invalid_request", "error_description": said}, 400)
        self.used_up.add(old)
        token = {"access_token": f"{BEARER}-{number}", "expires_in": 7200, "token_type": "bearer"}
        scope = "tweet.read users.read offline.access"
        return Answer({**token, "scope": scope, "refresh_token": f"{REFRESH}{int(number) + 1}"})

    def _metered(self, name: str) -> tuple[bool, dict[str, str]]:
        if name not in self.meters:
            return True, {}
        meter = self.meters[name]
        is_fine, left, ends = meter.take()
        return is_fine, {
            "x-rate-limit-limit": str(meter.limit.requests),
            "x-rate-limit-remaining": str(left),
            "x-rate-limit-reset": str(int(ends)),
        }

    # --- accounts --------------------------------------------------------------------------

    def _user_by_name(self, request: Request, name: str) -> Answer:
        return self._user(request, self.people.get(name.lower()), "username", name)

    def _user_by_id(self, request: Request, number: str) -> Answer:
        return self._user(request, self.by_user_id.get(number), "id", number)

    def _user(self, request: Request, person: Person | None, asked: str, value: str) -> Answer:
        if person is None or person.joined_at > self.now():
            said = f"Could not find user with {asked}: [{value}]."
            return Answer({"errors": [_missing("user", asked, value, said)]})
        if self._is_gone(person):
            said = f"User has been suspended: [{value}]."
            error = {**_missing("user", asked, value, said), "title": "Forbidden"}
            return Answer({"errors": [error]})
        return Answer({"data": self._shown_user(request, person)})

    def _shown_user(self, request: Request, person: Person) -> dict[str, Any]:
        now, is_us = self.now(), person is self.us
        day = max((day for day in self.followers if day <= now.date()), default=None)
        ours = self.followers[day][0] if day else 0
        found = {
            "id": user_id(person),
            "name": person.name,
            "username": person.handle,
            "created_at": stamp(person.joined_at),
            "description": "We answer around the clock." if is_us else "",
            "protected": False,
            "verified": False,
            "verified_type": "none",
            "public_metrics": {
                "followers_count": ours if is_us else 20 + person.serial * 37 % 900,
                "following_count": 150,
                "tweet_count": 9 + person.serial % 400,
                "listed_count": 1,
                "like_count": person.serial % 700,
            },
        }
        if person.location:
            found["location"] = person.location
        wanted = {*_USER_DEFAULTS, *request.listed("user.fields")}
        return {key: value for key, value in found.items() if key in wanted}

    def _is_gone(self, person: Person) -> bool:
        return person.gone_at is not None and person.gone_at <= self.now()

    # --- posts -----------------------------------------------------------------------------

    def _timeline(self, request: Request, number: str) -> Answer:
        person = self.by_user_id.get(number)
        excluded = request.listed("exclude")
        return self._page(
            request,
            lambda p: (
                p.message.author is person and not ("replies" in excluded and p.message.parent)
            ),
            (5, 100, 10),
            reach=_TIMELINE,
        )

    def _mentioning(self, request: Request, number: str) -> Answer:
        person = self.by_user_id.get(number)
        name = person.handle.lower() if person else ""
        test: Callable[[Post], bool] = lambda p: name in p.facts["mentions"]  # noqa: E731
        return self._page(request, test, (5, 100, 10), reach=_MENTIONS)

    def _recent(self, request: Request) -> Answer:
        """Search of the last seven days."""
        earliest = self.now() - timedelta(days=7)
        asked = unstamp(request.first("start_time")) if request.first("start_time") else None
        if asked and asked < earliest:
            said = f"'start_time' must be on or after {stamp(earliest)[:16]}Z."
            return _invalid("start_time", request.first("start_time"), said)
        return self._search(request, 100, earliest)

    def _archive(self, request: Request) -> Answer:
        """Search of everything; without a start, of the last thirty days."""
        since = request.first("since_id")
        has_start = bool(request.first("start_time") or since)
        return self._search(request, 500, None if has_start else self.now() - timedelta(days=30))

    def _search(self, request: Request, most: int, earliest: datetime | None) -> Answer:
        query = request.first("query")
        try:
            test: Test = predicate(query)
        except BadQuery as error:
            return _invalid("query", query, str(error))
        if len(query) > (512 if most == 100 else 1024):
            return _invalid("query", query, f"query length must be at most {512}")
        return self._page(request, lambda p: test(p.facts), (10, most, 10), earliest=earliest)

    def _page(
        self,
        request: Request,
        test: Callable[[Post], bool],
        sizes: tuple[int, int, int],
        *,
        earliest: datetime | None = None,
        reach: int | None = None,
    ) -> Answer:
        """One page of the newest versions of posts, newest first."""
        least, most, usual = sizes
        size = request.number("max_results", usual)
        if not least <= size <= most:
            said = f"The `max_results` query parameter value [{size}] is not between {least} \
and {most}"
            return _invalid("max_results", str(size), said)
        bounds = self._bounds(request, earliest)
        if isinstance(bounds, Answer):
            return bounds
        found = list(self._newest(test, *bounds))
        found = found[: reach or len(found)]
        token = request.first("pagination_token") or request.first("next_token")
        if token:
            last = _untoken(token)
            if last is None:
                return _invalid("next_token", token, "Invalid 'next_token'")
            found = [post for post in found if post.id < last]
        return Answer(self._told(request, found[:size], len(found) > size))

    def _bounds(self, request: Request, earliest: datetime | None) -> tuple[int, int] | Answer:
        """Ids between which posts are asked for (both exclusive)."""
        if request.first("start_time") and request.first("since_id"):
            said = "'since_id' can't be used with 'start_time'"
            return _invalid("since_id", request.first("since_id"), said)
        low, high = 0, snowflake(self.now(), 0x3FFFFF) + 1
        if earliest:
            low = snowflake(earliest, 0)
        for name in ("start_time", "end_time"):
            if not (text := request.first(name)):
                continue
            at = unstamp(text)
            if at is None:
                return _invalid(name, text, f"{name} is no RFC 3339 date-time")
            if name == "start_time":
                low = max(low, snowflake(at, 0) - 1)
            else:
                high = min(high, snowflake(at, 0))
        if since := request.first("since_id"):
            low = max(low, int(since))
        if until := request.first("until_id"):
            high = min(high, int(until))
        return low, high

    def _newest(self, test: Callable[[Post], bool], low: int, high: int) -> Iterator[Post]:
        """The latest version of every post that passes and still stands, newest first."""
        now = self.now()
        for i in range(bisect_left(self.ids, high) - 1, -1, -1):
            post = self.posts[i]
            if post.id <= low:
                return
            if not test(post) or not post.message.exists(now):
                continue
            if len(post.history) == 1 + post.message.version(now):
                yield post

    def _lookup(self, request: Request) -> Answer:
        """Posts by id, in any version; what is missing is listed in ``errors``."""
        ids = request.listed("ids")
        if not 1 <= len(ids) <= 100:
            said = f"size must be between 1 and 100, but was {len(ids)}"
            return _invalid("ids", ",".join(ids)[:80], said)
        found: list[Post] = []
        errors = []
        for text in dict.fromkeys(ids):
            post = self.by_id.get(int(text)) if text.isdigit() else None
            if post is not None and post.at <= self.now() and post.message.exists(self.now()):
                found.append(post)
            else:
                errors.append(_missing_post("ids", text))
        told = self._told(request, found, False)
        told.pop("meta", None)
        if errors:
            told["errors"] = [*told.get("errors", []), *errors]
        return Answer(told)

    def _told(self, request: Request, found: list[Post], has_more: bool) -> dict[str, Any]:
        """Posts, what they refer to, and where to go on, in X's envelope."""
        now = self.now()
        expansions = request.listed("expansions")
        wanted = {*_TWEET_DEFAULTS, *request.listed("tweet.fields")}
        if "author_id" in expansions:
            wanted.add("author_id")
        if "referenced_tweets.id" in expansions:
            wanted.add("referenced_tweets")
        told: dict[str, Any] = {}
        if found:
            told["data"] = [self._shown(post, wanted, now) for post in found]
        includes, errors = self._included(request, found, expansions, wanted)
        told |= {"includes": includes} if includes else {}
        told |= {"errors": errors} if errors else {}
        meta: dict[str, Any] = {"result_count": len(found)}
        if found:
            meta |= {"newest_id": str(found[0].id), "oldest_id": str(found[-1].id)}
        if has_more:
            meta["next_token"] = _token(found[-1].id)
        return {**told, "meta": meta}

    def _shown(self, post: Post, wanted: Iterable[str], now: datetime) -> dict[str, Any]:
        full = post_json(post, self.people, now)
        return {key: value for key, value in full.items() if key in wanted}

    def _included(
        self, request: Request, found: list[Post], expansions: list[str], wanted: set[str]
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        includes: dict[str, Any] = {}
        errors = []
        if "author_id" in expansions:
            authors = dict.fromkeys(post.message.author for post in found)
            users = [self._shown_user(request, author) for author in authors]
            includes |= {"users": users} if users else {}
        if "referenced_tweets.id" in expansions:
            targets = [post.message.parent or post.message.quotes for post in found]
            others = dict.fromkeys(target for target in targets if target)
            standing = [other for other in others if other.exists(self.now())]
            shown = [self._shown(self.by_id[o.id], wanted, self.now()) for o in standing]
            includes |= {"tweets": shown} if shown else {}
            gone = [other for other in others if not other.exists(self.now())]
            errors = [_missing_post("referenced_tweets.id", str(other.id)) for other in gone]
        return includes, errors


def _token(last: int) -> str:
    return f"b26v89c19zqg8o3f{last:x}"


def _untoken(token: str) -> int | None:
    prefix, tail = token[:16], token[16:]
    is_ours = prefix == "b26v89c19zqg8o3f" and re.fullmatch("[0-9a-f]+", tail)
    return int(tail, 16) if is_ours else None


def _problem(title: str, status: int, kind: str, detail: str, **more: Any) -> Answer:
    body = {**more, "title": title, "detail": detail, "type": kind, "status": status}
    return Answer(body, status)


def _too_many(headers: dict[str, str]) -> Answer:
    found = _problem("Too Many Requests", 429, "about:blank", "Too Many Requests")
    return Answer(found.body, 429, headers)


def _invalid(name: str, value: str, said: str) -> Answer:
    errors = [{"parameters": {name: [value]}, "message": said}]
    body = {
        "errors": errors,
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": f"{_PROBLEMS}/invalid-request",
    }
    return Answer(body, 400)


def _missing(kind: str, parameter: str, value: str, detail: str) -> dict[str, Any]:
    return {
        "value": value,
        "detail": detail,
        "title": "Not Found Error",
        "resource_type": kind,
        "parameter": parameter,
        "resource_id": value,
        "type": f"{_PROBLEMS}/resource-not-found",
    }


def _missing_post(parameter: str, value: str) -> dict[str, Any]:
    said = f"Could not find tweet with {parameter}: [{value}]."
    return _missing("tweet", parameter, value, said)
