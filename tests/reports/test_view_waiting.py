"""Which reports tell who waits, and of whom."""

from __future__ import annotations

from measured import build, goal, kpi, values, waiting

from muster.settings import Report, Settings

MEMBERS = kpi("members")


def test_the_six_issues_that_wait_longest_come_first_and_the_others_are_counted():
    issues = tuple(waiting(hours) for hours in range(1, 15))
    found = build((MEMBERS,), values("members", [1]), waiting=issues)
    assert [issue.waited_text for issue in found.waiting[:2]] == ["14 h", "13 h"]
    assert len(found.waiting) == 6
    assert found.waiting_left == "8 more wait for an answer."
    assert "14 issues wait for an answer now, the longest for 14 h." in found.opening[-1]
    untitled = build((MEMBERS,), (), waiting=(waiting(1, None),))
    assert untitled.waiting_left == ""
    assert untitled.waiting[0].title == "Untitled"
    assert untitled.waiting[0].opened_text == "23 Nov 2026, 05:00", "local time"


def test_a_report_about_an_audience_alone_tells_nobody_who_waits():
    followers = kpi("followers", communities=("audience", "sales"), table="audience")
    active = kpi("active_members", communities=("support", "audience"))
    rate = kpi("response_rate", "ratio", communities=("support",))
    all_kpis = (followers, active, rate)
    numbers = [value for one in all_kpis for value in values(one.id, [1])]

    def told(*named, goals=()):
        settings = Settings(community="C", goals=goals)
        report = Report(kpis=named)
        found = build(all_kpis, numbers, settings, report, waiting=(waiting(9),))
        return len(found.waiting), "wait" in " ".join(found.opening)

    assert told("followers") == told("followers", "active_members") == (0, False)
    assert told("active_members") == (1, True), "of any community"
    assert told("followers", "response_rate") == (1, True)
    assert told("followers", goals=(goal("G", "response_rate", {"at_least": 1}),)) == (1, True)
    assert told() == (1, True), "a report of everything"
