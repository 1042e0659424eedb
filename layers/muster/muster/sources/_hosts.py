"""Our address and one that a server names → whether it is on the same host, where a token may go.

Addresses are compared as they will be asked for: what another parser takes for the host is no
proof (``https://ours.example@theirs.example/``, ``https://ours.example\\.theirs.example/``).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin

# Reading the settings imports every platform they name: only who connects needs it.
if TYPE_CHECKING:
    import httpx


@lru_cache(1_000)  # a platform has few addresses, each asked for again and again
def parsed(url: str) -> httpx.URL | None:
    """The address as it is asked for, or none if it is no address."""
    import httpx

    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError):  # ValueError: half a character
        return None


def joined(base: str, location: str) -> str:
    """Where a redirect leads; what is no address stays none."""
    try:
        return urljoin(base, location)
    except ValueError:
        return location


def is_ours(ours: httpx.URL, theirs: httpx.URL) -> bool:
    """Whether an address is on our host: same scheme, name, port and user, or its https twin."""
    is_twin = (ours.scheme, theirs.scheme) == ("http", "https") and theirs.port is None
    is_same = (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)
    is_host = is_same or (is_twin and ours.host == theirs.host)
    return is_host and ours.userinfo == theirs.userinfo
