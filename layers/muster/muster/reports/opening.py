"""What the report found goes in; subject, preheader and opening sentences come out, by rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import ModuleType

from muster.reports.model import Measure
from muster.reports.signals import Signal

SIGNALS = ("better", "worse", "changed")


@dataclass(frozen=True)
class Findings:
    """What the main thing is chosen from; ``signals`` are the strongest first."""

    grain: str
    period_start: date
    measures: Sequence[Measure]
    signals: Sequence[tuple[Measure, Signal]]
    goals: Mapping[str, int]
    waiting: int
    longest: str
    stale: int
    words: ModuleType

    @property
    def routine(self) -> int:
        return sum(measure.tone == "routine" for measure in self.measures)


def headline(findings: Findings) -> Measure | None:
    """The strongest signal: on a goal's KPI before others, with a direction before without."""
    found = [measure for measure, _ in findings.signals]
    return min(found, key=lambda one: (one.tone == "changed", one.target is None), default=None)


def subject(findings: Findings) -> str:
    """Better: First response shorter for 8 weeks (3 h 8 min); 2 of 6 goals at risk (week 47)."""
    words = findings.words
    period = words.period_name(findings.grain, findings.period_start)
    return str(words.subject(_main_thing(findings), _goals_clause(findings), period))


def _main_thing(findings: Findings) -> str:
    words = findings.words
    main = headline(findings)
    if main is None:
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
    return f"{words.SIGNAL_PREFIX[main.tone]}: {phrase}"


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
    rest = words.rest_sentence(findings.routine, bool(signals), findings.grain)
    return [part for part in (signals, rest if not signals or findings.routine else "") if part]


def _to_do(findings: Findings) -> list[str]:
    words = findings.words
    worse = next((one for one, _ in findings.signals if one.tone == "worse"), None)
    said = [words.look_first(worse.title, worse.why)] if worse else []
    if findings.waiting:
        said.append(words.waiting_sentence(findings.waiting, findings.longest))
    if findings.stale:
        said.append(words.stale_sentence(findings.stale))
    return said or [words.NOTHING_TO_DO]
