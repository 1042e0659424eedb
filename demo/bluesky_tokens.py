"""Bluesky's session tokens: who and for how long go in, a signed token out; and what is wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

from demo.exchange import Answer

ACCESS, REFRESH = "com.atproto.access", "com.atproto.refresh"
_KEY = b"only for the demo"


def token(subject: str, scope: str, seconds: float) -> str:
    """A signed token of the usual three parts."""
    claims = {
        "scope": scope,
        "sub": subject,
        "iat": int(time.time()),
        "exp": time.time() + seconds,
    }
    parts = [
        _b64(json.dumps(part).encode()) for part in ({"typ": "at+jwt", "alg": "HS256"}, claims)
    ]
    head = ".".join(parts)
    return f"{head}.{_b64(hmac.digest(_KEY, head.encode(), hashlib.sha256))}"


def problem(token: str, scope: str) -> Answer | None:
    """Why a token is refused, ``None`` if it is good."""
    head, _, signature = token.rpartition(".")
    is_signed = signature == _b64(hmac.digest(_KEY, head.encode(), hashlib.sha256))
    if not is_signed:
        told = {"error": "InvalidToken", "message": "Token could not be verified"}
        return Answer(told, 400)
    payload = head.partition(".")[2]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if claims["scope"] != scope:
        return Answer({"error": "InvalidToken", "message": "Bad token scope"}, 400)
    if claims["exp"] < time.time():
        return Answer({"error": "ExpiredToken", "message": "Token has expired"}, 400)
    return None


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
