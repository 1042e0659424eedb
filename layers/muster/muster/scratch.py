"""A process → a folder of its own for what it needs only while it runs.

What DuckDB spills has the same names in every process: in one folder, two that spill at once end in
a crash or read each other's rows.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from uuid import uuid4

_NAME = "muster-scratch"


def place() -> Path:
    """The folder for all of them."""
    return Path(tempfile.gettempdir())


def own_folder() -> Path:
    """A name that nobody else uses; whoever makes the folder removes it.

    Those of processes that were killed are removed.
    """
    for left in place().glob(f"{_NAME}-*"):
        if not _is_running(left.name.removeprefix(_NAME).split("-")[1]):
            shutil.rmtree(left, ignore_errors=True)
    return place() / f"{_NAME}-{os.getpid()}-{uuid4().hex}"


def _is_running(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
