"""A secret of Google's in, a signed-in client out; a refusal in, the scope it wants out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from muster.errors import Rejected, SourceFailed
from muster.sources._answer import WaitOf
from muster.sources._http import Api, Http
from muster.sources._tokens import OAuth, lacking, signed

TOKENS = "https://oauth2.googleapis.com/token"
CONSOLE = "https://console.cloud.google.com"
KINDS = 'the JSON key file of a service account, or {"client_id", "client_secret", "refresh_token"}'


def client(
    name: str,
    base_url: str,
    secret: str | None,
    http: Http,
    scope: str,
    wait_of: WaitOf,
    headers: Mapping[str, str | None] | None = None,
) -> Api:
    """The client of one of Google's APIs, with a token for this scope."""
    oauth = OAuth(TOKENS, scope=scope, headers=headers or {})
    return signed(
        http, base_url, secret, oauth, name=name, needs=f"{KINDS} with {scope}", wait_of=wait_of
    )


def named(refused: Rejected, name: str, scope: str) -> SourceFailed:
    """The refusal, or the error that names the scope, if that is what the token lacks."""
    is_scope = any(
        one.get("reason") == "ACCESS_TOKEN_SCOPE_INSUFFICIENT" for one in details(refused.body)
    )
    if not is_scope and "insufficient authentication scopes" not in str(refused):
        return refused
    return lacking(name, (scope,), (), f"the sign-in that gave the token ({CONSOLE})")


def error_of(body: Any) -> Mapping[str, Any]:
    """Google's own account of what is wrong, alone or in a list; empty if there is none."""
    first = body[0] if isinstance(body, list) and body else body
    error = first.get("error") if isinstance(first, Mapping) else None
    return error if isinstance(error, Mapping) else {}


def details(body: Any) -> Iterator[Mapping[str, Any]]:
    """The details of an error."""
    found = error_of(body).get("details")
    for one in found if isinstance(found, list) else ():
        if isinstance(one, Mapping):
            yield one
