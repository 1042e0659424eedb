"""Charts say what the measure says, in shapes before colours, and never draw what is not there."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sample import sample_goals, sample_view
from sample_measures import sample_measures

from muster.reports import chart, marks, png, small_charts
from muster.reports.model import Measure
from muster.reports.words import load

FRAMES = (chart.WIDE, chart.MAIL, chart.NARROW, chart.CARD)
EN = load()
SVG = "{http://www.w3.org/2000/svg}"


def measure(kpi: str) -> Measure:
    return next(one for one in sample_measures() if one.kpi == kpi)


def drawn(one: Measure, frame: chart.Frame = chart.WIDE, events=()) -> ElementTree.Element:
    return ElementTree.fromstring(chart.xmr(one, EN, frame, events))


def of_class(root: ElementTree.Element, css: str) -> list[ElementTree.Element]:
    return [node for node in root.iter() if css in (node.get("class") or "").split()]


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.name)
@pytest.mark.parametrize("one", sample_measures(), ids=lambda one: one.kpi)
def test_every_measure_is_a_picture_with_title_and_description(one, frame):
    root = drawn(one, frame, sample_view().events)
    assert root.get("role") == "img"
    named = {node.get("id"): node.text for node in root.iter() if node.get("id")}
    title, description = (named[key] for key in (root.get("aria-labelledby") or "").split())
    assert title == one.title
    if one.value is not None:
        assert one.value_text in (description or "")


def test_better_is_a_disc_worse_a_diamond_changed_a_square():
    better = drawn(measure("first_response_median"))
    worse = drawn(measure("new_member_retention"))
    changed = drawn(measure("messages"))
    assert {node.tag for node in of_class(better, "better")} == {f"{SVG}circle"}
    assert {node.tag for node in of_class(worse, "worse")} == {f"{SVG}path"}
    assert {node.tag for node in of_class(changed, "changed")} == {f"{SVG}rect"}


def test_signals_are_marked_and_routine_points_are_not():
    root = drawn(measure("first_response_median"))
    signals = [p for p in measure("first_response_median").points if p.tone == "better"]
    assert len(of_class(root, "better")) == len(signals) == 8
    calm = drawn(measure("sentiment_mean"))
    assert not [css for css in marks.SIGNALS if of_class(calm, css)]
    assert len(of_class(calm, "now")) == 1


def test_the_band_is_a_step_of_stretches_and_open_limits_are_dashed():
    one = measure("first_response_median")
    locked = replace(one, bands=(replace(one.bands[0], is_locked=True), one.bands[1]))
    root = drawn(locked)
    boxes = [(float(b.get("x")), float(b.get("width"))) for b in of_class(root, "band")]
    assert len(boxes) == 2
    assert boxes[0][0] + boxes[0][1] <= boxes[1][0]
    assert [node.get("class") for node in of_class(root, "limit")] == ["limit", "limit open"]


def test_a_period_without_a_value_leaves_a_gap():
    one = measure("reply_limit_kept")
    holes = [i for i, point in enumerate(one.points) if point.value is None]
    assert holes == [4, 11]
    line = of_class(drawn(one), "line")[0].get("d") or ""
    assert len(re.findall("[Mm]", line)) == 3


def test_no_value_no_picture_of_one():
    root = drawn(measure("csat"))
    assert not of_class(root, "band")
    assert not of_class(root, "now")


def test_labels_at_the_right_never_overlap():
    one = measure("sentiment_mean")
    band = one.bands[-1]
    crowded = replace(one, target=band.mean, target_text="at least 0.18")
    flat = replace(
        crowded,
        bands=(replace(band, upper=band.mean * 1.001, lower=band.mean * 0.999),),
    )
    for frame in FRAMES:
        for case in (crowded, flat):
            heights = right_labels(drawn(case, frame), frame)
            assert len(heights) == 4
            gaps = [b - a for a, b in zip(heights, heights[1:], strict=False)]
            assert min(gaps) >= frame.font * 1.2
            assert heights[-1] <= frame.height


def right_labels(root: ElementTree.Element, frame: chart.Frame) -> list[float]:
    words = ("Upper", "Average", "Lower", "Target")
    found = [n for n in root.iter(f"{SVG}text") if "".join(n.itertext()).startswith(words)]
    return sorted(float(node.get("y")) for node in found)


@given(
    st.lists(st.floats(0, 200), min_size=1, max_size=5),
    st.floats(5, 20),
)
def test_spread_labels_keep_their_gap_and_order(wanted, gap):
    placed = marks.spread(sorted(wanted), gap, 0, 200)
    assert all(b - a >= gap - 1e-6 for a, b in zip(placed, placed[1:], strict=False))
    assert placed[-1] <= 200 + 1e-6


def test_labels_stay_within_the_picture_however_long_their_texts_are():
    one = measure("first_response_median")
    endless = replace(one, target_text="at most " + "very " * 30, target_label="")
    for frame in FRAMES:
        for node in drawn(endless, frame).iter(f"{SVG}text"):
            text, x = "".join(node.itertext()), float(node.get("x"))
            if text.startswith("Target"):
                assert x + marks.width_of(text, frame.font) <= frame.width


def test_a_far_target_is_named_with_an_arrow_and_does_not_flatten_the_series():
    one = measure("sentiment_mean")
    far = replace(one, target=50.0, target_text="at least 50")
    root = drawn(far)
    assert not of_class(root, "target")
    assert "↑ Target at least 50" in texts(root)
    assert float(of_class(root, "band")[0].get("height")) > chart.WIDE.height / 2


def test_events_are_marked_with_their_name_only_where_the_series_is():
    first = measure("messages").points[0].period_start
    events = (
        ("Outage", first + timedelta(weeks=3), first + timedelta(weeks=3)),
        ("Long ago", first - timedelta(weeks=80), first - timedelta(weeks=79)),
        ("Next year", date(2030, 1, 1), date(2030, 1, 2)),
    )
    root = drawn(measure("messages"), chart.WIDE, events)
    assert len(of_class(root, "event")) == 1
    assert "Outage" in texts(root)


def test_dates_are_spaced_so_that_none_overlaps_and_the_latest_is_named():
    for frame in FRAMES:
        root = drawn(measure("messages"), frame)
        (group,) = root.iter(f"{SVG}g")
        dates = [("".join(n.itertext()), float(n.get("x"))) for n in group]
        assert dates[0][0] == "16 Nov"
        ends = [(x - marks.width_of(t, frame.font) / 2) for t, x in dates]
        starts = [(x + marks.width_of(t, frame.font) / 2) for t, x in dates]
        assert all(ends[i] > starts[i + 1] for i in range(len(dates) - 1))


def test_hostile_words_stay_words():
    one = replace(measure("messages"), title='<script>alert("x")</script>', target_text='"><g/>')
    svg = chart.xmr(one, EN, chart.WIDE, (('"><script>', date(2026, 10, 5), date(2026, 10, 6)),))
    root = ElementTree.fromstring(svg)
    assert not list(root.iter(f"{SVG}script"))
    assert root.find(f"{SVG}title").text == one.title


def test_charts_hold_no_style_and_no_colour():
    for frame in FRAMES:
        svg = chart.xmr(measure("first_response_median"), EN, frame)
        assert " style=" not in svg
        assert not re.search(r"#[0-9a-f]{3,6}\b", svg)


def test_the_png_is_twice_the_size_and_shows_its_text():
    svg = chart.xmr(measure("first_response_median"), EN, chart.MAIL)
    with_text, without = png.png(svg), png.png(svg, with_font=False)
    picture = Image.open(io.BytesIO(with_text))
    assert picture.size == (chart.MAIL.width * 2, chart.MAIL.height * 2)
    assert ink(with_text) > ink(without) + 2_000


def ink(picture: bytes) -> int:
    """How many dark pixels a picture has."""
    return sum(Image.open(io.BytesIO(picture)).convert("L").histogram()[:160])


def test_the_same_chart_gives_the_same_png():
    svg = chart.xmr(measure("messages"), EN, chart.NARROW)
    assert png.png(svg) == png.png(svg)


def test_fonts_come_with_their_licence_and_weigh_little():
    for file in png.FONT_FILES:
        assert file.stat().st_size < 100_000
    assert "SIL OPEN FONT LICENSE" in (png.FONTS / "OFL.txt").read_text()


def test_a_sparkline_has_its_band_and_its_signals():
    root = ElementTree.fromstring(small_charts.sparkline(measure("new_member_retention"), EN))
    assert of_class(root, "band")
    assert len(of_class(root, "worse")) == 1


def test_a_bullet_bar_shows_value_target_and_pace_in_proportion():
    goal = replace(sample_goals()[1], value_at=0.5, target_at=0.25, expected_at=0.75)
    root = ElementTree.fromstring(small_charts.bullet(goal, EN, "g"))
    width = small_charts.BULLET[0]
    assert float(of_class(root, "bar")[0].get("width")) == width * 0.5
    assert float(of_class(root, "aimed")[0].get("x")) == width * 0.25
    assert of_class(root, "pace")[0].get("d").startswith(f"M{marks.number(width * 0.75)} ")


def test_a_bullet_bar_without_data_is_empty_and_says_so():
    goal = sample_goals()[5]
    root = ElementTree.fromstring(small_charts.bullet(goal, EN, "g"))
    assert not of_class(root, "bar")
    assert not of_class(root, "aimed")
    assert small_charts.in_words(goal, EN).startswith("No verdict")


@given(st.floats(-1e6, 1e6))
def test_coordinates_are_short_and_exact_to_a_tenth(value):
    assert abs(float(marks.number(value)) - value) <= 0.0501
    assert marks.number(value) not in ("-0", "")
