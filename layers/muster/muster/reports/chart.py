"""A measure of the view goes in, its XmR chart comes out as SVG, in words the view already holds.

The routine band is drawn for each stretch of limits as a step; limits that are not locked yet are
dashed. Signals have a shape before they have a colour. Periods without a value leave a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from muster.reports import headings as say
from muster.reports import inert, marks
from muster.reports.marks import Place
from muster.reports.model import Band, Measure, Point

Event = tuple[str, date, date]


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


def xmr(measure: Measure, frame: Frame = WIDE, events: Sequence[Event] = (), key: str = "") -> str:
    """The XmR chart of the measure: band, average, target, points, signals, events, dates.

    ``key`` makes its ids unique on a page that shows several charts.
    """
    plot = _plot(measure, frame, events)
    inside = "".join(
        (
            _bands(plot),
            "" if frame.is_card else _events(plot),
            _target(plot),
            _series(plot),
            _right_labels(plot),
            "" if frame.is_small else _range_labels(plot),
            _dates(plot),
        )
    )
    key = key or inert.slug(f"{measure.kpi}-{measure.segment}-{frame.name}")
    told = (measure.title, describe(measure))
    return marks.picture((frame.width, frame.height), key, told, inside, frame.font)


def describe(measure: Measure) -> str:
    """The chart in words: its span, its latest value, its band and target, its signals."""
    points = [point for point in measure.points if point.value is not None]
    if not points:
        return say.NO_DATA
    said = [say.SPAN.format(points[0].label, points[-1].label, len(points))]
    said.append(say.LATEST.format(points[-1].value_text))
    if measure.bands and measure.bands[-1].lower_text:
        band = measure.bands[-1]
        said.append(say.BAND.format(band.lower_text, band.upper_text, band.mean_text))
    if measure.target_text:
        said.append(f"{say.TARGET} {measure.target_text}.")
    signals = [point for point in points if point.tone in marks.SIGNALS]
    if signals:
        last = signals[-1]
        said.append(say.SIGNALS.format(len(signals), last.label, last.value_text, last.tone))
    return " ".join(said)


@dataclass(frozen=True)
class _Plot:
    """The measure laid out in a frame: where its edges are and what a value's height is."""

    measure: Measure
    frame: Frame
    events: tuple[tuple[str, int], ...]  # name and index of its first period
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


def _plot(measure: Measure, frame: Frame, events: Sequence[Event]) -> _Plot:
    low, high = _domain(measure)
    marked = _placed_events(measure.points, events)
    rows = frame.event_rows if marked else 0
    right_texts = [text for _, text, _ in _lines(measure, frame)]
    right = max((marks.width_of(text, frame.font) for text in right_texts), default=0)
    left = 0.0
    if not frame.is_small:
        left = max((marks.width_of(t, frame.font) for t in _extremes(measure)), default=0) + 10
    return _Plot(
        measure=measure,
        frame=frame,
        events=marked,
        left=max(left, 8),
        right=frame.width - min(max(right, 8) + 14, frame.width * 0.42),
        top=10 + rows * frame.font * 1.35,
        bottom=frame.height - frame.font * 2.1,
        low=low,
        high=high,
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


def _bands(plot: _Plot) -> str:
    return "".join(_band(plot, band) for band in plot.measure.bands)


def _band(plot: _Plot, band: Band) -> str:
    last = len(plot.measure.points) - 1
    start = plot.x(band.start) - (plot.gap if band.start else 0)
    end = plot.x(band.end - 1) + (plot.gap if band.end - 1 < last else 0)
    upper, mean, lower = plot.y(band.upper), plot.y(band.mean), plot.y(band.lower)
    box = " ".join(
        f'{name}="{marks.number(value)}"'
        for name, value in (
            ("x", start),
            ("y", upper),
            ("width", end - start),
            ("height", lower - upper),
        )
    )
    edge = "limit" if band.is_locked else "limit open"
    edges = marks.levels(edge, start, end, (upper, lower))
    return f'<rect class="band" {box}/>{edges}{marks.levels("mean", start, end, (mean,))}'


def _target(plot: _Plot) -> str:
    target = plot.measure.target
    if target is None or not plot.shows(target):
        return ""
    y = plot.y(target)
    return marks.levels("target", plot.left, plot.right, (y,))


def _series(plot: _Plot) -> str:
    points = plot.measure.points
    places = [plot.at(index) for index in range(len(points))]
    calm = [p for p, point in zip(places, points, strict=True) if p and not _is_signal(point)]
    last = max((i for i, place in enumerate(places) if place), default=-1)
    shown = [f'<path class="line" d="{marks.polyline(places)}"/>']
    if calm and not plot.frame.is_card:
        shown.append(f'<path class="dots" d="{marks.dots(calm)}"/>')
    for index, (place, point) in enumerate(zip(places, points, strict=True)):
        if place and (_is_signal(point) or index == last):
            told = "" if plot.frame.is_card else _told(point)
            shown.append(marks.marker(point.tone, place, plot.frame.dot, told))
        elif place and plot.frame.told_points:
            shown.append(_listener(place, point))
    return "".join(shown)


def _listener(place: Place, point: Point) -> str:
    """An invisible disc that shows a calm point's value to the mouse."""
    at = f'cx="{marks.number(place.x)}" cy="{marks.number(place.y)}" r="8"'
    title = f"<title>{marks.escape(_told(point))}</title>"
    return f'<circle class="ear" {at} fill="none">{title}</circle>'


def _told(point: Point) -> str:
    return f"{point.label}: {point.value_text}"


def _is_signal(point: Point) -> bool:
    return point.tone in marks.SIGNALS


def _lines(measure: Measure, frame: Frame) -> list[tuple[float, str, str]]:
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


def _right_labels(plot: _Plot) -> str:
    size = plot.frame.font
    named = sorted(_lines(plot.measure, plot.frame), key=lambda row: (-row[0], row[2]))
    wanted = [min(max(plot.y(value), plot.top), plot.bottom) for value, _, _ in named]
    placed = marks.spread(wanted, size * 1.25, plot.top, plot.bottom)
    shown = []
    for (value, text, css), y, line_y in zip(named, placed, wanted, strict=True):
        text = marks.fitted(text, size, plot.frame.width - plot.right - 12)
        text = text if plot.shows(value) else f"{'↑' if value > plot.high else '↓'} {text}"
        if abs(y - line_y) > 2:
            shown.append(
                marks.line("lead", Place(plot.right + 1, line_y), Place(plot.right + 8, y))
            )
        shown.append(marks.label(text, Place(plot.right + 10, y + size * 0.35), css))
    return "".join(shown)


def _extremes(measure: Measure) -> list[str]:
    """Text of the highest and the lowest value drawn, highest first."""
    return [point.value_text for point in _highest_and_lowest(measure)]


def _highest_and_lowest(measure: Measure) -> list[Point]:
    points = [point for point in measure.points if point.value is not None]
    if not points:
        return []
    ordered = sorted(points, key=lambda point: -(point.value or 0.0))
    return [ordered[0], ordered[-1]] if ordered[0].value != ordered[-1].value else ordered[:1]


def _range_labels(plot: _Plot) -> str:
    edges = _highest_and_lowest(plot.measure)
    wanted = [plot.y(point.value or 0.0) for point in edges]
    placed = marks.spread(wanted, plot.frame.font * 1.25, plot.top, plot.bottom)
    return "".join(
        marks.label(
            point.value_text, Place(plot.left - 8, y + plot.frame.font * 0.35), anchor="end"
        )
        for point, y in zip(edges, placed, strict=True)
    )


def _dates(plot: _Plot) -> str:
    """Labels under the plot, as many as fit, counted back from the latest period."""
    points = plot.measure.points
    if not points:
        return ""
    size = plot.frame.font
    widest = max(marks.width_of(point.label, size) for point in points) + size * 1.5
    step = max(1, -(-int(widest) // max(int(plot.x(1) - plot.x(0)), 1)))
    y = plot.frame.height - size * 0.5
    dates = "".join(_date(plot, index, y) for index in range(len(points) - 1, -1, -step))
    return f'<g text-anchor="middle">{dates}</g>'


def _date(plot: _Plot, index: int, y: float) -> str:
    text, x = plot.measure.points[index].label, plot.x(index)
    half = marks.width_of(text, plot.frame.font) / 2
    x = min(max(x, half), plot.frame.width - half)
    return marks.label(text, Place(x, y))


def _placed_events(points: Sequence[Point], events: Sequence[Event]) -> tuple[tuple[str, int], ...]:
    """Events that begin within the series, at the index of their period."""
    if len(points) < 2:
        return ()
    after = points[-1].period_start + (points[-1].period_start - points[-2].period_start)
    found = []
    for name, starts, _ends in events:
        begun = [i for i, point in enumerate(points) if point.period_start <= starts < after]
        if begun:
            found.append((name, begun[-1]))
    return tuple(sorted(found, key=lambda event: event[1]))


def _events(plot: _Plot) -> str:
    """A fine upright line at each event; its name above where there is room, else on the line."""
    size, rows = plot.frame.font, [0.0] * plot.frame.event_rows
    shown = []
    for told, index in plot.events:
        name = marks.fitted(told, size, plot.frame.width / 2)
        x, width = plot.x(index), marks.width_of(name, size) + size
        start = max(min(x, plot.frame.width - width), 0)
        row = next((r for r, taken in enumerate(rows) if taken <= start), None)
        rise = plot.top
        if row is not None:
            rows[row] = start + width
            rise = 4 + size * 1.35 * (row + 1)
            shown.append(marks.label(name, Place(start, rise - size * 0.2)))
        shown.append(_event_line(told, x, rise, plot.bottom))
    return "".join(shown)


def _event_line(name: str, x: float, top: float, bottom: float) -> str:
    path = f'd="M{marks.number(x)} {marks.number(top)}V{marks.number(bottom)}"'
    return f'<path class="event" {path}><title>{marks.escape(name)}</title></path>'
