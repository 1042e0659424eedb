"""A measurement goes in, what may not wait for the next report comes out: signals of finer periods.

A week's report is watched by days, a longer one by weeks. Days are read beside the same weekday of
the weeks before, since weekends are no news, and only what lies far outside counts of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import sqrt
from typing import TYPE_CHECKING

from muster.measured import KpiValue
from muster.reports import addresses, dates, goal_lines, measures, numbers, opening, signals, words
from muster.reports.model import Measure, Tone
from muster.reports.series import Key, Series, all_series, settled
from muster.reports.signals import Signal
from muster.reports.words import Words
from muster.results import Kpi, Measured, Reading

if TYPE_CHECKING:  # settings bring pydantic, which a report does not need
    from muster.settings import Report, Settings

FINER = {"week": "day", "month": "week", "quarter": "week"}
_ORDER = ("worse", "changed")
#: How far out a single day must be, in distances from mean to limit; and in deviations by chance.
FAR, CHANCE = 1.5, 3.0


@dataclass(frozen=True)
class Found:
    """One thing to tell; ``key`` stays the same for as long as it is the same thing."""

    key: str
    tone: Tone
    word: str
    title: str
    text: str
    headline: str
    page: str


@dataclass(frozen=True)
class Watched:
    """The periods that are watched, ready to be read."""

    grain: str
    start: date
    series: Mapping[Key, Series]


def watched(report: Report, settings: Settings, measured: Measured) -> Watched | None:
    """The series of the last whole period that is finer than the report's; none without values."""
    grain, zone = FINER[report.grain], settings.zone
    every = all_series(measured.kpis, measured.values, grain, measured.as_of, zone)
    own = {key: one for key, one in every.items() if one.grain == grain and one.starts}
    if not own:
        return None
    start = max(one.starts[-1] for one in own.values())
    alike = {key: _alike(one) for key, one in own.items()}
    return Watched(grain, start, alike)


def _alike(series: Series) -> Series:
    """Of days every seventh, back from the last one."""
    if series.grain != "day":
        return series
    first = (len(series.starts) - 1) % 7
    return series.part(slice(first, None, 7))


def signals_of(
    report: Report,
    settings: Settings,
    measured: Measured,
    seen: Watched,
    readings: Mapping[Key, Reading],
    shown: Collection[Key],
) -> tuple[Found, ...]:
    """The signals among ``shown`` in the last period, the gravest first."""
    say = words.of(report.language, settings.language)
    kpis = {kpi.id: say.kpi(kpi) for kpi in measured.kpis}
    series, readings = settled(
        seen.series, readings, settings.longest_windows, measured.as_of, settings.zone
    )
    found = []
    for key in series.keys() & set(shown):
        one = replace(series[key], kpi=kpis[key[0]])
        reading = signals.fitting(one, readings[key])
        signal = signals.signal(one, reading)
        if signal is None or one.waits or not _may_not_wait(one, reading, signal):
            continue
        style = numbers.style_of(one.kpi, settings.currency, say)
        measure = measures.measure(one, reading, style, settings.min_n, (), (None, "", ""))
        found.append(_found(measure, signal, say))
    return tuple(sorted(found, key=lambda one: (_ORDER.index(one.tone), one.key)))


def _found(measure: Measure, signal: Signal, say: Words) -> Found:
    word = str(say.TONES[measure.tone])
    phrase = opening.signal_phrase(measure, signal, say)
    return Found(
        key=f"{measure.kpi}/{measure.segment}/{signal.side:+d}",
        tone=measure.tone,
        word=word,
        title=measure.title,
        text=f"{measure.value_text} – {measure.why}.",
        headline=say("prefixed", prefix=word, phrase=phrase),
        page=addresses.kpi_page(measure.kpi),
    )


def _may_not_wait(series: Series, reading: Reading, signal: Signal) -> bool:
    """Good news can wait; a single day must be far out, and by more than chance."""
    if signals.last_tone(series, reading) == "better":
        return False
    if series.grain != "day":
        return True
    limits, last, number = signals.in_force(series, reading), series.last, series.numbers[-1]
    if signal.rule != "outside" or signal.strength[-1] < FAR:
        return False
    if limits is None or last is None or number is None:
        return False
    return abs(number - limits.mean) > CHANCE * _chance(series.kpi, last, limits.mean)


def _chance(kpi: Kpi, value: KpiValue, mean: float) -> float:
    """The standard deviation that counting alone gives: Poisson of counts, binomial of shares.

    On days with few cases, limits from changes between days are too narrow: 1 after 0, 0, 0.
    """
    if kpi.unit == "count" and kpi.statistic in ("count", "state"):
        return sqrt(max(mean, 1.0))
    if kpi.unit == "ratio" and value.n:
        edge = min(0.5 / value.n, 0.5)
        share = min(max(mean, edge), 1 - edge)
        return sqrt(share * (1 - share) / value.n)
    return 0.0


def goals_of(report: Report, settings: Settings, measured: Measured) -> tuple[Found, ...]:
    """The goals that are off track now."""
    say = words.of(report.language, settings.language)
    kpis = {kpi.id: say.kpi(kpi) for kpi in measured.kpis}
    found = []
    for goal, status in goal_lines.of_report(report, settings.goals, measured.goals):
        if status.status == "off_track" and goal.kpi in kpis:
            kpi = kpis[goal.kpi]
            style = numbers.style_of(kpi, settings.currency, say, report.grain)
            line = goal_lines.goal_line(goal, status, kpi, report.grain, style)
            text = f"{line.value_text} – {line.reason}"
            headline = say("prefixed", prefix=line.status_text, phrase=goal.name)
            page = addresses.kpi_page(goal.kpi)
            told = Found(f"goal/{goal.name}", "worse", line.status_text, goal.name, text, headline,
                         page)  # fmt: skip
            found.append(told)
    return tuple(found)


@dataclass(frozen=True)
class Alert:
    """A mail between two reports, in words."""

    community: str
    note: str
    subject: str
    title: str
    period_text: str
    as_of: datetime
    found: tuple[Found, ...]
    how_to_read: str
    site_url: str
    unsubscribe_url: str = ""
    language: str = "en"


def alert(
    report: Report, settings: Settings, seen: Watched, as_of: datetime, found: Iterable[Found]
) -> Alert:
    """What is to be told of the last watched period."""
    say, told = words.of(report.language, settings.language), tuple(found)
    period = dates.period_name(seen.grain, seen.start, say)
    return Alert(
        community=settings.community,
        note=settings.note or "",
        subject=say("subject", main=told[0].headline, period=period),
        title=say("alert_title", report=report.title or say.TITLE),
        period_text=dates.period_text(seen.grain, seen.start, say),
        as_of=as_of,
        found=told,
        how_to_read=say.ALERT_DAYS if seen.grain == "day" else say.ALERT_WEEKS,
        site_url=report.site_url or "",
        language=say.tag,
    )
