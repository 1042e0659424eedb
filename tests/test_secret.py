"""A secret that its platform replaces is kept for the next run, privately, wherever it lay."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from muster.errors import SourceFailed
from muster.secret import Held, reveal


@pytest.fixture
def cloud(aws_account: None) -> Iterator[None]:
    with mock_aws():
        yield


def test_what_replaces_a_variable_is_read_from_a_private_file(tmp_path: Path) -> None:
    held = Held("env:TUBE", {"TUBE": "old"}, tmp_path)
    assert held.read() == "old"
    held.keep("new")
    assert held.read() == "new"
    kept = tmp_path / ".secrets" / "TUBE.json"
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert (kept.parent / ".gitignore").read_text() == "*\n"
    assert "old" not in kept.read_text()


def test_a_new_sign_in_counts_more_than_what_was_kept(tmp_path: Path) -> None:
    Held("env:TUBE", {"TUBE": "old"}, tmp_path).keep("new")
    assert Held("env:TUBE", {"TUBE": "signed in again"}, tmp_path).read() == "signed in again"


def test_a_broken_file_is_no_secret(tmp_path: Path) -> None:
    held = Held("env:TUBE", {"TUBE": "old"}, tmp_path)
    held.keep("new")
    (tmp_path / ".secrets" / "TUBE.json").write_text("{")
    assert held.read() == "old"


def test_what_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / ".secrets").write_text("a file is in the way")
    with pytest.raises(SourceFailed, match="TUBE cannot be kept in .*sign in anew"):
        Held("env:TUBE", {"TUBE": "old"}, tmp_path).keep("new")


def test_in_ssm_the_new_one_takes_the_place_of_the_old(cloud: None, tmp_path: Path) -> None:
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name="/muster/TUBE", Value="old", Type="SecureString")
    held = Held("ssm:/muster/TUBE", {}, tmp_path)
    held.keep(json.dumps({"refresh_token": "new"}))
    assert json.loads(held.read() or "") == {"refresh_token": "new"}
    assert ssm.get_parameter(Name="/muster/TUBE")["Parameter"]["Type"] == "SecureString"
    assert not list(tmp_path.iterdir())


def test_in_secrets_manager_too(cloud: None, tmp_path: Path) -> None:
    boto3.client("secretsmanager").create_secret(Name="tube", SecretString="old")
    held = Held("secretsmanager:tube", {}, tmp_path)
    held.keep("new")
    assert held.read() == "new"


def test_a_role_that_may_not_write_says_so(cloud: None, tmp_path: Path) -> None:
    with pytest.raises(SourceFailed, match="secretsmanager:none cannot be replaced"):
        Held("secretsmanager:none", {}, tmp_path).keep("new")


def test_a_secret_that_is_no_text_costs_its_own_source_only(cloud: None, tmp_path: Path) -> None:
    boto3.client("secretsmanager").create_secret(Name="tube", SecretBinary=b"\x00")
    with pytest.raises(SourceFailed, match="secretsmanager:tube holds bytes"):
        Held("secretsmanager:tube", {}, tmp_path).read()


@pytest.mark.parametrize("kind", ["ssm:/none", "secretsmanager:none"])
def test_what_is_to_be_done_about_a_secret_fits_the_trouble(
    cloud: None, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with pytest.raises(SourceFailed, match="Put it there first"):
        reveal(kind, {})
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(SourceFailed, match="set AWS_REGION"):
        reveal(kind, {})


def test_a_longer_one_that_a_killed_run_left_half_written_spoils_nothing(tmp_path: Path) -> None:
    """In a container every run has the same number."""
    held = Held("env:TUBE", {"TUBE": "old"}, tmp_path)
    (tmp_path / ".secrets").mkdir()
    (tmp_path / ".secrets" / f"TUBE.{os.getpid()}").write_text("x" * 1000)
    held.keep("new")
    assert held.read() == "new"
