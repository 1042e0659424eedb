"""X: real answers through the mapping, and its specification against what is asked for."""

from __future__ import annotations

import gzip
import json
import lzma
import tarfile
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from x_account import NOW, OPTIONS, US

from muster.records import Item
from muster.sources import x
from muster.sources._x_rows import _id_time

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
ARCHIVES = ("python-twitter", "tweepy")
absent = pytest.mark.skipif(not (DATA / "recordings").is_dir(), reason="../shared/data is absent")


def real_bodies(archive: str) -> Iterator[Mapping[str, Any]]:
    """The JSON objects of an archive of API answers that speak of posts or users."""
    with tarfile.open(DATA / "recordings" / f"{archive}.tar.xz") as tar:
        for member in tar:
            if member.isfile() and member.name.endswith((".json", ".yaml")):
                raw = tar.extractfile(member)
                assert raw
                for body in bodies_of(member.name, raw.read()):
                    if isinstance(body, Mapping) and isinstance(body.get("data"), list):
                        yield body


def bodies_of(name: str, raw: bytes) -> Iterator[Any]:
    if name.endswith(".json"):
        yield json.loads(raw)
        return
    for exchange in yaml.safe_load(raw)["interactions"]:
        body = exchange["response"]["body"]["string"]
        if isinstance(body, bytes):
            body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        if body and body[:1] in (b"{", "{"):
            yield json.loads(body)


def real(archive: str) -> tuple[list[Any], list[Any]]:
    posts, users = [], []
    for body in real_bodies(archive):
        found = [one for one in body["data"] if isinstance(one, Mapping)]
        posts += [one for one in found if "text" in one]
        users += [one for one in found if "username" in one and "text" not in one]
        users += (body.get("includes") or {}).get("users") or []
    return posts, users


@absent
@pytest.mark.parametrize("archive", ARCHIVES)
def test_real_posts_and_users_are_mapped_or_refused_for_their_date(archive: str) -> None:
    posts, users = real(archive)
    assert posts and users
    for told in posts:
        item = Item("post", told, NOW, {"us": US})
        if "created_at" not in told:
            with pytest.raises(KeyError, match="created_at"):
                list(x.rows(item, OPTIONS))
            continue
        for row in x.rows(item, OPTIONS):
            assert row.text and row.message_id == told["id"]
    for user in users:
        (member,) = x.rows(Item("user", user, NOW, {"us": US}), OPTIONS)
        assert member.handle == user["username"]


@absent
def test_real_ids_carry_their_time() -> None:
    dated = [told for told in real("python-twitter")[0] if "created_at" in told]
    assert len(dated) > 10
    for told in dated:
        at = datetime.fromisoformat(told["created_at"])
        assert abs(_id_time(told["id"]) - at) < timedelta(seconds=2)


@pytest.mark.skipif(not (DATA / "specs").is_dir(), reason="../shared/data is absent")
def test_what_is_asked_for_and_read_is_in_the_specification() -> None:
    spec = json.loads(lzma.decompress((DATA / "specs" / "x_api_v2_openapi.json.xz").read_bytes()))
    parts, schemas = spec["components"]["parameters"], spec["components"]["schemas"]
    for name, part in {"tweet.fields": "TweetFieldsParameter", "user.fields": "UserFieldsParameter",
                       "expansions": "TweetExpansionsParameter"}.items():  # fmt: skip
        assert set(x.FIELDS[name].split(",")) <= set(parts[part]["schema"]["items"]["enum"])
    tweet, user = schemas["Tweet"]["properties"], schemas["User"]["properties"]
    assert set(x.FIELDS["tweet.fields"].split(",")) <= set(tweet)
    assert {"retweet_count", "reply_count", "like_count", "quote_count",
            "impression_count"} <= set(tweet["public_metrics"]["properties"])  # fmt: skip
    assert set(tweet["referenced_tweets"]["items"]["properties"]) == {"type", "id"}
    assert {"text", "entities"} <= set(tweet["note_tweet"]["properties"])
    assert {"id", "username", "name", "created_at", "location"} <= set(user)
    assert "followers_count" in user["public_metrics"]["properties"]
    kinds = schemas["Problem"]["discriminator"]["mapping"]
    assert {"resource-not-found", "usage-capped"} <= {kind.rpartition("/")[2] for kind in kinds}
    for path in ("/2/users/{id}/tweets", "/2/users/{id}/mentions", "/2/tweets/search/recent",
                 "/2/tweets/search/all"):  # fmt: skip
        asked = {one.get("name") for one in spec["paths"][path]["get"]["parameters"]}
        assert {"since_id", "start_time", "end_time", "max_results", "pagination_token"} <= asked
    assert "/2/users/by/username/{username}" in spec["paths"]
