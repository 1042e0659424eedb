"""A bucket read by copies of its small objects, and by itself where they are large or too many."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from s3_servers import Server, client, moto
from small_lake import at, covers, message, settings, write

from muster.kpis import engine, runner
from muster.kpis.catalogue import load
from muster.lake import nearby
from muster.store import FolderStore, S3Store, Store

KEYS = ("tables/a/part-0.parquet", "tables/b/part-0.parquet", "tables/c/part-0.parquet")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with moto() as running:
        yield running


@pytest.fixture
def bucket(server: Server, request: pytest.FixtureRequest) -> S3Store:
    name = f"lake-{abs(hash(request.node.name))}"
    s3 = client(server.url)
    s3.create_bucket(Bucket=name)
    return S3Store(s3, name, "desk/")


def _is_near(url: str) -> bool:
    return not url.startswith("s3://")


def test_small_objects_are_copied_and_large_or_unknown_ones_are_not(bucket, monkeypatch):
    monkeypatch.setattr(nearby, "SMALL", 10)
    for key, data in zip(KEYS, (b"small", b"much too large", b"small too"), strict=True):
        bucket.put(key, data)
    with nearby.nearby(bucket) as lake:
        assert not any(map(_is_near, lake.urls(KEYS)))  # nothing is known of their size
        assert [entry.key for entry in lake.list("tables/")] == list(KEYS)
        one, two, three = lake.urls(KEYS)
        assert two == bucket.url(KEYS[1])
        assert (Path(one).read_bytes(), Path(three).read_bytes()) == (b"small", b"small too")
        assert one.endswith(KEYS[0])  # source and month stand in the path
    assert not Path(one).exists()


def test_there_is_room_for_so_many(bucket, monkeypatch):
    monkeypatch.setattr(nearby, "ROOM", 10)
    for key in KEYS:
        bucket.put(key, b"1234")
    with nearby.nearby(bucket) as lake:
        list(lake.list())
        assert list(map(_is_near, lake.urls(KEYS))) == [True, True, False]
        lake.put("tables/d/part-0.parquet", b"5678")
        assert not _is_near(*lake.urls(["tables/d/part-0.parquet"]))


def test_a_run_reads_what_it_wrote_and_never_another_version_than_it_listed(bucket):
    key, other, _ = KEYS
    bucket.put(key, b"old")
    bucket.put(other, b"old")
    with nearby.nearby(bucket) as lake:
        list(lake.list())
        (before,) = lake.urls([key])
        lake.put(key, b"new")
        (after,) = lake.urls([key])
        assert (Path(before).read_bytes(), Path(after).read_bytes()) == (b"old", b"new")
        bucket.put(other, b"by somebody else")
        assert lake.urls([other]) == (bucket.url(other),)
    stored = bucket.get(key)
    assert stored and stored.data == b"new"


def test_a_full_disk_leaves_the_bucket(bucket, monkeypatch):
    def is_full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    bucket.put(KEYS[0], b"1234")
    monkeypatch.setattr(Path, "write_bytes", is_full)
    with nearby.nearby(bucket) as lake:
        list(lake.list())
        assert lake.urls(KEYS[:1]) == (bucket.url(KEYS[0]),)


def test_a_folder_is_itself(tmp_path):
    folder = FolderStore(tmp_path)
    with nearby.nearby(folder) as lake:
        assert lake is folder


def test_near_and_far_objects_give_a_folders_values(server, bucket, tmp_path, monkeypatch):
    monkeypatch.setattr(nearby, "SMALL", 2_500)  # in bytes: some objects are larger
    rows = [
        message(f"m{n}", 5.5 * n, "staff" if n % 3 else "member", thread_id=f"t{n // 3}")
        for n in range(60)
    ]
    folder = FolderStore(Path(write(tmp_path / "lake", rows)))
    for entry in folder.list():
        bucket.put(entry.key, (folder.root / entry.key).read_bytes())
    for day in (12, 14):  # the second goes on from the first
        told = _measured(folder, day)
        with nearby.nearby(bucket) as lake:
            assert _measured(lake, day, **server.environment) == told
            places = lake.urls(entry.key for entry in lake.list())
        assert 0 < sum(map(_is_near, places)) < len(places)
    assert {e.key for e in bucket.list()} == {e.key for e in folder.list()}


def _measured(lake: Store, day: int, **environment: str) -> runner.Outcome:
    def files(table: str) -> tuple[str, ...]:
        return lake.urls(entry.key for entry in lake.list(f"tables/{table}/"))

    connection = engine.connect(lake.url(), environment=environment, files=files)
    kpis = [kpi for kpi in load() if kpi.id in ("messages", "response_rate", "new_members")]
    outcome = runner.measure(
        connection, settings(), kpis, as_of=at(days=day), coverage=[covers(at(), at(days=day))],
        lake=lake,
    )  # fmt: skip
    assert outcome.values and not outcome.problems
    return outcome
