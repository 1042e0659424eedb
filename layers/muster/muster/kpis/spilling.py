"""Where DuckDB puts what outgrows memory: a folder of each connection's own.

In one folder it gives its files the same names in every process, and two that spill at once end in
a crash or read each other's rows.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from uuid import uuid4


def place() -> Path:
    """The folder for all of them."""
    return Path(tempfile.gettempdir())


def own_folder() -> Path:
    """A name that nobody else uses; DuckDB makes the folder if it needs it, and removes it."""
    for left in place().glob("muster-spill-*"):
        if not _is_running(left.name.split("-")[2]):
            shutil.rmtree(left, ignore_errors=True)  # by a process that was killed
    return place() / f"muster-spill-{os.getpid()}-{uuid4().hex}"


def _is_running(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
