"""Subject, preheader and opening say the main thing, by rules."""

from __future__ import annotations

import pytest
from measured import build, campus, goal, kpi, values, waiting

from muster.reports import email
from muster.settings import Report, Settings

CALM = [10, 12] * 13
MEMBERS = kpi("members", title="Members")
WAIT = kpi("wait", "seconds", "down", title="First answer")


def subject(*pairs, goals=()):
    """The subject of KPIs with their numbers."""
    kpis = tuple(definition for definition, _ in pairs)
    numbers = [value for definition, series in pairs for value in values(definition.id, series)]
    return build(kpis, numbers, Settings(community="C", goals=goals)).subject


def test_a_routine_week_says_so():
    found = build((MEMBERS,), values("members", CALM))
    assert found.subject == "A routine week (week 47)"
    assert found.opening == (
        "A routine week: 1 measure moved within the usual range.",
        "Nothing needs your attention.",
    )
    assert found.headline is None
    assert found.changes == ()


def test_the_subject_names_the_signal_in_words_that_fit_its_unit():
    assert subject((MEMBERS, [*CALM, 30])) == "Better: Members unusually high (30) (week 47)"
    slow = [value * 600 for value in CALM]
    assert subject((WAIT, [*slow, 18_000])) == (
        "Worse: First answer unusually long (5 h) (week 47)"
    )
    assert subject((WAIT, [*slow, 7_000, *[4_800] * 8])) == (
        "Better: First answer shorter for 8 weeks (1 h 20 min) (week 47)"
    )
    assert subject((MEMBERS, [*CALM, 14, 14, 11, 14])) == (
        "Better: Members higher in 3 of 4 weeks (14) (week 47)"
    )


def test_the_strongest_signal_with_a_direction_leads():
    volume = kpi("messages", better="none", title="Messages")
    far, farther = [*CALM, 18], [*CALM, 90]
    assert "Members" in subject((volume, farther), (MEMBERS, far))
    assert "First answer" in subject((MEMBERS, far), (WAIT, farther))
    assert subject((volume, farther)).startswith("Changed: Messages unusually high")


BY_TONE = {"better": [*CALM, 30], "far better": [*CALM, 90], "worse": [*CALM, 0]}


def leading(*named, goals=()):
    """Which of the KPIs with these tones leads, in subject and big chart."""
    kpis = tuple(kpi(name, title=name.title()) for name, _ in named)
    numbers = [value for name, tone in named for value in values(name, BY_TONE[tone])]
    found = build(kpis, numbers, Settings(community="C", goals=goals))
    assert found.headline.title in found.subject
    return found


def test_what_got_worse_leads_and_on_a_goals_kpi_first():
    a_goal = goal("G", "two", {"at_least": 10})
    assert leading(("one", "far better"), ("two", "worse")).headline.kpi == "two"
    assert leading(("one", "far better"), ("two", "better")).headline.kpi == "one"
    pair = (("one", "far better"), ("two", "better"))
    assert leading(*pair, goals=(a_goal,)).headline.kpi == "two", "better, on a goal's KPI"
    pair = (("one", "worse"), ("two", "worse"))
    assert leading(*pair, goals=(a_goal,)).headline.kpi == "two", "worse, on a goal's KPI"
    pair = (("one", "worse"), ("two", "far better"))
    found = leading(*pair, goals=(a_goal,))
    assert found.headline.kpi == "one", "worse before a goal's better"
    assert found.subject.startswith("Worse: One unusually low (0);")
    assert "Look first at One: " in found.opening[-1]


def test_better_never_leads_on_a_kpi_whose_goal_is_off_track():
    far_off = goal("G", "two", {"at_least": 900})
    pair = (("one", "better"), ("two", "far better"))
    assert leading(*pair, goals=(far_off,)).headline.kpi == "one"
    alone = leading(("two", "better"), goals=(far_off,))
    assert alone.subject == (
        "Off track, but better: Two unusually high (30); 1 of 1 goal off track (week 47)"
    )


def test_what_to_look_at_first_is_what_the_subject_names():
    a_goal = goal("G", "two", {"at_least": 10})
    found = leading(("one", "worse"), ("two", "worse"), goals=(a_goal,))
    assert "Look first at Two: " in found.opening[-1]


def test_nothing_is_said_to_need_attention_while_a_goal_is_behind():
    early, far = goal("Early", "wait", {"at_most": "1h"}), goal("Far", "members", {"at_least": 90})
    met = goal("Met", "members", {"at_least": 1})

    def last(*goals):
        settings = Settings(community="C", goals=goals)
        return build((MEMBERS, WAIT), values("members", CALM), settings).opening[-1]

    assert last(met) == "Nothing needs your attention."
    assert last(met, far) == "Look first at the goal “Far”: it is off track."
    assert last(met, early, far) == "Look first at the goal “Far”: it is off track."
    assert last(early) == "Look first at the goal “Early”: it is without a verdict."


def test_who_waits_comes_before_a_goal_that_cannot_be_judged():
    settings = Settings(community="C", goals=(goal("Early", "wait", {"at_most": "1h"}),))
    found = build((MEMBERS, WAIT), values("members", CALM), settings, waiting=(waiting(9),))
    assert found.opening[-1].startswith("1 issue waits for an answer now")


def test_the_subject_ends_with_the_goals_that_are_behind():
    goals = (
        goal("One", "members", {"at_least": 10}),
        goal("Two", "members", {"at_least": 100}),
    )
    assert subject((MEMBERS, CALM), goals=goals) == (
        "A routine week; 1 of 2 goals off track (week 47)"
    )


def test_a_goal_that_is_met_is_not_called_one_on_the_way():
    met = goal("One", "members", {"at_least": 10})
    assert subject((MEMBERS, CALM), goals=(met,)) == "A routine week; the goal is met (week 47)"
    way = goal("Two", "members", {"at_least": 13}, by="2028-12-31")
    assert subject((MEMBERS, CALM), goals=(met, way)) == (
        "A routine week; all goals on track (week 47)"
    )


def test_the_opening_tells_what_changed_goals_and_what_to_do():
    changed, goals, to_do = campus().opening
    assert changed == (
        "3 of 10 measures changed beyond routine variation: 1 better, 1 worse and 1 without a good "
        "or bad direction. 3 moved within their usual range and need no explanation."
    )
    assert goals == "Of 4 goals 1 is met, 2 off track and 1 without a verdict."
    assert to_do == (
        "Look first at New members who came back: outside the routine range of 71.4% to 92.6%. "
        "3 issues wait for an answer now, the longest for 2 d 3 h. 1 source is out of date, so "
        "numbers may be incomplete."
    )


def test_changes_tell_only_this_weeks_signals_in_the_order_of_the_subject():
    assert [(change.title, change.tone) for change in campus().changes] == [
        ("New members who came back", "worse"),
        ("First response, median", "better"),
        ("Messages by members", "changed"),
    ]
    assert campus().headline.title == campus().changes[0].title
    assert campus().changes[1].text == (
        "2 h 30 min – 8 weeks in a row below the earlier average of 5 h 17 min (a new level, "
        "routinely 1 h 37 min to 3 h 6 min); in these 8 weeks: Outage"
    )
    old = build((MEMBERS,), values("members", [*CALM, 30, 11]))
    assert old.changes == ()


def test_where_nothing_can_be_read_yet_no_calm_is_claimed():
    assert build((MEMBERS,), values("members", CALM * 9)).unchanged == (
        "Nothing left its routine range."
    )
    young = build((MEMBERS,), values("members", [1, 2]))
    assert young.unchanged == "There is too little yet to tell a change by."


def test_a_week_of_too_few_cases_is_not_called_one_of_the_first():
    """A small community's twenty-sixth week may rest on two cases."""
    found = build((MEMBERS,), values("members", CALM, few=(25,)))
    assert found.subject == "A week of too few cases to tell (week 47)"
    assert found.opening[0] == "Too few to tell: no measure of this week rests on enough cases."


@pytest.mark.parametrize("voice", ["team", "executive"])
def test_before_the_first_number_nothing_is_claimed_and_the_first_is_announced(voice):
    never = build((MEMBERS,), (), report=Report(voice=voice))
    assert never.subject == "No numbers yet (week 47)"
    told = "There are no numbers yet: the first come with the first whole week of data."
    assert told in never.opening
    assert not [one for one in never.opening if not one or "Nothing needs" in one]
    assert "All measures" not in email.plain(build((), ()))
    waited = build((MEMBERS,), (), report=Report(voice=voice), waiting=(waiting(9),))
    assert waited.opening[-1] == "1 issue waits for an answer now, for 9 h so far."


def test_an_executive_reads_goals_money_and_three_sentences():
    found = campus("executive")
    assert len(found.opening) == 3
    assert all(sentence.count(". ") == 0 for sentence in found.opening)
    assert found.opening[0].startswith("Of 4 goals")
    assert {measure.kpi for measure in found.measures} == {
        "first_response_median", "response_rate", "new_member_retention", "csat", "revenue",
    }  # fmt: skip
    assert found.waiting == ()
    assert found.subject == campus().subject


def test_the_preheader_does_not_repeat_the_subject():
    found = campus()
    assert found.preheader.startswith("Of 4 goals")
    assert found.preheader not in found.subject
