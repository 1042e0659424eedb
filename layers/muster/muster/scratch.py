"""A process → folders of its own for what it needs only while it runs.

What DuckDB spills has the same names in every process: in one folder, two that spill at once end in
a crash or read each other's rows. What was killed leaves its folders, with people's rows in them:
the next process takes them away.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Lock
from uuid import uuid4

from muster.errors import Abort

_NAME = "muster-scratch"
_SHOWN, SHOWN_FOR = "muster-preview-", 24 * 3600.0  # seconds
_CLOSED = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}
_one_at_a_time = Lock()


def place() -> Path:
    """The folder for all of them; most commands that only read need it to have a name, no room."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:  # Python tries to write: every disk is full
        return Path(os.environ.get("TMPDIR", "/tmp"))


def own_folder() -> Path:
    """A name that nobody else uses; whoever makes the folder removes it."""
    with _one_at_a_time:
        _clear(place())
    return place() / f"{_NAME}-{os.getpid()}-{uuid4().hex}"


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is there until this is done, and that nobody else may look into."""
    path = own_folder()
    try:
        with roomy():
            path.mkdir(mode=0o700)
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def roomy() -> Iterator[None]:
    """A place where nothing can be written is told by its name, with what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in _CLOSED:
            raise
        raise Abort(
            f"{error.filename or place()}: {error.strerror}: "
            "make room there, or set TMPDIR to a folder that has some"
        ) from error


def shown_folder() -> Path:
    """A folder for what a browser shows, which tells nobody when it is done; it stays for a day."""
    for left in place().glob(f"{_SHOWN}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > SHOWN_FOR:
                shutil.rmtree(left)
    return Path(tempfile.mkdtemp(prefix=_SHOWN, dir=place()))


@cache
def _clear(place: Path) -> None:
    """Remove the folders of processes that were killed.

    This is done once, before we make our own: one of our number is of a process before us, as in a
    container, where each run has the same number.
    """
    for left in place.glob(f"{_NAME}-*"):
        process = left.name.removeprefix(_NAME).split("-")[1]
        if process == str(os.getpid()) or not _is_running(process):
            shutil.rmtree(left, ignore_errors=True)


def _is_running(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
