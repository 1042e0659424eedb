"""Files → their SHA-256, each read once: what the file system says of a file tells if it changed.

Only a listing may trust it. A condition of a write reads the file itself, so that a clock that runs
backwards can at worst make somebody write again, never overwrite what nobody has seen.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from uuid import uuid4

SMALL = 1 << 16  # bytes: to read so few is quicker than to look them up
SETTLED = 2.0  # seconds: a file younger than a clock's tick may change and look the same

Facts = list[int]  # what the file system says of a file


class Digests:
    """What is remembered, in one file that nobody misses, of the files below a prefix."""

    def __init__(self, memory: Path, prefix: str) -> None:
        self._memory, self._prefix = memory, prefix
        self._known: dict[str, tuple[Facts, str]] | None = None
        self._seen: dict[str, tuple[Facts, str]] = {}
        self._is_new = False

    def of(self, root: Path, keys: Iterable[str]) -> Iterator[tuple[str, int, str]]:
        """Key, size and digest of each file; one that goes while the listing runs is left out."""
        for key in keys:
            with suppress(FileNotFoundError), (root / key).open("rb") as file:
                yield key, *self._of(key, file)
        if self._is_new:
            self._keep()

    def _of(self, key: str, file: BufferedReader) -> tuple[int, str]:
        facts = _facts(file)
        size, changed_at, *_ = facts
        if size < SMALL:
            data = file.read()
            return len(data), hashlib.sha256(data).hexdigest()
        known = self._remembered().get(key, ([], ""))
        is_known = known[0] == facts
        digest = known[1] if is_known else hashlib.file_digest(file, "sha256").hexdigest()
        if time.time() - changed_at / 1e9 > SETTLED:
            self._seen[key] = facts, digest
            self._is_new |= not is_known
        return size, digest

    def _keep(self) -> None:
        """Forget what is not there any more; a lake that is only read is listed all the same."""
        known = self._remembered().items()
        others = {key: told for key, told in known if not key.startswith(self._prefix)}
        unfinished = self._memory.with_name(f"{uuid4().hex}.{self._memory.name}")
        with suppress(OSError):
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(json.dumps(others | self._seen), encoding="utf-8")
            unfinished.replace(self._memory)
        with suppress(OSError):  # a full disk: each listing would leave one more
            unfinished.unlink()

    def _remembered(self) -> dict[str, tuple[Facts, str]]:
        if self._known is None:
            try:
                told = json.loads(self._memory.read_text(encoding="utf-8"))
                self._known = {name: (facts, digest) for name, (facts, digest) in told.items()}
            except (OSError, ValueError, TypeError, AttributeError):
                self._known = {}
        return self._known


def _facts(file: BufferedReader) -> Facts:
    told = os.fstat(file.fileno())
    return [told.st_size, told.st_mtime_ns, told.st_ctime_ns, told.st_ino]
