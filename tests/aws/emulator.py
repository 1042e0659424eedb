"""A free port → a running local AWS (ministack) on loopback, stopped when the block is left."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import boto3
from botocore.config import Config

REGION = "eu-central-1"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
PATIENCE = 30.0


@dataclass(frozen=True)
class Aws:
    """Where the local AWS answers, and what a program needs to reach it and nothing else."""

    url: str

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment without its own AWS settings, pointed at the local AWS."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        place = {"AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION}
        return {**kept, **KEYS, **place, "SAM_CLI_TELEMETRY": "0"}

    def client(self, service: str) -> Any:
        """A boto3 client of a service."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
            config=Config(s3={"addressing_style": "path"}, read_timeout=900),
        )


@contextmanager
def running(program: Path, folder: Path, port: int, functions_call: str = "") -> Iterator[Aws]:
    """Start it with everything it keeps under ``folder``.

    ``functions_call`` is the address that functions are given, if it is not the server's own.
    """
    url = f"http://127.0.0.1:{port}"
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    settings = {
        "AUTH": "true",  # functions get their roles, and no more
        "BIND_HOST": "127.0.0.1",  # by default it answers everybody
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": functions_call or url,
        "IOT_MTLS_ENABLED": "false",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(folder / "tmp"),
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
    }
    with (folder / "aws.log").open("wb") as log:
        process = subprocess.Popen(
            [str(program)], env={**Aws(url).environment, **settings}, stdout=log, stderr=log
        )
        try:
            _wait_until_it_answers(process, url, folder / "aws.log")
            yield Aws(url)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            with urlopen(f"{url}/_ministack/health", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the local AWS did not start: {log.read_text(errors='replace')[-2000:]}")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
