"""Which reports tell who waits, and of whom."""

from __future__ import annotations

from measured import build, goal, kpi, values, waiting

from muster.kpis import catalogue
from muster.reports import email, pages
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


def test_who_has_waited_for_more_than_30_days_does_not_fill_the_list_for_good():
    old = tuple(waiting(24.0 * days) for days in (270, 31))
    lately = tuple(waiting(hours) for hours in range(2, 10))
    found = build((MEMBERS,), (), waiting=(*lately, *old), waiting_more=3, waiting_old=4)
    assert [issue.waited_text for issue in found.waiting] == [f"{n} h" for n in range(9, 3, -1)]
    assert found.waiting_left == "3 more wait for an answer."
    assert found.old_text == "4 issues have waited for more than 30 days."
    assert [issue.waited_text for issue in found.waiting_old] == ["270 d", "31 d"]
    said = "13 issues wait for an answer now, 4 of them for more than 30 days."
    assert found.opening[-1].endswith(said)


def test_where_all_have_waited_for_long_their_number_stands_alone():
    old = tuple(waiting(24.0 * days) for days in range(31, 38))
    found = build((MEMBERS,), (), waiting=old, waiting_old=7)
    assert (found.waiting, found.waiting_left) == ((), "")
    assert found.old_text == "7 issues have waited for more than 30 days."
    assert "7 issues wait for an answer now, the longest for 37 d." in found.opening[-1]
    place = "https://s.example/reports/weekly-2026-11-16.html#waiting"
    assert f"WHO WAITS LONGEST\n\n{found.old_text}\n{place}\n" in email.plain(found)
    assert f'<a href="{place}"' in email.html(found)
    page = pages.overview(found, pages.Place("", "v/x/", "assets/"))
    assert page.index('id="waiting"') < page.index(found.old_text) < page.index("<details>")
    assert page.count("<b>37 d</b>") == 1


def test_of_few_all_are_listed_however_long_they_wait():
    found = build((MEMBERS,), (), waiting=(waiting(5), waiting(24.0 * 270)), waiting_old=1)
    assert [issue.waited_text for issue in found.waiting] == ["270 d", "5 h"]
    assert (found.old_text, found.waiting_old) == ("", ())
    assert "2 issues wait for an answer now, 1 of them for more than 30 days." in found.opening[-1]


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


def test_the_wait_of_one_whom_nobody_answers_any_more_is_no_news_each_week():
    oldest = kpi("oldest_wait", "seconds", "down", statistic="state", from_days="last")

    def told(days):
        found = build((oldest,), values("oldest_wait", [day * 86_400 for day in days], n=1))
        return found.measures[0].tone, [change.title for change in found.changes]

    calm = [3, 4] * 10
    assert told([*calm, 29]) == ("worse", ["Oldest wait"]), "this one can still be answered"
    assert told([*calm, 31]) == ("routine", [])
    assert told([7 * week for week in range(60)]) == ("routine", [])
    assert told([*(7 * week for week in range(60)), 2]) == ("better", ["Oldest wait"])


def test_a_heap_of_issues_that_nobody_answers_is_news_only_where_much_comes_at_once():
    shipped = {one.id: one for one in catalogue.load()}["unanswered_issues"]

    def told(*numbers):
        found = build((shipped,), values(shipped.id, numbers, n=50))
        (measure,) = found.measures
        tones = [point.tone for point in measure.points]
        return measure.tone, tones.count("worse"), measure.why

    grown = [10 + 4 * week + week % 2 for week in range(58)]
    assert told(*grown) == ("routine", 0, told(*grown)[2])
    assert told(*grown)[2].startswith("+5 on last week: within the routine range of ")
    assert told(*grown, 600)[:2] == ("worse", 1)
    assert told(*grown, 600)[2].startswith("+361 on last week: outside the routine range of ")
    assert told(*grown, None, 250) == ("routine", 0, ""), "nothing to compare it with"
    level = told(*[4, 6] * 14, 40)
    assert level == ("worse", 1, "outside the routine range of 0 to 10"), "it goes up and down"
