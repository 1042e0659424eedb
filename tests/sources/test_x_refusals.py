"""X: what the platform refuses, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from x_account import NOW, OPTIONS, problem

from muster.errors import SourceFailed
from muster.sources import x
from muster.sources._http import Http


def refusing(status: int, body: Any, headers: Mapping[str, str] | None = None) -> list[float]:
    slept: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json=body, headers=headers)

    http = Http(transport=httpx.MockTransport(answer), clock=lambda: NOW, sleep=slept.append)
    try:
        x.check(x.connect(OPTIONS, "a-token", http), OPTIONS)
    finally:
        assert slept == []
    return slept


def test_spent_credits_are_said_and_not_waited_for() -> None:
    with pytest.raises(SourceFailed, match=r"^x: X wants credits \(402\)"):
        refusing(402, {"title": "CreditsDepleted", "detail": "no credits"})


def test_a_spent_month_is_said_and_not_waited_for() -> None:
    body = {"type": "https://api.twitter.com/2/problems/usage-capped", "title": "UsageCapExceeded"}
    with pytest.raises(SourceFailed, match="^x: X's cap of posts read this month is reached"):
        refusing(429, body, {"x-rate-limit-reset": str(int(NOW.timestamp()) + 60)})


def test_an_unknown_account_is_named() -> None:
    with pytest.raises(SourceFailed, match="^x: X knows no account 'desk'"):
        refusing(200, {"errors": [problem("resource-not-found")]})


def test_without_a_token_it_says_how_to_give_one() -> None:
    with pytest.raises(SourceFailed, match="^x: needs a bearer token, .*: set token: env:NAME"):
        x.connect(OPTIONS, None, Http())
