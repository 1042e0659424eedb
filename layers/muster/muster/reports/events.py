"""Events of the settings and changed definitions → what charts mark and signals stand beside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from muster.clock import DAY, next_period
from muster.reports import dates
from muster.reports.model import Break, Event, Measure
from muster.reports.signals import Signal
from muster.reports.words import Words
from muster.results import Definition

if TYPE_CHECKING:  # settings bring pydantic, which a report does not need
    from muster.settings import Settings

MOST = 3  # more than these explain nothing; charts mark them all
# How many periods a rule speaks of; a run has its own length.
_PERIODS = {"outside": 1, "near_limit": 4}


def shown(settings: Settings, measures: Iterable[Measure], end: date) -> tuple[Event, ...]:
    """The events that touch the span the charts show, by the day they began."""
    first = min((one.points[0].period_start for one in measures if one.points), default=end)
    spans = ((event.name, event.starts, event.ends or event.starts) for event in settings.events)
    touching = (span for span in spans if span[1] <= end and span[2] >= first)
    return tuple(sorted(touching, key=lambda span: span[1:]))


def texts(events: Iterable[Event], say: Words) -> tuple[str, ...]:
    """Mail outage, 14–18 September 2026."""
    return tuple(f"{name}, {dates.days_text(starts, ends, say)}" for name, starts, ends in events)


def beside(measure: Measure, signal: Signal, events: Sequence[Event], say: Words) -> str:
    """The few events that lay in the periods a signal speaks of, in words, each name once."""
    names = tuple(dict.fromkeys(within(measure, signal, events)))
    if not 0 < len(names) <= MOST:
        return ""
    count = periods(signal)
    key = "meanwhile_one" if count == 1 else "meanwhile"
    return say(key, n=count, grain=measure.grain, events=say.listed(names))


def within(measure: Measure, signal: Signal, events: Sequence[Event]) -> tuple[str, ...]:
    """Their names."""
    known = [point for point in measure.points if point.value is not None]
    told = known[-periods(signal) :]
    if not told:
        return ()
    starts, end = told[0].period_start, next_period(told[-1].period_start, measure.grain) - DAY
    return tuple(name for name, begins, ends in events if begins <= end and ends >= starts)


def periods(signal: Signal) -> int:
    """How many periods the told rule of a signal speaks of."""
    return signal.run if signal.rule == "run" else _PERIODS[signal.rule]


def breaks(definitions: Iterable[Definition], kpi: str, say: Words) -> tuple[Break, ...]:
    """The versions of a KPI that took over from an earlier one."""
    own = [one for one in definitions if one.kpi == kpi][1:]
    return tuple(Break(one.version, one.since, _broken(one, say)) for one in own)


def _broken(new: Definition, say: Words) -> str:
    return say("new_definition", version=new.version, day=dates.day_text(new.since, say))
