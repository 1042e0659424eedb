"""Bluesky: signing in, renewing what expired, and what is said when neither works."""

from __future__ import annotations

import httpx
import pytest
from bluesky_account import OPTIONS, PROFILE, SESSION

from muster.errors import SourceFailed
from muster.sources import bluesky
from muster.sources._http import Http


def expiring(error: str, renewed: httpx.Response) -> tuple[httpx.MockTransport, list[str]]:
    """A PDS whose first access token has expired."""
    signed: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        method, token = request.url.path.rpartition(".")[2], request.headers.get("authorization")
        signed.append(f"{method} {token}")
        if method == "createSession":
            return httpx.Response(200, json=SESSION)
        if method == "refreshSession":
            return renewed
        if token == "Bearer access-1":
            return httpx.Response(400, json={"error": error, "message": "Token has expired"})
        return httpx.Response(200, json=PROFILE)

    return httpx.MockTransport(answer), signed


@pytest.mark.parametrize("error", ["ExpiredToken", "InvalidToken"])
def test_an_expired_token_is_renewed(error: str) -> None:
    fresh = {**SESSION, "accessJwt": "access-2", "refreshJwt": "refresh-2"}
    transport, signed = expiring(error, httpx.Response(200, json=fresh))
    api = bluesky.connect(OPTIONS, "password", Http(transport=transport))
    assert "@desk.example.org" in bluesky.check(api, OPTIONS)
    assert signed == [
        "createSession None",
        "getProfile Bearer access-1",
        "refreshSession Bearer refresh-1",
        "getProfile Bearer access-2",
    ]


def test_a_session_that_cannot_be_renewed_fails_clearly() -> None:
    body = {"error": "ExpiredToken", "message": "refresh-1 is too old"}
    transport, _ = expiring("ExpiredToken", httpx.Response(400, json=body))
    api = bluesky.connect(OPTIONS, "password", Http(transport=transport))
    with pytest.raises(SourceFailed, match="^sky: Bluesky refuses the sign-in") as caught:
        bluesky.check(api, OPTIONS)
    assert "refresh-1" not in str(caught.value)


def test_an_account_with_a_second_factor_needs_an_app_password() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"error": "AuthFactorTokenRequired", "message": "code"})

    with pytest.raises(SourceFailed, match="use an app password"):
        bluesky.connect(OPTIONS, "password", Http(transport=httpx.MockTransport(answer)))


def test_without_a_password_it_says_how_to_give_one() -> None:
    with pytest.raises(SourceFailed, match="^sky: Bluesky needs an app password"):
        bluesky.connect(OPTIONS, None, Http())
