"""The site is plain files: closed to scripts, small, the same each time, hostile words inert."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
import json
import re
from dataclasses import replace
from datetime import date
from html import unescape
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from published import Parsed, crawled, links, whole
from sample import HOSTILE, hostile_view, quiet_view, sample_view

from muster.measured import DERIVED, GoalStatus, KpiValue
from muster.records import TABLES
from muster.reports import addresses, data, inert, numbers, site
from muster.reports import pages as made
from muster.reports.pages import Engine

LAST_WEEK = replace(
    sample_view(), period_start=date(2026, 11, 9), period_end=date(2026, 11, 15), subject="Before"
)
AGAIN = replace(sample_view(), subject="Sent before, rendered again")
PAST = (data.issue(LAST_WEEK), data.issue(AGAIN))
VALUE = KpiValue(
    kpi="messages", version=1, grain="week", period_start=date(2026, 11, 16),
    segment="=cmd|' /C calc'!A0", value=-3.5, n=7, too_few=False, partial=True,
)  # fmt: skip
VERDICT = GoalStatus(
    goal=HOSTILE[1], kpi="messages", period_start=date(2026, 11, 16), status="no_data", value=None,
    target=None, expected=None, projected=None, arrives_on=None, reason=HOSTILE[2],
)  # fmt: skip
MADE_OF = {
    "past": PAST, "more": {"more.json": {"a": 1}}, "values": [VALUE], "verdicts": [VERDICT],
    "files": {"kpi_values.parquet": b"PAR1"}, "engine": Engine("1.32.0", 8),
}  # fmt: skip


def files_of(views, **made_of) -> dict[str, bytes]:
    return site.render(views, **made_of)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return whole(site.render([sample_view()], **MADE_OF))


@pytest.fixture(scope="module")
def hostile() -> dict[str, bytes]:
    return whole(site.render([hostile_view()], more={"more.json": {"said": HOSTILE[0]}}))


POLICY = "Content-Security-Policy"
SCRIPT = r"(\.\./|/)*assets/[0-9a-f]{12}/(app|ask|door)\.js"


def pages(files: dict[str, bytes]) -> dict[str, str]:
    """Every page at the address where it lies; those of the publication there only."""
    found = {path: held.decode() for path, held in files.items() if path.endswith(".html")}
    version = addresses.version_of(found["index.html"])
    inner = {path.removeprefix(version) for path in found if version in path}
    return {path: page for path, page in found.items() if path not in inner}


def test_pages_are_as_agreed(files, golden):
    for name, path in (("index", "index.html"), ("kpi", "kpi/first_response_median.html")):
        page = re.sub(r"(v/|assets/)[0-9A-Ta-f-]+/", r"\1…/", files[path].decode())
        golden(f"site/{name}.html", page)  # without the digests, which change with every file


def test_no_line_of_a_sentence_ends_between_a_number_and_its_unit(files):
    view, page = sample_view(), unescape(files["index.html"].decode())
    behind = [one.reason for one in view.goals if one.status == "at_risk"]
    said = [*view.opening, *behind, *(change.text for change in view.changes)]
    glued = [numbers.glued(text) for text in (*said, *(one.why[1:] for one in view.measures))]
    assert all(text in page for text in glued)
    assert sum("\u00a0" in text for text in glued) > 3


def test_the_overview_is_small(files):
    """As it travels, with style, script and fonts; and as it lies there, but for its charts."""
    own = r"(^index\.html|/style\.css|/app\.js|/Inter-\w+\.woff2)$"
    loaded = {path: held for path, held in files.items() if re.search(own, path)}
    assert len(loaded) == 5
    assert sum(len(gzip.compress(held)) for held in loaded.values()) < 60_000
    plain = [held for path, held in loaded.items() if not path.endswith("woff2")]
    assert sum(len(re.sub(rb"<svg.*?</svg>", b"", held, flags=re.S)) for held in plain) < 60_000


def test_the_same_views_give_the_same_bytes(files):
    again = whole(site.render([sample_view()], **MADE_OF))
    assert again == files
    assert list(again) == list(files)


def test_what_a_publication_holds_names_it():
    now = next(path for path in files_of([sample_view()]) if path.startswith("v/"))
    later = replace(sample_view(), opening=("Other words.",))
    other = next(path for path in files_of([later]) if path.startswith("v/"))
    assert addresses.version_of(now) != addresses.version_of(other)
    assert addresses.version_of(now).startswith("v/20261123T0500-")


def test_the_overview_comes_last_and_leads_into_its_publication_alone(files):
    made = files_of([sample_view()])
    assert list(made)[-2:] == ["data/index.json", "index.html"]
    inner = {link for link in links("index.html", made["index.html"]) if link in made}
    version = addresses.version_of(made["index.html"].decode())
    assert all(link.startswith((version, "assets/")) for link in inner)
    reached = crawled(made.get)
    apart = [path for path in reached if not path.startswith((version, "assets/", "index.html"))]
    assert apart and all(b'id="way"' in made[path] for path in apart)  # doors for others to link to
    told = json.loads(made["data/index.json"])
    assert f"data/{told['kpis']}" == f"data/../{version}data/kpis.json"
    assert told["publication"] == f"../{version}"


def test_a_plain_address_is_a_door_that_never_changes():
    later = replace(sample_view(), period_start=date(2026, 11, 23), opening=("Other words.",))
    now, then = files_of([sample_view()]), files_of([later])
    for page in ("kpi/messages.html", "data.html", "reports/index.html", "ask.html"):
        assert now[page] == then[page]
        door = "../index.html" if "/" in page else "index.html"
        assert f'href="{door}#{page}"' in now[page].decode()
        assert f'url={door}#{page}"' in now[page].decode()
        assert f'id="{page}" data-door' in now["index.html"].decode()


def test_every_kpi_has_a_door_on_the_overview_though_the_report_does_not_show_it():
    view = sample_view()
    short = replace(view, measures=view.measures[:2], headline=None, changes=())
    made = files_of([short], every=replace(view, name="every"))
    page = made["index.html"].decode()
    for measure in view.measures:
        assert page.count(f'id="kpi/{measure.kpi}.html" data-door') == 1


def test_every_page_forbids_what_it_does_not_need_and_needs_nothing_inline(files):
    for path, page in pages(files).items():
        tags = Parsed(page).tags
        policies = [a["content"] for t, a in tags if a.get("http-equiv") == POLICY]
        asks = path.endswith("/ask.html") and path.startswith("v/")
        assert policies == [made.policy(made.ASKING) if asks else made.policy()], path
        assert "unsafe-inline" not in policies[0] and "http" not in policies[0]
        assert not [t for t, a in tags if "style" in a or any(k.startswith("on") for k in a)]
        assert "<style" not in page
        assert all(a.get("src") for t, a in tags if t == "script")


def test_every_link_leads_to_a_file_of_the_site(files):
    known = set(files) | {report.page for report in PAST}
    for path, page in pages(files).items():
        assert links(path, page.encode()) <= known, path


def test_ids_are_unique_and_every_reference_has_its_id(files):
    for path, page in pages(files).items():
        ids = [a["id"] for _t, a in Parsed(page).tags if "id" in a]
        assert len(ids) == len(set(ids)), path
        for _tag, attributes in Parsed(page).tags:
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
        assert f'href="../../../kpi/{measure.kpi}.html" rel="bookmark"' in page


def test_every_period_of_a_kpi_has_an_address(files):
    page = files["kpi/messages.html"].decode()
    assert 'id="2026-W47"' in page and 'href="#2026-W47"' in page
    view = sample_view()
    one = next(one for one in view.measures if one.kpi == "followers")
    both = (one, replace(one, segment="campus-x"))
    page = whole(site.render([replace(view, measures=both)]))["kpi/followers.html"].decode()
    assert 'id="2026-W47"' in page and 'id="campus-x-2026-W47"' in page


def test_a_goal_stands_on_the_page_of_its_kpi(files):
    assert "Answer faster at night" in files["kpi/first_response_off_hours_mean.html"].decode()
    assert "Answer faster at night" not in files["kpi/messages.html"].decode()


def test_segments_of_one_kpi_share_its_page():
    view = sample_view()
    followers = next(one for one in view.measures if one.kpi == "followers")
    another = {"title": "Followers: campus-x", "segment": "campus-x", "value_text": "123"}
    both = (followers, replace(followers, **another))
    made = whole(site.render([replace(view, measures=both, headline=None)]))
    page = made["kpi/followers.html"].decode()
    assert "Followers: campus-bluesky" in page
    assert "Followers: campus-x" in page
    assert {"data/followers-campus-x.csv", "data/followers-campus-bluesky.csv"} <= set(made)


def test_the_archive_lists_each_report_once_newest_first(files):
    page = files["reports/index.html"].decode()
    found = re.findall(r'href="([^"]*reports/weekly-[^"]+)"', page)
    assert found == [
        "../reports/weekly-2026-11-16.html", "../../../reports/weekly-2026-11-09.html",
    ]  # fmt: skip
    assert "Sent before" not in page
    assert "reports/weekly-2026-11-16.html" in files


def test_of_several_reports_the_archive_says_which_is_which():
    def told(**other):
        views = (sample_view(), replace(sample_view(), **other))
        page = whole(site.render(views))["reports/index.html"].decode()
        return re.findall(r'class="quiet">[^<]* · ([^<]+)<', page)

    assert told(name="board", title="For the board") == ["For the board", sample_view().title]
    assert told(name="board") == ["board", "weekly"]


def test_an_earlier_index_gives_back_the_reports_it_names(files):
    assert {one.page for one in site.past_reports(files["data/index.json"])} == {
        "reports/weekly-2026-11-09.html",
        "reports/weekly-2026-11-16.html",
    }
    assert site.past_reports(b'{"reports": [{"name": "of an older kind"}]}') == ()


def test_the_data_page_tells_what_is_stale_in_quarantine_in_the_lake_and_how_to_ask(files):
    page = files["data.html"].decode()
    assert "Stale" in page
    assert "the token was refused (401)" in page
    assert '<td class="figure">21,480</td><td class="figure">12</td>' in page
    lake = {table.name: table.row for table in TABLES.values()} | dict(DERIVED)
    for name, row in lake.items():
        assert f'id="table-{name}">{name}</code></summary>' in page
        assert all(f"<code>{field.name}</code>" in page for field in dataclasses.fields(row))
    for path in ("kpi_values.parquet", "kpi_values.csv", "kpis.json", "schema/kpis.schema.json"):
        assert f'href="data/{path}"' in page
    assert page.count('class="copy"') == 4


def test_goals_have_a_page_with_verdict_and_reason(files):
    page = files["goals.html"].decode()
    for goal in sample_view().goals:
        assert goal.name in page and goal.target_text in page
        assert numbers.glued(goal.reason).replace("'", "&#39;") in page
    assert "Messages by members" in page  # serves no goal


def test_goals_that_the_main_report_leaves_out_are_on_the_site_too():
    every = sample_view()
    few = replace(every, goals=every.goals[:1])
    made = whole(site.render([few], every=every))
    told = {goal["name"] for goal in json.loads(made["data/goals.json"])["goals"]}
    assert told == {goal.name for goal in every.goals}
    assert all(goal.name in made["goals.html"].decode() for goal in every.goals)


def test_the_page_to_ask_on_offers_a_form_only_where_there_is_a_database(files):
    assert "ask.js" in files["ask.html"].decode()
    without = whole(site.render([sample_view()]))["ask.html"].decode()
    assert "<form" not in without and "ask.js" not in without
    assert "muster site ask" in without


def test_the_note_stands_on_every_page(files):
    read = [page for page in pages(files).values() if 'id="way"' not in page]
    assert len(read) > 15 and all('role="note">Simulated data<' in page for page in read)
    calm = whole(site.render([quiet_view()]))
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
    made = whole(site.render([replace(view, measures=(one,), headline=None)]))
    rows = list(csv.DictReader(io.StringIO(made["data/x.csv"].decode())))
    assert rows[0]["title"].startswith("'=")
    assert rows[-1]["value"] == "-1.5"


def test_values_and_verdicts_are_csv_too_and_no_cell_is_a_formula(files):
    (row,) = csv.DictReader(io.StringIO(files["data/kpi_values.csv"].decode()))
    assert row["segment"] == "'=cmd|' /C calc'!A0"
    assert (row["value"], row["n"], row["partial"], row["too_few"]) == (
        "-3.5",
        "7",
        "true",
        "false",
    )
    (row,) = csv.DictReader(io.StringIO(files["data/goal_status.csv"].decode()))
    assert row["goal"].startswith("'=HYPERLINK") and row["value"] == ""
    assert "\u202e" not in row["reason"]
    kpis = list(csv.DictReader(io.StringIO(files["data/kpis.csv"].decode())))
    assert len(kpis) == len({one.kpi for one in sample_view().measures})


def test_no_cell_of_any_csv_is_a_formula_whoever_wrote_the_words(hostile):
    tables = [held.decode() for path, held in hostile.items() if path.endswith(".csv")]
    cells = [cell for table in tables for row in csv.reader(io.StringIO(table)) for cell in row]
    assert len(tables) > 20
    assert not [cell for cell in cells if inert.csv_cell(cell) != cell and not number(cell)]


def number(cell: str) -> bool:
    return bool(re.fullmatch(r"-?[0-9.e+-]+", cell))


def test_json_is_as_given_and_holds_no_tag(hostile, files):
    assert json.loads(files["data/more.json"]) == {"a": 1}
    assert json.loads(hostile["data/more.json"]) == {"said": HOSTILE[0]}
    documents = [path for path in hostile if path.endswith(".json")]
    assert len(documents) > 5
    assert not [path for path in documents if b"<" in hostile[path]]


def test_hostile_words_are_inert_on_every_page(hostile):
    for page in pages(hostile).values():
        tags = Parsed(page).tags
        scripts = [a.get("src") or "" for t, a in tags if t == "script"]
        assert len(scripts) < 2 and all(re.fullmatch(SCRIPT, one) for one in scripts)
        assert not [t for t, a in tags if any(k.startswith("on") for k in a)]
        links = [a[k] or "" for _t, a in tags for k in ("href", "src") if k in a]
        assert not [link for link in links if urlsplit(link).scheme not in ("", "http", "https")]
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", page)
        assert "x" * 1_000 not in page


def test_hostile_ids_name_no_file_outside_the_site():
    view = sample_view()
    one = replace(view.measures[0], kpi="../../etc/passwd", segment="a/../b")
    named = site.render([replace(view, measures=(one,), headline=None, goals=(), changes=())])
    assert all(".." not in path and not path.startswith("/") for path in named)


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
