"""An answer on its connection → its whole body, bounded in packing, size and time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from muster.errors import RateLimited, SourceFailed, Unavailable
from muster.sources._answer import plain

if TYPE_CHECKING:
    import httpx

    from muster.clock import Clock

# What can be unpacked piece by piece, so that no bomb fills the memory before it is measured.
PACKED = ("gzip", "deflate")
# From httpx's answer down to h11, which holds what was received and not yet read.
_WAY = ("_httpcore_stream", "_stream", "_connection", "_h11_state")


class Bounds(Protocol):
    """What the answers of a run must keep to; see ``Http``."""

    @property
    def clock(self) -> Clock: ...
    @property
    def patience(self) -> float: ...
    @property
    def deadline(self) -> datetime | None: ...
    @property
    def max_body(self) -> int: ...


def whole(response: httpx.Response, run: Bounds, name: str, where: str) -> bytes:
    """The unpacked body; ``SourceFailed`` if it is more than may be, ``Unavailable`` if it does
    not end, ``RateLimited`` if the time of this run is up before it does."""
    _refuse_packing(response, f"{name}: {where}")
    parts, size, began = list[bytes](), 0, run.clock()
    for part in response.iter_bytes():
        if parts:  # A time-out is of one read only: what drips in would never end.
            refuse_late(run, name)
            if (run.clock() - began).total_seconds() > run.patience:
                raise Unavailable(f"{name}: the answer from {where} does not end")
        parts.append(part)
        size += len(part)
        if size > run.max_body:
            limit = f"more than {run.max_body:,} bytes"
            raise SourceFailed(f"{name}: {where} sends {limit} at once: check base_url")
    _drop_rest(response)
    return b"".join(parts)


def refuse_late(run: Bounds, name: str) -> None:
    """Raise ``RateLimited`` if the time of this run is up."""
    if run.deadline is not None and run.clock() > run.deadline:
        raise RateLimited(f"{name}: the time of this run is up", 0.0)


def _refuse_packing(response: httpx.Response, who: str) -> None:
    packed = response.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("", "identity", *PACKED):
        asked = " and ".join(PACKED)
        said = f"packs its answer as {plain(packed)!r}: only {asked} were asked for"
        raise SourceFailed(f"{who} {said}")


def _drop_rest(response: httpx.Response) -> None:
    """Close the connection if bytes lie on it that no request asked for.

    A server, or something before it, that answers twice at once would else have each later request
    read the answer to the one before. What arrives by itself afterwards httpcore notices; what
    came together with the answer lies in h11, to which no public way leads: if that moves, the
    test over a real connection fails, and only this protection is lost.
    """
    found: Any = response.stream
    for name in _WAY:
        found = getattr(found, name, None)
    if found is not None and found.trailing_data[0]:
        response.extensions["network_stream"].close()
