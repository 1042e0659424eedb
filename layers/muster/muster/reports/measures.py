"""A KPI's series and reading go in, the measure as mail and site show it comes out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from muster.measured import KpiValue
from muster.reports import dates, numbers, signals
from muster.reports.model import Band, Break, Comparison, Measure, Point, Segment
from muster.reports.numbers import Style
from muster.reports.series import WHOLE, Series, before, quarter_so_far, year_before
from muster.reports.words import Words
from muster.results import Kpi, Reading

HISTORY = 106  # periods a measure carries: two years of weeks
MOST_SEGMENTS = 12
_UNREAD = Reading((), (), (), "early")


def measure(
    series: Series,
    reading: Reading,
    style: Style,
    min_n: int,
    values: Iterable[KpiValue],
    aim: tuple[float | None, str, str],
    breaks: tuple[Break, ...] = (),
) -> Measure:
    """The measure of one series; ``aim`` is its goal's target, with status, and bare."""
    kpi, last = series.kpi, series.last
    tone, name = signals.last_tone(series, reading), _segment_name(series.segment, style)
    target, target_text, target_label = aim
    return Measure(
        kpi=kpi.id,
        title=kpi.title if series.segment == WHOLE else f"{kpi.title}: {name}",
        question=kpi.question,
        definition=kpi.definition,
        sql=kpi.sql,
        version=kpi.version,
        unit=kpi.unit,
        better=kpi.better,
        grain=series.grain,
        value=last.value if last else None,
        value_text=numbers.value_text(last.value if last else None, style),
        n=last.n if last else 0,
        n_text=_n_text(series, style.words),
        is_too_few=bool(last and last.too_few),
        comparisons=_comparisons(series, style),
        tone=tone,
        reading=style.words.READINGS["few" if last and last.too_few else tone],
        why=signals.why(series, reading, style, min_n),
        points=_points(series, reading, style),
        bands=_bands(series, reading, style),
        target=target,
        target_text=target_text,
        target_label=target_label,
        segments=_segments(series, values, style),
        segment=series.segment,
        segment_name=name,
        breaks=breaks,
        period_text=_period_text(series, style.words),
    )


def _segment_name(segment: str, style: Style) -> str:
    """A part or a channel that Muster knows, in words; others as the community calls them."""
    return str(style.words.PARTS.get(segment, segment))


def unmeasured(kpi: Kpi, grain: str, style: Style) -> Measure:
    """A KPI without a single value: shown with the reason, never as 0."""
    empty = Series(kpi, WHOLE, kpi.grain_at(grain), (), ())
    return measure(empty, _UNREAD, style, 0, (), (None, "", ""))


def _period_text(series: Series, words: Words) -> str:
    """Which period the last value is of, where it is not the report's."""
    if not series.is_of_another_period:
        return ""
    return dates.period_name(series.grain, series.starts[-1], words)


def _n_text(series: Series, words: Words) -> str:
    """What a value rests on, in words, and whether it can still move; nothing for a plain count."""
    kpi, last = series.kpi, series.last
    if last is None:
        return ""
    if kpi.table == "audience":
        return words("from_accounts", n=last.n)
    kinds = {"ratio": "on_cases", "mean": "from_cases", "quantile": "from_cases"}
    text = words(kinds[kpi.statistic], n=last.n) if kpi.statistic in kinds else ""
    return f"{text}, {words.CAN_MOVE}" if series.is_moving else text


def _comparisons(series: Series, style: Style) -> tuple[Comparison, ...]:
    """Beside the period before, the quarter so far, and the same period a year before."""
    words = style.words
    if not series.starts:
        return ()
    now = series.starts[-1]
    earlier = before(now, series.grain)
    # "last week" would be the wrong one where the newest period is still left out.
    name = words.BEFORE[series.grain]
    if series.waits:
        period = dates.period_name(series.grain, earlier, words)
        name = words("before_period", period=period)
    named = [(name, _value(series.at(earlier)))]
    if series.grain not in ("quarter", "year"):
        named.append((words.QUARTER_SO_FAR, quarter_so_far(series)))
    if series.grain != "year":
        named.append((words.YEAR_BEFORE, _value(series.at(year_before(now, series.grain)))))
    return tuple(_comparison(name, _value(series.last), other, style) for name, other in named)


def _value(value: KpiValue | None) -> float | None:
    return value.value if value else None


def _comparison(name: str, now: float | None, other: float | None, style: Style) -> Comparison:
    change = None if now is None or other is None else now - other
    return Comparison(
        name,
        numbers.value_text(other, style),
        numbers.change_text(change, style),
        numbers.direction(change, style),
    )


def _points(series: Series, reading: Reading, style: Style) -> tuple[Point, ...]:
    first = max(0, len(series.starts) - HISTORY)
    return tuple(
        Point(
            start,
            value.value if value else None,
            value.n if value else 0,
            signals.tone_at(series, reading, first + index),
            dates.point_label(series.grain, start, style.words),
            numbers.value_text(value.value if value else None, style),
        )
        for index, (start, value) in enumerate(
            zip(series.starts[first:], series.values[first:], strict=True)
        )
    )


def _bands(series: Series, reading: Reading, style: Style) -> tuple[Band, ...]:
    """The limits of the points shown, on their indices; none of a heap, whose changes are read."""
    first = max(0, len(series.starts) - HISTORY)
    return tuple(
        Band(
            max(0, limits.start - first),
            limits.end - first,
            limits.mean,
            limits.lower,
            limits.upper,
            limits.is_locked,
            numbers.value_text(limits.mean, style),
            *numbers.limit_texts(limits.lower, limits.upper, style),
        )
        for limits in reading.limits
        if limits.end > first and series.growth != "heap"
    )


def _segments(series: Series, values: Iterable[KpiValue], style: Style) -> tuple[Segment, ...]:
    """The parts of a whole in the last period, those that rest on most first."""
    if series.segment != WHOLE or not series.starts:
        return ()
    parts: Sequence[KpiValue] = [
        value
        for value in values
        if value.segment != WHOLE
        and (value.grain, value.period_start) == (series.grain, series.starts[-1])
    ]
    shown = sorted(parts, key=lambda value: (-value.n, value.segment))[:MOST_SEGMENTS]
    return tuple(
        Segment(
            _segment_name(value.segment, style),
            value.value,
            numbers.value_text(value.value, style),
            value.n,
        )
        for value in shown
    )
