"""A platform's recording as fetches to run: through faults, from any cursor, to merged rows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import httpx

from muster.pipeline.batches import UNMAPPABLE
from muster.records import (
    TABLE_OF,
    TABLES,
    Deletion,
    Item,
    KnownMessage,
    Page,
    Review,
    SurveyResponse,
)
from muster.sources import Platform, Window, platform
from muster.sources._http import Http
from muster.sources._recording import Replay, answer_of, named, told_of
from muster.sources._tokens import hidden

RECORDINGS = Path(__file__).parents[1] / "recordings"
MAX_REQUESTS = 500

Rows = dict[tuple[Any, ...], dict[str, Any]]
Answer = Callable[[httpx.Request], httpx.Response]
Fault = Callable[[int, httpx.Request, Answer], httpx.Response]


@cache
def private_key(algorithm: str) -> str:
    """A new private key as PEM for ``RS256`` or ``ES256``: none that could be mistaken for real."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    is_rsa = algorithm == "RS256"
    made: Any = (
        rsa.generate_private_key(65537, 2048) if is_rsa else ec.generate_private_key(ec.SECP256R1())
    )
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def undisturbed(number: int, request: httpx.Request, answer: Answer) -> httpx.Response:
    """No fault: the recorded answer."""
    return answer(request)


def not_found(request: httpx.Request) -> httpx.Response:
    """What a server says of an address it does not have."""
    told = f"not in the recording: {named(told_of(request))}"
    return httpx.Response(404, json={"errors": [told]})


def page_after_another(
    request: httpx.Request, exchanges: list[Any], used: set[str]
) -> httpx.Request | None:
    """The recorded request that asks for a page which this one asks for by another record.

    Where the last record of a page is spoiled, the next page is asked for by the one before it,
    and a server would answer.
    """
    asked, left = told_of(request), (exchange["request"] for exchange in exchanges)
    for told in left:
        if named(told) not in used and _differ_in_one_value(asked, told):
            return httpx.Request(told["method"], request.url.copy_with(params=told["query"]))
    return None


def _differ_in_one_value(asked: dict[str, Any], told: dict[str, Any]) -> bool:
    """Whether two requests are the same but for an id, a time or a number in their queries."""
    query, others = asked["query"], told.get("query") or {}
    if {**asked, "query": others} != told or query.keys() != others.keys():
        return False
    differing = [str(value) for key, value in query.items() if value != others[key]]
    return len(differing) == 1 and bool(re.fullmatch(r"[\w.:+-]+", differing[0]))


@dataclass
class Wire(httpx.BaseTransport):
    """The recorded answers, each handed to ``fault`` with the number of its request (from 0)."""

    exchanges: list[Any]
    fault: Fault = undisturbed
    is_lenient: bool = False  # after a fault, a request may differ from the recorded ones
    is_spoiled: bool = False  # and the next page may be asked for by another record
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.replay = Replay(self.exchanges)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert len(self.asked) < MAX_REQUESTS, f"never ends: {self.asked[-5:]}"
        self.asked.append(named(told_of(request)))
        response = self.fault(len(self.asked) - 1, request, self._answer)
        response.request = request
        return response

    def _answer(self, request: httpx.Request) -> httpx.Response:
        try:
            return self.replay.handle_request(request)
        except LookupError:
            if not (self.is_lenient or self.is_spoiled):
                raise
            page = page_after_another(request, self.exchanges, self.replay.used)
            if page is None or not self.is_spoiled:
                return not_found(request)
            return self.replay.handle_request(page)


@dataclass(frozen=True)
class Recorded:
    """One platform with its recording."""

    name: str

    @cached_property
    def told(self) -> dict[str, Any]:
        return json.loads((RECORDINGS / f"{self.name}.json").read_text("utf-8"))

    @cached_property
    def platform(self) -> Platform:
        return platform(self.name)

    @cached_property
    def options(self) -> Any:
        return self.platform.Options(**self.told["options"])

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self.told["now"])

    @cached_property
    def secret(self) -> str | None:
        """The secret as text; a JSON object's ``private_key`` names the algorithm of a new one."""
        told = self.told.get("secret")
        if not isinstance(told, dict):
            return told
        made = {"private_key": private_key(told["private_key"])} if "private_key" in told else {}
        return json.dumps({**told, **made})

    @property
    def hidden(self) -> tuple[str, ...]:
        """What of the secret must be shown nowhere."""
        return hidden(self.secret)

    def wire(self, fault: Fault = undisturbed, **how: bool) -> Wire:
        return Wire(self.told["exchanges"], fault, **how)

    def rate_limited(self) -> httpx.Response:
        return answer_of(self.told["rate_limited"])

    def api(self, wire: httpx.BaseTransport, **http: Any) -> Any:
        http = {"sleep": _no_sleep, "clock": lambda: self.now, **http}
        return self.platform.connect(self.options, self.secret, Http(transport=wire, **http))

    def window(self, cursor: Any = None) -> Window:
        since = self.told.get("since")
        known = [_known(one) for one in self.told.get("known", ())]
        return Window(
            options=self.options,
            now=self.now,
            cursor=self.told.get("cursor", {}) if cursor is None else cursor,
            since=datetime.fromisoformat(since) if since and cursor is None else None,
            known=lambda at: (one for one in known if one.created_at >= at),
            reviews=lambda: map(_known_review, self.told.get("known_reviews", ())),
            responses=lambda: map(_known_response, self.told.get("known_responses", ())),
        )

    def pages(self, wire: httpx.BaseTransport, cursor: Any = None, **http: Any) -> Iterator[Page]:
        """The pages of one fetch, items and cursors as the lake would give them back."""
        api = self.api(wire, **http)
        for page in self.platform.pages(api, self.window(cursor)):
            yield Page(
                tuple(stored(item) for item in page.items),
                None if page.cursor is None else json.loads(json.dumps(page.cursor)),
            )

    def rows(self, items: Iterable[Item]) -> tuple[Rows, list[Item]]:
        """Rows merged as the lake merges them, and the items whose mapping was refused."""
        merged: Rows = {}
        refused = []
        for item in items:
            try:
                found = list(self.platform.rows(item, self.options))
            except UNMAPPABLE:
                refused.append(item)
                continue
            for row in found:
                _merge(merged, row)
        return merged, refused


def _no_sleep(seconds: float) -> None:
    assert seconds >= 0


def stored(item: Item) -> Item:
    """The item as raw would give it back: through JSON."""
    body, context = json.loads(json.dumps([item.body, item.context]))
    return Item(item.stream, body, item.seen_at, context)


def items_of(pages: Iterable[Page]) -> list[Item]:
    return [item for page in pages for item in page.items]


def last_cursor(pages: Iterable[Page]) -> dict[str, Any] | None:
    cursors = [dict(page.cursor) for page in pages if page.cursor is not None]
    return cursors[-1] if cursors else None


def _known(one: dict[str, str]) -> KnownMessage:
    at = datetime.fromisoformat(one["created_at"])
    return KnownMessage(one["message_id"], one["thread_id"], at)


def _known_review(one: dict[str, Any]) -> Review:
    at = datetime.fromisoformat(one["created_at"])
    return Review(**{"rating_max": 5.0, **one, "created_at": at})


def _known_response(one: dict[str, Any]) -> SurveyResponse:
    at = datetime.fromisoformat(one["created_at"])
    return SurveyResponse(**{"score_max": 10.0, **one, "created_at": at})


def _merge(merged: Rows, row: Any) -> None:
    if isinstance(row, Deletion):
        merged[("deletions", row.message_id)] = _values(row)
        return
    table = TABLES[TABLE_OF[type(row)]]
    values = _values(row)
    key = (table.name, *(values[name] for name in table.key))
    before = merged.get(key, {})
    for name, old in before.items():
        if (table.fill and values[name] is None) or name in table.keep_first:
            values[name] = old
    merged[key] = values


def _values(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}
