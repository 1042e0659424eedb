"""Numbers as people read them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measured import kpi

from muster.kpis import catalogue
from muster.reports.numbers import (
    Style,
    change_text,
    direction,
    glued,
    limit_texts,
    span_text,
    style_of,
    target_text,
    value_text,
)
from muster.reports.words import languages, load

SPAN, RATIO, COUNT = Style("seconds"), Style("ratio", decimals=1), Style("count")
MONEY, SCORE, MEAN = Style("money", decimals=2), Style("score", decimals=2), Style("count", "", 1)


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [
        (15_120, SPAN, "4 h 12 min"), (14_400, SPAN, "4 h"), (2_280, SPAN, "38 min"),
        (45, SPAN, "45 s"), (0, SPAN, "0 s"), (59.6, SPAN, "1 min"), (3_599, SPAN, "1 h"),
        (47.99 * 3600, SPAN, "47 h 59 min"), (172_799, SPAN, "2 d"), (51 * 3600, SPAN, "2 d 3 h"),
        (14 * 86_400 - 1, SPAN, "14 d"), (1_234 * 86_400, SPAN, "1,234 d"), (-60, SPAN, "−1 min"),
        (0.825, RATIO, "82.5%"), (1, RATIO, "100.0%"), (0.00049, RATIO, "0.0%"),
        (1_234, COUNT, "1,234"), (0, COUNT, "0"), (-0.0, COUNT, "0"), (-0.3, COUNT, "0"),
        (1_234_567, COUNT, "1,234,567"), (3.44, MEAN, "3.4"),
        (-0.12, SCORE, "−0.12"), (-0.001, SCORE, "0.00"), (4.3, SCORE, "4.30"),
        (12.3, MONEY, "€12.30"), (1_234.5, MONEY, "€1,234.50"), (-5, MONEY, "−€5.00"),
        (7, Style("money", "CHF", 2), "CHF 7.00"), (7, Style("money", "USD", 2), "$7.00"),
        (None, COUNT, "–"), (math.nan, RATIO, "–"), (math.inf, SPAN, "–"),
    ],
)  # fmt: skip
def test_values_carry_their_unit(value, style, text):
    assert value_text(value, style) == text


@pytest.mark.parametrize(
    ("change", "style", "text"),
    [
        (5_760, SPAN, "+1 h 36 min"), (-720, SPAN, "−12 min"), (0, SPAN, "no change"),
        (0.002, RATIO, "+0.2 points"), (-0.085, RATIO, "−8.5 points"), (0.0001, RATIO, "no change"),
        (-148, COUNT, "−148"), (1_500, COUNT, "+1,500"), (-1.5, MONEY, "−€1.50"),
        (None, COUNT, "–"), (math.nan, COUNT, "–"),
    ],
)  # fmt: skip
def test_changes_carry_their_sign_and_ratios_change_in_points(change, style, text):
    assert change_text(change, style) == text


def test_direction_is_what_the_text_shows():
    assert direction(0.0001, RATIO) == "same"
    assert direction(-0.01, RATIO) == "down"
    assert direction(None, RATIO) == "none"


def test_targets_drop_decimals_that_say_nothing():
    assert target_text(0.9, RATIO) == "90%"
    assert target_text(0.925, RATIO) == "92.5%"
    assert target_text(12.0, MONEY) == "€12"
    assert target_text(None, RATIO) == "–"


def test_limits_of_counts_are_the_counts_inside_them():
    # 12 lies outside 2.4 … 11.6, and must read so.
    assert limit_texts(2.4, 11.6, COUNT) == ("3", "11")
    assert limit_texts(5.0, 9.0, COUNT) == ("5", "9")
    assert limit_texts(5.2, 5.2, COUNT) == ("5", "5")
    assert limit_texts(0.714, 0.926, RATIO) == ("71.4%", "92.6%")


@pytest.mark.parametrize(
    ("definition", "decimals"),
    [
        (kpi("issues"), 0),
        (kpi("replies_to_resolution", statistic="mean"), 1),
        (kpi("mood", "score"), 2),
        (kpi("nps", "score", lowest=-100.0, highest=100.0), 1),
        (kpi("answered", "ratio"), 1),
        (kpi("revenue", "money"), 2),
    ],
)
def test_a_kpi_keeps_its_decimals(definition, decimals):
    assert style_of(definition, "EUR", load()).decimals == decimals
    assert style_of(kpi("revenue", "money"), "JPY", load()).decimals == 0


def test_a_target_is_per_period_where_a_longer_period_has_more_of_it():
    added = {"count", "money"}
    same = {
        one.id
        for one in catalogue.load()
        if one.unit in added and not style_of(one, "EUR", load(), "week").per
    }
    assert {one for one in same if not one.startswith("cost_per_")} == {
        "acquisition_cost", "followers", "open_issues", "replies_per_thread",
        "replies_to_resolution", "unanswered_issues",
    }  # fmt: skip
    assert style_of(kpi("answered", "ratio"), "EUR", load(), "week").per == ""
    monthly = kpi("profit", "money", statistic="state", grains=("month",))
    assert style_of(monthly, "EUR", load(), "week").per == "month"


def test_plain_counts_and_spans():
    assert load().count(12_345) == "12,345"
    assert span_text(11_280, load()) == "3 h 8 min"


@given(st.floats(0, 1e9))
def test_a_duration_reads_within_half_a_step_of_itself(seconds):
    units = {"s": 1, "min": 60, "h": 3600, "d": 86400}
    parts = value_text(seconds, SPAN).replace(",", "").split()
    read = sum(int(n) * units[unit] for n, unit in zip(parts[::2], parts[1::2], strict=True))
    step = (
        1 if seconds < 60 else 60 if seconds < 172_800 else 3600 if seconds < 1_209_600 else 86400
    )
    assert abs(read - seconds) <= step / 2 + 1e-6
    assert "60 min" not in value_text(seconds, SPAN)
    assert "24 h" not in value_text(seconds, SPAN) or seconds < 172_800


@given(
    st.one_of(st.none(), st.sampled_from([math.nan, math.inf, -math.inf]), st.floats(-1e15, 1e15)),
    st.sampled_from([SPAN, RATIO, COUNT, MONEY, SCORE, MEAN]),
)
def test_no_value_ever_reads_as_nonsense(value, style):
    for text in (value_text(value, style), change_text(value, style)):
        assert not any(word in text.lower() for word in ("nan", "inf", "none", "-"))
        assert text


@pytest.mark.parametrize("language", languages())
def test_a_span_of_days_stays_on_its_line(language):
    say = load(language)
    for form in ("{span}", "{span:Tage>Tagen}"):
        told = say.filled(form, span=span_text(183_600, say))
        assert " " in told and " " not in glued(told)


def test_german_days_are_words_in_their_case():
    say = load("de")
    days = Style("seconds", words=say)
    assert value_text(270 * 86_400, days) == "270 Tage"
    assert value_text(183_600, days) == "2 Tage 3 h"
    assert say("within", low="2 Tage 3 h", high="4 Tage") == (
        "im üblichen Bereich von 2 Tagen 3 h bis 4 Tagen"
    )
    assert say("waiting", n=9, longest="270 Tage").endswith("das älteste seit 270 Tagen.")
    assert say("waiting", n=1, longest="270 Tage").endswith("bisher 270 Tage.")
    assert glued("14. Nov. 2026, 17:32 Uhr").endswith("17:32\u00a0Uhr")


def test_no_line_ends_within_a_number_and_its_unit():
    told = glued("for 13 d 7 h, 87.8 % of 4 h 12 min in 3 days 7 hours")
    assert (
        told
        == "for 13\u00a0d\u00a07\u00a0h, 87.8\u00a0% of 4\u00a0h\u00a012\u00a0min in 3 days 7 hours"
    )
