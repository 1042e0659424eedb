"""Finds a Chromium for browser tests and screenshots, or installs Debian's; else says why not."""

from __future__ import annotations

import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoChromium(Exception):
    """There is no Chromium here, and none can be installed."""


def find() -> str:
    """The path of Chromium; as root on Debian it is installed first. ``NoChromium`` if not."""
    found = _installed()
    if found:
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NoChromium("no Chromium: install the package chromium")
    _install()
    found = _installed()
    if not found:
        raise NoChromium("no Chromium: apt-get install chromium brought none")
    return found


def _installed() -> str:
    return next((path for path in map(shutil.which, NAMES) if path), "")


def _install() -> None:
    steps = (
        ("apt-get", "update", "-qq"),
        ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"),
    )
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for step in steps:
        try:
            subprocess.run(step, check=True, capture_output=True, timeout=240, env=quiet)
        except (subprocess.SubprocessError, OSError) as error:
            raise NoChromium(f"no Chromium: {' '.join(step)} failed ({error})") from error
