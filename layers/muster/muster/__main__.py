"""The program's start → the command line; Ctrl-C before there is one ends quietly."""

from __future__ import annotations

import os
import signal
import sys

from muster.errors import INTERRUPTED


def main() -> None:
    """Import the command line, which takes half a second, and run it."""
    if sys.platform == "win32":  # a lake's locks are those of POSIX
        sys.exit("muster: runs on Linux and macOS; on Windows inside WSL (wsl --install)")
    heard = signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    from muster import command_line

    signal.signal(signal.SIGINT, heard)
    command_line.run()


if __name__ == "__main__":
    main()
