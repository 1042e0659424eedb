"""A reader's name and password → a salted hash in the store that the site's doorkeeper asks."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from unicodedata import category, normalize

from muster.account.aws import client, outputs, said_plainly
from muster.errors import AccountRefused, BadSettings

SHORTEST = 12


def let_in(stack: str, user: str, word: str, salt: str) -> None:
    """From now on (about a minute) this reader comes in with this password, and no other."""
    value, name = hashed(user, word, salt), _written(user)
    _change(stack, lambda store, where: store.put_key(Key=name, Value=value, **where), word)


def keep_out(stack: str, user: str) -> None:
    """The reader no longer comes in."""
    _change(stack, lambda store, where: store.delete_key(Key=_written(user), **where))


def hashed(user: str, word: str, salt: str) -> str:
    """What the doorkeeper compares: the salt, and SHA-256 of salt and the browser's answer."""
    if len(word) < SHORTEST:
        raise BadSettings(f"the password is short: take {SHORTEST} characters or more")
    if ":" in user or not user:
        raise BadSettings(f"user {user!r}: a name without a colon")
    if any(category(letter) == "Cc" for letter in user + word):
        raise BadSettings("name and password: no control characters, which no browser can send")
    pair = b64encode(f"{_written(user)}:{_written(word)}".encode()).decode()
    return f"{salt}:{hashlib.sha256((salt + pair).encode()).hexdigest()}"


def _written(text: str) -> str:
    """As browsers send it (RFC 7617): an ü is one sign, however it was typed here."""
    return normalize("NFC", text)


def _change(stack: str, change: Callable[[Any, dict[str, str]], Any], word: str = "") -> None:
    """Change the store, unless somebody else does at the same moment."""
    found = outputs(stack)
    if "SiteUsers" not in found:
        raise AccountRefused(
            f"the site of {stack!r} asks for no password: deploy it with SiteAccess=password"
        )
    arn = found["SiteUsers"]
    with said_plainly(f"the readers of {stack!r}", without=word):
        store = client("cloudfront-keyvaluestore")
        etag = store.describe_key_value_store(KvsARN=arn)["ETag"]
        change(store, {"KvsARN": arn, "IfMatch": etag})
