"""A KPI's own page, and its name in lists: in a reader's words, with nothing that hangs loose."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from measured import build, kpi, values
from published import whole
from sample import sample_view

from muster.kpis import catalogue
from muster.reports import email, site, wording, words
from muster.reports.series import BARE_PARTS
from muster.settings import Report


def test_what_a_report_leaves_out_is_named_without_one_of_its_segments():
    view = sample_view()
    few = tuple(one for one in view.measures if one.kpi != "followers")
    front = site.render([replace(view, measures=few, headline=None)], every=view)["index.html"]
    listed = front.decode().partition("Measures that this report does not show")[2]
    assert ">Followers</a>" in listed
    assert "Followers: campus-bluesky" not in listed


def test_what_a_value_rests_on_stands_under_it_with_its_target_and_nothing_where_there_is_neither():
    count = replace(sample_view().measures[0], n_text="", target_text="")

    def told(**other):
        made = whole(site.render([replace(sample_view(), measures=(replace(count, **other),))]))
        page = made[f"kpi/{count.kpi}.html"].decode()
        opening = page.partition('<div class="beside">')[0]
        return re.findall(r'<p class="small">(.*)</p>', opening)

    assert told() == []
    assert told(target_text="at most 10 – met") == ["Target at most 10 – met"]
    both = {"n_text": "of 3 cases", "target_text": "at least 90% – met"}
    assert told(**both) == ["Of 3 cases · Target at least 90% – met"]


def test_a_part_that_the_community_names_keeps_its_name():
    parts = values("messages", [60], segment="night shift", n=3)
    (measure,) = build((kpi("messages"),), [*values("messages", [90, 120]), *parts]).measures
    assert [part.name for part in measure.segments] == ["night shift"]


def test_a_channel_is_told_in_words_and_its_kpi_without_it():
    leads = values("leads", [3, 4], segment="paid_social")
    (measure,) = build((kpi("leads"),), leads).measures
    assert (measure.title, measure.segment) == ("Leads: paid social", "paid_social")
    assert wording.kpi_title(measure) == "Leads"
    (german,) = build((kpi("leads"),), leads, report=Report(language="de")).measures
    assert german.title.endswith(": Social bezahlt")


def test_a_part_is_no_measure_where_its_whole_has_no_value():
    index = kpi("product_quality_index", "score")
    parts = values("product_quality_index", [0.9, 1], segment="not refunded")
    assert build((index,), parts).measures == ()
    (asked,) = build((index,), parts, report=Report(kpis=("product_quality_index",))).measures
    assert (asked.title, asked.tone) == ("Product quality index", "none")


def test_measures_stand_by_title_where_the_report_does_not_name_them():
    kpis = (kpi("a", title="Visits"), kpi("b", title="asked"), kpi("c", title="Mood"))
    numbers = [one for each in kpis for one in values(each.id, [1, 2])]
    assert [one.title for one in build(kpis, numbers).measures] == ["asked", "Mood", "Visits"]


def test_the_parts_that_are_no_measures_have_words():
    for code in words.languages():
        assert words.load(code).PARTS.keys() >= BARE_PARTS


def test_a_single_value_is_neither_drawn_nor_compared():
    def told(*numbers):
        view = build((kpi("a"),), values("a", numbers))
        made = whole(site.render([view]))
        page, front = made["kpi/a.html"].decode(), made["index.html"].decode()
        images = {image.cid for image in email.images(view)}
        return (
            "<figure" in page,
            "Compared with" in page,
            "<svg" in front,
            "spark-0@muster" in images,
        )

    assert told(5) == (False, False, False, False)
    assert told(5, 6) == (True, True, True, True)


def test_followers_that_grow_are_no_news_week_by_week_what_they_gain_is():
    shipped = {one.id: one for one in catalogue.load()}
    total, gained = shipped["followers"], shipped["followers_gained"]
    growing = values("followers", [1000 + 10 * week for week in range(30)], segment="x")
    gains_of = values("followers_gained", [10, 11] * 14 + [10, 90], segment="x")
    view = build((total, gained), [*growing, *gains_of])
    followers, gains = view.measures
    assert {point.tone for point in followers.points} == {"routine"} and not followers.bands
    assert followers.why.startswith("a running total")
    assert [change.kpi for change in view.changes] == ["followers_gained"]
    assert (gains.tone, gains.why.split(",")[0]) == (
        "better",
        "outside the routine range of 8 to 13",
    )
    young = build((total,), growing[-3:]).measures[0]
    assert (young.tone, young.why) == ("early", "3 of the 6 weeks needed")


def test_a_measure_of_another_report_says_of_which_month_it_is():
    months = [values("visits", [1], grain="month", last=date(2026, at, 1)) for at in (8, 9, 10)]
    monthly = build((kpi("visits"),), sum(months, []), report=Report(name="m", grain="month"))
    weekly = build((kpi("asked"),), values("asked", [1, 2]))
    made = whole(site.render([weekly, monthly]))
    assert '<p class="eyebrow">October 2026</p>' in made["kpi/visits.html"].decode()
    assert '<p class="eyebrow">Week 47: ' in made["kpi/asked.html"].decode()
    assert re.findall(r"\? · ([^<]+)</span>", made["measures.html"].decode()) == ["October 2026"]
