"""Real recordings are read whatever program made them."""

from __future__ import annotations

import base64
import gzip
import json
import tarfile
from pathlib import Path

import pytest
import real
import yaml
from real import absent, bodies, exchanges, objects

BODY = {"items": [{"id": "1", "text": "hi"}]}
PACKED = gzip.compress(json.dumps(BODY).encode())


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "recordings").mkdir()
    monkeypatch.setattr(real, "DATA", tmp_path)
    return tmp_path / "recordings"


def asked(**more: object) -> dict[str, object]:
    return {"method": "GET", "uri": "https://api.example.org/items?page=2", **more}


MADE = {
    "vcr.yaml": yaml.safe_dump({"interactions": [
        {"request": asked(), "response": {"status": {"code": 200}, "headers": {"Link": ["<x>"]},
                                          "body": {"string": PACKED}}}]}),
    "betamax.json": json.dumps({"http_interactions": [
        {"request": asked(), "response": {"status": {"code": 200}, "headers": {"Link": ["<x>"]},
         "body": {"base64_string": base64.b64encode(PACKED).decode(), "encoding": "utf-8"}}}]}),
    "nock.json": json.dumps([
        {"scope": "https://api.example.org", "path": "/items?page=2", "method": "get",
         "status": 200, "response": BODY, "rawHeaders": ["Link", "<x>"]}]),
    "server.json": json.dumps(
        {"request": {"method": "GET", "url": "https://api.example.org/items?page=2"},
         "response": {"status": 200, "headers": {"Link": "<x>"}, "body": BODY}}),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_every_kind_of_cassette_says_the_same(data: Path, tmp_path: Path, name: str) -> None:
    inner = tmp_path / name
    inner.write_text(MADE[name])
    with tarfile.open(data / "shop-2027.tar.xz", "w:xz") as tar:
        tar.add(inner, f"cassettes/{name}")
    (one,) = exchanges("shop", host="example.org")
    assert (one.method, one.path, one.query, one.status) == ("GET", "/items", {"page": "2"}, 200)
    assert (one.body, one.headers["link"]) == (BODY, "<x>")
    assert [body for _, body in bodies("shop")] == [BODY]
    assert list(objects(BODY, lambda one: "id" in one)) == BODY["items"]
    assert not exchanges("forum") and not exchanges("shop", host="other.org")


def test_a_folder_and_plain_bodies_are_found_too(data: Path) -> None:
    (data / "shop").mkdir()
    (data / "shop" / "items.json").write_text(json.dumps(BODY))
    assert bodies("shop") == [("shop/items.json", BODY)]


@absent
@pytest.mark.parametrize(
    ("archive", "host", "least"),
    [("praw", "reddit.com", 70), ("Mastodon.py", "", 60), ("zenpy", "zendesk.com", 60),
     ("fixtures", "github.com", 25)],
)  # fmt: skip
def test_archives_are_read_whole(archive: str, host: str, least: int) -> None:
    assert len(exchanges("none-of-them", archive, host=host, status=None)) >= least
