"""Events and new definitions: beside the signals they share a period with, and on the charts."""

from __future__ import annotations

from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from measured import AS_OF, LAST, build, kpi, values
from published import whole

from muster.reports import chart, site, view
from muster.reports import email as mail
from muster.reports.recent import recent
from muster.reports.words import load
from muster.results import Definition
from muster.settings import Event, Settings

EN = load()

MEMBERS = kpi("members")
CALM = [10, 12] * 13
WEEK = timedelta(weeks=1)


def seen(numbers, *events, **facts):
    """The view of one KPI in a community with events (name, starts, ends)."""
    told = tuple(Event(name=name, starts=starts, ends=ends) for name, starts, ends in events)
    settings = Settings(community="C", events=told)
    return build((MEMBERS,), values("members", numbers), settings, **facts)


def test_an_event_in_the_week_of_a_signal_stands_beside_it():
    outage = ("Mail outage", LAST + timedelta(days=6), None)
    (change,) = seen([*CALM, 99], outage).changes
    assert change.text == (
        "99 – outside the routine range of 6 to 16; in the same week: Mail outage"
    )
    assert change.events == ("Mail outage",)


@pytest.mark.parametrize(
    ("starts", "ends"),
    [(LAST + WEEK, None), (LAST - WEEK, LAST - timedelta(days=1))],
)
def test_an_event_of_another_week_is_not_named_beside_it(starts, ends):
    (change,) = seen([*CALM, 99], ("Other", starts, ends)).changes
    assert "Other" not in change.text and change.events == ()


def test_a_run_is_told_with_what_lay_in_its_weeks():
    training = ("Training", LAST - 7 * WEEK, None)
    before = ("Before", LAST - 8 * WEEK, LAST - 7 * WEEK - timedelta(days=1))
    campaign = ("Campaign", LAST - 20 * WEEK, LAST)
    (change,) = seen([*CALM, 10, *[13] * 8], training, before, campaign).changes
    assert change.text.endswith("; in these 8 weeks: Campaign and Training")


def test_three_of_four_speak_of_four_weeks():
    events = [(str(back), LAST - back * WEEK, None) for back in range(6)]
    (change,) = seen([*CALM, 14, 14, 11, 14], *events).changes
    assert change.events == ("3", "2", "1", "0")


def test_where_all_happened_at_once_nothing_is_named_and_what_came_twice_is_named_once():
    terms = [("Term", LAST - back * WEEK, None) for back in (7, 1)]
    fair = ("Fair", LAST - 2 * WEEK, None)
    (change,) = seen([*CALM, 10, *[13] * 8], *terms, fair).changes
    assert change.text.endswith("; in these 8 weeks: Term and Fair")
    (change,) = seen([*CALM, 10, *[13] * 8], *((f"E{n}", LAST, None) for n in range(4))).changes
    assert change.text.endswith("routinely 13 to 13)") and len(change.events) == 4


def test_a_routine_week_needs_no_explanation():
    found = seen([*CALM, 11], ("Mail outage", LAST, None))
    assert found.changes == ()
    assert found.events == (("Mail outage", LAST, LAST),)
    assert found.event_texts == ("Mail outage, 16 November 2026",)


def test_mail_and_page_name_the_events_of_their_charts_with_days():
    found = seen(
        [10] * 40 + [99],
        ("Fair", LAST - 3 * WEEK, LAST - 2 * WEEK),
        ("Old", LAST - 35 * WEEK, None),
    )
    letter = mail.render(
        found, sender="a@b.example", recipient="c@d.example", message_id="m@b", date=AS_OF
    )
    text = letter.get_body(("plain",)).get_content()
    assert "Marked: Fair, 26 October – 2 November 2026." in text, "Old is past the half year"
    page = whole(site.render([found]))["kpi/members.html"].decode()
    assert "Marked: Old, 16 March 2026; Fair, 26 October – 2 November 2026." in page
    assert "Old" not in str(recent(found).event_texts)


def drawn(measure, events=(), frame=chart.WIDE):
    root = ElementTree.fromstring(chart.xmr(measure, EN, frame, events))
    return root, [
        "".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")
    ]


def of_class(root, name):
    return [node for node in root.iter() if node.get("class") == name]


def test_a_long_event_lies_under_its_weeks_and_a_short_one_is_a_line():
    (measure,) = seen(CALM).measures
    starts = measure.points[0].period_start
    long = ("Campaign", starts - 9 * WEEK, starts + 3 * WEEK)
    short = ("Outage", starts + 9 * WEEK, starts + 9 * WEEK)
    root, texts = drawn(measure, (long, short))
    (span,) = of_class(root, "span")
    assert len(of_class(root, "event")) == 2
    assert {"Campaign", "Outage"} <= set(texts)
    assert 0 < float(span.get("width")) < chart.WIDE.width / 3
    assert "Marked: Campaign" in chart.describe(measure, EN, (long, short))


def test_a_new_definition_is_marked_on_its_chart_and_explained():
    changed = LAST - 4 * WEEK + timedelta(days=2)
    known = (
        Definition("members", 1, date(2026, 1, 5)),
        Definition("other", 7, date(2026, 1, 5)),
        Definition("members", 2, changed),
    )
    found = seen(CALM, definitions=known)
    (measure,) = found.measures
    (change,) = measure.breaks
    assert (change.version, change.since) == (2, changed)
    assert change.text.startswith("Definition 2 since 21 October 2026: every value shown here is")
    _, texts = drawn(measure)
    assert "Definition 2" in texts
    assert "Marked: Definition 2 (19 Oct)" in chart.describe(measure, EN)
    page = whole(site.render([found]))["kpi/members.html"].decode()
    assert change.text in page.replace("&#39;", "'")
    told = view.to_json(found)["report"]["measures"][0]["breaks"]
    assert told[0]["since"] == "2026-10-21"


def test_a_first_definition_is_no_break():
    found = seen(CALM, definitions=(Definition("members", 3, date(2026, 10, 5)),))
    assert found.measures[0].breaks == ()
