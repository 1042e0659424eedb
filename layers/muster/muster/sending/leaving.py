"""A report and a reader ⇄ the token behind their mail's Unsubscribe, signed so that none is forged.

The token tells both, so whoever holds a mail can leave with nothing looked up; HMAC-SHA256 over
both says that we wrote it. It is good for as long as the secret is.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

LONGEST = 1_000  # an address has 254 letters at most, a report's name 63
_PURPOSE = b"muster unsubscribe 1\0"


def token(secret: str, report: str, reader: str) -> str:
    """``WHO.SIGNATURE`` in letters that a URL takes as they are."""
    told = json.dumps([report, reader], separators=(",", ":")).encode()
    return f"{_text(told)}.{_text(_signature(secret, told))}"


def read(secret: str, token: str) -> tuple[str, str] | None:
    """The report and the reader, or none if we did not sign it."""
    who, _, signature = token.partition(".")
    if len(token) > LONGEST:
        return None
    try:
        told, signed = _bytes(who), _bytes(signature)
    except (Error, ValueError):
        return None
    if not hmac.compare_digest(signed, _signature(secret, told)):
        return None
    report, reader = json.loads(told)
    return str(report), str(reader)


def _signature(secret: str, told: bytes) -> bytes:
    return hmac.digest(secret.encode(), _PURPOSE + told, "sha256")


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
