"""A real browser opens site and mail: nothing overflows or complains, everybody can use it."""

from __future__ import annotations

import base64
import mimetypes
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chromium
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright
from sample import hostile_view, sample_view

from muster.reports import email, site

ORIGIN = "http://site.test"
PAGES = ("index.html", "kpi/first_response_median.html", "data.html", "reports/index.html")


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


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return site.render([sample_view()])


def context(browser: Browser, files: dict[str, bytes], **how: Any) -> BrowserContext:
    """A browser that finds the site's files at ``ORIGIN`` and nothing else anywhere."""
    opened = browser.new_context(**how)

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(f"{ORIGIN}/")
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        if path in files:
            route.fulfill(body=files[path], content_type=kind)
        else:
            route.abort()

    opened.route("**/*", answer)
    return opened


def opened(browser: Browser, files: dict[str, bytes], path: str, **how: Any) -> tuple[Page, list]:
    """The page and everything the browser said or refused while opening it."""
    page = context(browser, files, **how).new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda request: said.append(f"refused: {request.url}"))
    page.goto(f"{ORIGIN}/{path}")
    page.evaluate("document.fonts.ready")
    return page, said


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_its_window_and_the_browser_has_nothing_to_say(browser, files, path):
    for width in (320, 768, 1280):
        page, said = opened(browser, files, path, viewport={"width": width, "height": 800})
        assert overflow(page) <= 0, width
        assert said == []
        page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_no_violation(browser, files, path, scheme):
    page, _ = opened(browser, files, path, color_scheme=scheme, bypass_csp=True)
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
    page.context.close()


def test_every_measure_is_there_without_javascript(browser, files):
    page, said = opened(browser, files, "index.html", java_script_enabled=False)
    assert page.locator(".card").count() == len(sample_view().measures)
    assert page.locator("#filter").is_hidden()
    assert said == []
    page.context.close()


def test_the_filter_shows_one_reading_and_works_from_the_keyboard(browser, files):
    page, said = opened(browser, files, "index.html")
    page.get_by_role("radio", name="Worse").check()
    shown = page.locator(".card:visible")
    assert shown.count() == 1
    assert "New members who came back" in shown.inner_text()
    page.keyboard.press("ArrowLeft")
    assert page.get_by_role("radio", name="Better").is_checked()
    assert page.locator(".card:visible").count() == 1
    page.get_by_role("radio", name="All").check()
    assert page.locator(".card:visible").count() == len(sample_view().measures)
    assert said == []
    page.context.close()


def test_the_first_tab_stop_skips_to_the_report(browser, files):
    page, _ = opened(browser, files, "index.html")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.context.close()


def test_dark_is_dark_and_the_font_is_ours(browser, files):
    grounds = []
    for scheme in ("light", "dark"):
        page, _ = opened(browser, files, "index.html", color_scheme=scheme)
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        grounds.append(sum(map(int, re.findall(r"\d+", ground)[:3])))
        assert page.evaluate("document.fonts.check('16px Inter')")
        page.context.close()
    assert grounds[0] > 600 > 150 > grounds[1]


def test_the_site_opens_from_a_folder(browser, files, tmp_path):
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto((tmp_path / "index.html").as_uri())
    page.locator(".card h3 a").first.click()
    assert page.locator("h1").inner_text() == "First response, median"
    assert said == []
    page.close()


def test_hostile_words_run_nothing_and_break_nothing(browser):
    files = site.render([hostile_view()])
    page, said = opened(browser, files, "index.html", viewport={"width": 320, "height": 800})
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    assert overflow(page) <= 0
    assert said == []
    page.context.close()


def mail_page(view: Any, tmp_path: Path, *, styled: bool) -> str:
    """The mail's HTML as a file, its charts put in, as a mail program would show it."""
    page = email.html(view)
    for image in email.images(view):
        data = base64.b64encode(image.data).decode()
        page = page.replace(f"cid:{image.cid}", f"data:image/png;base64,{data}")
    if not styled:
        page = re.sub(r"<style.*?</style>", "", page, flags=re.S)
    (tmp_path / "mail.html").write_text(page)
    return (tmp_path / "mail.html").as_uri()


@pytest.mark.parametrize("styled", [True, False], ids=["styled", "style stripped"])
@pytest.mark.parametrize("view", [sample_view(), hostile_view()], ids=["sample", "hostile"])
def test_the_mail_fits_a_phone_even_with_its_style_stripped(browser, tmp_path, view, styled):
    address = mail_page(view, tmp_path, styled=styled)
    for width in (320, 375, 760):
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.goto(address)
        assert overflow(page) <= 0, width
        page.close()


def test_the_mail_shows_a_phone_the_chart_it_can_read(browser, tmp_path):
    address = mail_page(sample_view(), tmp_path, styled=True)
    for width, css in ((375, ".narrow"), (760, ".wide")):
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.goto(address)
        other = ".wide" if css == ".narrow" else ".narrow"
        assert page.locator(css).first.is_visible()
        assert not page.locator(f"{other} img, img{other}").first.is_visible()
        page.close()
