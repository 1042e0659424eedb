"""A shop's rows → the values of ads and of visits to its site for a period, counted by hand."""

from __future__ import annotations

from decimal import Decimal

from recount_periods import Period
from recount_shop import Known
from recount_support import Told

from muster.records import AdSpend, SiteTraffic

SOCIAL = ("organic_social", "paid_social")


class Market:
    """What ads cost, and what those who came to the site did there."""

    def __init__(self, known: Known) -> None:
        self.known, self.settings = known, known.settings
        self.ads, self.visits = known.of(AdSpend), known.of(SiteTraffic)
        self.targeted = self.settings.get("targeted_segments", ())
        self.visited = {source for source, _, row in self.visits
                        if row.sessions or row.visitors or row.purchases}  # fmt: skip
        self.whole = [one for one in self.visits if one[2].segment == "all"]
        self.all = {source for source, *_ in self.visits}

    def spent(self, period: Period) -> dict[str, Decimal]:
        """Channel → money of ours; a part is never added to its whole."""
        found: dict[str, Decimal] = {}
        for source, day, row in self.ads:
            if period.has(day) and (row.segment, row.currency) == ("all", "AUD"):
                channel = self.settings["ad_channels"][source]
                found[channel] = found.get(channel, Decimal()) + row.spend
        return found

    def of(self, period: Period) -> Told:
        here = [row for _, day, row in self.whole if period.has(day)]
        yield from self._prices(period, here)
        yield from self._subscribers(period)
        yield from self._sessions(here)
        yield from self._social(period)
        for channel in SOCIAL:
            yield from self._outcome(period, "leads", "leads", channel, self.all)
            yield from self._outcome(period, "sales", "purchases", channel, self.visited)
            yield from self._revenue([row for row in here if row.channel == channel], channel)

    def _prices(self, period: Period, here: list[SiteTraffic]) -> Told:
        for channel, money in self.spent(period).items():
            for kpi, outcome in (
                ("visitor", "visitors"), ("lead", "leads"),
                ("add_to_cart", "add_to_carts"), ("sale", "purchases"),
            ):  # fmt: skip
                number = sum(getattr(row, outcome) for row in here if row.channel == channel)
                if money and number:
                    yield f"cost_per_{kpi}", channel, money / number, number

    def _subscribers(self, period: Period) -> Told:
        """All that campaigns spent in it that told follows (by country, if some are targeted)."""
        here = [
            (source, row)
            for source, day, row in self.ads
            if period.has(day) and row.currency == "AUD"
        ]
        telling = {
            (source, row.campaign_id)
            for source, row in here
            if row.follows is not None and (row.segment != "all") == bool(self.targeted)
        }
        ours = [row for source, row in here if (source, row.campaign_id) in telling]
        wanted = self.targeted or ("all",)
        follows = sum(row.follows or 0 for row in ours if row.segment in wanted)
        if follows:
            money = sum(row.spend for row in ours if row.segment == "all")
            yield "cost_per_subscriber", "all", money / follows, follows

    def _sessions(self, here: list[SiteTraffic]) -> Told:
        sessions = sum(row.sessions for row in here)
        if sessions:
            left = sum(row.abandoned_sessions for row in here)
            yield "abandonment_rate", "all", left / sessions, sessions
        for channel in {row.channel for row in here}:
            ones = [row for row in here if row.channel == channel]
            if visits := sum(row.sessions for row in ones):
                bought = sum(row.purchases for row in ones)
                yield "conversion_rate", channel, bought / visits, visits

    def _social(self, period: Period) -> Told:
        """Of who breaks visits down, if some are targeted."""
        wanted = self.targeted or ("all",)
        here = [
            row
            for source, day, row in self.visits
            if period.has(day) and row.channel in SOCIAL and row.segment in wanted
            and source in self.visited
        ]  # fmt: skip
        telling = {
            source
            for source, _, row in self.visits
            if source in self.visited and (row.segment != "all") == bool(self.targeted)
        }
        if here or self.known.is_covered(period, "site_traffic", telling):
            number = sum(row.visitors for row in here)
            yield "social_visitors", "all", number, number

    def _outcome(
        self, period: Period, kpi: str, outcome: str, channel: str, sources: set[str]
    ) -> Told:
        """It is 0 where the site says so, or where somebody looked all the time."""
        ours = [
            (day, row) for source, day, row in self.whole
            if source in sources and row.channel == channel
        ]  # fmt: skip
        here = [getattr(row, outcome) for day, row in ours if period.has(day)]
        if here or (ours and self.known.is_covered(period, "site_traffic", sources)):
            yield kpi, channel, sum(here), sum(here)

    def _revenue(self, here: list[SiteTraffic], channel: str) -> Told:
        money = [row for row in here if row.revenue is not None and row.currency == "AUD"]
        if money:
            days = len({row.date for row in money})
            yield "revenue", channel, sum(row.revenue for row in money), days
