"""One browser for all tests of a file: while it is open, nothing else may run an event loop."""

from __future__ import annotations

from collections.abc import Iterator

import chromium
import pytest
from playwright.sync_api import Browser, sync_playwright


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        path = chromium.find()
    except chromium.NoChromium as reason:
        pytest.skip(str(reason))
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(chromium.ARGUMENTS))
        yield opened
        opened.close()
