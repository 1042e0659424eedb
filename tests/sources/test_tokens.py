"""A source's secret signs its requests; it is renewed, kept where it rotates, and never shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from recorded import private_key

from muster.errors import SourceFailed, Unavailable
from muster.sources._http import Api, Http
from muster.sources._tokens import OAuth, jwt, signed

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
NEEDS = "an app of example.org"
CLIENT = {"client_id": "client-1", "client_secret": "hush-hush"}


@dataclass
class Shop:
    """A platform whose access tokens last an hour and whose refresh tokens work once."""

    valid: set[str] = field(default_factory=set)
    refresh: str = "refresh-0"
    rotates: bool = True
    asked: list[dict[str, str]] = field(default_factory=list)
    signed: list[str] = field(default_factory=list)
    now: datetime = NOW
    granted: int = 0
    watch: Callable[[], None] = lambda: None

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/token":
            self.watch()
            self.signed.append(request.headers.get("authorization", ""))
            is_valid = self.signed[-1].removeprefix("Bearer ") in self.valid
            return httpx.Response(200 if is_valid else 401, json={"message": "so"})
        form = dict(parse_qsl(request.read().decode()))
        self.asked.append({**form, "basic": request.headers.get("authorization", "")})
        if form.get("refresh_token", self.refresh) != self.refresh:
            said = f"{form['refresh_token']} is used up"
            return httpx.Response(400, json={"error": "invalid_grant", "error_description": said})
        self.granted += 1
        token = f"access-{self.granted}"
        self.valid = {token}
        told = {"access_token": token, "expires_in": 3600, "scope": "read:a read:b"}
        if self.rotates and "refresh_token" in form:
            self.refresh = f"refresh-{self.granted}"
            told["refresh_token"] = self.refresh
        return httpx.Response(200, json=told)

    def api(self, secret: Any, held: Any = None, **oauth: Any) -> Api:
        http = Http(httpx.MockTransport(self.answer), clock=lambda: self.now, held=held)
        text = secret if isinstance(secret, str | None) else json.dumps(secret)
        given = OAuth("https://x.org/token", **oauth)
        return signed(http, "https://x.org", text, given, name="shop", needs=NEEDS)


@dataclass
class Kept:
    """Where a secret is kept, as ``muster.secret.Held`` does."""

    secret: str
    count: int = 0

    def read(self) -> str:
        return self.secret

    def keep(self, secret: str) -> None:
        self.secret, self.count = secret, self.count + 1


def test_a_plain_token_signs_as_it_is() -> None:
    shop = Shop(valid={"plain"})
    assert shop.api("plain\n").get("/a").status == 200
    assert not shop.asked


def test_an_expired_plain_token_is_a_refusal() -> None:
    with pytest.raises(SourceFailed, match="shop: .*401"):
        Shop().api("plain").get("/a")


def test_a_refresh_token_that_is_replaced_is_kept_before_the_new_token_is_used() -> None:
    shop, kept = Shop(), Kept(json.dumps({**CLIENT, "refresh_token": "refresh-0"}))
    shop.watch = lambda: seen.append(json.loads(kept.secret)["refresh_token"])
    seen: list[str] = []
    shop.api(kept.read(), kept).get("/a")
    assert seen == ["refresh-1"]
    assert json.loads(kept.secret)["client_secret"] == "hush-hush"


def test_the_next_run_goes_on_with_the_token_that_was_kept_until_it_ends() -> None:
    shop, kept = Shop(), Kept(json.dumps({**CLIENT, "refresh_token": "refresh-0"}))
    shop.api(kept.read(), kept).get("/a")
    shop.api(kept.read(), kept).get("/a")
    assert shop.granted == 1
    shop.now = NOW + timedelta(hours=1)
    shop.api(kept.read(), kept).get("/a")
    assert shop.granted == 2


def test_a_token_refused_in_the_middle_is_renewed_and_asked_again() -> None:
    shop, kept = Shop(), Kept(json.dumps({**CLIENT, "refresh_token": "refresh-0"}))
    api = shop.api(kept.read(), kept)
    shop.valid = set()
    assert api.get("/a").status == 200
    assert (shop.granted, kept.count) == (2, 2)


def test_a_refresh_token_that_stays_is_not_written_again() -> None:
    shop, kept = Shop(rotates=False), Kept(json.dumps({**CLIENT, "refresh_token": "refresh-0"}))
    shop.api(kept.read(), kept).get("/a")
    assert kept.count == 0


def test_of_two_runs_at_once_the_second_goes_on_with_what_the_first_kept() -> None:
    shop, kept = Shop(), Kept(json.dumps({**CLIENT, "refresh_token": "refresh-0"}))
    before = kept.read()
    shop.api(before, kept).get("/a")
    assert shop.api(before, kept).get("/a").status == 200
    assert shop.granted == 1


def test_a_refresh_token_that_is_used_up_says_so_and_shows_nothing() -> None:
    secret = {**CLIENT, "refresh_token": "refresh-old"}
    with pytest.raises(SourceFailed, match="shop: no access token .*an app of example") as caught:
        Shop().api(secret, Kept(json.dumps(secret)))
    assert "refresh-old" not in repr(caught.value)


def test_what_cannot_be_kept_is_not_used() -> None:
    class Full(Kept):
        def keep(self, secret: str) -> None:
            raise SourceFailed("full")

    shop, secret = Shop(), json.dumps({**CLIENT, "refresh_token": "refresh-0"})
    with pytest.raises(SourceFailed, match="full"):
        shop.api(secret, Full(secret))
    assert not shop.signed


@pytest.mark.parametrize("basic", [True, False])
def test_an_app_signs_in_with_its_own_credentials(basic: bool) -> None:
    shop = Shop()
    api = shop.api(CLIENT, basic=basic, scope="read:a")
    api.get("/a")
    (asked,) = shop.asked
    assert (asked["grant_type"], asked["scope"]) == ("client_credentials", "read:a")
    assert ("client_secret" in asked, asked["basic"][:5]) == ((False, "Basic") if basic else
                                                             (True, ""))  # fmt: skip
    assert api.scopes == {"read:a", "read:b"}


def test_a_service_account_signs_an_assertion() -> None:
    key, shop = private_key("RS256"), Shop()
    account = {"type": "service_account", "client_email": "m@x.org", "private_key": key}
    shop.api(account, scope="all").get("/a")
    public: Any = load_pem_private_key(key.encode(), None).public_key()
    told = pyjwt.decode(
        shop.asked[0]["assertion"], public, ["RS256"], audience="https://x.org/token",
        options={"verify_exp": False, "verify_iat": False},
    )  # fmt: skip
    assert (told["iss"], told["scope"]) == ("m@x.org", "all")
    assert told["exp"] - told["iat"] == 3600
    assert told["iat"] == NOW.timestamp()


def test_an_elliptic_key_signs_as_apple_wants_it() -> None:
    key = private_key("ES256")
    token = jwt({"iss": "i"}, key, NOW, timedelta(minutes=20), algorithm="ES256", kid="K1")
    assert pyjwt.get_unverified_header(token)["kid"] == "K1"
    public: Any = load_pem_private_key(key.encode(), None).public_key()
    unchecked = {"verify_exp": False, "verify_iat": False}
    assert pyjwt.decode(token, public, ["ES256"], options=unchecked)["iss"] == "i"


@pytest.mark.parametrize(
    "secret",
    [None, "", "{broken", "{}", '{"client_id": "only"}',
     '{"type": "service_account", "client_email": "m", "private_key": "none"}'],
)  # fmt: skip
def test_a_secret_of_no_use_says_what_is_needed(secret: str | None) -> None:
    with pytest.raises(SourceFailed, match="shop: .*an app of example.org"):
        Shop().api(secret)


def test_a_plain_token_is_refused_where_it_is_of_no_use() -> None:
    with pytest.raises(SourceFailed, match="no JSON object"):
        Shop().api("plain", plain=False)


def test_a_token_server_that_is_down_is_tried_again() -> None:
    http = Http(httpx.MockTransport(lambda _: httpx.Response(503)), sleep=lambda _: None)
    with pytest.raises(Unavailable):
        signed(http, "https://x.org", json.dumps(CLIENT), OAuth("https://x.org/token"),
               name="shop", needs=NEEDS)  # fmt: skip
