"""The name of an AWS service → a client of it, signed in as the environment says."""

from __future__ import annotations

import os
from functools import lru_cache
from threading import Lock
from typing import Any

Environment = tuple[tuple[str, str], ...]

_one_at_a_time = Lock()


def environment() -> Environment:
    """All that decides where a client asks, and as whom: what is kept of one is kept under it."""
    return tuple(sorted(one for one in os.environ.items() if one[0].startswith("AWS_")))


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
    # A name that is taken on trust need not be looked for in the folders of 400 services.
    session.get_component("data_loader").list_available_services = lambda _: _Every()
    return session
