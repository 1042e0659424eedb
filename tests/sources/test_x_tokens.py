"""X signed in as a user: its refresh token is used once, and the next one is kept first."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import httpx
from x_account import NOW, OPTIONS

from muster.sources import x
from muster.sources._http import Http

SIGNED_IN = {"client_id": "desk", "client_secret": "hush-hush", "refresh_token": "first"}


@dataclass
class Kept:
    """The secret, as it is kept."""

    secret: str = json.dumps(SIGNED_IN)
    before: list[str] = field(default_factory=list)

    def read(self) -> str:
        return self.secret

    def keep(self, secret: str) -> None:
        self.before.append(self.secret)
        self.secret = secret


def test_a_user_s_refresh_token_is_replaced_and_the_next_run_goes_on_with_the_new_one() -> None:
    asked: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/2/oauth2/token":
            sent = dict(parse_qsl(request.read().decode()))
            asked.append({**sent, "signed": request.headers.get("authorization", "")})
            token = {"access_token": f"a{len(asked)}", "refresh_token": f"r{len(asked)}"}
            return httpx.Response(200, json={**token, "expires_in": 7200})
        assert request.headers["authorization"] == f"Bearer a{len(asked)}"
        user = {"id": "1", "username": "desk", "public_metrics": {"followers_count": 3}}
        return httpx.Response(200, json={"data": user})

    kept, later = Kept(), NOW
    for hours in (0, 1, 3):
        later = NOW.replace(hour=NOW.hour + hours)
        http = Http(httpx.MockTransport(answer), clock=lambda: later, held=kept)  # noqa: B023
        with x.connect(OPTIONS, kept.read(), http) as api:
            assert "@desk" in x.check(api, OPTIONS)
    basic = "Basic " + base64.b64encode(b"desk:hush-hush").decode()
    assert [(one["refresh_token"], one["signed"]) for one in asked] == [
        ("first", basic), ("r1", basic),
    ]  # fmt: skip
    assert json.loads(kept.secret)["refresh_token"] == "r2"
