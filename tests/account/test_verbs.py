"""config and secret on a stack in a local account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from account_stack import SETTINGS, Account, muster, refused, said, signed_in


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with signed_in(monkeypatch) as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "muster.yaml").write_text(SETTINGS)
    return tmp_path


def test_settings_go_to_the_bucket_the_stack_names_and_come_back(
    account: Account, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    account.deploy()
    assert "put: muster.yaml" in said(muster(folder, "config", "push", "--stack", "desk"))
    assert account.keys("lake-of-desk") == ["config/muster.yaml"]
    again = said(muster(folder, "config", "push", "--stack", "desk"))
    assert "s3://lake-of-desk/config: nothing to change" in again

    other = tmp_path_factory.mktemp("other")
    told = said(muster(other, "config", "pull", "--lake", "s3://lake-of-desk"))
    assert "written: muster.yaml" in told
    assert (other / "muster.yaml").read_text() == SETTINGS

    (other / "muster.yaml").write_text(SETTINGS + "currency: USD\n")
    said(muster(other, "config", "push", "--lake", "s3://lake-of-desk"))
    (folder / "muster.yaml").write_text(SETTINGS + "currency: CHF\n")
    line = refused(muster(folder, "config", "push", "--stack", "desk"))
    assert "muster.yaml: somebody else changed it in s3://lake-of-desk/config" in line


def test_wrong_settings_are_not_pushed(account: Account, folder: Path) -> None:
    account.deploy()
    (folder / "muster.yaml").write_text(SETTINGS.replace("name:", "nam:"))
    assert "did you mean 'name'?" in refused(muster(folder, "config", "push", "--stack", "desk"))
    (folder / "muster.yaml").write_text(SETTINGS)
    (folder / "kpis").mkdir()
    (folder / "kpis" / "own.sql").write_text("-- title: Own\nselect 1")
    ended = muster(folder, "config", "push", "--stack", "desk")
    assert ended.exit_code == 2
    assert "BAD  KPIs: " in ended.output and "own.sql" in ended.output
    assert not account.keys("lake-of-desk")
    (folder / "kpis" / "own.sql").unlink()
    (folder / "templates" / "email").mkdir(parents=True)
    (folder / "templates" / "email" / "report.html").write_text("<p>\n{% if %}")
    ended = muster(folder, "config", "push", "--stack", "desk")
    assert "BAD  templates: " in ended.output and "report.html:2: " in ended.output
    assert not account.keys("lake-of-desk")


def test_a_check_needs_no_network(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    (folder / "muster.yaml").write_text(SETTINGS + "lake: s3://nowhere\n")
    told = said(muster(folder, "config", "check"))
    assert [line[:4] for line in told.splitlines()] == ["ok  "] * 4


def test_no_stack_no_right_and_no_credentials_are_one_line_each(
    account: Account, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = refused(muster(folder, "config", "pull", "--stack", "nobody"))
    assert line.startswith("there is no stack 'nobody' in us-east-1: deploy it")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # It remembers who was signed in.
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    assert "no AWS credentials found" in refused(muster(folder, "secret", "list"))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert "set AWS_REGION" in refused(muster(folder, "secret", "list"))


def test_the_region_may_be_told_in_either_way(
    account: Account, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left alone, boto3 knows one of the two names only."""
    for name, other in (
        ("AWS_REGION", "AWS_DEFAULT_REGION"),
        ("AWS_DEFAULT_REGION", "AWS_REGION"),
    ):
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        monkeypatch.delenv(other, raising=False)
        monkeypatch.setenv(name, "eu-north-1")
        line = refused(muster(folder, "config", "history", "--stack", "nobody"))
        assert line.startswith("there is no stack 'nobody' in eu-north-1")


def test_a_secret_is_put_encrypted_listed_without_value_and_removed(
    account: Account, folder: Path
) -> None:
    told = said(muster(folder, "secret", "set", "FORUM", "--stack", "desk", typed="hush-hush\n"))
    assert told.strip() == "token: ssm:/desk/FORUM"
    kept = account.client("ssm").get_parameter(Name="/desk/FORUM", WithDecryption=True)["Parameter"]
    assert (kept["Value"], kept["Type"]) == ("hush-hush", "SecureString")
    said(muster(folder, "secret", "set", "FORUM", "--stack", "desk", typed="newer\n"))
    account.client("ssm").put_parameter(Name="/desktop/X", Value="y", Type="String")

    listed = said(muster(folder, "secret", "list", "--stack", "desk", "--json"))
    assert [one["reference"] for one in json.loads(listed)] == ["ssm:/desk/FORUM"]
    assert "newer" not in listed
    said(muster(folder, "secret", "remove", "FORUM", "--stack", "desk"))
    line = refused(muster(folder, "secret", "remove", "FORUM", "--stack", "desk"))
    assert line.startswith("there is no secret /desk/FORUM")


@pytest.mark.parametrize(
    ("name", "typed", "says"),
    [("FORUM", "\n", "is empty"), ("../other/X", "v\n", "no name of a secret"),
     ("FORUM", "x" * 5000, "longer than 4096 bytes")],
)  # fmt: skip
def test_a_secret_that_cannot_be_is_refused_without_being_shown(
    account: Account, folder: Path, name: str, typed: str, says: str
) -> None:
    line = refused(muster(folder, "secret", "set", name, typed=typed))
    assert says in line and "xxx" not in line
    assert not account.client("ssm").describe_parameters()["Parameters"]
