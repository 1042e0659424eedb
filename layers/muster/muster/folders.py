"""A folder → its files; what the disk refuses → one line that says where and what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from muster.errors import StoreRefused

HIDDEN = ".muster"  # no object lies there
_LINK = (
    "is a link, and no reader of a lake follows links inside of it: put back what it leads to, "
    "or move the whole lake and name it as `lake`"
)
_FULL = "make room there (df -h, df -i), then run it again: what was stored stands"
_TO_DO = {
    errno.ENOSPC: _FULL, errno.EDQUOT: _FULL,
    errno.EISDIR: "a folder stands where a file should: move it away",
    errno.ENOENT: "a link whose file is away: bring it back, or take the link away",
}  # fmt: skip


def files_below(folder: Path) -> Iterator[Path]:
    """Every file of a folder that is there; ``StoreRefused`` for one that cannot be looked into."""
    try:
        for parent, folders, files in os.walk(folder, onerror=_unless_gone):
            folders[:] = [name for name in folders if name != HIDDEN]
            for path in (Path(parent) / name for name in folders):
                if path.is_symlink():
                    raise StoreRefused(f"{path}: {_LINK}")
            yield from (Path(parent) / name for name in files)
    except OSError as error:
        raise refused(error.filename or str(folder), error) from error


def refused(where: str, error: OSError) -> StoreRefused:
    """What to raise for what the disk refused."""
    do = _TO_DO.get(error.errno or 0, "check the folder's rights, or name another one as `lake`")
    return StoreRefused(f"{where}: {error.strerror or error}: {do}")


def _unless_gone(error: OSError) -> None:
    """A folder that may not be looked into is not an empty one."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error
