"""The plot: an end date goes in, the dates of the stories and how busy each day is come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
WEEKS = 60
AFTERWARDS = timedelta(days=14)
DEFAULT_NOW = datetime(2026, 11, 23, 6, 0, tzinfo=ZONE).astimezone(UTC)


@dataclass(frozen=True)
class Story:
    """Something that happened, and what a reader of the report should find."""

    name: str
    starts: date
    ends: date | None
    find: str


@dataclass(frozen=True)
class Plot:
    """When the history begins and ends, and when its turns are taken (local dates)."""

    begins: date
    ends: date
    training: date
    outage: date
    slip: date
    slip_ends: date
    bot_jump: date
    bot_purge: date

    def is_trained(self, day: date) -> bool:
        """Whether the night shift works already."""
        return day >= self.training

    def is_outage(self, day: date) -> bool:
        """Whether the bad week runs."""
        return self.outage <= day < self.outage + timedelta(days=7)

    def is_slipping(self, day: date) -> bool:
        """Whether answers take too many messages."""
        return self.slip <= day < self.slip_ends

    def stories(self) -> tuple[Story, ...]:
        """Every story by date, for people and for the settings' ``events``."""
        found = [
            Story("Many long conversations", self.slip, self.slip_ends - timedelta(days=1),
                  "reply_limit_kept falls below 95 % in this quarter only"),
            Story("Night shift trained and started", self.training, None,
                  "first_response_off_hours_mean falls from many hours to well under an hour"),
            Story("Core network outage", self.outage, self.outage + timedelta(days=6),
                  "four times the issues, slow answers, negative words, more reopened"),
            Story("Bots follow the X account", self.bot_jump, self.bot_jump + timedelta(days=2),
                  "followers jump, followers_gained (without suspected bots) does not"),
            Story("X removes the bots", self.bot_purge, self.bot_purge, "followers fall back"),
            *(Story("Term starts", day, day + timedelta(days=13), "the two busiest weeks")
              for day in _term_starts(self.begins, self.ends)),
        ]  # fmt: skip
        return tuple(sorted(found, key=lambda story: (story.starts, story.name)))


def plot(now: datetime) -> Plot:
    """The plot of the 60 weeks that end with the Monday of ``now`` (aware)."""
    today = now.astimezone(ZONE).date()
    ends = today - timedelta(days=today.weekday())
    begins = ends - timedelta(weeks=WEEKS)
    training = _first_of_month(ends - timedelta(weeks=29))
    slip = _quarter(ends - timedelta(weeks=42))
    jump = ends - timedelta(weeks=14)
    return Plot(
        begins=begins,
        ends=ends,
        training=training,
        outage=_ordinary_monday(training + timedelta(weeks=5)),
        slip=slip,
        slip_ends=_quarter(slip + timedelta(days=95)),
        bot_jump=jump + timedelta(days=1),
        bot_purge=jump + timedelta(weeks=5, days=3),
    )


def _first_of_month(day: date) -> date:
    return day.replace(day=1)


def _quarter(day: date) -> date:
    return date(day.year, day.month - (day.month - 1) % 3, 1)


def _ordinary_monday(day: date) -> date:
    """The next Monday of a week that is neither a peak nor a holiday."""
    monday = day + timedelta(days=-day.weekday() % 7)
    while not all(0.9 <= _season(monday + timedelta(days=i)) <= 1.15 for i in (-7, 0, 6, 13)):
        monday += timedelta(days=7)
    return monday


def _term_starts(begins: date, ends: date) -> list[date]:
    days = [date(year, month, 8) for year in range(begins.year, ends.year + 1) for month in (4, 10)]
    mondays = [day - timedelta(days=day.weekday()) for day in days]
    return [day for day in mondays if begins <= day < ends]


# (month, day) from which on a factor holds: the rhythm of a German university.
_SEASONS: Mapping[tuple[int, int], float] = {
    (1, 1): 0.3, (1, 7): 1.0, (1, 26): 1.15, (2, 16): 0.65, (3, 23): 0.9, (4, 1): 1.35,
    (4, 8): 1.95, (4, 22): 1.3, (5, 1): 1.0, (7, 13): 1.1, (7, 20): 0.65, (8, 3): 0.42,
    (9, 7): 0.6, (9, 24): 1.0, (10, 1): 1.6, (10, 8): 2.1, (10, 22): 1.35, (11, 1): 1.0,
    (12, 15): 0.8, (12, 20): 0.25,
}  # fmt: skip
_WEEKDAYS = (1.3, 1.2, 1.15, 1.1, 0.95, 0.55, 0.75)


def _season(day: date) -> float:
    return next(
        factor
        for start, factor in reversed(list(_SEASONS.items()))
        if start <= (day.month, day.day)
    )


def _growth(story: Plot, day: date) -> float:
    """The community grows by a seventh within the sixty weeks."""
    return 0.91 + 0.14 * (day - story.begins).days / (7 * WEEKS)


def load(story: Plot, day: date) -> float:
    """How many new issues a day brings; 1.0 is an ordinary day of an ordinary week."""
    factor = _season(day) * _WEEKDAYS[day.weekday()] * _growth(story, day)
    return factor * 4.0 if story.is_outage(day) else factor
