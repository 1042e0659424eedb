"""A goal's target as written (4h, 90%, 300, +10%) goes in, its value in the KPI's unit comes out.

In durations a number has a unit (30min, 4h, 2d, ``1h 30min``); in ratios it has a percent sign or
lies between 0 and 1; counts, money and scores are plain numbers. ``increase_by`` and
``decrease_by`` take a percentage of the baseline (10%), or an amount in the KPI's unit; for ratios
an amount is in points (5 points, 5pp).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from muster.errors import BadSettings
from muster.results import Kpi
from muster.settings import Goal, Target

RELATIVE = ("increase_by", "decrease_by")
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_NUMBER = r"-?\d+(?:\.\d+)?"
_PIECE = re.compile(rf"({_NUMBER})\s*([a-z]+)")
_PLAIN = re.compile(_NUMBER)
_PERCENT = re.compile(rf"({_NUMBER})\s*%")
_POINTS = re.compile(rf"({_NUMBER})\s*(?:pp|points?)")
# In "1,200" and no other: "1,5h" in a German file is an hour and a half, never fifteen.
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_EXAMPLES = {
    "seconds": ("a duration", "4h or 30min"),
    "ratio": ("a ratio", "90% or 0.9"),
    "count": ("a count", "300"),
    "money": ("an amount of money", "12.50"),
    "score": ("a score", "0.2"),
}


@dataclass(frozen=True)
class Amount:
    """What a target says: a value in the KPI's unit, or a part of the baseline."""

    value: float
    is_part_of_baseline: bool = False


def read(goal: Goal, kpi: Kpi) -> Amount:
    """The target's amount; BadSettings with the goal's name if the KPI cannot have it."""
    form = goal.target.form
    raw = written(goal.target)
    text = _THOUSANDS.sub("", str(raw).strip().lower().replace("_", ""))
    if form in RELATIVE:
        amount = _difference(text, kpi.unit)
    else:
        amount = _level(text, kpi.unit)
    if amount is None:
        what, example = _EXAMPLES[kpi.unit]
        if form in RELATIVE:
            example = "10% (of the baseline)" + (" or 5 points" if kpi.unit == "ratio" else "")
        raise BadSettings(
            f"goal {goal.name!r}: {form}: {raw} does not fit {kpi.id}, which is {what}: "
            f"write {form}: {example}"
        )
    _possible(goal, kpi, amount, raw)
    return amount


def written(target: Target) -> str | float:
    """The target as the settings have it."""
    value: str | float = getattr(target, target.form)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def apply(goal: Goal, amount: Amount, baseline: float | None) -> float | None:
    """The value to reach; None without a baseline's value, or for a part of 0."""
    if goal.target.form not in RELATIVE:
        return amount.value
    if baseline is None or (amount.is_part_of_baseline and baseline == 0):
        return None
    # A part of a negative baseline (sentiment) still leads upwards when increased.
    step = abs(baseline) * amount.value if amount.is_part_of_baseline else amount.value
    return baseline + step if goal.target.form == "increase_by" else baseline - step


def _level(text: str, unit: str) -> Amount | None:
    if unit == "seconds":
        return _duration(text)
    if unit == "ratio":
        percent = _PERCENT.fullmatch(text)
        if percent:
            return Amount(float(percent[1]) / 100)
        plain = _plain(text)
        return plain if plain and -1 <= plain.value <= 1 else None
    return _plain(text)


def _difference(text: str, unit: str) -> Amount | None:
    percent = _PERCENT.fullmatch(text)
    if percent:
        return Amount(float(percent[1]) / 100, is_part_of_baseline=True)
    if unit == "ratio":
        points = _POINTS.fullmatch(text)
        return Amount(float(points[1]) / 100) if points else None
    return _level(text, unit)


def _plain(text: str) -> Amount | None:
    return Amount(float(text)) if _PLAIN.fullmatch(text) else None


def _duration(text: str) -> Amount | None:
    pieces = _PIECE.findall(text)
    is_whole = _PIECE.sub("", text).strip() == ""
    if not pieces or not is_whole or any(unit not in _SECONDS for _, unit in pieces):
        return None
    return Amount(math.fsum(float(number) * _SECONDS[unit] for number, unit in pieces))


def _possible(goal: Goal, kpi: Kpi, amount: Amount, raw: str | float) -> None:
    """Refuse what can never be: 120 % of questions answered, a step of nothing or backwards."""
    form = goal.target.form
    if form in RELATIVE:
        if amount.value <= 0:
            other = RELATIVE[1 - RELATIVE.index(form)]
            raise BadSettings(
                f"goal {goal.name!r}: {form}: {raw} is no step forward: write a number above 0, "
                f"or {other}"
            )
        return
    low = -math.inf if kpi.lowest is None else kpi.lowest
    high = math.inf if kpi.highest is None else kpi.highest
    if not low <= amount.value <= high:
        bound = f"at most {high:g}" if amount.value > high else f"at least {low:g}"
        raise BadSettings(
            f"goal {goal.name!r}: {form}: {raw} can never be, since {kpi.id} is always {bound}"
            f"{' (1 is 100%)' if kpi.unit == 'ratio' else ''}: choose a target within that"
        )
