"""Measurements of audiences → who follows, who was gained, and how engaging posts are, by hand."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, timedelta

from recount_periods import DAY, Period, midnight
from recount_shop import Known
from recount_support import Told, mean

from muster.records import Audience, Message

METRICS = ("followers", "subscribers", "members")
HOLDS = timedelta(days=35)
Series = list[Audience]  # of one account and segment, in order


class Audiences:
    """The main audience of each source: followers if it has any, else subscribers, else members."""

    def __init__(self, known: Known) -> None:
        self.known = known
        rows = [
            (source, row)
            for source, row in known.told.rows
            if isinstance(row, Audience) and midnight(row.measured_on, UTC) < known.as_of
        ]
        told = {(source, row.metric) for source, row in rows}
        self.series: dict[tuple[str, str, str], Series] = defaultdict(list)
        for source, row in sorted(rows, key=lambda one: one[1].measured_on):
            is_main = row.metric == next(one for one in METRICS if (source, one) in told)
            if is_main and row.measured_on <= known.today:
                self.series[source, row.segment, row.account].append(row)
        self.sources = sorted({key[0] for key in self.series})
        self.posts = [
            (source, day, row)
            for source, day, row in known.of(Message)
            if row.author_role == "staff" and row.kind in ("post", "quote") and not row.deleted_at
        ]

    def _accounts(self, source: str, before: date) -> list[Series]:
        """Those measured at all before a day, whether or not they still are."""
        ours = [ones for key, ones in self.series.items() if key[:2] == (source, "all")]
        return [ones for ones in ours if ones[0].measured_on < before]

    def of(self, period: Period) -> Told:
        for source in self.sources:
            yield from self._followers(period, source)
            yield from self._gained(period, source)
        yield from self._targeted(period)
        yield from self._engagement(period)

    def _followers(self, period: Period, source: str) -> Told:
        day = min(period.following - DAY, self.known.today)
        lasts = self._lasts(source, day)
        if lasts:
            yield "followers", source, sum(row.value for row in lasts), len(lasts)

    def _lasts(self, source: str, day: date) -> Series:
        """Each account's last measurement up to a day's end; none while one is missing."""
        accounts = self._accounts(source, day + DAY)
        lasts = [[row for row in ones if row.measured_on <= day][-1] for ones in accounts]
        return lasts if all(day + DAY - row.measured_on <= HOLDS for row in lasts) else []

    def _gained(self, period: Period, source: str) -> Told:
        accounts = self._accounts(source, period.following)
        changes = [self._change(ones, period) for ones in accounts]
        if not changes or None in changes:
            return
        gained, then = (sum(one[part] for one in changes) for part in (0, 1))
        yield "followers_gained", source, gained, len(changes)
        if then:
            yield "follower_growth", source, gained / then, then

    def _change(self, ones: Series, period: Period) -> tuple[int, int] | None:
        """What was gained less bots, and how many followed at the start."""
        earlier = [row for row in ones if row.measured_on < period.start]
        here = [row for row in ones if period.has(row.measured_on)]
        if not earlier or not here or period.start - earlier[-1].measured_on > HOLDS:
            return None
        return people(here[-1]) - people(earlier[-1]), earlier[-1].value

    def _targeted(self, period: Period) -> Told:
        changes = []
        segments = set()
        for key, ones in self.series.items():
            if key[1] not in self.known.settings.get("targeted_segments", ()):
                continue
            for before, row in zip([None, *ones], ones, strict=False):
                if period.has(row.measured_on):
                    segments.add(key)
                    changes.append(gained(before, row))
        if changes and None not in changes:
            yield "targeted_subscribers_gained", "all", sum(changes), len(segments)

    def _engagement(self, period: Period) -> Told:
        shares = []
        for source, day, row in self.posts:
            if period.has(day):
                followers = sum(one.value for one in self._lasts(source, day))
                if followers:
                    shares.append((row.likes + row.reposts + row.replies) / followers)
        yield from mean("engagement_rate", shares)


def people(row: Audience) -> int:
    return row.value - (row.suspected_bots or 0)


def gained(before: Audience | None, row: Audience) -> int | None:
    """As the platform tells, else the difference to a measurement that is near enough."""
    if row.gained is not None:
        return row.gained
    if before is None or row.measured_on - before.measured_on > HOLDS:
        return None
    return people(row) - people(before)
