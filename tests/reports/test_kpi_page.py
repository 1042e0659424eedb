"""A KPI's own page, and its name in lists: in a reader's words, with nothing that hangs loose."""

from __future__ import annotations

import re
from dataclasses import replace

from measured import build, kpi, values
from published import whole
from sample import sample_view

from muster.reports import site


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
    both = {"n_text": "of 3 cases", "target_text": "at least 90 % – met"}
    assert told(**both) == ["Of 3 cases · Target at least 90 % – met"]


def test_a_part_that_the_community_names_keeps_its_name():
    parts = values("messages", [60], segment="paid_social", n=3)
    (measure,) = build((kpi("messages"),), [*values("messages", [90, 120]), *parts]).measures
    assert [part.name for part in measure.segments] == ["paid_social"]
