"""The short form for a chat: the mail's words, and none of a stranger's."""

from __future__ import annotations

from dataclasses import replace

from sample import hostile_view, sample_view

from muster.reports import email
from muster.reports.short import short


def test_it_says_what_the_mail_says_in_the_order_of_weight():
    title, lines = short(sample_view())
    text = " ".join(email.plain(sample_view()).split())
    assert title == sample_view().subject
    assert all(" ".join(sentence.split()) in text for sentence in sample_view().opening)
    marks = [line[0] for line in lines]
    assert marks.count("●") == 1 and marks.count("◆") == 2, "signals, then goals that are behind"
    link = next(line for line in lines if line.startswith("Open the dashboard"))
    assert lines.index(link) == marks.index("●") - 1, "before what could be left out"


def test_a_goal_that_is_behind_tells_its_value_and_its_target():
    view = sample_view()
    _, lines = short(view)
    for goal in view.goals:
        if goal.status in ("at_risk", "off_track"):
            (line,) = [one for one in lines if f"– {goal.name}: " in one]
            assert line.endswith(f": {goal.value_text}, target {goal.target_text} {goal.by_text}")


def test_a_stranger_s_words_call_nobody():
    waiting = tuple(replace(one, title="@everyone <!channel>") for one in sample_view().waiting)
    _, lines = short(replace(sample_view(), waiting=waiting))
    assert not [line for line in lines if "@everyone" in line or "<!" in line]


def test_nothing_in_it_breaks_a_line_or_hides():
    title, lines = short(hostile_view())
    assert not [line for line in (title, *lines) if "\n" in line or not line.isprintable()]
