"""A source's secret in; an ``Api`` whose requests it signs out, renewed and kept where it rotates.

A secret is a plain token, used as it is, or a JSON object, as the platform hands it out:

* ``access_token``: used as it is
* ``client_id``, ``client_secret``, ``refresh_token``: a refresh token, which each use may replace
* ``client_id``, ``client_secret``: an app's own credentials
* ``type: service_account``, ``client_email``, ``private_key``: the key file of a Google account
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from muster.errors import Rejected, SourceFailed
from muster.sources._answer import WaitOf, asked_wait
from muster.sources._http import Api, Http

EARLY = timedelta(minutes=1)  # a token that ends this soon is renewed before it is used
ASSERTED = timedelta(hours=1)  # how long a signed assertion counts, the longest Google takes
_ASSERTION = "urn:ietf:params:oauth:grant-type:jwt-bearer"

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class OAuth:
    """How a platform gives access tokens: the address, what is asked for, and how a client signs.

    ``basic`` sends client id and secret as HTTP Basic instead of in the form; ``extra`` is more
    for the form. ``header`` is what the access token is sent in, ``{}`` standing for it.
    ``is_old`` tells a refusal that a fresh token mends. ``plain`` is false where a plain token
    is of no use.
    """

    url: str
    scope: str | None = None
    basic: bool = False
    extra: Mapping[str, str] = field(default_factory=dict)
    header: tuple[str, str] = ("Authorization", "Bearer {}")
    headers: Mapping[str, str | None] = field(default_factory=dict)
    is_old: Callable[[Rejected], bool] = lambda refused: refused.status == 401
    plain: bool = True


def signed(
    http: Http,
    base_url: str,
    secret: str | None,
    oauth: OAuth,
    *,
    name: str,
    needs: str,
    wait_of: WaitOf = asked_wait,
    pause_of: WaitOf | None = None,
) -> Api:
    """The signed-in client; ``needs`` says what the secret has to be, for who has none or another.

    Raises ``SourceFailed`` for a missing or unfit secret, and as ``Api.post`` does.
    """
    fields = fields_of(secret, name, needs, plain=oauth.plain)
    tokens = Tokens(http, fields, oauth, name, needs, wait_of)
    api = Api(
        http,
        base_url,
        tokens.headers(),
        name=name,
        wait_of=wait_of,
        pause_of=pause_of,
        renew=tokens.renewed,
        secrets=hidden(secret),
    )
    api.scopes = tokens.scopes
    return api


def fields_of(
    secret: str | None, name: str, needs: str, *required: str, plain: bool = True
) -> dict[str, Any]:
    """The fields of a JSON secret, ``{"access_token": …}`` for a plain one; ``SourceFailed`` else.

    ``required`` fields must be there; ``needs`` is a noun phrase for the message.
    """
    todo = f"{needs}: set token: env:NAME for this source"
    if not secret:
        raise SourceFailed(f"{name}: needs {todo}")
    if not secret.lstrip().startswith("{"):
        if not plain or required:
            raise SourceFailed(f"{name}: its secret is no JSON object, but needs {todo}")
        return {"access_token": secret.strip()}
    try:
        fields = json.loads(secret)
    except ValueError:
        raise SourceFailed(f"{name}: its secret is broken JSON, but needs {todo}") from None
    if missing := [one for one in required if not fields.get(one)]:
        raise SourceFailed(f"{name}: its secret lacks {', '.join(missing)}: needs {todo}")
    return dict(fields)


_OPEN = ("type", "token_uri", "auth_uri", "universe_domain", "client_email", "project_id", "scope")


def hidden(secret: str | None) -> tuple[str, ...]:
    """Every string of a secret that must be shown nowhere."""
    if not secret or not secret.lstrip().startswith("{"):
        return (secret,) if secret else ()
    try:
        fields = json.loads(secret)
    except ValueError:
        return (secret,)
    return (secret, *(one for key, one in fields.items()
                      if isinstance(one, str) and key not in _OPEN))  # fmt: skip


def jwt(
    claims: Fields,
    key: str,
    now: datetime,
    lives: timedelta,
    *,
    algorithm: str = "RS256",
    **head: Any,
) -> str:
    """Claims signed with a private key (PEM), valid from ``now``; ``ValueError``: no such key."""
    import jwt as pyjwt

    begins = int(now.timestamp())
    told = {"iat": begins, "exp": begins + int(lives.total_seconds()), **claims}
    try:
        signing = _signing_key(key, algorithm)
        return pyjwt.encode(told, signing, algorithm=algorithm, headers=head or None)
    except (pyjwt.PyJWTError, ValueError, TypeError) as error:
        raise ValueError("the private key cannot be read") from error


@lru_cache(maxsize=16)
def _signing_key(key: str, algorithm: str) -> Any:
    """A private key, read once: that takes many times as long as to sign with it."""
    import jwt as pyjwt

    return pyjwt.get_algorithm_by_name(algorithm).prepare_key(key)


class Tokens:
    """The access token of one source, asked for when there is none, it is old or it is refused."""

    def __init__(
        self, http: Http, fields: Fields, oauth: OAuth, name: str, needs: str,
        wait_of: WaitOf = asked_wait,
    ) -> None:  # fmt: skip
        self._http = http
        self._fields = dict(fields)
        self._oauth = oauth
        self._name = name
        self._needs = needs
        self._wait_of = wait_of
        self.scopes: frozenset[str] = frozenset()

    def headers(self) -> dict[str, str | None]:
        """The headers that sign a request."""
        if not self._is_fresh():
            self._obtain()
        return self._signature()

    def renewed(self, refused: Rejected) -> dict[str, str | None] | None:
        """Headers with a fresh token, if the old one was refused for its age and can be renewed."""
        if not (self._oauth.is_old(refused) and self._grant()):
            return None
        self._obtain()
        return self._signature()

    def _signature(self) -> dict[str, str | None]:
        key, text = self._oauth.header
        return {key: text.format(self._fields["access_token"]), **self._oauth.headers}

    def _is_fresh(self) -> bool:
        if not self._fields.get("access_token"):
            return False
        ends = self._fields.get("expires_at")
        return not ends or datetime.fromisoformat(ends) > self._http.clock() + EARLY

    def _obtain(self) -> None:
        """Ask for an access token; where somebody else used the refresh token up, with theirs."""
        try:
            self._granted(self._asked())
        except Rejected as refused:
            if not self._was_replaced():
                raise SourceFailed(self._refusal(refused)) from None
            if not self._is_fresh():
                self._granted(self._asked())

    def _was_replaced(self) -> bool:
        """Whether another run has kept another refresh token meanwhile; it is then ours too."""
        found = self._http.held.read() if self._http.held else None
        if not found or not found.lstrip().startswith("{"):
            return False
        fields = json.loads(found)
        if fields.get("refresh_token") in (None, self._fields.get("refresh_token")):
            return False
        self._fields = fields
        return True

    def _asked(self) -> Mapping[str, Any]:
        grant = self._grant()
        if not grant:
            raise SourceFailed(
                f"{self._name}: its secret has no refresh_token or client_secret to get a token "
                f"with: needs {self._needs}"
            )
        form, signature = {**grant, **self._oauth.extra}, {}
        if self._oauth.basic and "client_secret" in form:
            client = form.pop("client_id"), form.pop("client_secret")
            signature = {"Authorization": basic(*client)}
        elif "client_id" in form:
            form = {key: value for key, value in form.items() if value}
        url = str(self._fields.get("token_uri") or self._oauth.url)
        api = Api(
            self._http, url, signature,
            name=self._name, wait_of=self._wait_of, secrets=self._hidden(),
        )  # fmt: skip
        with api:
            told = api.post("", form=form).body
        if not (isinstance(told, Mapping) and told.get("access_token")):
            raise SourceFailed(f"{self._name}: {url} gave no access token: check the secret")
        return told

    def _grant(self) -> dict[str, str]:
        """The form that asks for a token, by what the secret holds; empty if it cannot be asked."""
        held, scope = self._fields, self._oauth.scope
        client = {"client_id": held.get("client_id"), "client_secret": held.get("client_secret")}
        if held.get("type") == "service_account":
            return {"grant_type": _ASSERTION, "assertion": self._assertion()}
        if held.get("refresh_token"):
            more = {"grant_type": "refresh_token", "refresh_token": held["refresh_token"]}
        elif held.get("client_secret"):
            more = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
        else:
            return {}
        return {**more, **{key: str(value) for key, value in client.items() if value}}

    def _assertion(self) -> str:
        held = self._fields
        claims = {"iss": held["client_email"], "scope": self._oauth.scope,
                  "aud": held.get("token_uri") or self._oauth.url}  # fmt: skip
        try:
            return jwt(claims, held["private_key"], self._http.clock(), ASSERTED)
        except ValueError as error:
            raise SourceFailed(f"{self._name}: {error}: needs {self._needs}") from None

    def _granted(self, told: Mapping[str, Any]) -> None:
        """Take the token; a refresh token that replaces ours is kept before anything is used."""
        self.scopes = frozenset(str(told.get("scope") or "").replace(",", " ").split())
        now, lives = self._http.clock(), told.get("expires_in")
        ends = (now + timedelta(seconds=float(lives))).isoformat() if lives else None
        fresh = {"access_token": told["access_token"], "expires_at": ends}
        before = self._fields.get("refresh_token")
        after = told.get("refresh_token") or before
        self._fields = {**self._fields, **fresh, **({"refresh_token": after} if after else {})}
        if after != before and self._http.held:
            self._http.held.keep(json.dumps(self._fields))

    def _hidden(self) -> tuple[str, ...]:
        return hidden(json.dumps(self._fields))

    def _refusal(self, refused: Rejected) -> str:
        return (
            f"{self._name}: no access token ({refused.status}): the secret is not taken (any "
            f"more): needs {self._needs}. {refused}"
        )


def basic(user: str, password: str) -> str:
    """A name and its key as the ``Authorization`` of HTTP Basic."""
    import base64

    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def lacking(name: str, needed: Iterable[str], granted: Iterable[str], where: str) -> SourceFailed:
    """The error of a token that may not read what it has to; ``where`` scopes are added."""
    missing = sorted(set(needed) - set(granted))
    return SourceFailed(
        f"{name}: the token lacks the scope{'s' * (len(missing) > 1)} {', '.join(missing)}: "
        f"add what is missing at {where}, and take the new token"
    )
