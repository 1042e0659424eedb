"""The site is plain files: closed to scripts, small, the same each time, hostile words inert."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re
from dataclasses import replace
from datetime import date
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample import HOSTILE, hostile_view, quiet_view, sample_view

from muster.reports import data, inert, site

LAST_WEEK = replace(
    sample_view(), period_start=date(2026, 11, 9), period_end=date(2026, 11, 15), subject="Before"
)
AGAIN = replace(sample_view(), subject="Sent before, rendered again")
PAST = (data.issue(LAST_WEEK), data.issue(AGAIN))


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return site.render([sample_view()], past=PAST, more={"more.json": {"a": 1}})


@pytest.fixture(scope="module")
def hostile() -> dict[str, bytes]:
    return site.render([hostile_view()], more={"more.json": {"said": HOSTILE[0]}})


def pages(files: dict[str, bytes]) -> dict[str, str]:
    return {path: held.decode() for path, held in files.items() if path.endswith(".html")}


class Reader(html.parser.HTMLParser):
    """Collects tags, attributes and ids of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_pages_are_as_agreed(files, golden):
    golden("site/index.html", files["index.html"].decode())
    golden("site/kpi.html", files["kpi/first_response_median.html"].decode())


def test_the_overview_is_small(files):
    own = ("index.html", "style.css", "app.js", "icon.svg")
    assert sum(len(files[path]) for path in own) < 60_000


def test_the_same_views_give_the_same_bytes(files):
    again = site.render([sample_view()], past=PAST, more={"more.json": {"a": 1}})
    assert again == files


def test_every_page_forbids_what_it_does_not_need_and_needs_nothing_inline(files):
    for path, page in pages(files).items():
        tags = Reader(page).tags
        policies = [a["content"] for t, a in tags if a.get("http-equiv")]
        assert policies == [site.CSP], path
        assert "unsafe" not in site.CSP
        assert not [t for t, a in tags if "style" in a or any(k.startswith("on") for k in a)]
        assert "<style" not in page
        assert all(a.get("src") for t, a in tags if t == "script")


def test_every_link_leads_to_a_file_of_the_site(files):
    for path, page in pages(files).items():
        folder = PurePosixPath(path).parent
        for _tag, attributes in Reader(page).tags:
            for link in (attributes.get("href"), attributes.get("src")):
                if link and not urlsplit(link).scheme and not link.startswith("#"):
                    parts = [p for p in (folder / link).parts if p != "."]
                    while ".." in parts:
                        at = parts.index("..")
                        del parts[at - 1 : at + 1]
                    target = "/".join(parts)
                    known = set(files) | {report.page for report in PAST}
                    assert target in known, f"{path} → {link}"


def test_ids_are_unique_and_every_reference_has_its_id(files):
    for path, page in pages(files).items():
        ids = [a["id"] for _t, a in Reader(page).tags if "id" in a]
        assert len(ids) == len(set(ids)), path
        for _tag, attributes in Reader(page).tags:
            assert set((attributes.get("aria-labelledby") or "").split()) <= set(ids)


def test_goals_come_first_then_changes_then_measures(files):
    page = files["index.html"].decode()
    places = [page.index(f'id="{name}"') for name in ("goals", "changed", "measures", "waiting")]
    assert places == sorted(places)


def test_each_kpi_has_a_page_with_its_definition_its_sql_and_its_numbers(files):
    for measure in sample_view().measures:
        page = files[f"kpi/{measure.kpi}.html"].decode()
        assert measure.definition in page
        assert measure.sql.strip() in page
        assert page.count("<time ") == len(measure.points)
        assert f'href="../data/{measure.kpi}' in page


def test_a_goal_stands_on_the_page_of_its_kpi(files):
    assert "Answer faster at night" in files["kpi/first_response_off_hours_mean.html"].decode()
    assert "Answer faster at night" not in files["kpi/messages.html"].decode()


def test_segments_of_one_kpi_share_its_page():
    view = sample_view()
    followers = next(one for one in view.measures if one.kpi == "followers")
    both = (followers, replace(followers, segment="campus-x", value_text="123"))
    made = site.render([replace(view, measures=both, headline=None)])
    page = made["kpi/followers.html"].decode()
    assert "Followers: campus-bluesky" in page
    assert "Followers: campus-x" in page
    assert {"data/followers-campus-x.csv", "data/followers-campus-bluesky.csv"} <= set(made)


def test_the_archive_lists_each_report_once_newest_first(files):
    page = files["reports/index.html"].decode()
    links = re.findall(r'href="../(reports/weekly-[^"]+)"', page)
    assert links == ["reports/weekly-2026-11-16.html", "reports/weekly-2026-11-09.html"]
    assert "Sent before" not in page
    assert "reports/weekly-2026-11-16.html" in files


def test_an_earlier_index_gives_back_the_reports_it_names(files):
    assert {one.page for one in site.past_reports(files["data/index.json"])} == {
        "reports/weekly-2026-11-09.html",
        "reports/weekly-2026-11-16.html",
    }
    assert site.past_reports(b'{"reports": [{"name": "of an older kind"}]}') == ()


def test_what_is_stale_stands_on_the_data_page(files):
    page = files["data.html"].decode()
    assert "Stale" in page
    assert "the token was refused (401)" in page


def test_the_note_stands_on_every_page(files):
    assert all('role="note">Simulated data<' in page for page in pages(files).values())
    calm = site.render([quiet_view()])
    assert not any('role="note"' in page for page in pages(calm).values())


def test_the_csv_holds_the_series(files):
    rows = list(csv.DictReader(io.StringIO(files["data/reply_limit_kept.csv"].decode())))
    measure = next(one for one in sample_view().measures if one.kpi == "reply_limit_kept")
    assert len(rows) == len(measure.points)
    assert rows[4]["value"] == ""
    assert float(rows[-1]["value"]) == measure.value
    assert rows[-1]["period_start"] == "2026-11-16"


def test_a_formula_in_a_csv_is_text_and_a_negative_number_is_a_number():
    view = sample_view()
    one = replace(view.measures[0], title='=HYPERLINK("http://evil.example")', kpi="x")
    point = replace(one.points[-1], value=-1.5)
    one = replace(one, points=(*one.points[:-1], point))
    made = site.render([replace(view, measures=(one,), headline=None)])
    rows = list(csv.DictReader(io.StringIO(made["data/x.csv"].decode())))
    assert rows[0]["title"].startswith("'=")
    assert rows[-1]["value"] == "-1.5"


def test_json_is_as_given_and_holds_no_tag(hostile, files):
    assert json.loads(files["data/more.json"]) == {"a": 1}
    assert json.loads(hostile["data/more.json"]) == {"said": HOSTILE[0]}
    documents = [path for path in hostile if path.endswith(".json")]
    assert len(documents) > 5
    assert not [path for path in documents if b"<" in hostile[path]]


def test_hostile_words_are_inert_on_every_page(hostile):
    for path, page in pages(hostile).items():
        tags = Reader(page).tags
        assert [a.get("src") for t, a in tags if t == "script"] == [
            ("../" if "/" in path else "") + "app.js"
        ]
        assert not [t for t, a in tags if any(k.startswith("on") for k in a)]
        links = [a[k] or "" for _t, a in tags for k in ("href", "src") if k in a]
        assert not [link for link in links if urlsplit(link).scheme not in ("", "http", "https")]
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", page)
        assert "x" * 1_000 not in page


def test_hostile_ids_name_no_file_outside_the_site():
    view = sample_view()
    one = replace(view.measures[0], kpi="../../etc/passwd", segment="a/../b")
    made = site.render([replace(view, measures=(one,), headline=None, goals=(), changes=())])
    assert all(".." not in path and not path.startswith("/") for path in made)


@given(st.text(max_size=300))
def test_no_text_keeps_a_character_that_cannot_be_seen(raw):
    shown = inert.text(raw, 100)
    assert len(shown) <= 100
    assert not re.search(
        "[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", shown
    )
    assert inert.text(shown, 100) == shown


@given(st.text(max_size=80))
def test_a_url_is_a_web_page_or_nothing(raw):
    for url in (inert.web_url(raw), inert.web_url("https://" + raw)):
        assert url == "" or urlsplit(url).scheme in ("http", "https")
        assert not set(url) & set("\"'<> \t\r\n\\")


def test_a_url_that_cannot_be_split_is_nothing():
    assert inert.web_url("https://[") == ""
    assert inert.web_url("javascript:alert(1)") == ""
    assert inert.web_url("https://forum.example.edu/t/ä?q=1#x") != ""


@given(st.text(min_size=1, max_size=40))
def test_no_csv_cell_starts_a_formula(raw):
    cell = str(inert.csv_cell(inert.text(raw)))
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
