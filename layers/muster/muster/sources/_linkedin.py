"""A secret of LinkedIn's in, a signed-in client out, which knows its limits and its addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import Field, StringConstraints

from muster.errors import Rejected, SourceFailed
from muster.settings import Source
from muster.sources._answer import Answer, WaitOf
from muster.sources._http import Api, Http
from muster.sources._tokens import OAuth, lacking, signed

TOKENS = "https://www.linkedin.com/oauth/v2/accessToken"
NEEDS = 'an access token (60 days) or {"client_id", "client_secret", "refresh_token"}'
WHERE = "https://www.linkedin.com/developers/apps"
DEAD_VERSION = 426


class LinkedInSource(Source):
    """What the platforms of LinkedIn need beyond what every source has."""

    api_version: Annotated[
        str, StringConstraints(pattern=r"^20\d{4}$"), Field(description="each lives a year")
    ] = "202607"


def client(options: LinkedInSource, secret: str | None, http: Http) -> Api:
    """The client of the versioned API."""
    headers = {"LinkedIn-Version": options.api_version, "X-Restli-Protocol-Version": "2.0.0"}
    return signed(
        http,
        options.base_url or "https://api.linkedin.com/rest",
        secret,
        OAuth(TOKENS, headers=headers),
        name=options.name,
        needs=NEEDS,
        wait_of=_wait_of(options),
    )


def _wait_of(options: LinkedInSource) -> WaitOf:
    """Limits are of a UTC day; a version that has died is no matter of waiting."""

    def wait(answer: Answer) -> float | None:
        if answer.status == DEAD_VERSION:
            raise SourceFailed(
                f"{options.name}: LinkedIn has switched off version {options.api_version} of its "
                "API: set api_version to a month of the last year, as 202607"
            )
        if answer.status != 429:
            return None
        day = answer.seen_at.astimezone(UTC).date() + timedelta(days=1)
        return (datetime.combine(day, time(), UTC) - answer.seen_at).total_seconds()

    return wait


def named(refused: Rejected, api: Api, scopes: Sequence[str]) -> SourceFailed:
    """The refusal, or the error that names the scopes if it is for want of them."""
    if refused.status != 403:
        return refused
    granted = api.scopes if set(scopes) - api.scopes else ()
    return lacking(api.name, scopes, granted, f"{WHERE} → Products, sign in anew as an admin")


def address(path: str, **query: str) -> str:
    """Path and query as Rest.li takes them: parentheses and commas stay, URNs are encoded."""
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return f"{path}?{asked}" if asked else path


def urn(kind: str, number: str) -> str:
    """The encoded URN of an organisation, an account …"""
    return encoded(f"urn:li:{kind}:{number}")


def encoded(text: str) -> str:
    """A URN as it may stand in a path or a query."""
    return quote(text, safe="")


def several(urns: Iterable[str]) -> str:
    """URNs as a list of Rest.li's."""
    return f"List({','.join(encoded(one) for one in urns)})"


def listed(answer: Answer) -> tuple[Sequence[Any], str | None]:
    """The elements of a page and where the next one starts."""
    elements, paging = answer.body.get("elements") or (), answer.body.get("paging") or {}
    start, count = int(paging.get("start") or 0), int(paging.get("count") or 0)
    links = [link for link in paging.get("links") or () if isinstance(link, Mapping)]
    is_more = any(link.get("rel") == "next" for link in links)
    is_full = bool(count) and len(elements) >= count
    return elements, str(start + count) if count and elements and (is_more or is_full) else None


def moment(milliseconds: Any) -> datetime:
    """An instant told in milliseconds since 1970; ``TypeError`` if it is none."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int):
        raise TypeError(f"{str(milliseconds)[:40]!r} is no time")
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


def in_ms(at: datetime) -> int:
    """Milliseconds since 1970."""
    return int(at.timestamp() * 1000)
