"""Only whole periods are read, compared and drawn, the first one too."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from measured import build, kpi, values

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
