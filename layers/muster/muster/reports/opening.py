"""What the report found goes in; subject, preheader and opening sentences come out, by rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from muster.reports import dates, numbers
from muster.reports.model import Measure
from muster.reports.signals import Signal
from muster.reports.words import Words
from muster.results import LATELY

SIGNALS = ("better", "worse", "changed")
STATUSES = ("met", "on_track", "at_risk", "off_track", "no_data")
_SPANS = {"run": "run", "outside": "outside", "near_limit": "near"}


@dataclass(frozen=True)
class Findings:
    """What the main thing is chosen from; ``signals`` are the strongest first.

    ``verdicts`` are those of the goals on each KPI, by its id; ``behind`` the goals that want a
    look, by name and verdict, the gravest first.
    """

    grain: str
    period_start: date
    measures: Sequence[Measure]
    signals: Sequence[tuple[Measure, Signal]]
    goals: Mapping[str, int]
    verdicts: Mapping[str, Collection[str]]
    behind: Sequence[tuple[str, str]]
    waiting: int
    longest: str
    old: int
    sources: int
    stale: int
    words: Words

    @property
    def routine(self) -> int:
        return sum(measure.tone == "routine" for measure in self.measures)

    @property
    def is_blank(self) -> bool:
        """Whether no measure had a value over any whole period yet."""
        return not any(measure.points for measure in self.measures)

    @property
    def is_unread(self) -> bool:
        """Whether no source is up to date; one that was only imported always is."""
        return 0 < self.sources == self.stale

    @property
    def calm(self) -> Literal["routine", "few", "early"]:
        """What a period without signals is: a routine one, or one that nothing can be told of."""
        if self.routine:
            return "routine"
        told = [one for one in self.measures if one.value is not None]
        return "few" if told and all(one.is_too_few for one in told) else "early"

    def is_held_back(self, measure: Measure) -> bool:
        """Better is no news to lead with while a goal on the KPI is off track."""
        return measure.tone == "better" and "off_track" in self.verdicts.get(measure.kpi, ())


def ranked(findings: Findings) -> list[tuple[Measure, Signal]]:
    """What got worse before what got better, on a goal's KPI before others, then the stronger."""
    return sorted(findings.signals, key=lambda sign: _rank(sign[0], findings))


def headline(findings: Findings) -> Measure | None:
    """The first of them: what subject and chart are about."""
    return next((measure for measure, _ in ranked(findings)), None)


def unchanged(findings: Findings) -> str:
    """What stands where nothing changed: no drama, and no calm that nobody can know of yet."""
    words = findings.words
    if findings.routine or findings.is_unread:
        return str(words.NOTHING_CHANGED)
    return str(words.NOTHING_TOLD)


def _rank(measure: Measure, findings: Findings) -> tuple[int, bool]:
    """The lowest is told."""
    tone = "held back" if findings.is_held_back(measure) else measure.tone
    order = ("worse", "better", "held back", "changed")
    return order.index(tone), measure.kpi not in findings.verdicts


def subject(findings: Findings) -> str:
    """Better: First response shorter for 8 weeks (3 h 8 min); 2 of 6 goals at risk (week 47)."""
    words = findings.words
    period = dates.period_name(findings.grain, findings.period_start, words)
    goals = _goals_clause(findings)
    key = "subject_with_goals" if goals else "subject"
    return words(key, main=_main_thing(findings), goals=goals, period=period)


def _main_thing(findings: Findings) -> str:
    words = findings.words
    main = headline(findings)
    if main is None:
        if findings.is_unread:
            return str(words.NO_SOURCE_READ)
        if findings.is_blank:
            return str(words.NO_NUMBERS)
        return words(f"{findings.calm}_period", grain=findings.grain)
    signal = next(signal for measure, signal in findings.signals if measure is main)
    is_held_back = findings.is_held_back(main)
    prefix = words.BETTER_BUT_OFF_TRACK if is_held_back else words.TONES[main.tone]
    return words("prefixed", prefix=prefix, phrase=signal_phrase(main, signal, words))


def signal_phrase(main: Measure, signal: Signal, words: Words) -> str:
    """First response shorter for 8 weeks (3 h 8 min)."""
    return words(
        f"{_SPANS[signal.rule]}_{'high' if signal.side > 0 else 'low'}",
        title=main.title,
        unit=main.unit,
        value=main.value_text,
        n=signal.run,
        grain=main.grain,
    )


def _goals_clause(findings: Findings) -> str:
    """2 of 6 goals at risk."""
    goals, total = findings.goals, sum(findings.goals.values())
    if not total:
        return ""
    at_risk, off_track, without = (goals.get(status, 0) for status in STATUSES[2:])
    key, n = "goals_met" if goals.get("met") == total else "goals_well", 0
    if at_risk and off_track:
        key, n = "goals_behind", at_risk + off_track
    elif at_risk or off_track:
        key, n = "goals_at_risk" if at_risk else "goals_off_track", at_risk or off_track
    elif without:
        key, n = "goals_without", without
    return findings.words(key, n=n, total=total)


def goals_sentence(goals: Mapping[str, int], words: Words) -> str:
    """Of 6 goals 2 are met, 1 on track, 2 at risk and 1 off track."""
    total = sum(goals.values())
    if not total:
        return str(words.NO_GOALS)
    parts = [(goals[key], words.VERDICTS[key]) for key in STATUSES if goals.get(key)]
    if len(parts) == 1:
        return words("goal_is" if total == 1 else "goals_all", n=total, status=parts[0][1])
    first, *others = parts
    said = [words("goals_first", n=first[0], status=first[1])]
    said += [words("goals_other", n=n, status=status) for n, status in others]
    return words("goals_of", total=total, parts=words.listed(said))


def opening(findings: Findings, voice: str) -> tuple[str, ...]:
    """Three sentences' worth: what changed, how the goals stand, what to do."""
    goals = goals_sentence(findings.goals, findings.words)
    changed, to_do = _changed(findings), _to_do(findings)
    if voice == "executive":
        said = [goals, changed[0], *to_do[:1]]
    else:
        said = [" ".join(changed), goals if findings.goals else "", " ".join(to_do)]
    return tuple(sentence for sentence in said if sentence)


def preheader(findings: Findings, opening: Sequence[str], voice: str) -> str:
    """What stands beside the subject in an inbox: the next thing the subject does not say."""
    return opening[1] if voice == "executive" else " ".join(opening[1:])


def _changed(findings: Findings) -> list[str]:
    words, routine, grain = findings.words, findings.routine, findings.grain
    signals = _signals_sentence(findings)
    if signals:
        return [signals, words("rest", n=routine)] if routine else [signals]
    if findings.is_unread:
        return [words("unread_routine" if routine else "unread", grain=grain)]
    if findings.is_blank:
        return [words("rest_blank", grain=grain)]
    return [words(f"rest_{findings.calm}", n=routine, grain=grain)]


def _signals_sentence(findings: Findings) -> str:
    """3 of 12 measures changed beyond routine variation: 1 better, 2 worse."""
    words = findings.words
    counts = {tone: sum(one.tone == tone for one in findings.measures) for tone in SIGNALS}
    kinds = [words(f"signals_{tone}", n=count) for tone, count in counts.items() if count]
    if not kinds:
        return ""
    total, changed = len(findings.measures), sum(counts.values())
    return words("signals", n=changed, total=total, kinds=words.listed(kinds))


def _to_do(findings: Findings) -> list[str]:
    words = findings.words
    main = headline(findings)
    said = []
    if main and main.tone == "worse":
        said = [words("look_first", title=main.title, why=main.why)]
    elif findings.behind and findings.behind[0][1] != "no_data":
        said = [_look_at_goal(findings)]
    if findings.waiting:
        said.append(_waiting(findings))
    if findings.stale:
        said.append(words("stale_sources", n=findings.stale))
    if said or findings.is_blank:
        return said
    return [_look_at_goal(findings) if findings.behind else str(words.NOTHING_TO_DO)]


def _waiting(findings: Findings) -> str:
    """How many wait; how long the longest does is no news once there are some it is told of for
    good."""
    words, n, old = findings.words, findings.waiting, findings.old
    if 0 < old < n:
        span = numbers.window_text(LATELY, words)
        return words("waiting_long", n=n, old=old, span=span)
    return words("waiting", n=n, longest=findings.longest)


def _look_at_goal(findings: Findings) -> str:
    name, verdict = findings.behind[0]
    return findings.words("look_at_goal", name=name, status=findings.words.VERDICTS[verdict])
