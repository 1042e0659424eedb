"""A series and its XmR reading go in; tones, and its last point's signal in words, come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from muster.reports import dates, numbers
from muster.reports.model import Tone
from muster.reports.numbers import Style
from muster.reports.series import NEEDED, Series
from muster.reports.words import Words
from muster.results import Limits, Reading

STRONGEST = ("outside", "run", "near_limit")
# What lasts is told before what is far out.
TOLD = ("run", "outside", "near_limit")
_TONES: Mapping[tuple[str, int], Tone] = {
    ("up", 1): "better", ("up", -1): "worse", ("down", -1): "better", ("down", 1): "worse",
}  # fmt: skip


@dataclass(frozen=True)
class Signal:
    """What the last point says: the rule to tell, its side, how strong it is (sortable)."""

    rule: str
    side: int
    run: int
    strength: tuple[float, ...]


def fitting(series: Series, reading: Reading) -> Reading:
    """The reading as it fits: what grows by itself lies above its past nearly every week, so no
    point of it is news; of a heap only what comes at once is."""
    if series.grows_by_itself:
        count = len(reading.rules)
        return replace(reading, limits=(), rules=((),) * count, sides=(0,) * count)
    if series.growth != "heap":
        return reading
    rules = tuple(tuple(rule for rule in met if rule == "outside") for met in reading.rules)
    return replace(reading, rules=rules)


def tone_at(series: Series, reading: Reading, index: int) -> Tone:
    """The tone of one point; a value that rests on too few is not read."""
    value = series.values[index]
    if value is None:
        return "none"
    if reading.maturity == "early" or value.too_few:
        return "early"
    if not reading.rules[index]:
        return "routine"
    return _TONES.get((series.kpi.better, reading.sides[index]), "changed")


def last_tone(series: Series, reading: Reading) -> Tone:
    """The tone of the last period."""
    return tone_at(series, reading, -1) if series.values else "none"


def signal(series: Series, reading: Reading) -> Signal | None:
    """The signal of the last point, if it is one."""
    if last_tone(series, reading) not in ("better", "worse", "changed"):
        return None
    rules = reading.rules[-1]
    limits = in_force(series, reading)
    reach = max(limits.upper - limits.mean, limits.mean - limits.lower) if limits else 0.0
    value = series.numbers[-1]
    far = abs(value - limits.mean) / reach if limits and reach and value is not None else 99.0
    strength = (*(float(rule in rules) for rule in STRONGEST), min(far, 99.0))
    first = next(rule for rule in TOLD if rule in rules)
    return Signal(first, reading.sides[-1], len(_run(series, reading)), strength)


def _run(series: Series, reading: Reading) -> list[int]:
    """The points of the run the last point ends."""
    found: list[int] = []
    for index in reversed(range(len(series.values))):
        if series.values[index] is None:
            continue
        is_same = reading.sides[index] == reading.sides[-1]
        if "run" not in reading.rules[index] or not is_same:
            break
        found.append(index)
    return found


def in_force(series: Series, reading: Reading) -> Limits | None:
    """The limits the last point was judged by: a run's are those of the baseline it left, None
    if that was too short to have limits."""
    if not reading.limits:
        return None
    last = reading.limits[-1]
    run = _run(series, reading)
    if not run or run[-1] > last.start:
        return last
    left = reading.limits[-2:-1]
    return left[0] if left and left[0].end == last.start else None


def why(series: Series, reading: Reading, style: Style, min_n: int) -> str:
    """The reading of the last point in words; of which period, if it is not the newest."""
    said = _why(series, reading, style, min_n)
    if not series.is_of_another_period:
        return said
    period = dates.period_name(series.grain, series.starts[-1], style.words)
    if series.waits is not None:
        span = numbers.window_text(series.waits, style.words)
        period = style.words("settled", period=period, span=span)
    return f"{period}: {said}"


def _why(series: Series, reading: Reading, style: Style, min_n: int) -> str:
    words, last, grain = style.words, series.last, series.grain
    if last is None:
        return no_data(series, words)
    if last.too_few:
        return words("too_few", n=last.n, needed=min_n)
    limits = in_force(series, reading)
    if limits is None and reading.rules[-1]:
        return _run_text(series, reading, words("average_unknown"), words)
    if series.grows_by_itself and reading.maturity != "early":
        return str(words.RUNNING_TOTAL if series.growth == "total" else words.OLD_WAIT)
    if limits is None:
        return words("early", n=_count(series), grain=grain, needed=NEEDED)
    low, high = numbers.limit_texts(limits.lower, limits.upper, style)
    if not reading.rules[-1]:
        said = words("within", low=low, high=high)
    else:
        said = _rules_in_words(series, reading, style, limits)
    if series.growth == "heap":
        return _by_change(series, style, said)
    # A run is told against the level it left, which rested on more.
    if reading.maturity != "limits" or "run" in reading.rules[-1]:
        return said
    points = sum(value is not None for value in series.values[limits.start : limits.end])
    return f"{said}; {words('young', n=points, grain=grain)}"


def _by_change(series: Series, style: Style, said: str) -> str:
    """What is said of a heap's change; nothing where the period before has no value."""
    change = series.numbers[-1]
    if change is None:
        return ""
    before = style.words.ON.format(style.words.BEFORE[series.grain])
    return f"{numbers.change_text(change, style)} {before}: {said}"


def _rules_in_words(series: Series, reading: Reading, style: Style, limits: Limits) -> str:
    words, rules, side = style.words, reading.rules[-1], reading.sides[-1]
    if limits is not reading.limits[-1]:
        return _new_level(series, reading, style, limits)
    low, high = numbers.limit_texts(limits.lower, limits.upper, style)
    mean = numbers.value_text(limits.mean, style)
    said = {
        "outside": words("outside", low=low, high=high),
        "run": _run_text(series, reading, words("average", mean=mean), words),
        "near_limit": words("near_upper" if side > 0 else "near_lower", grain=series.grain),
    }
    # A run, or a point outside, says all that three of four would say.
    kept = [rule for rule in TOLD if rule in rules and (rule != "near_limit" or len(rules) == 1)]
    text = ", ".join(said[rule] for rule in kept)
    return text if "outside" in kept else f"{text} ({words('routine_was', low=low, high=high)})"


def _new_level(series: Series, reading: Reading, style: Style, left: Limits) -> str:
    """A run that starts a new baseline: what it left, and what is routine from now on."""
    words, mean = style.words, numbers.value_text(left.mean, style)
    run = _run_text(series, reading, words("average_left", mean=mean), words)
    low, high = numbers.limit_texts(reading.limits[-1].lower, reading.limits[-1].upper, style)
    return f"{run} ({words('new_level', low=low, high=high)})"


def _run_text(series: Series, reading: Reading, average: str, words: Words) -> str:
    run = words("run_periods", n=len(_run(series, reading)), grain=series.grain)
    return words("run_above" if reading.sides[-1] > 0 else "run_below", run=run, average=average)


def no_data(series: Series, words: Words) -> str:
    """Why the last period has no value."""
    known = [start for start, value in zip(series.starts, series.values, strict=True) if value]
    if not known:
        table = words.TABLES.get(series.kpi.table, series.kpi.table)
        return words("never_measured", table=table, grain=series.grain)
    return words("last_measured", period=dates.period_name(series.grain, known[-1], words))


def _count(series: Series) -> int:
    return sum(value is not None for value in series.values)
