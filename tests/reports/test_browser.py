"""A real browser opens site and mail: nothing overflows or complains, everybody can use it."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import Any

import pytest
from browsing import (
    ORIGIN,
    every_page,
    faults,
    german,
    hostile,
    overflow,
    page_of,
    place,
    quiet,
    sample,
)
from sample import hostile_view, sample_view

from muster.reports import email

NAMES = (
    "index.html", "measures.html", "goals.html", "data.html", "ask.html", "reports/index.html",
    "kpi/first_response_median.html", "gone.html",
)  # fmt: skip
#: ``make test-site`` looks at every page of these; else one of each kind is looked at.
SITES = {"sample": sample, "hostile": hostile, "german": german, "quiet": quiet}
EVERY = os.environ.get("MUSTER_BROWSER") == "all"


@pytest.mark.parametrize("name", NAMES)
def test_a_page_fits_reads_and_prints_and_the_browser_has_nothing_to_say(browser, name):
    with page_of(browser, sample(), place(sample(), name)) as (page, said):
        assert faults(page) == []
        assert said == []


def test_the_overview_prints_on_a_few_sheets_of_paper_without_its_controls(browser):
    with page_of(browser, sample(), "index.html", color_scheme="dark") as (page, said):
        paper = page.pdf(format="A4")
        assert paper.startswith(b"%PDF")
        assert 1 < len(re.findall(rb"/Type\s*/Page\b", paper)) < 7
        page.emulate_media(media="print")
        assert page.locator("nav:visible, form:visible, button:visible").count() == 0
        assert page.locator(".card:visible").count() == len(sample_view().measures)
        ink = page.evaluate("getComputedStyle(document.body).color")
        assert ink == "rgb(0, 0, 0)", "dark pages print black on white"
        assert said == []


@pytest.mark.skipif(not EVERY, reason="make test-site: every page of four sites, some minutes")
@pytest.mark.parametrize("scripted", [True, False], ids=["scripted", "without JavaScript"])
@pytest.mark.parametrize("made", SITES)
def test_every_page_of_every_site(browser, made, scripted):
    files = SITES[made]()
    for path in every_page(files):
        if b'id="way"' in files[path] and path != "gone.html":
            continue  # a door: nobody stays on it
        with page_of(browser, files, path, java_script_enabled=scripted) as (page, said):
            widths = (320, 480, 768, 1280, 1920)
            assert (path, faults(page, widths) if scripted else [], said) == (path, [], [])
            assert all(narrow(page, width) <= 0 for width in widths), path


def narrow(page: Any, width: int) -> int:
    page.set_viewport_size({"width": width, "height": 800})
    return overflow(page)


@pytest.mark.parametrize("name", NAMES)
def test_without_javascript_a_page_shows_all_it_has(browser, name):
    texts = []
    for scripted in (True, False):
        how = {"java_script_enabled": scripted}
        with page_of(browser, sample(), place(sample(), name), **how) as (page, said):
            extras = "form, button, noscript, output"
            page.evaluate(f"document.querySelectorAll('{extras}').forEach((one) => one.remove())")
            texts.append(page.locator("body").inner_text())
            assert said == []
    assert texts[0] == texts[1] and len(texts[0]) > 80


def test_on_a_phone_most_of_a_line_is_the_measures_name_and_its_reading_stays(browser):
    how = {"viewport": {"width": 390, "height": 800}}
    with page_of(browser, german(), place(german(), "measures.html"), **how) as (page, _):
        name, row = page.locator("#rows th").first, page.locator("#rows tr").first
        assert name.bounding_box()["width"] > row.bounding_box()["width"] / 2
        assert page.locator("#rows .sign:visible").count() == page.locator("#rows tr").count()


def test_the_filter_shows_one_reading_and_works_from_the_keyboard(browser):
    with page_of(browser, sample(), "index.html") as (page, said):
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


@pytest.mark.parametrize(
    ("name", "items"), [("index.html", "#cards > li"), ("measures.html", "#rows > tr")]
)
def test_a_search_finds_by_words_in_any_order_and_says_when_nothing_matches(browser, name, items):
    with page_of(browser, sample(), place(sample(), name)) as (page, said):
        shown = page.locator(f"{items}:visible")
        everything = shown.count()
        page.get_by_role("searchbox").fill("MEDIAN response")
        assert shown.count() == 1 and "First response, median" in shown.inner_text()
        page.get_by_role("radio", name="Worse").check()
        assert shown.count() == 0 and page.get_by_text("Nothing matches.").is_visible()
        page.get_by_role("radio", name="All").check()
        page.get_by_role("searchbox").fill("")
        assert shown.count() == everything > 5
        assert page.locator("output").inner_text() == f"{everything} of {everything}"
        assert said == []


def test_a_lasting_link_leads_to_the_newest_page_and_to_the_period_asked_for(browser):
    files = sample()
    page_there = f"{ORIGIN}/{place(files, 'kpi/messages.html')}"
    with page_of(browser, files, "kpi/messages.html", is_door=True) as (page, said):
        page.wait_for_url(page_there)
        page.goto(f"{ORIGIN}/kpi/messages.html#2026-W40")
        page.wait_for_url(f"{page_there}#2026-W40")
        row = page.locator("tr:target")
        assert row.is_visible() and "2026-09-28" in row.inner_text()
        page.goto(f"{ORIGIN}/index.html#data.html")
        page.wait_for_url(f"{ORIGIN}/{place(files, 'data.html')}")
        assert said == []
    how = {"java_script_enabled": False, "is_door": True}
    with page_of(browser, files, "kpi/messages.html", **how) as (page, said):
        page.wait_for_url(f"{ORIGIN}/index.html#kpi/messages.html")
        page.locator(":target").click()
        page.wait_for_url(page_there)
        assert said == []


def test_the_address_of_a_publication_that_is_gone_leads_on(browser):
    files = {**sample(), "v/old/kpi/messages.html": sample()["gone.html"]}  # as servers answer
    with page_of(browser, files, "v/old/kpi/messages.html#2026-W40", is_door=True) as (page, said):
        page.wait_for_url(f"{ORIGIN}/{place(files, 'kpi/messages.html')}#2026-W40")
        assert said == []


def test_the_first_tab_stop_skips_to_the_report(browser):
    with page_of(browser, sample(), "index.html") as (page, _):
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


def test_dark_is_dark_and_the_font_is_ours(browser):
    grounds = []
    with page_of(browser, sample(), "index.html") as (page, _):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
            grounds.append(sum(map(int, re.findall(r"\d+", ground)[:3])))
            assert page.evaluate("document.fonts.check('16px Inter')")
    assert grounds[0] > 600 > 150 > grounds[1]


def test_the_site_opens_from_a_folder(browser, tmp_path):
    for path, data in sample().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto((tmp_path / "index.html").as_uri())
    page.locator(".card h3 a").first.click()
    assert page.locator("h1").inner_text() == "First response, median"
    page.get_by_role("link", name="Ask the data").click()
    assert page.locator("#failed").is_visible() and page.locator("#ask").is_hidden()
    assert said == []
    page.close()


def test_hostile_words_run_nothing_and_break_nothing(browser):
    files = hostile()
    kpi = next(path for path in files if "/kpi/" in path)
    names = ("index.html", "goals.html", "data.html", "measures.html", "reports/index.html")
    for path in (*(place(files, name) for name in names), kpi):
        how = {"viewport": {"width": 320, "height": 800}}
        with page_of(browser, files, path, **how) as (page, said):
            assert overflow(page) <= 0, path
            assert page.evaluate("document.querySelectorAll('main script, main img').length") == 0
            assert said == [], path


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
