"""A measure and a frame go in, the measure laid out in it comes out: where each value is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from muster.reports import marks
from muster.reports.marks import Place
from muster.reports.model import Event, Measure, Point
from muster.reports.words import Words


@dataclass(frozen=True)
class Frame:
    """One size of chart: what it has room for."""

    name: str
    width: float
    height: float
    font: float
    dot: float
    is_small: bool  # short labels, and no range at the left
    event_rows: int  # rows of event names above the plot
    told_points: bool  # every point answers the mouse
    is_card: bool = False  # whole pixels, signals alone get a mark: light enough for a page of many


WIDE = Frame("wide", 720, 300, 12, 4.2, is_small=False, event_rows=2, told_points=True)
MAIL = Frame("mail", 576, 270, 12, 4.2, is_small=False, event_rows=2, told_points=False)
NARROW = Frame("narrow", 320, 240, 12, 3.8, is_small=True, event_rows=1, told_points=False)
CARD = Frame(
    "card", 300, 140, 11, 3.2, is_small=True, event_rows=0, told_points=False, is_card=True
)


@dataclass(frozen=True)
class Plot:
    """The measure laid out in a frame: where its edges are and what a value's height is."""

    measure: Measure
    say: Words
    frame: Frame
    events: tuple[tuple[str, int, int], ...]  # name, first and last period (indices)
    left: float
    right: float
    top: float
    bottom: float
    low: float
    high: float

    def x(self, index: float) -> float:
        steps = max(len(self.measure.points) - 1, 1)
        return self.left + (self.right - self.left) * index / steps

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.bottom - share * (self.bottom - self.top)

    def at(self, index: int) -> Place | None:
        value = self.measure.points[index].value
        if value is None:
            return None
        place = Place(self.x(index), self.y(value))
        return Place(round(place.x), round(place.y)) if self.frame.is_card else place

    @property
    def gap(self) -> float:
        """Half a step between periods: how far a band reaches beyond its points."""
        return min((self.x(1) - self.x(0)) / 2, 6)

    def shows(self, value: float) -> bool:
        return self.low <= value <= self.high


def lay_out(measure: Measure, say: Words, frame: Frame, events: Sequence[Event]) -> Plot:
    low, high = _domain(measure)
    marked = placed(measure.points, (*events, *definitions(measure, say)))
    rows = frame.event_rows if marked else 0
    right_texts = [text for _, text, _ in lines(measure, say, frame)]
    right = max((marks.width_of(text, frame.font) for text in right_texts), default=0)
    left = 0.0
    if not frame.is_small:
        left = max((marks.width_of(t, frame.font) for t in extremes(measure)), default=0) + 10
    return Plot(
        measure=measure,
        say=say,
        frame=frame,
        events=marked,
        left=max(left, 8),
        right=frame.width - min(max(right, 8) + 14, frame.width * 0.42),
        top=10 + rows * frame.font * 1.35,
        bottom=frame.height - frame.font * 2.1,
        low=low,
        high=high,
    )


def definitions(measure: Measure, say: Words) -> tuple[Event, ...]:
    """A new definition is marked like an event, on the day it took over."""
    return tuple(
        (say.NEW_DEFINITION.format(one.version), one.since, one.since) for one in measure.breaks
    )


def _domain(measure: Measure) -> tuple[float, float]:
    """Lowest and highest value drawn; a target far away does not flatten the rest."""
    values = [point.value for point in measure.points if point.value is not None]
    values += [edge for band in measure.bands for edge in (band.lower, band.upper)]
    if measure.target is not None:
        values = _with_target(values, measure.target)
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    return low - room, high + room


def _with_target(values: list[float], target: float) -> list[float]:
    if not values:
        return [target, target * 1.1]
    low, high = min(values), max(values)
    reach = (high - low) or abs(high) or 1.0
    return [*values, target] if low - reach <= target <= high + reach else values


def lines(measure: Measure, say: Words, frame: Frame) -> list[tuple[float, str, str]]:
    """What is named at the right: (value, text, class), of the latest band and the target."""
    named: list[tuple[float, str, str]] = []
    if measure.bands:
        band = measure.bands[-1]
        upper, lower = (say.UP, say.LOW) if frame.is_small else (say.UPPER, say.LOWER)
        named = [
            (band.upper, f"{upper} {band.upper_text}", ""),
            (band.mean, f"{say.AVERAGE} {band.mean_text}", ""),
            (band.lower, f"{lower} {band.lower_text}", ""),
        ]
        named = [row for row in named if not row[1].endswith(" ")]
        if band.upper == band.lower:
            named = named[1:2]
    if measure.target is not None:
        aim = f"{say.TARGET} {measure.target_label or measure.target_text}"
        named.append((measure.target, aim, "aim"))
    return named


def extremes(measure: Measure) -> list[str]:
    """Text of the highest and the lowest value drawn, highest first."""
    return [point.value_text for point in highest_and_lowest(measure)]


def highest_and_lowest(measure: Measure) -> list[Point]:
    points = [point for point in measure.points if point.value is not None]
    if not points:
        return []
    ordered = sorted(points, key=lambda point: -(point.value or 0.0))
    return [ordered[0], ordered[-1]] if ordered[0].value != ordered[-1].value else ordered[:1]


def placed(points: Sequence[Point], events: Sequence[Event]) -> tuple[tuple[str, int, int], ...]:
    """Events that touch the series, at the indices of their first and last period in it."""
    if len(points) < 2:
        return ()
    starts = [point.period_start for point in points]
    starts.append(starts[-1] + (starts[-1] - starts[-2]))
    found = []
    for name, begins, ends in events:
        during = [i for i in range(len(points)) if starts[i] <= ends and begins < starts[i + 1]]
        if during:
            found.append((name, during[0], during[-1]))
    return tuple(sorted(found, key=lambda event: event[1]))
