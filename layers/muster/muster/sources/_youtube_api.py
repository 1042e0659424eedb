"""A key or an OAuth client in; YouTube's two APIs out, their requests counted and paced."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from muster.errors import Rejected, SourceFailed
from muster.sources import Window, _google
from muster.sources._answer import Answer, asked_wait
from muster.sources._http import Api, Http
from muster.sources._newest import State
from muster.sources._quota import spend
from muster.sources._tokens import OAuth, fields_of, hidden, lacking, signed

PACIFIC = "America/Los_Angeles"  # where YouTube's day begins
NEEDS = (
    'an API key, or {"client_id", "client_secret", "refresh_token"} of the channel\'s owner with '
    "the scopes youtube.force-ssl and yt-analytics.readonly"
)
_SCOPES = "https://www.googleapis.com/auth/"
_PAYING = "youtube.channel-memberships.creator"
_TOO_FAST = ("rateLimitExceeded", "userRateLimitExceeded")
_USED_UP = ("quotaExceeded", "dailyLimitExceeded")
_CALMER = 30.0  # seconds; YouTube does not say how long


class Tube:
    """Both connections: of videos and comments, and of reports where the secret allows them."""

    def __init__(self, data: Api, reports: Api | None, has_key: bool) -> None:
        self.data = data
        self.reports = reports
        self._needs = "an API key allowed for YouTube Data API v3" if has_key else (
            "a token with scope youtube.force-ssl"
        )  # fmt: skip

    def get(self, resource: str, params: Mapping[str, Any]) -> Answer:
        """The answer of a list of the Data API; a refusal says what is needed."""
        try:
            return self.data.get(f"/youtube/v3/{resource}", params)
        except Rejected as refused:
            if refused.status not in (401, 403) or is_refused(refused, "commentsDisabled"):
                raise
            scope = f"a token of the channel's owner with scope {_PAYING}"
            needs = scope if resource == "members" else self._needs
            raise SourceFailed(f"{refused}; needed is {needs}") from None

    def counted(
        self, state: State, window: Window, resource: str, params: Mapping[str, Any]
    ) -> Answer:
        """The same, counted against what the settings allow a day."""
        kind = "searches" if resource == "search" else "units"
        limit = getattr(window.options, f"daily_{kind}")
        spend(state, window, kind, 1, limit, zone=PACIFIC)
        return self.get(resource, params)

    def close(self) -> None:
        """Close both."""
        for api in filter(None, (self.data, self.reports)):
            api.close()


def open_tube(name: str, base_url: str | None, secret: str | None, http: Http) -> Tube:
    """The connections a secret allows."""
    held = fields_of(secret, name, NEEDS)
    key = held.get("key") or (held["access_token"] if len(held) == 1 else None)
    owner = _owner(name, base_url, secret, http, has_key=bool(key)) if len(held) > 1 else None
    if owner and not key:
        return Tube(owner[0], owner[1], has_key=False)
    if not key:
        raise SourceFailed(f"{name}: its secret has no key: needs {NEEDS}")
    data = Api(
        http,
        base_url or "https://youtube.googleapis.com",
        {},
        name=name,
        wait_of=_wait,
        params={"key": key},
        secrets=hidden(secret),
    )
    return Tube(data, owner[1] if owner else None, has_key=True)


def _owner(
    name: str, base_url: str | None, secret: str | None, http: Http, has_key: bool
) -> tuple[Api, Api]:
    """The APIs as the channel's owner, once their token has what is needed."""
    google = OAuth(_google.TOKENS, plain=False)
    hosts = ("https://youtube.googleapis.com", "https://youtubeanalytics.googleapis.com")
    data, reports = (
        signed(http, base_url or host, secret, google, name=name, needs=NEEDS, wait_of=_wait)
        for host in hosts
    )
    needed = {f"{_SCOPES}yt-analytics.readonly"}
    needed |= set() if has_key else {f"{_SCOPES}youtube.force-ssl"}
    if reports.scopes and not needed <= reports.scopes:
        raise lacking(name, needed, reports.scopes, "the consent screen of the OAuth client")
    return data, reports


def is_refused(refused: Rejected, *reasons: str) -> bool:
    """Whether YouTube names one of these reasons."""
    return bool(set(_reasons(refused.body)) & set(reasons))


def _reasons(body: Any) -> list[str]:
    error = body.get("error") if isinstance(body, Mapping) else None
    told = error.get("errors") if isinstance(error, Mapping) else None
    return [str(one.get("reason")) for one in told or () if isinstance(one, Mapping)]


def _wait(answer: Answer) -> float | None:
    """A 403 may mean: too fast, or: no more until midnight in California."""
    reasons = _reasons(answer.body) if answer.status == 403 else []
    if any(reason in _USED_UP for reason in reasons):
        return _to_midnight(answer.seen_at)
    if answer.status == 429 or any(reason in _TOO_FAST for reason in reasons):
        return asked_wait(answer) or _CALMER
    return asked_wait(answer)


def _to_midnight(now: datetime) -> float:
    here = now.astimezone(ZoneInfo(PACIFIC))
    midnight = datetime.combine(here.date() + timedelta(days=1), time(), here.tzinfo)
    return midnight.timestamp() - now.timestamp()
