"""A folder's listing tells every file's digest, and reads only what it has not read before."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster import digests
from muster.errors import Conflict
from muster.store import FolderStore

LONG = digests.SMALL + 10
LONG_AGO = 1_700_000_000


def put(root: Path, name: str, byte: int, *, is_new: bool, size: int = LONG) -> None:
    """Replace a file, or write into it where it stands, and say that it was long ago."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if is_new:
        path.unlink(missing_ok=True)
    path.write_bytes(bytes([byte]) * size)
    os.utime(path, (LONG_AGO, LONG_AGO))


def true_listing(root: Path, prefix: str) -> list[tuple[str, int, str]]:
    found = ((path.relative_to(root).as_posix(), path.read_bytes()) for path in root.glob("?/*"))
    return sorted(
        (key, len(data), hashlib.sha256(data).hexdigest())
        for key, data in found if key.startswith(prefix)
    )  # fmt: skip


def told(root: Path, prefix: str = "") -> list[tuple[str, int, str]]:
    return [(one.key, one.size, one.etag) for one in FolderStore(root).list(prefix)]


@pytest.fixture
def hashed(monkeypatch):
    """The files that were read whole."""
    names, digest = [], hashlib.file_digest

    def noted(file, kind):
        names.append(Path(file.name).name)
        return digest(file, kind)

    monkeypatch.setattr(hashlib, "file_digest", noted)
    return names


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a/1", "a/2", "b/1"]), st.integers(0, 2), st.booleans(),
            st.sampled_from([LONG, LONG, 7]), st.sampled_from(["", "a/", "b/1"]), st.booleans(),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_a_listing_is_true_whatever_was_done(tmp_path_factory, deeds):
    root = tmp_path_factory.mktemp("lake")
    for name, byte, is_new, size, prefix, is_gone in deeds:
        put(root, name, byte, is_new=is_new, size=size)
        if is_gone:
            (root / name).unlink()
        assert told(root, prefix) == true_listing(root, prefix)


def test_a_file_is_read_once(tmp_path, hashed):
    for name in ("a/1", "b/1"):
        put(tmp_path, name, 1, is_new=True)
    assert told(tmp_path) == told(tmp_path) == true_listing(tmp_path, "")
    assert hashed == ["1", "1"]
    put(tmp_path, "b/1", 2, is_new=False)
    told(tmp_path, "b/")
    told(tmp_path)
    assert hashed == ["1", "1", "1"], "what lies elsewhere is remembered"


def test_what_was_written_just_now_is_read_again(tmp_path, hashed):
    FolderStore(tmp_path).put("a/1", b"x" * LONG)
    told(tmp_path)
    told(tmp_path)
    assert len(hashed) == 2


@pytest.mark.parametrize("rubbish", ["", "[]", "{", '{"a/1": 3}'])
def test_a_broken_memory_is_none(tmp_path, rubbish):
    put(tmp_path, "a/1", 1, is_new=True)
    told(tmp_path)
    (tmp_path / ".muster/digests.json").write_text(rubbish)
    assert told(tmp_path) == true_listing(tmp_path, "")


def test_no_memory_makes_a_condition_hold_that_does_not(tmp_path):
    put(tmp_path, "a/1", 1, is_new=True)
    ((key, _, etag),) = told(tmp_path)
    memory = tmp_path / ".muster/digests.json"
    put(tmp_path, "a/1", 2, is_new=True)
    facts = os.stat(tmp_path / key)
    lying = [facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino]
    memory.write_text(f'{{"a/1": [{lying}, "{etag}"]}}')
    assert told(tmp_path) == [(key, LONG, etag)]
    with pytest.raises(Conflict):
        FolderStore(tmp_path).put(key, b"mine", if_match=etag)


def test_a_memory_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "digests.json" / "in the way").mkdir(parents=True)
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    os.utime(tmp_path / "a", (LONG_AGO, LONG_AGO))
    assert len([*digests.Digests(tmp_path / "digests.json", "").of(tmp_path, ["a"])]) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"digests.json", "a"}
