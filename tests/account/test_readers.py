"""site password and site lock on a key-value store that speaks CloudFront's own protocol."""

from __future__ import annotations

import json
import logging
import socket
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from account_stack import Account, muster, refused, said, signed_in
from loopback import answering

from muster.account.readers import hashed

STORE = "arn:aws:cloudfront::123456789012:key-value-store/5a17"
WORD = "correct horse battery"


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with signed_in(monkeypatch) as found:
        yield found


class Store:
    """Who is in the store; each change wants the newest ETag."""

    def __init__(self) -> None:
        self.users: dict[str, str] = {}

    def answer(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        key = unquote(path).removeprefix(f"/key-value-stores/{STORE}").removeprefix("/keys/")
        if key:
            told = json.loads(body) if body else {}
            self.users = {one: value for one, value in self.users.items() if one != key}
            self.users |= {key: told["Value"]} if told else {}
        return 200, {"ETag": f"e{len(self.users)}", "ItemCount": len(self.users),
                     "TotalSizeInBytes": 1}  # fmt: skip


def on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client asks a host of the account, 123456789012.localhost: it is this machine too."""
    real = socket.getaddrinfo

    def found(host: Any, *rest: Any, **more: Any) -> Any:
        here = str(host).endswith(".localhost")
        return real("127.0.0.1" if here else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", found)


def test_a_reader_is_let_in_by_a_salted_hash_and_kept_out_again(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.deploy(SiteUsers=STORE)
    store = Store()
    with answering(store.answer) as url:
        on_loopback(monkeypatch)
        named = url.replace("127.0.0.1", "localhost")
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE", named)
        told = said(muster(tmp_path, "site", "password", "--stack", "desk", typed=f"{WORD}\n"))
        assert "'reader' may read the site of desk" in told and WORD not in told
        salt = store.users["reader"].partition(":")[0]
        assert store.users == {"reader": hashed("reader", WORD, salt)} and len(salt) == 32
        said(muster(tmp_path, "site", "lock", "--stack", "desk"))
        assert not store.users


@pytest.mark.parametrize("status", [200, 400])
def test_of_a_password_only_its_salted_hash_goes_out(
    status: int, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """To a store that may refuse, and then tells all it was sent; AWS's own client logs it too."""
    account.deploy(SiteUsers=STORE)
    caplog.set_level(logging.DEBUG)
    sent: list[str] = []

    def answer(path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        sent.append(f"{path} {body!r}")
        told = {"ETag": "e1", "ItemCount": 0, "TotalSizeInBytes": 1}
        return (200, told) if not body else (status, told | {"Message": "; ".join(sent)})

    with answering(answer) as url:
        on_loopback(monkeypatch)
        named = url.replace("127.0.0.1", "localhost")
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE", named)
        typed = muster(tmp_path, "site", "password", "--stack", "desk", typed=f"{WORD}\n")
    assert (typed.exit_code == 0) == (status == 200) and '"Value":' in sent[-1]
    logged = [record.getMessage() for record in caplog.records]
    everything = "\n".join([*sent, typed.output, repr(typed.exception), *logged])
    assert WORD not in everything
    assert b64encode(f"reader:{WORD}".encode()).decode() not in everything


def test_a_public_site_and_a_short_password_are_one_line_each(
    account: Account, tmp_path: Path
) -> None:
    account.deploy()
    line = refused(muster(tmp_path, "site", "password", "--stack", "desk", typed=f"{WORD}\n"))
    assert "asks for no password" in line
    line = refused(muster(tmp_path, "site", "password", "--stack", "desk", typed="short\n"))
    assert "take 12 characters or more" in line
