"""Facts about sources and measures go in; what is missing or stale comes out, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from muster.reports import dates, numbers, wording
from muster.reports.model import Freshness, Measure
from muster.reports.words import Words
from muster.results import Measured, OtherMoney, SourceFacts, SuspectedBots

if TYPE_CHECKING:  # settings bring pydantic, which a report does not need
    from muster.settings import Goal, Settings

NAMED = 12  # more are counted


def freshness(
    sources: Iterable[SourceFacts], zone: ZoneInfo, words: Words
) -> tuple[Freshness, ...]:
    """How current each source is, in local time."""
    return tuple(
        Freshness(
            source.name,
            _platform(source, words),
            dates.moment_text(source.last_success_at.astimezone(zone), words)
            if source.last_success_at
            else words.NEVER,
            source.is_stale,
            source.messages,
            source.quarantined,
            *_trouble(source, words),
        )
        for source in sources
    )


def _trouble(source: SourceFacts, words: Words) -> tuple[str, str]:
    """Why a source brought nothing, in the report's language; and in full, if that is another."""
    told = source.last_error.strip().rstrip(".")
    if not told or words.code == "en":
        return told, ""
    return words.TROUBLES.get(source.trouble, words.TROUBLES["failed"]), told


def _platform(source: SourceFacts, words: Words) -> str:
    if not source.timezone:
        return source.platform
    return words("days_of", platform=source.platform, zone=source.timezone)


def suspected(bots: SuspectedBots, words: Words) -> str:
    """The band that says what was left out on suspicion; empty where nothing was."""
    if not bots.accounts:
        return ""
    return words("suspected", n=bots.accounts, messages=bots.messages)


def missing(
    measures: Sequence[Measure],
    sources: Iterable[Freshness],
    measured: Measured,
    settings: Settings,
    words: Words,
) -> tuple[str, ...]:
    """What a reader must know to trust the report: stale first, then gaps, then loose ends."""
    sources = tuple(sources)
    return (
        *(_stale(one, words) for one in sources if one.is_stale),
        *(words("unimported", name=one.source) for one in sources
          if not one.is_stale and one.last_success_text == words.NEVER),
        *(words("quarantined", name=one.source, n=one.quarantined)
          for one in sources if one.quarantined),
        *(words("failed", problem=problem) for problem in measured.problems),
        *(_other_money(one, settings.currency, words) for one in measured.other_money),
        *_gaps(measures, settings.min_n, words),
        *_loose_ends(measures, settings.goals, words),
    )  # fmt: skip


def _stale(source: Freshness, words: Words) -> str:
    facts = {"name": source.source, "since": source.last_success_text, "error": source.problem}
    key = "unfetched" if source.last_success_text == words.NEVER else "stale"
    return words(f"{key}_why" if source.problem else key, **facts)


def _other_money(found: OtherMoney, own: str, words: Words) -> str:
    number = numbers.decimal(found.amount, 2, words)
    amount = words.CODED_MONEY.format(code=found.currency, number=number)
    table = words.TABLES.get(found.table, found.table)
    facts = {"currency": found.currency, "table": table, "amount": amount, "own": own}
    return words("other_money", n=found.rows, **facts)


def _gaps(measures: Sequence[Measure], min_n: int, words: Words) -> Iterator[str]:
    """Measures without data, those with one reason in one line; then thin ones."""
    for why, titles in _by_reason((one.title, one.why) for one in measures if one.value is None):
        yield words("kpi_without_data", title=_named(titles, words), why=why)
    few = [words("few", title=one.title, n=one.n) for one in measures if one.is_too_few]
    if few:
        yield words("few_cases", n=len(few), titles=_named(few, words), needed=min_n)


def _by_reason(told: Iterable[tuple[str, str]]) -> Iterable[tuple[str, list[str]]]:
    """Names by why they are told, in the order of appearance."""
    found: dict[str, list[str]] = {}
    for name, why in told:
        found.setdefault(why, []).append(name)
    return found.items()


def _named(names: Sequence[str], words: Words) -> str:
    """The first so many names, and how many are left."""
    left = len(names) - NAMED
    more = [words("and_more", n=left)] if left > 0 else []
    return "; ".join([*names[:NAMED], *more])


def _loose_ends(measures: Iterable[Measure], goals: Iterable[Goal], words: Words) -> Iterator[str]:
    """What is measured must tie to an objective."""
    served = {goal.kpi for goal in goals}
    loose = (wording.kpi_title(one) for one in measures if one.kpi not in served)
    titles = list(dict.fromkeys(loose))
    if titles:
        yield words("without_goal", n=len(titles), titles=_named(titles, words))
