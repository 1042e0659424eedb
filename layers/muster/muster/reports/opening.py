"""What the report found goes in; subject, preheader and opening sentences come out, by rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import ModuleType

from muster.reports.model import Measure
from muster.reports.signals import Signal

SIGNALS = ("better", "worse", "changed")


@dataclass(frozen=True)
class Findings:
    """What the main thing is chosen from; ``signals`` are the strongest first.

    ``verdicts`` are those of the goals on each KPI, by its id.
    """

    grain: str
    period_start: date
    measures: Sequence[Measure]
    signals: Sequence[tuple[Measure, Signal]]
    goals: Mapping[str, int]
    verdicts: Mapping[str, Collection[str]]
    waiting: int
    longest: str
    sources: int
    stale: int
    words: ModuleType

    @property
    def routine(self) -> int:
        return sum(measure.tone == "routine" for measure in self.measures)

    @property
    def is_unread(self) -> bool:
        """Whether no source is up to date; one that was only imported always is."""
        return 0 < self.sources == self.stale

    def is_held_back(self, measure: Measure) -> bool:
        """Better is no news to lead with while a goal on the KPI is off track."""
        return measure.tone == "better" and "off_track" in self.verdicts.get(measure.kpi, ())


def headline(findings: Findings) -> Measure | None:
    """What got worse before what got better, on a goal's KPI before others, then the stronger."""
    found = [measure for measure, _ in findings.signals]
    return min(found, key=lambda one: _rank(one, findings), default=None)


def _rank(measure: Measure, findings: Findings) -> tuple[int, bool]:
    """The lowest is told."""
    tone = "held back" if findings.is_held_back(measure) else measure.tone
    order = ("worse", "better", "held back", "changed")
    return order.index(tone), measure.kpi not in findings.verdicts


def subject(findings: Findings) -> str:
    """Better: First response shorter for 8 weeks (3 h 8 min); 2 of 6 goals at risk (week 47)."""
    words = findings.words
    period = words.period_name(findings.grain, findings.period_start)
    return str(words.subject(_main_thing(findings), _goals_clause(findings), period))


def _main_thing(findings: Findings) -> str:
    words = findings.words
    main = headline(findings)
    if main is None:
        if findings.is_unread:
            return str(words.NO_SOURCE_READ)
        if not findings.routine:
            return str(words.too_early_period(findings.grain))
        return str(words.routine_period(findings.grain))
    signal = next(signal for measure, signal in findings.signals if measure is main)
    span = (
        words.for_periods(signal.run, main.grain)
        if signal.rule == "run"
        else words.in_most_periods(main.grain)
    )
    phrase = words.signal_phrase(
        main.title, signal.rule, signal.side, main.unit, main.value_text, span
    )
    is_held_back = findings.is_held_back(main)
    prefix = words.BETTER_BUT_OFF_TRACK if is_held_back else words.SIGNAL_PREFIX[main.tone]
    return f"{prefix}: {phrase}"


def _goals_clause(findings: Findings) -> str:
    goals = findings.goals
    total = sum(goals.values())
    if not total:
        return ""
    behind = (goals.get(status, 0) for status in ("at_risk", "off_track", "no_data"))
    return str(findings.words.goals_clause(total, *behind))


def opening(findings: Findings, voice: str) -> tuple[str, ...]:
    """Three sentences' worth: what changed, how the goals stand, what to do."""
    words = findings.words
    goals = words.goals_sentence(dict(findings.goals)) if findings.goals else words.NO_GOALS
    changed = _changed(findings)
    if voice == "executive":
        return goals, changed[0], _to_do(findings)[0]
    if not findings.goals:
        return " ".join(changed), " ".join(_to_do(findings))
    return " ".join(changed), goals, " ".join(_to_do(findings))


def preheader(findings: Findings, opening: Sequence[str], voice: str) -> str:
    """What stands beside the subject in an inbox: the next thing the subject does not say."""
    return opening[1] if voice == "executive" else " ".join(opening[1:])


def _changed(findings: Findings) -> list[str]:
    words = findings.words
    counts = {tone: sum(one.tone == tone for one in findings.measures) for tone in SIGNALS}
    signals = words.signals_sentence(len(findings.measures), counts)
    if findings.is_unread and not signals:
        return [words.unread_sentence(findings.routine, findings.grain)]
    rest = words.rest_sentence(findings.routine, bool(signals), findings.grain)
    return [part for part in (signals, rest if not signals or findings.routine else "") if part]


def _to_do(findings: Findings) -> list[str]:
    words = findings.words
    main = headline(findings)
    said = [words.look_first(main.title, main.why)] if main and main.tone == "worse" else []
    if findings.waiting:
        said.append(words.waiting_sentence(findings.waiting, findings.longest))
    if findings.stale:
        said.append(words.stale_sentence(findings.stale))
    return said or [words.NOTHING_TO_DO]
