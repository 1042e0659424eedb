"""Sites, each rendered once for all tests of a process, in a browser; what is wrong with a page."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from measured import campus
from playwright.sync_api import Browser, Page, Request, Route
from sample import hostile_view, quiet_view, sample_view

from muster.reports import addresses, site
from muster.reports.pages import Engine

ORIGIN = "http://site.test"


@cache
def sample() -> dict[str, bytes]:
    return site.render([sample_view()], engine=Engine("1.32.0", 8))


@cache
def hostile() -> dict[str, bytes]:
    return site.render([hostile_view()], engine=Engine("1.32.0", 8))


@cache
def german() -> dict[str, bytes]:
    return site.render([campus(language="de")])


@cache
def quiet() -> dict[str, bytes]:
    return site.render([quiet_view()])


@contextmanager
def page_of(
    browser: Browser, files: dict[str, bytes], path: str, is_door: bool = False, **how: Any
) -> Iterator[tuple[Page, list[str]]]:
    """The page and everything the browser says or refuses; it finds the files and nothing else."""
    context = browser.new_context(**how)
    context.route("**/*", lambda route: _answer(route, files))
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda request: said.extend(_refused(request)))
    page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
    page.goto(f"{ORIGIN}/{path}")
    if not is_door:
        page.evaluate("document.fonts.ready")
    try:
        yield page, said
    finally:
        context.close()


def _refused(request: Request) -> list[str]:
    """The request, unless it was only dropped because the page went on to another."""
    return [] if "ERR_ABORTED" in (request.failure or "") else [f"refused: {request.url}"]


def _answer(route: Route, files: dict[str, bytes]) -> None:
    path = route.request.url.removeprefix(f"{ORIGIN}/").partition("#")[0]
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    if path in files:
        route.fulfill(body=files[path], content_type=kind)
    else:
        route.abort()


def place(files: dict[str, bytes], name: str) -> str:
    """Where a page of the publication lies that is called so; all others lie where they are."""
    inner = addresses.version_of(files[addresses.OVERVIEW].decode()) + name
    return inner if inner in files else name


def every_page(files: dict[str, bytes]) -> list[str]:
    return [path for path in files if path.endswith(".html")]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def faults(page: Page, widths: tuple[int, ...] = (320, 768, 1280)) -> list[str]:
    """What is wrong with a page at these widths, in light, dark and print: too wide, or by axe."""
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        found += [f"{width} px: too wide by {overflow(page)}"] if overflow(page) > 0 else []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        violations = Axe().run(page).response["violations"]
        found += [f"{scheme}: {one['id']} {one['nodes'][0]['html'][:200]}" for one in violations]
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 less its margins, at 96 dpi
    page.emulate_media(media="print")
    found += [f"print: too wide by {overflow(page)}"] if overflow(page) > 0 else []
    page.emulate_media(media="screen")
    return found
