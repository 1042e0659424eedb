"""Facts about sources, goals and measures go in; what is missing or stale comes out, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from zoneinfo import ZoneInfo

from muster.reports.model import Freshness, GoalLine, Measure
from muster.results import OtherMoney, SourceFacts, SuspectedBots
from muster.settings import Settings


def freshness(
    sources: Iterable[SourceFacts], zone: ZoneInfo, words: ModuleType
) -> tuple[Freshness, ...]:
    """How current each source is, in local time."""
    return tuple(
        Freshness(
            source.name,
            words.days_of(source.platform, source.timezone) if source.timezone else source.platform,
            words.moment_text(source.last_success_at.astimezone(zone))
            if source.last_success_at
            else words.NEVER,
            source.is_stale,
            source.messages,
            source.quarantined,
            source.last_error.strip().rstrip("."),
        )
        for source in sources
    )


def suspected(bots: SuspectedBots, words: ModuleType) -> str:
    """The band that says what was left out on suspicion; empty where nothing was."""
    return words.suspected(bots.accounts, bots.messages) if bots.accounts else ""


def missing(
    measures: Sequence[Measure],
    goals: Iterable[GoalLine],
    sources: Iterable[Freshness],
    problems: Iterable[str],
    other_money: Iterable[OtherMoney],
    settings: Settings,
    words: ModuleType,
) -> tuple[str, ...]:
    """What a reader must know to trust the report: stale first, then gaps, then loose ends."""
    sources = tuple(sources)
    return (
        *(words.stale(one.source, one.last_success_text, one.problem)
          for one in sources if one.is_stale),
        *(words.quarantined(one.source, one.quarantined) for one in sources if one.quarantined),
        *(words.failed(problem) for problem in problems),
        *(words.other_money(one.table, one.currency, one.rows, one.amount, settings.currency)
          for one in other_money),
        *_gaps(measures, goals, settings.min_n, words),
        *_loose_ends(measures, goals, words),
    )  # fmt: skip


def _gaps(
    measures: Iterable[Measure], goals: Iterable[GoalLine], min_n: int, words: ModuleType
) -> Iterator[str]:
    for measure in measures:
        if measure.value is None:
            yield words.kpi_without_data(measure.title, measure.why)
        elif measure.is_too_few:
            yield words.few_cases(measure.title, measure.n, min_n)
    for goal in goals:
        if goal.status == "no_data":
            yield words.goal_without_data(goal.name, goal.reason)


def _loose_ends(
    measures: Iterable[Measure], goals: Iterable[GoalLine], words: ModuleType
) -> Iterator[str]:
    """What is measured must tie to an objective."""
    served = {goal.kpi for goal in goals}
    titles = [measure.title for measure in measures if measure.kpi not in served]
    if titles:
        yield words.without_goal(list(dict.fromkeys(titles)))
