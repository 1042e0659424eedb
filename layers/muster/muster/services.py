"""The name of an AWS service → a client of it, signed in as the environment says."""

from __future__ import annotations

import gzip
import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from muster import service_models

Environment = tuple[tuple[str, str], ...]

_OPENED: dict[str, Any] = {".json": open, ".json.gz": gzip.open}
_one_at_a_time = Lock()


def environment() -> Environment:
    """All that decides where a client asks, and as whom: what is kept of one is kept under it."""
    # Two processes on one connection read each other's answers: a put would be told that it is
    # stored when another's was. So a forked process makes clients of its own.
    process = ("process", str(os.getpid()))
    return (process, *sorted(one for one in os.environ.items() if one[0].startswith("AWS_")))


def region() -> str | None:
    """The region named by the environment, as Lambda or as a person names it."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def client(service: str, **chosen: Any) -> Any:
    """A botocore client; ``chosen`` are further arguments of botocore's ``create_client``."""
    with _one_at_a_time:  # clients may be shared by threads, a session may not
        if chosen:
            return _made(service, environment(), **chosen)
        return _kept(service, environment())


def _made(service: str, where: Environment, **chosen: Any) -> Any:
    return _session(where).create_client(service, **{"region_name": region(), **chosen})


# As many as a function asks; each that is made again would cost 0.02 s and more.
_kept = lru_cache(maxsize=4)(_made)


def s3() -> Any:
    """One client for all stores: each of its own would cost a function 0.1 s of its start."""
    return _s3(environment())


@lru_cache(maxsize=1)
def _s3(_: Environment) -> Any:
    from botocore.config import Config

    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    config = Config(
        retries={"mode": "standard", "max_attempts": 6},
        connect_timeout=10,
        read_timeout=60,
        # Services other than AWS may not know the newer checksum trailers, nor bucket host names.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path"} if endpoint else {},
    )
    where = region() or ("us-east-1" if endpoint else None)
    return client("s3", endpoint_url=endpoint, region_name=where, config=config)


class _Every:
    """A list that holds whatever name is looked up in it."""

    def __contains__(self, name: object) -> bool:
        return True


@lru_cache(maxsize=1)
def _session(_: Environment) -> Any:
    # Not boto3: what it adds costs a function a tenth of its start. And one session for all
    # clients: each of its own would read AWS's lists of services and endpoints anew.
    import botocore.session

    session = botocore.session.get_session()
    loader = session.get_component("data_loader")
    # A name that is taken on trust need not be looked for in the folders of 400 services.
    loader.list_available_services = lambda _: _Every()
    loader.file_loader = _Models()
    loader.search_paths.insert(0, str(service_models.FOLDER))
    return session


class _Models:
    """A service's description, read three times as fast as botocore itself reads it."""

    def exists(self, path: str) -> bool:
        return any(Path(path + ending).is_file() for ending in _OPENED)

    def load_file(self, path: str) -> Any:
        from pydantic_core import from_json

        for ending, opened in _OPENED.items():
            with suppress(FileNotFoundError), opened(path + ending, "rb") as file:
                return from_json(file.read())
        return None
