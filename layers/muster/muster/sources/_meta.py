"""A secret in, a client of Meta's Graph API out, which knows its limits, errors and pages."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from muster.errors import Rejected, SourceFailed
from muster.settings import Source
from muster.sources._answer import Answer, WaitOf, parted
from muster.sources._http import Api, Http
from muster.sources._newest import instant
from muster.sources._tokens import fields_of, lacking

LATEST = "v26.0"
PACIFIC = ZoneInfo("America/Los_Angeles")
NEEDS = "a token of a user or, better, a system user"
LIMITED = frozenset((4, 17, 32, 613, *range(80000, 80015)))
PASSING = (1, 2)
DEAD = 190
FORBIDDEN = (10, *range(200, 300))
UNTOLD = 300.0  # seconds to wait where Meta says "too fast", but not for how long
BUSY, SLOWLY = 75.0, 10.0  # above this share of a limit, seconds between requests
_PAGING = ("after", "until", "offset", "__paging_token", "__after_id", "__previous")
MISSING = ((100, 33), (803, None))


class MetaSource(Source):
    """What the platforms of Meta need beyond what every source has."""

    api_version: Annotated[
        str,
        StringConstraints(pattern=r"^v\d+\.\d+$"),
        Field(description="of the Graph API; each lives two years, that for ads about one"),
    ] = LATEST


class Graph(Api):
    """A signed-in connection to the Graph API; ``most`` is what a page may hold without failing."""

    most = 100

    def __init__(self, options: MetaSource, token: str, http: Http, app_secret: str | None) -> None:
        base_url = (options.base_url or "https://graph.facebook.com").rstrip("/")
        super().__init__(
            http,
            f"{base_url}/{options.api_version}",
            {"Authorization": f"Bearer {token}"},
            name=options.name,
            wait_of=_wait_of(options.name),
            pause_of=_pause_of,
            params={"appsecret_proof": _proof(token, app_secret)},
            secrets=[one for one in (token, app_secret) if one],
        )

    def granted(self) -> frozenset[str] | None:
        """The permissions of a user's token; ``None`` for a page's, which does not tell them."""
        try:
            told = self.get("/me/permissions").body.get("data") or ()
        except Rejected:
            return None
        return frozenset(
            str(one.get("permission"))
            for one in told
            if isinstance(one, Mapping) and one.get("status") == "granted"
        )


class Page(Graph):
    """The connection as one of our pages, whose own token is asked for first.

    ``told`` is what the page said of itself, ``id`` its id; ``user`` the connection of the token
    in the settings.
    """

    def __init__(
        self, options: MetaSource, secret: str | None, http: Http, fields: str = "id,name"
    ) -> None:
        token, app_secret = tokens(options, secret)
        self.user = Graph(options, token, http, app_secret)
        told = self.user.get(f"/{options.account}", {"fields": f"{fields},access_token"}).body
        own = told.get("access_token")
        super().__init__(options, own if isinstance(own, str) else token, http, app_secret)
        self.told: Mapping[str, Any] = told
        self.id = str(told["id"])

    def close(self) -> None:
        """Close both connections."""
        self.user.close()
        super().close()


def tokens(options: MetaSource, secret: str | None) -> tuple[str, str | None]:
    """The access token and, where the secret holds one, the app's secret."""
    fields = fields_of(secret, options.name, NEEDS)
    if not fields.get("access_token"):
        raise SourceFailed(f"{options.name}: its secret lacks access_token: needs {NEEDS}")
    return str(fields["access_token"]), fields.get("app_secret")


def _proof(token: str, app_secret: str | None) -> str | None:
    """What an app that demands it wants beside each token: that we know the app's secret too."""
    if not app_secret:
        return None
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def permitted(api: Graph, *needed: str) -> str:
    """How a check's finding ends; ``SourceFailed`` names the permissions that are missing."""
    granted = api.granted()
    if granted is None:
        return "; a page's token does not tell its permissions"
    if set(needed) - granted:
        raise lacking(api.name, needed, granted, "the app's or system user's token")
    return ""


def error_of(body: Any) -> Mapping[str, Any]:
    """Meta's own account of what is wrong; empty if there is none."""
    error = body.get("error") if isinstance(body, Mapping) else None
    return error if isinstance(error, Mapping) else {}


def is_missing(refused: Rejected) -> bool:
    """Whether what was asked for does not exist (any more)."""
    error = error_of(refused.body)
    return refused.is_gone or any(
        error.get("code") == code and subcode in (None, error.get("error_subcode"))
        for code, subcode in MISSING
    )


def _wait_of(name: str) -> WaitOf:
    """Meta says "too fast" with a 400 and a code; how long, in the header of the limit."""

    def wait(answer: Answer) -> float | None:
        error = error_of(answer.body)
        if error.get("code") == DEAD:
            raise SourceFailed(
                f"{name}: Meta does not take the token any more ({DEAD}/"
                f"{error.get('error_subcode')}): make a new one and put it where this source's "
                "token comes from; a system user's does not expire"
            )
        if is_too_much(answer.body):
            said = "Meta wants less to be asked for at once"
            raise Rejected(f"{name}: {said}", answer.status, answer.body)
        if answer.status == 429 or error.get("code") in LIMITED:
            return _asked(answer.headers) or UNTOLD
        is_passing = error.get("code") in PASSING or error.get("is_transient") is True
        return 0.0 if is_passing else None

    return wait


def is_too_much(body: Any) -> bool:
    """Whether Meta wants less data to be asked for at once."""
    error = error_of(body)
    return error.get("error_subcode") == 99 or "reduce the amount of data" in str(
        error.get("message")
    )


def _asked(headers: Mapping[str, str]) -> float:
    """The longest wait that any of the limits' headers names, in seconds."""
    named = (("estimated_time_to_regain_access", 60.0), ("reset_time_duration", 1.0))
    found = [
        float(used[name]) * unit
        for used in _used(headers)
        for name, unit in named
        if _is_number(used.get(name))
    ]
    return max([0.0, *found])


def _pause_of(answer: Answer) -> float | None:
    """A pause before the next request once most of a limit is used up; all are in per cent."""
    shares = [
        share
        for used in _used(answer.headers)
        for name, share in used.items()
        if name in _SHARES and _is_number(share)
    ]
    return SLOWLY if max(shares, default=0.0) >= BUSY else None


_SHARES = ("call_count", "total_time", "total_cputime", "acc_id_util_pct", "app_id_util_pct")
_LIMITS = ("x-app-usage", "x-page-usage", "x-ad-account-usage", "x-fb-ads-insights-throttle")


def _used(headers: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """How much of each limit is used, as the answer's headers tell."""
    for name in _LIMITS:
        yield from _objects(_json(headers.get(name)))
    business = _json(headers.get("x-business-use-case-usage"))
    for limits in business.values() if isinstance(business, Mapping) else ():
        yield from _objects(limits)


def _json(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except ValueError:
        return None


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, Mapping):
            yield one


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def listed(answer: Answer) -> tuple[Sequence[Any], str | None]:
    """The items of a page and the token of the next; a short or empty page may have a next one.

    The token is what the next page's address asks for beyond ours: it is never the access token.
    """
    address = (answer.body.get("paging") or {}).get("next")
    asked = parse_qsl(parted(address).query) if isinstance(address, str) else ()
    token = urlencode([(name, value) for name, value in asked if name in _PAGING])
    return answer.body.get("data") or (), token or None


def after(token: str | None) -> dict[str, str]:
    """The parameters that a token of :func:`listed` stands for."""
    return dict(parse_qsl(token or ""))


def bare(value: Any) -> Any:
    """The value without ``paging``, however deep: the addresses in there hold the token."""
    if isinstance(value, Mapping):
        return {key: bare(found) for key, found in value.items() if key != "paging"}
    return [bare(one) for one in value] if isinstance(value, list) else value


def by_ids(
    api: Graph, ids: Sequence[str], params: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Rejected]]:
    """Objects by their ids, asked for together; where one of them spoils that, one by one.

    Also why each of the others was refused.
    """
    if not ids:
        return {}, {}
    try:
        found = api.get("/", {**params, "ids": ",".join(ids)}).body
        return {one: found[one] for one in ids if found.get(one)}, {}
    except Rejected as refused:
        if len(ids) == 1:
            return {}, {ids[0]: refused}
    half = len(ids) // 2
    found, out = by_ids(api, ids[:half], params)
    more, other = by_ids(api, ids[half:], params)
    return {**found, **more}, {**out, **other}


def figure(insights: Any, metric: str) -> int | None:
    """The one value of a metric in an answer of insights, where there is one."""
    data = (insights or {}).get("data") if isinstance(insights, Mapping) else None
    for one in data or ():
        if isinstance(one, Mapping) and one.get("name") == metric:
            total = one.get("total_value") or (one.get("values") or [{}])[0]
            value = total.get("value")
            return int(value) if _is_number(value) else None
    return None


def day_of(end_time: str) -> date:
    """The Pacific day that ends at this instant: Meta's insights are counted by those."""
    return (instant(end_time).astimezone(PACIFIC) - timedelta(seconds=1)).date()
