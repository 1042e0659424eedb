"""Only whole periods are read, compared and drawn, the first one too."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from measured import build, goal, kpi, values

from muster.settings import Settings

MEMBERS = kpi("members", title="Members")


def test_a_first_week_that_is_known_in_part_is_no_whole_one():
    wednesday = values("members", [3] * 5, grain="day", last=date(2026, 11, 4))
    wednesday = [
        replace(one, period_start=date(2026, 11, 4 + at)) for at, one in enumerate(wednesday)
    ]
    state = kpi("open_issues", from_days="last")

    def first(definition, *weeks):
        found = [*values(definition.id, weeks), *wednesday]
        kpis = (definition,) if definition == MEMBERS else (definition, MEMBERS)
        return build(kpis, found).measures[0].points[0].period_start

    assert first(MEMBERS, 5, 70, 71) == date(2026, 11, 9)
    assert first(MEMBERS, 70) == date(2026, 11, 16), "known from its Monday"
    assert first(state, 5, 70, 71) == date(2026, 11, 2), "what was open at its end is known"
    late = [replace(one, period_start=date(2026, 11, 18)) for one in wednesday[:1]]
    (alone,) = build((MEMBERS,), [*values("members", [5]), *late]).measures
    assert alone.value == 5, "better than nothing, and all there is"


def test_a_first_week_stays_while_the_next_has_no_value_yet():
    """Else a goal on a rate that waits for its window is met beside a measure without data."""
    days = [
        replace(one, period_start=date(2026, 11, 11))
        for one in values("resolution_rate", [1], grain="day")
    ]
    rate = kpi("resolution_rate", "ratio", settles="resolution")
    weeks = values("resolution_rate", [0.9], last=date(2026, 11, 9))
    aim = goal("Solve it", "resolution_rate", {"at_least": 0.7})
    found = build((rate,), [*weeks, *days], Settings(community="C", goals=(aim,)))
    assert (found.goals[0].status, found.goals[0].value_text) == ("met", "90.0% (week 46)")
    assert found.measures[0].value_text == "90.0%"
