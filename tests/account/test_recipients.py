"""Who gets the reports of a stack: by its settings, its page to leave on, and what SES tells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from account_stack import Account, muster, refused, said, signed_in

from muster.pipeline import subscriptions
from muster.store import S3Store

ANNA, BEN = "anna@example.org", "ben@example.org"
SETTINGS = f"""\
community: Desk
reports:
  - {{name: weekly, recipients: [{ANNA}, {BEN}]}}
  - {{name: board}}
"""


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with signed_in(monkeypatch) as found:
        found.deploy(parameters={"Recipients": "chief@example.org", "SettingsFolder": "config"})
        found.client("s3").put_object(
            Bucket="lake-of-desk", Key="config/muster.yaml", Body=SETTINGS.encode()
        )
        yield found


def leave(account: Account, report: str, reader: str) -> None:
    """As the page behind Unsubscribe writes it."""
    lake = S3Store(account.client("s3"), "lake-of-desk")
    told = {"report": report, "recipient": reader, "at": "2026-11-20T07:00:00+00:00"}
    lake.put(subscriptions._left(report, reader), json.dumps(told).encode())


def states(folder: Path) -> dict[tuple[str, str], str]:
    told = json.loads(said(muster(folder, "recipients", "--stack", "desk", "--json")))
    return {(one["report"], one["recipient"]): one["state"] for one in told}


def test_a_stack_tells_its_readers_and_takes_one_back(account: Account, tmp_path: Path) -> None:
    leave(account, "weekly", BEN)
    expected = {
        ("weekly", ANNA): "gets it", ("weekly", BEN): "unsubscribed",
        ("board", "chief@example.org"): "gets it",
    }  # fmt: skip
    assert states(tmp_path) == expected, "no muster.yaml is needed here"
    restore = ("recipients", "restore", BEN, "--report", "weekly", "--stack", "desk")
    assert "gets it again" in said(muster(tmp_path, *restore))
    assert states(tmp_path) == expected | {("weekly", BEN): "gets it"}
    assert "as before; they had not left" in said(muster(tmp_path, *restore))


def test_what_ses_brought_back_is_told(account: Account, tmp_path: Path) -> None:
    bounced = {
        "kind": "bounce",
        "why": "Permanent",
        "recipients": [ANNA],
        "at": "2026-11-20T07:00Z",
    }
    account.client("s3").put_object(
        Bucket="lake-of-desk", Key="outbox/returned/1.json", Body=json.dumps(bounced).encode()
    )
    assert states(tmp_path)["weekly", ANNA] == "bounced"


def test_a_stack_that_is_not_there_is_one_line(account: Account, tmp_path: Path) -> None:
    line = refused(muster(tmp_path, "recipients", "--stack", "other"))
    assert "there is no stack 'other'" in line
