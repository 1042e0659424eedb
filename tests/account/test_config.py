"""Settings go to a stack and come back, and nobody's change is lost unasked."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.account import config
from muster.account.config import Moved
from muster.errors import BadSettings
from muster.settings import Settings
from muster.store import FolderStore

FIRST = b"community: Desk\n"
OTHER = b"community: Other desk\n"


def folder_of(root: Path, name: str, **files: bytes) -> Path:
    """A person's project folder; ``kpi_x`` stands for ``kpis/x.sql``."""
    folder = root / name
    (folder / "kpis").mkdir(parents=True, exist_ok=True)
    for key, data in files.items():
        path = "muster.yaml" if key == "muster" else f"kpis/{key.removeprefix('kpi_')}.sql"
        (folder / path).write_bytes(data)
    return folder


@pytest.fixture
def lake(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "lake")


def there(lake: FolderStore) -> dict[str, bytes]:
    found = {entry.key: lake.get(entry.key) for entry in lake.list()}
    return {key: one.data for key, one in found.items() if one}


def test_a_push_brings_settings_and_own_kpis_and_nothing_else(
    tmp_path: Path, lake: FolderStore
) -> None:
    mine = folder_of(tmp_path, "mine", muster=FIRST, kpi_own=b"select 1")
    (mine / "kpis" / "notes.txt").write_text("no KPI")
    (mine / "secrets.env").write_text("TOKEN=1")
    (mine / "templates" / "email").mkdir(parents=True)
    (mine / "templates" / "email" / "report.html").write_text("<p>")
    (mine / "templates" / ".env").write_text("TOKEN=1")
    own = ("kpis/own.sql", "templates/email/report.html")
    assert config.push(mine, lake).written == ("muster.yaml", *own)
    assert there(lake) == {"muster.yaml": FIRST, own[0]: b"select 1", own[1]: b"<p>"}
    assert config.push(mine, lake) == Moved(), "and again changes nothing"


def test_what_somebody_else_changed_is_not_overwritten(tmp_path: Path, lake: FolderStore) -> None:
    mine, hers = folder_of(tmp_path, "mine", muster=FIRST), folder_of(tmp_path, "hers")
    config.push(mine, lake)
    config.pull(hers, lake)
    (hers / "muster.yaml").write_bytes(OTHER)
    config.push(hers, lake)

    (mine / "muster.yaml").write_bytes(b"community: Mine\n")
    (mine / "kpis" / "new.sql").write_bytes(b"select 2")
    with pytest.raises(BadSettings, match=r"muster.yaml: somebody else changed it .* --force"):
        config.push(mine, lake)
    assert there(lake) == {"muster.yaml": OTHER}, "not even the file nobody else touched"
    with pytest.raises(BadSettings, match="muster config pull --force"):
        config.pull(mine, lake)
    assert (mine / "muster.yaml").read_bytes() == b"community: Mine\n"

    config.push(mine, lake, force=True)
    assert there(lake)["muster.yaml"] == b"community: Mine\n"
    with pytest.raises(BadSettings, match="somebody else"):
        (hers / "muster.yaml").write_bytes(FIRST)
        config.push(hers, lake)


def test_a_first_push_does_not_overwrite_what_is_there(tmp_path: Path, lake: FolderStore) -> None:
    lake.put("muster.yaml", OTHER)
    mine = folder_of(tmp_path, "mine", muster=FIRST)
    with pytest.raises(BadSettings, match="somebody else"):
        config.push(mine, lake)
    same = folder_of(tmp_path, "same", muster=OTHER)
    assert config.push(same, lake) == Moved(), "the same bytes are nobody's loss"
    (same / "muster.yaml").write_bytes(FIRST)
    assert config.push(same, lake).written == ("muster.yaml",)


def test_only_a_kpi_that_was_in_step_with_here_is_deleted_there(
    tmp_path: Path, lake: FolderStore
) -> None:
    mine = folder_of(tmp_path, "mine", muster=FIRST, kpi_own=b"select 1")
    config.push(mine, lake)
    lake.put("kpis/hers.sql", b"select 3")
    (mine / "kpis" / "own.sql").unlink()
    assert config.push(mine, lake).deleted == ("kpis/own.sql",)
    assert set(there(lake)) == {"muster.yaml", "kpis/hers.sql"}


def test_a_kpi_deleted_here_and_changed_there_is_asked_about(
    tmp_path: Path, lake: FolderStore
) -> None:
    mine = folder_of(tmp_path, "mine", muster=FIRST, kpi_own=b"select 1")
    config.push(mine, lake)
    lake.put("kpis/own.sql", b"select 4")
    (mine / "kpis" / "own.sql").unlink()
    with pytest.raises(BadSettings, match="kpis/own.sql: somebody else"):
        config.push(mine, lake)
    with pytest.raises(BadSettings, match="kpis/own.sql: somebody else"):
        config.pull(mine, lake)


def test_a_pull_keeps_what_was_changed_here_only(tmp_path: Path, lake: FolderStore) -> None:
    mine = folder_of(tmp_path, "mine", muster=FIRST, kpi_own=b"select 1", kpi_old=b"select 0")
    config.push(mine, lake)
    lake.put("muster.yaml", OTHER)
    lake.put("kpis/hers.sql", b"select 3")
    lake.delete("kpis/old.sql")
    (mine / "kpis" / "own.sql").write_bytes(b"select 1, 2")
    found = config.pull(mine, lake)
    assert found == Moved(("kpis/hers.sql", "muster.yaml"), ("kpis/old.sql",), ("kpis/own.sql",))
    assert config.local(mine) == {
        "muster.yaml": OTHER, "kpis/own.sql": b"select 1, 2", "kpis/hers.sql": b"select 3",
    }  # fmt: skip
    assert config.push(mine, lake).written == ("kpis/own.sql",)


def test_a_push_from_a_folder_that_cannot_be_written_is_done_and_says_so(
    tmp_path: Path, lake: FolderStore, caplog: pytest.LogCaptureFixture
) -> None:
    mine = folder_of(tmp_path, "mine", muster=FIRST)
    (mine / ".muster").write_text("no folder, so nothing can be noted in it")
    assert config.push(mine, lake).written == ("muster.yaml",)
    assert there(lake) == {"muster.yaml": FIRST}
    assert "config.json cannot be written: " in caplog.text
    assert config.push(mine, lake) == Moved(), "the same bytes are in step without a note"
    lake.put("kpis/hers.sql", b"select 3")
    (mine / "kpis").rmdir()
    (mine / "kpis").write_text("no folder either")
    with pytest.raises(BadSettings, match=r"kpis.hers\.sql cannot be written: .*run it again"):
        config.pull(mine, lake)


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"LAKE": 7}', '{"LAKE": {"a": {"b": 1}}}'])
def test_a_damaged_note_of_a_push_overwrites_nothing(
    tmp_path: Path, lake: FolderStore, text: str
) -> None:
    mine = folder_of(tmp_path, "mine", muster=FIRST)
    config.push(mine, lake)
    (mine / config.MEMORY).write_text(text.replace("LAKE", lake.url()))
    lake.put("muster.yaml", OTHER)
    with pytest.raises(BadSettings, match="somebody else changed it"):
        config.push(mine, lake)
    assert there(lake) == {"muster.yaml": OTHER}
    assert config.push(mine, lake, force=True).written == ("muster.yaml",)


def test_a_bucket_cannot_write_where_it_likes(tmp_path: Path, lake: FolderStore) -> None:
    mine = folder_of(tmp_path, "mine")
    for key in ("muster.yaml", "kpis/a.py", ".bashrc", "templates/email/deep/x.html", "bin/muster"):
        lake.put(key, FIRST)
    assert config.pull(mine, lake).written == ("muster.yaml",)
    assert [one.name for one in mine.rglob("*") if one.is_file()] == ["muster.yaml", "config.json"]


def test_there_is_nothing_to_pull_before_a_push(tmp_path: Path, lake: FolderStore) -> None:
    with pytest.raises(BadSettings, match="muster config push"):
        config.pull(folder_of(tmp_path, "mine"), lake)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["mine", "hers"]),
        st.sampled_from(["push", "pull", "write", "delete"]),
        st.sampled_from(["muster.yaml", "kpis/a.sql", "kpis/b.sql"]),
        st.integers(0, 3),
    ),
    max_size=25,
)


@settings(max_examples=80)
@given(STEPS)
def test_whoever_pushes_and_pulls_no_change_is_lost_without_a_word(
    steps: list[tuple[str, str, str, int]],
) -> None:
    """Each writes on top of what they last saw: a lost change would be a version never seen."""
    with TemporaryDirectory() as name:
        root, lake = Path(name), FolderStore(Path(name) / "lake")
        seen: dict[str, dict[str, bytes]] = {"mine": {}, "hers": {}}
        for person in seen:
            folder_of(root, person, muster=FIRST)
        for number, (person, step, key, text) in enumerate(steps):
            folder = root / person
            before_here, before_there = config.local(folder), there(lake)
            try:
                if step == "push" and "muster.yaml" in before_here:
                    config.push(folder, lake)
                    lost = {one for one, data in before_there.items()
                            if there(lake).get(one) != data
                            and seen[person].get(one) != data}  # fmt: skip
                    assert not lost, (number, lost)
                    assert before_here.items() <= there(lake).items()
                elif step == "pull":
                    config.pull(folder, lake)
                    lost = {one for one, data in before_here.items()
                            if config.local(folder).get(one) != data
                            and seen[person].get(one) != data}  # fmt: skip
                    assert not lost, (number, lost)
                elif step == "write":
                    (folder / key).write_bytes(b"%d" % text)
                elif step == "delete" and key != "muster.yaml":
                    (folder / key).unlink(missing_ok=True)
            except BadSettings:
                assert (config.local(folder), there(lake)) == (before_here, before_there)
                continue
            if step in ("push", "pull"):
                now_here, now_there = config.local(folder), there(lake)
                agreed = {one: data for one, data in now_there.items() if now_here.get(one) == data}
                old = {one: data for one, data in seen[person].items()
                       if now_there.get(one) == data}  # fmt: skip
                seen[person] = old | agreed


def test_secrets_that_a_function_cannot_read_are_named() -> None:
    said = Settings.model_validate(
        {
            "community": "Desk",
            "smtp": {"host": "mail.example.org", "user": "a", "password": "ssm:/muster/MAIL"},
        }
    )
    assert not config.unreadable_secrets(said, "muster")
    (line,) = config.unreadable_secrets(said, "other")
    assert line.startswith("smtp.password ssm:/muster/MAIL: functions of the stack read only")
