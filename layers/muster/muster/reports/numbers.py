"""A number and its KPI's unit go in, what people read comes out: 4 h 12 min, 82.5 %, €12.30."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

from muster.reports.words import Words, load
from muster.results import Kpi

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_UNITS = re.compile(
    r"(?<=\d) (?=(?:%|min|h|s|d|Tagen?|Uhr|€)(?!\w))|(?<=[€$£¥₹]) (?=\d)"
    r"|(?:(?<=\d [dh])|(?<=\d Tage)|(?<=\d Tagen)) (?=\d+ (?:h|min)(?!\w))"
)
_STEPS = ((_MINUTE, 1), (2 * _DAY, _MINUTE), (14 * _DAY, _HOUR), (math.inf, _DAY))


@dataclass(frozen=True)
class Style:
    """How the numbers of one KPI are written: its unit, its decimals, in which language; and of
    one that adds up, over which period (``per``)."""

    unit: str
    currency: str = "EUR"
    decimals: int = 0
    words: Words = field(default_factory=load)
    per: str = ""


def style_of(kpi: Kpi, currency: str, words: Words, grain: str = "") -> Style:
    """The style of a KPI in a report of ``grain``: one number of decimals for all its values.

    A count has one decimal only if it is a mean (replies until resolved); a score has two,
    or one on a scale to 100.
    """
    if kpi.unit == "count":
        decimals = 1 if kpi.statistic in ("mean", "quantile") else 0
    elif kpi.unit == "score":
        decimals = 1 if (kpi.highest or 0) >= 50 else 2
    else:
        decimals = {"ratio": 1, "money": 0 if currency == "JPY" else 2}.get(kpi.unit, 0)
    per = kpi.grain_at(grain) if grain and _adds_up(kpi) else ""
    return Style(kpi.unit, currency, decimals, words, per)


def _adds_up(kpi: Kpi) -> bool:
    """Whether a longer period has more of it, as of messages and revenue: not of followers, which
    are counted at its end, nor of a mean."""
    is_sum = kpi.unit in ("count", "money") and kpi.statistic in ("count", "state")
    return is_sum and kpi.from_days != "last"


def value_text(value: float | None, style: Style) -> str:
    """The value in its unit; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return str(style.words.NO_VALUE)
    rounded = _rounded(value, style)
    sign = str(style.words.MINUS) if rounded < 0 else ""
    return sign + _size(abs(rounded), style)


def target_text(value: float | None, style: Style) -> str:
    """A target as people set it: without decimals that say nothing (90 %, not 90.0 %)."""
    whole = replace(style, decimals=0)
    is_whole = value is not None and _rounded(value, whole) == _rounded(value, style)
    return value_text(value, whole if is_whole else style)


def text_apart(value: float | None, shown: float | None, style: Style) -> str:
    """The value in words that do not read like ``shown``: with a decimal more where they would."""
    text = value_text(value, style)
    if value is None or shown is None or text != value_text(shown, style):
        return text
    finer = replace(style, decimals=style.decimals + 1)
    exact = value_text(value, finer)
    if exact != value_text(_rounded(shown, style), finer):
        return exact
    return style.words("nearly_more" if value > shown else "nearly_less", text=text)


def change_text(change: float | None, style: Style) -> str:
    """A difference with its sign; that of two ratios is in percentage points."""
    if change is None or not math.isfinite(change):
        return str(style.words.NO_VALUE)
    rounded = _rounded(change, style)
    if rounded == 0:
        return str(style.words.NO_CHANGE)
    sign = str(style.words.MINUS) if rounded < 0 else "+"
    if style.unit == "ratio":
        points = decimal(abs(rounded) * 100, style.decimals, style.words)
        return sign + str(style.words.POINTS.format(number=points))
    return sign + _size(abs(rounded), style)


def direction(change: float | None, style: Style) -> Literal["up", "down", "same", "none"]:
    """up, down or same as the text shows it; none without a difference."""
    if change is None or not math.isfinite(change):
        return "none"
    rounded = _rounded(change, style)
    return "same" if rounded == 0 else "up" if rounded > 0 else "down"


def limit_texts(lower: float, upper: float, style: Style) -> tuple[str, str]:
    """Both ends of a routine range; of whole counts the first and last count inside it."""
    low, high = lower, upper
    if style.unit == "count" and style.decimals == 0:
        low, high = math.ceil(round(lower, 9)), math.floor(round(upper, 9))
    if low > high:
        low, high = lower, upper
    return value_text(low, style), value_text(high, style)


def span_text(seconds: float, words: Words) -> str:
    """A duration: 45 s, 38 min, 4 h 12 min, 2 d 3 h, 23 d."""
    return value_text(seconds, Style("seconds", words=words))


def window_text(window: timedelta, words: Words) -> str:
    """How long something is waited for: 24 h, 7 days."""
    if window.days > 1 and window == timedelta(days=window.days):
        return words("days", n=window.days)
    return span_text(window.total_seconds(), words)


def glued(text: str) -> str:
    """Any text whose numbers keep their units, and spans both of theirs: no line ends in them."""
    return _UNITS.sub("\u00a0", text)


def _rounded(value: float, style: Style) -> float:
    """The value on the grid its text can show."""
    if style.unit == "seconds":
        # Twice, since 59.6 s becomes 1 min and 3599 s becomes 1 h: a coarser grid.
        once = round(value / _step(abs(value))) * _step(abs(value))
        return float(round(once / _step(abs(once))) * _step(abs(once)))
    places = style.decimals + (2 if style.unit == "ratio" else 0)
    return round(value, places)


def _step(seconds: float) -> int:
    return next(step for limit, step in _STEPS if seconds < limit)


def _size(value: float, style: Style) -> str:
    if style.unit == "seconds":
        return _span(round(value), style)
    if style.unit == "ratio":
        percent = decimal(value * 100, style.decimals, style.words)
        return str(style.words.PERCENT.format(number=percent))
    number = decimal(value, style.decimals, style.words)
    if style.unit == "money":
        return _money(number, style.currency, style.words)
    return number


def _money(number: str, currency: str, words: Words) -> str:
    """€12.30, 12,30 €; a code stands apart: CHF 12.30."""
    symbol = words.SYMBOLS.get(currency)
    if symbol is None:
        return str(words.CODED_MONEY.format(code=currency, number=number))
    return str(words.MONEY.format(symbol=symbol, number=number))


def _span(seconds: int, style: Style) -> str:
    second, minute, hour, day = style.words.SPANS
    if seconds < _MINUTE:
        return f"{seconds} {second}"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} {minute}"
    if seconds < 2 * _DAY:
        return _two(seconds // _HOUR, hour, seconds % _HOUR // _MINUTE, minute)
    days = style.words.count(seconds // _DAY)
    return _two(days, day, seconds % _DAY // _HOUR, hour)


def _two(large: int | str, large_unit: str, small: int, small_unit: str) -> str:
    text = f"{large} {large_unit}"
    return f"{text} {small} {small_unit}" if small else text


def decimal(value: float, decimals: int, words: Words) -> str:
    """A number with so many decimals in the language's digits: 1,234.50."""
    text = f"{value:,.{decimals}f}"
    marks = {",": words.THOUSANDS, ".": words.DECIMAL}
    return "".join(marks.get(mark, mark) for mark in text)
