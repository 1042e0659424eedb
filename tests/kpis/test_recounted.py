"""A community's KPIs, counted once more by a plain program that was written from the rulings.

Every value of support, reputation and community health, in every grain and segment, with ``n`` and
its marks; and that there is no other: a 0 stands where a success vouches for it, else nothing.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from comparing import KPIS, Key, Value, differing, marked
from recount_people import People
from recount_periods import START_OF, Hours, Period, periods
from recount_stories import Stories
from recount_support import Support
from recount_voices import Voices
from thorough import tries
from village import FIRST, WEEKS, Village, village

DAY = timedelta(days=1)
TOLD = ("messages", "threads")
COUNTED = {one.id for one in KPIS.values() if one.table in TOLD} - {"engagement_rate"}


def recounted(told: Village) -> dict[Key, Value]:
    people = People(told.rows, told.settings, told.as_of)
    stories = Stories(people, told.as_of)
    first = min([one.at for one in stories.lines] + [one.from_at for one in told.coverage])
    support, voices = Support(stories, hours(told, people)), Voices(stories, people.day(first))
    found: dict[Key, Value] = {}
    for grain in START_OF:
        before = Period(grain, START_OF[grain](people.day(first) - 400 * DAY), people.zone, first)
        for period in periods(grain, people.zone, first, told.as_of):
            values = (
                *support.of(period),
                *support.solutions(period),
                *voices.of(period, before, period.is_covered(told.coverage)),
            )
            found |= marked(told, period, values, COUNTED)
            before = period
    return found


def hours(told: Village, people: People) -> dict[str, Hours | None]:
    """Each source's working hours, its own or the community's."""
    own = {one["name"]: one.get("business_hours") for one in told.settings["sources"]}
    ends = FIRST - 3 * DAY, FIRST + WEEKS * 7 * DAY + 30 * DAY
    return {
        name: Hours(plan, people.zone, *ends)
        if (plan := one or told.settings.get("business_hours"))
        else None
        for name, one in own.items()
    }


@pytest.mark.parametrize("seed", range(tries(2, 60)))
def test_every_value_is_that_of_a_plain_count(seed):
    told = village(seed)
    assert not differing(told, recounted(told), COUNTED)
