"""Nothing → the path of a Python 3.13 of this machine, printed; the functions run on it.

A version manager's stand-in on the path does not count: SAM and the layers need the real one.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

VERSION = "3.13"
ASK = "import os, sys; print(os.path.realpath(sys.executable), *sys.version_info[:2])"


def candidates() -> Iterator[str]:
    """Where one may be: on the path, kept by pyenv, kept by uv."""
    yield f"python{VERSION}"
    yield from map(str, sorted(Path.home().glob(f".pyenv/versions/{VERSION}.*/bin/python")))
    uv = shutil.which("uv") or str(Path(".cache/uv/bin/uv").absolute())
    try:
        found = subprocess.run([uv, "python", "find", VERSION], capture_output=True, text=True)
    except OSError:
        return
    yield from found.stdout.split()


def found() -> str | None:
    """The first that answers."""
    for one in candidates():
        try:
            said = subprocess.run([one, "-c", ASK], capture_output=True, text=True).stdout.split()
        except OSError:
            continue
        if said[1:] == VERSION.split("."):
            return said[0]
    return None


def main() -> None:
    """Print it, or say what to do."""
    python = found()
    if python is None:
        sys.exit(
            f"The functions run on Python {VERSION}, and this machine has none: "
            f"uv python install {VERSION}, or pyenv install {VERSION}"
        )
    print(python)


if __name__ == "__main__":
    main()
