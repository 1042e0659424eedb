"""Mails in a real browser at their worst: no images, no style sheet, a small phone, dark."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import overflow
from measured import campus
from sample import hostile_view, sample_view
from test_mail_clients import MAILS

from muster.reports import email, inert

# Axe asks pages for landmarks and headings in order; a mail is shown inside of somebody's page.
NOT_FOR_MAILS = ("region", "landmark-one-main", "page-has-heading-one", "heading-order")
SMALL = """
[...document.querySelectorAll("body *")].filter((one) => {
  const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const box = one.getBoundingClientRect();
  return own && box.height > 1 && parseFloat(getComputedStyle(one).fontSize) < 12;
}).map((one) => one.textContent)
"""


def worst(view) -> str:
    """The mail without its style sheets, and with images that do not come."""
    return re.sub(r"<style.*?</style>", "", email.html(view), flags=re.S)


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_is_readable_without_images_and_style_at_320_px(browser, name):
    page = browser.new_page(viewport={"width": 320, "height": 800})
    page.set_content(worst(MAILS[name]))
    assert overflow(page) <= 0
    assert page.evaluate(SMALL) == []
    page.close()


@pytest.mark.parametrize("view", [sample_view(), campus(language="de")], ids=["sample", "german"])
def test_every_number_and_every_chart_s_words_are_seen_without_images(browser, view):
    page = browser.new_page(viewport={"width": 320, "height": 800})
    page.set_content(worst(view))
    seen = " ".join(page.inner_text("body").split())
    for measure in view.measures:
        assert measure.title in seen and measure.value_text in seen and measure.reading in seen
    for goal in view.goals:
        assert goal.name in seen and goal.target_text in seen and goal.status_text in seen
    for quote in (*view.praise, *view.complaints):
        assert quote.quote in seen
    assert all(sentence in seen for sentence in inert.everything(view.opening))
    # A picture that does not come leaves its words; those of the phone's chart stand there once.
    alts = page.eval_on_selector_all("img[alt]:not([alt=''])", "found => found.map((i) => i.alt)")
    assert len(alts) == len(email.images(view)) - 1, "all but the phone's own"
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["sample", "german", "executive"])
def test_axe_finds_no_violation_in_a_mail(browser, name, scheme):
    context = browser.new_context(color_scheme=scheme, viewport={"width": 375, "height": 800})
    page = context.new_page()
    page.set_content(email.html(MAILS[name]))
    rules = {rule: {"enabled": False} for rule in NOT_FOR_MAILS}
    found = Axe().run(page, options={"rules": rules})
    assert found.response["violations"] == [], found.generate_report()
    context.close()


def test_a_hostile_mail_runs_nothing_in_a_browser(browser):
    page = browser.new_page()
    said: list[str] = []
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.on("console", lambda message: said.append(message.text))
    page.set_content(email.html(hostile_view()))
    assert [one for one in said if "cid:" not in one and "ERR_UNKNOWN_URL_SCHEME" not in one] == []
    assert page.evaluate("document.querySelectorAll('script, iframe, object, form').length") == 0
    page.close()
