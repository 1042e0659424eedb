"""Who is awake when: an instant and a need go in, the instant of the answer comes out."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, datetime, time, timedelta
from random import Random

import holidays

from demo.stories import ZONE, Plot

DAY = timedelta(days=1)
_WEEK = [[(8, 12), (13, 18)]] * 5 + [[(10, 14)]] + [[]]
# Share of new posts by local hour: a morning, an afternoon and a long evening.
_HOURS = [2, 1, 1, 0, 0, 1, 2, 4, 8, 10, 11, 10, 7, 8, 10, 9, 8, 7, 7, 8, 9, 9, 7, 4]


class Desk:
    """The desk's opening hours, without public holidays of Berlin."""

    def __init__(self, plot: Plot) -> None:
        years = range(plot.begins.year - 1, plot.ends.year + 2)
        self.closed = set(holidays.country_holidays("DE", subdiv="BE", years=years))
        self.opens: list[datetime] = []
        self.closes: list[datetime] = []
        day = plot.begins - DAY
        while day < plot.ends + 40 * DAY:
            self._add(day)
            day += DAY

    def _add(self, day: date) -> None:
        if day in self.closed:
            return
        for first, last in _WEEK[day.weekday()]:
            self.opens.append(local(day, first))
            self.closes.append(local(day, last))

    def is_open(self, at: datetime) -> bool:
        """Whether somebody of the day shift is there."""
        i = bisect_right(self.opens, at) - 1
        return i >= 0 and at < self.closes[i]

    def after(self, at: datetime, work: timedelta) -> datetime:
        """The instant at which ``work`` of opening hours has passed since ``at``."""
        i = max(bisect_right(self.opens, at) - 1, 0)
        start = at
        while True:
            start = max(start, self.opens[i])
            left = self.closes[i] - start
            if left > work:
                return start + work
            work -= max(left, timedelta(0))
            i += 1


def local(day: date, hour: float) -> datetime:
    """A local hour of a day as an instant (aware, in the community's zone)."""
    whole = int(hour)
    return datetime.combine(day, time(whole, int((hour - whole) * 60)), tzinfo=ZONE)


def moment(rng: Random, day: date) -> datetime:
    """A time of the day at which members write."""
    hour = rng.choices(range(24), _HOURS)[0]
    clock = time(hour, rng.randrange(60), rng.randrange(60), rng.randrange(1000) * 1000)
    return datetime.combine(day, clock, tzinfo=ZONE)


def minutes(rng: Random, median: float, spread: float = 0.8) -> timedelta:
    """A waiting time: log-normal around a median in minutes."""
    return timedelta(seconds=round(rng.lognormvariate(0, spread) * median * 60, 3))


def awake(rng: Random, at: datetime) -> datetime:
    """The instant itself, or the next morning if a student would be asleep."""
    here = at.astimezone(ZONE)
    if 2 <= here.hour < 7:
        return here.replace(hour=7) + minutes(rng, 60, 0.5)
    return at


def answered(rng: Random, plot: Plot, desk: Desk, at: datetime, is_outreach: bool) -> datetime:
    """When staff first answers what a member wrote ``at``."""
    day = at.astimezone(ZONE).date()
    slow = 7.0 if plot.is_outage(day) else 1.0
    if desk.is_open(at):
        wait = minutes(rng, (45 if is_outreach else 24) * slow, 0.75)
        found = desk.after(at, wait)
        is_late = not desk.is_open(at + wait)
        return at + wait if is_late and plot.is_trained(day) else found
    if plot.is_trained(day):
        wait = minutes(rng, (26 if is_outreach else 19) * slow, 0.65)
        return at + wait if rng.random() > 0.001 else desk.after(at, wait)
    if rng.random() < 0.10:
        return at + minutes(rng, 90 * slow, 0.6)
    return desk.after(at, minutes(rng, 50 * slow, 0.8))
