"""Every version of a stack's settings is told, and each can be brought back; nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from account_stack import SETTINGS, Account, muster, refused, said, signed_in
from moto.s3 import models

from muster.account import config, history
from muster.errors import BadSettings
from muster.store import FolderStore, open_store

LAKE = "s3://lake-of-desk"
BEGUN = datetime(2026, 11, 20)  # moto's times have no zone
KPI = b"-- title: Own\nselect 1"


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Whose S3 tells the time of a version by the second, and is asked at most once in one."""
    seconds = count()
    monkeypatch.setattr(models, "utcnow", lambda: BEGUN + timedelta(seconds=next(seconds)))
    with signed_in(monkeypatch) as found:
        found.deploy()
        found.client("s3").put_bucket_versioning(
            Bucket="lake-of-desk", VersioningConfiguration={"Status": "Enabled"}
        )
        yield found


@pytest.fixture
def folder(tmp_path: Path, account: Account) -> Path:
    """Three pushes: the settings; others with a KPI; and the KPI taken away."""
    (tmp_path / "kpis").mkdir()
    push(tmp_path, **{"muster.yaml": SETTINGS.encode()})
    push(tmp_path, **{"muster.yaml": SETTINGS.encode() + b"currency: CHF\n", "kpis/own.sql": KPI})
    (tmp_path / "kpis" / "own.sql").unlink()
    push(tmp_path, **{"muster.yaml": SETTINGS.encode() + b"currency: USD\n"})
    return tmp_path


def push(folder: Path, **files: bytes) -> None:
    """Write and push them."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    config.push(folder, open_store(f"{LAKE}/config", base=folder))


def told(folder: Path) -> list[dict[str, object]]:
    found = said(muster(folder, "config", "history", "--lake", LAKE, "--json"))
    return list(json.loads(found))


def pulled(folder: Path, version: object, *words: str) -> str:
    return said(muster(folder, "config", "pull", "--lake", LAKE, "--version", str(version), *words))


def test_the_history_tells_every_version_newest_first(folder: Path) -> None:
    found = [(one["file"], one["what"], one["is_now"]) for one in told(folder)]
    assert sorted(found[:2]) == [("kpis/own.sql", "deleted", True), ("muster.yaml", "put", True)]
    assert found[2:] == [
        ("muster.yaml", "put", False), ("kpis/own.sql", "put", False),
        ("muster.yaml", "put", False),
    ]  # fmt: skip
    lines = said(muster(folder, "config", "history", "--stack", "desk")).splitlines()
    assert lines[0].split("\t") == ["when", "file", "what", "version"]
    assert [line.split("\t")[2] for line in lines[1:3]] in (
        ["put, now", "deleted, now"], ["deleted, now", "put, now"],
    )  # fmt: skip
    assert lines[1].split("\t")[0].endswith(" UTC")


def test_settings_come_back_whole_as_of_a_version_and_a_push_puts_them_in_force(
    folder: Path, account: Account
) -> None:
    middle = told(folder)[2]["id"]
    assert "settings as of " in pulled(folder, middle)
    then = {"muster.yaml": SETTINGS.encode() + b"currency: CHF\n", "kpis/own.sql": KPI}
    assert config.local(folder) == then
    config.push(folder, open_store(f"{LAKE}/config", base=folder))
    assert account.keys("lake-of-desk") == ["config/kpis/own.sql", "config/muster.yaml"]
    assert len(told(folder)) == 7, "the way back is two more versions; none is lost"

    first = told(folder)[-1]["id"]
    assert "deleted: kpis/own.sql" in pulled(folder, str(first)[:8]), "its beginning is enough"
    assert config.local(folder) == {"muster.yaml": SETTINGS.encode()}
    config.push(folder, open_store(f"{LAKE}/config", base=folder))
    assert account.keys("lake-of-desk") == ["config/muster.yaml"]


def test_what_was_never_pushed_is_not_overwritten(folder: Path) -> None:
    first = told(folder)[-1]["id"]
    (folder / "muster.yaml").write_bytes(b"community: Mine\n")
    (folder / "kpis" / "new.sql").write_bytes(KPI)
    line = refused(muster(folder, "config", "pull", "--lake", LAKE, "--version", str(first)))
    assert line.startswith("muster.yaml, kpis/new.sql: changed here and never pushed")
    assert (folder / "muster.yaml").read_bytes() == b"community: Mine\n"
    pulled(folder, first, "--force")
    assert config.local(folder) == {"muster.yaml": SETTINGS.encode()}


def test_what_somebody_pushes_after_the_look_back_is_not_overwritten(folder: Path) -> None:
    pulled(folder, told(folder)[-1]["id"])
    store = open_store(f"{LAKE}/config", base=folder)
    store.put("muster.yaml", b"community: Hers\n")
    with pytest.raises(BadSettings, match="somebody else changed it"):
        config.push(folder, store)


def test_a_version_that_is_none_and_a_folder_s_are_one_line(folder: Path) -> None:
    line = refused(muster(folder, "config", "pull", "--lake", LAKE, "--version", "no-such-one"))
    assert line == "version 'no-such-one' is none of these settings: see muster config history"
    line = refused(muster(folder, "config", "pull", "--lake", LAKE, "--version", "abc"))
    assert "write 6 letters of it or more" in line
    with pytest.raises(BadSettings, match="a folder keeps no versions"):
        history.versions(FolderStore(folder))


def test_a_moment_without_settings_is_no_way_back(tmp_path: Path, account: Account) -> None:
    store = open_store(f"{LAKE}/config", base=tmp_path)
    store.put("kpis/own.sql", KPI)
    (one,) = history.versions(store)
    with pytest.raises(BadSettings, match="there was no muster.yaml then"):
        history.pull(tmp_path, store, one.id)
