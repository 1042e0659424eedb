"""AWS's services as functions reach them: described shortly, the calls are the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest

from muster import secret, service_models, services

CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("s3", "get_object", {"Bucket": "b", "Key": "a/ü b.parquet"}),
    (
        "s3",
        "put_object",
        {
            "Bucket": "b",
            "Key": "k",
            "Body": b"x",
            "IfMatch": '"e"',
            "ContentMD5": "nd05gxSr7kpQ1SZ3RZfb2Q==",
        },
    ),
    ("s3", "put_object", {"Bucket": "b.dots", "Key": "k", "Body": b"x", "IfNoneMatch": "*"}),
    ("s3", "list_objects_v2", {"Bucket": "b", "Prefix": "p/", "MaxKeys": 3}),
    ("s3", "delete_object", {"Bucket": "b", "Key": "k", "VersionId": "v"}),
    ("ssm", "get_parameter", {"Name": "/a/b", "WithDecryption": True}),
    ("secretsmanager", "get_secret_value", {"SecretId": "s"}),
    ("sesv2", "get_suppressed_destination", {"EmailAddress": "ann@example.org"}),
    ("sesv2", "send_email", {"Content": {"Raw": {"Data": b"mail"}}}),
    ("glue", "get_tables", {"DatabaseName": "d"}),
    ("scheduler", "list_schedules", {"GroupName": "g"}),
    ("comprehend", "batch_detect_sentiment", {"TextList": ["hi"], "LanguageCode": "en"}),
]
REGIONS = ("us-east-1", "cn-north-1")


class Asked(Exception):
    """Raised instead of sending."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    service_models.main(folder)
    return folder


@pytest.fixture
def short(written: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The short descriptions, as a layer has them, for whoever makes a client from now on."""
    monkeypatch.setattr(service_models, "FOLDER", written)
    services._session.cache_clear()
    yield written
    services._session.cache_clear()


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


def request(client: Any, call: str, said: dict[str, Any]) -> tuple[Any, ...]:
    """What would be sent: method, address, headers but for time and signature, body."""
    sent: list[Any] = []

    def stop(request: Any, **_: Any) -> None:
        sent.append(request)
        raise Asked

    client.meta.events.register("before-send", stop)
    with pytest.raises(Asked):
        getattr(client, call)(**said)
    client.meta.events.unregister("before-send", stop)
    (one,) = sent
    changing = ("X-Amz-Date", "Authorization", "amz-sdk-invocation-id", "User-Agent")
    headers = {key: value for key, value in one.headers.items() if key not in changing}
    body = one.body if isinstance(one.body, bytes | None) else one.body.read()
    return one.method, one.url, headers, body


@pytest.mark.parametrize("region", REGIONS)
def test_a_short_description_asks_what_the_whole_one_asks(short: Path, region: str) -> None:
    session = botocore.session.get_session()
    ours, own = (
        {service: made(service, region_name=region) for service in service_models.CALLED}
        for made in (services.client, session.create_client)
    )
    assert {service for service, _, _ in CALLS} == set(ours)
    for service, call, said in CALLS:
        assert request(ours[service], call, said) == request(own[service], call, said)
        assert dir(ours[service]) == dir(own[service])


def test_the_short_descriptions_are_what_is_read(short: Path) -> None:
    read = sum(file.stat().st_size for file in short.rglob("*.json"))
    assert read < 2_000_000
    model = services.client("s3", region_name="eu-central-1").meta.service_model
    assert not model.operation_model("GetObject").documentation
    # Another service's is botocore's own.
    sts = services.client("sts", region_name="eu-central-1").meta.service_model
    assert sts.operation_model("GetCallerIdentity").documentation


class Parameters:
    """SSM with at most one parameter; ``theirs`` is put by somebody else just before us."""

    exceptions = SimpleNamespace(
        ParameterNotFound=type("ParameterNotFound", (Exception,), {}),
        ParameterAlreadyExists=type("ParameterAlreadyExists", (Exception,), {}),
    )

    def __init__(self, kept: str | None, theirs: str | None = None) -> None:
        self.kept, self.theirs, self.asked = kept, theirs, 0

    def get_parameter(self, **said: Any) -> Any:
        self.asked += 1
        if self.kept is None:
            raise self.exceptions.ParameterNotFound
        return {"Parameter": {"Value": self.kept}}

    def put_parameter(self, **said: Any) -> None:
        assert (said["Type"], said["Overwrite"]) == ("SecureString", False)
        self.kept = self.kept or self.theirs
        if self.kept is not None:
            raise self.exceptions.ParameterAlreadyExists
        self.kept = said["Value"]


@pytest.mark.parametrize(("kept", "theirs"), [("old", None), (None, None), (None, "theirs")])
def test_a_secret_is_made_up_once(
    monkeypatch: pytest.MonkeyPatch, kept: str | None, theirs: str | None
) -> None:
    parameters = Parameters(kept, theirs)
    monkeypatch.setattr(services, "client", lambda _: parameters)
    found = secret.made("ssm:/muster/x", {})
    assert found == parameters.kept == (kept or theirs or found)
    assert len(found) > 20 or found in ("old", "theirs")
    assert secret.made("ssm:/muster/x", {}) == found
    assert parameters.asked == (2 if kept else 3), "one that is there is asked for once"


FORKED = """
import os
from muster.store import S3Store
before = S3Store.at("s3://lake").client
child = os.fork()
if not child:
    os._exit(S3Store.at("s3://lake").client is before)
is_shared = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
raise SystemExit(is_shared or S3Store.at("s3://lake").client is not before)
"""


def test_a_forked_process_has_a_connection_of_its_own() -> None:
    """On a shared one each reads the other's answers: what was never stored is told as stored."""
    environment = {**os.environ, "AWS_REGION": "eu-central-1"}
    assert subprocess.run([sys.executable, "-c", FORKED], env=environment).returncode == 0
