"""The command line: the same verbs on a folder or a bucket; errors become one line and a code."""

from __future__ import annotations

import importlib
import io
import os
import pkgutil
import sys

from muster import commands, unneeded
from muster.commands import app
from muster.errors import INTERRUPTED, MusterError
from muster.terminal import warn

for _module in pkgutil.iter_modules(commands.__path__, f"{commands.__name__}."):
    importlib.import_module(_module.name)  # each adds its commands


def run() -> None:
    """Run the command line; every ``MusterError`` is one line on stderr and its exit code."""
    unneeded.hide()
    _say_all()
    try:
        app()
    except MusterError as error:
        warn(f"muster: {error}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _interrupted()
    except SystemExit as ended:
        if ended.code != INTERRUPTED:  # what typer makes of Ctrl-C, once it runs a command
            raise
        _interrupted()


def _interrupted() -> None:
    warn("muster: interrupted; what was stored stands, run it again to continue")
    sys.stdout.flush()
    os._exit(INTERRUPTED)  # Sources still being fetched must not hold up the user.


def _say_all() -> None:
    """What stdout's encoding lacks (an arrow in Latin-1) is escaped, and ends no command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
