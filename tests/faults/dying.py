"""A project whose process kills itself at its n-th call of a store or of a platform."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from muster import store
from muster.project import Project
from muster.store import Entry, Store, Stored


class Death:
    """Counts every call of a project, and ends the process as power does: at the n-th, no word.

    ``is_torn`` lets the n-th begin: of what a put writes, half is written when the process dies.
    """

    def __init__(self, at: int = 0, *, is_torn: bool = False) -> None:
        self.at, self.is_torn, self.calls = at, is_torn, 0
        self.names: list[str] = []
        self._lock = threading.Lock()

    def comes_near(self, call: str) -> bool:
        """Count a call; whether it is the one that is to be torn."""
        with self._lock:
            self.calls += 1
            self.names.append(call)
            if self.calls == self.at and not self.is_torn:
                die()
            return self.calls == self.at


def die() -> None:
    """Nothing after this is done: no handler, no ``finally``, no flush."""
    os.kill(os.getpid(), signal.SIGKILL)


def mortal(project: Project, death: Death) -> Project:
    """The project with its stores and its network counted by ``death``."""
    project.http.transport.death = death
    lake, site, outbox = (MortalStore(one, death) for one in _stores(project))
    return replace(project, lake=lake, site=site, outbox=outbox)


def _stores(project: Project) -> tuple[Store, Store, Store]:
    return project.lake, project.site, project.outbox


@dataclass
class MortalTransport(httpx.BaseTransport):
    """A platform that answers in this very process; the asker may die before any request."""

    answer: Callable[[httpx.Request], httpx.Response]
    death: Death

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.death.comes_near(f"http {request.method}"):
            self.answer(request)  # The platform did it; nobody is there to hear of it.
            die()
        return self.answer(request)


@dataclass(frozen=True)
class MortalStore:
    """A folder in which the caller may die before any call, or in the middle of a put."""

    inner: Any
    death: Death

    def get(self, key: str) -> Stored | None:
        self._called("get")
        return self.inner.get(key)

    def download(self, key: str, path: Path) -> str | None:
        self._called("download")
        return self.inner.download(key, path)

    def put(self, key: str, data: bytes, **condition: Any) -> str:
        if self.death.comes_near("put"):
            store._write = _half_written
        return self.inner.put(key, data, **condition)

    def delete(self, key: str, **condition: Any) -> None:
        self._called("delete")
        self.inner.delete(key, **condition)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        self._called("list")
        return self.inner.list(prefix)

    def forget_versions(self) -> None:
        self.inner.forget_versions()

    def url(self, key: str = "") -> str:
        return self.inner.url(key)

    def urls(self, keys: Iterable[str]) -> tuple[str, ...]:
        return self.inner.urls(keys)

    def _called(self, name: str) -> None:
        if self.death.comes_near(name):
            die()  # Only a put has a middle.


def _half_written(path: Path, data: bytes) -> None:
    path.write_bytes(data[: len(data) // 2])
    die()
