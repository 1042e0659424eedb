"""Real S3 servers on loopback for tests: each a context that yields its URL and keys."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopback import HERE, served

KEY, SECRET = "muster-test", "muster-secret"


@dataclass(frozen=True)
class Server:
    """An S3 service and what a child process needs in its environment to reach it."""

    url: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }


def client(url: str, secret: str = SECRET, attempts: int = 3) -> Any:
    """A boto3 client of the server, made by hand so that no test depends on the environment."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=secret,
        config=Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


@contextmanager
def moto(asked: list[tuple[str, str]] | None = None) -> Iterator[Server]:
    """``asked`` is given the method and path of every request."""
    from moto.moto_server.threaded_moto_server import MotoRequestHandler
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    class Handler(MotoRequestHandler):
        def log_request(self, *about: Any) -> None:
            super().log_request(*about)
            if asked is not None:
                asked.append((self.command, self.path.partition("?")[0]))

    app = DomainDispatcherApplication(create_backend_app)
    with served(make_server(*HERE, app, True, request_handler=Handler)) as url:
        yield Server(url)


@contextmanager
def seaweed(folder: Path) -> Iterator[Server]:
    ports = dict(zip(("s3", "master", "volume", "filer"), free_ports(4), strict=True))
    identity = {
        "name": "muster",
        "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "List", "Tagging", "Write"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    (folder / "data").mkdir()
    command = [
        str(binary("weed")), "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        f"-dir={folder / 'data'}", "-s3", f"-s3.port={ports['s3']}",
        f"-s3.config={folder / 's3.json'}", "-master.volumeSizeLimitMB=64",
        "-volume.max=200",  # what is overwritten takes room until it is swept up
        # Nothing on fixed ports, so that several servers run side by side; and nothing sent out.
        "-filer.localSocket=filer.sock", "-s3.localSocket=s3.sock",  # in its folder
        "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false",
        *(f"-{name}.port={ports[name]}" for name in ("master", "volume", "filer")),
    ]  # fmt: skip
    try:
        with _running(command, folder, f"http://127.0.0.1:{ports['s3']}") as server:
            yield server
    finally:
        for name, port in ports.items():  # it leaves them, and is told no other place
            Path(f"/tmp/seaweedfs-{name}-grpc-{port + 10_000}.sock").unlink(missing_ok=True)


@contextmanager
def rclone(folder: Path) -> Iterator[Server]:
    (port,) = free_ports(1)
    (folder / "data").mkdir()
    command = [
        str(binary("rclone")), "serve", "s3", str(folder / "data"), "--addr",
        f"127.0.0.1:{port}", "--auth-key", f"{KEY},{SECRET}", "--config", str(folder / "none"),
    ]  # fmt: skip
    with _running(command, folder, f"http://127.0.0.1:{port}") as server:
        yield server


def binary(name: str) -> Path | None:
    """A program of the environment the tests run in, or on the path."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    return Path(found) if found else None


def free_ports(count: int) -> list[int]:
    """Loopback ports nobody listens on; their gRPC twins (+10000) are free and valid too."""
    found: list[int] = []
    while len(found) < count:
        with socket.socket() as probe, socket.socket() as twin:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            if port + 10_000 > 65_535 or port in found:
                continue
            try:
                twin.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
            found.append(port)
    return found


@contextmanager
def _running(command: list[str], folder: Path, url: str) -> Iterator[Server]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            wait_for(lambda: _takes_a_bucket(url), folder / "log")
            yield Server(url)
        finally:
            process.kill()
            process.wait()


def _takes_a_bucket(url: str) -> bool:
    """Whether the server stores: SeaweedFS answers before its volumes are there."""
    try:
        s3 = client(url, attempts=1)
        s3.create_bucket(Bucket="ready")
        s3.put_object(Bucket="ready", Key="probe", Body=b"1")
    except Exception:
        return False
    return True


def wait_for(happened: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(log.read_text(errors="replace")[-2000:])
        time.sleep(0.2)
