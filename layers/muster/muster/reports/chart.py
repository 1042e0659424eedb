"""A measure of the view goes in, its XmR chart comes out as SVG, in words the view already holds.

The routine band is drawn for each stretch of limits as a step; limits that are not locked yet are
dashed. Signals have a shape before they have a colour. Periods without a value leave a gap.
"""

from __future__ import annotations

from collections.abc import Sequence

from muster.reports import inert, marks
from muster.reports.marks import Place
from muster.reports.model import Band, Event, Measure, Point
from muster.reports.plot import (
    CARD,
    MAIL,
    NARROW,
    WIDE,
    Frame,
    Plot,
    definitions,
    highest_and_lowest,
    lay_out,
    lines,
    placed,
)
from muster.reports.words import Words

__all__ = ["CARD", "MAIL", "NARROW", "WIDE", "Frame", "describe", "xmr"]


def xmr(
    measure: Measure, say: Words, frame: Frame = WIDE, events: Sequence[Event] = (), key: str = ""
) -> str:
    """The XmR chart of the measure: band, average, target, points, signals, events, dates.

    ``key`` makes its ids unique on a page that shows several charts.
    """
    plot = lay_out(measure, say, frame, events)
    inside = "".join(
        (
            _bands(plot),
            "" if frame.is_card else _spans(plot) + _events(plot),
            _target(plot),
            _series(plot),
            _right_labels(plot),
            "" if frame.is_small else _range_labels(plot),
            _dates(plot),
        )
    )
    key = key or inert.distinct(f"{measure.kpi}-{measure.segment}-{frame.name}")
    told = (measure.title, describe(measure, say, events))
    return marks.picture((frame.width, frame.height), key, told, inside, frame.font)


def describe(measure: Measure, say: Words, events: Sequence[Event] = ()) -> str:
    """The chart in words: span, latest value, band, target, signals, what is marked on it."""
    points = [point for point in measure.points if point.value is not None]
    if not points:
        return str(say.NO_DATA)
    said = [say("span", first=points[0].label, last=points[-1].label, n=len(points))]
    said.append(say.LATEST.format(points[-1].value_text))
    if measure.bands and measure.bands[-1].lower_text:
        band = measure.bands[-1]
        said.append(say.BAND.format(band.lower_text, band.upper_text, band.mean_text))
    if measure.target_text:
        said.append(f"{say.TARGET} {measure.target_text}.")
    signals = [point for point in points if point.tone in marks.SIGNALS]
    if signals:
        last = signals[-1]
        tone = say.TONES[last.tone].lower()
        facts = {"label": last.label, "value": last.value_text, "tone": tone}
        said.append(say("chart_signals", n=len(signals), **facts))
    marked = placed(measure.points, (*events, *definitions(measure, say)))
    if marked:
        names = [f"{name} ({measure.points[first].label})" for name, first, _ in marked]
        said.append(say.MARKED.format("; ".join(names)))
    return " ".join(said)


def _bands(plot: Plot) -> str:
    return "".join(_band(plot, band) for band in plot.measure.bands)


def _band(plot: Plot, band: Band) -> str:
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


def _target(plot: Plot) -> str:
    target = plot.measure.target
    if target is None or not plot.shows(target):
        return ""
    y = plot.y(target)
    return marks.levels("target", plot.left, plot.right, (y,))


def _series(plot: Plot) -> str:
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


def _right_labels(plot: Plot) -> str:
    size = plot.frame.font
    named = sorted(lines(plot.measure, plot.say, plot.frame), key=lambda row: (-row[0], row[2]))
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


def _range_labels(plot: Plot) -> str:
    edges = highest_and_lowest(plot.measure)
    wanted = [plot.y(point.value or 0.0) for point in edges]
    placed = marks.spread(wanted, plot.frame.font * 1.25, plot.top, plot.bottom)
    return "".join(
        marks.label(
            point.value_text, Place(plot.left - 8, y + plot.frame.font * 0.35), anchor="end"
        )
        for point, y in zip(edges, placed, strict=True)
    )


def _dates(plot: Plot) -> str:
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


def _date(plot: Plot, index: int, y: float) -> str:
    text, x = plot.measure.points[index].label, plot.x(index)
    half = marks.width_of(text, plot.frame.font) / 2
    x = min(max(x, half), plot.frame.width - half)
    return marks.label(text, Place(x, y))


def _spans(plot: Plot) -> str:
    """A bar above the periods of an event that lasts more than one."""
    half = (plot.x(1) - plot.x(0)) / 2
    shown = []
    for _, first, last in plot.events:
        if last > first:
            start, end = plot.x(first), min(plot.x(last) + half, plot.right)
            box = {"x": start, "y": plot.top, "width": end - start, "height": 3.0}
            told = " ".join(f'{name}="{marks.number(value)}"' for name, value in box.items())
            shown.append(f'<rect class="span" {told}/>')
    return "".join(shown)


def _events(plot: Plot) -> str:
    """A fine upright line at each event; its name above where there is room, else on the line."""
    size, rows = plot.frame.font, [0.0] * plot.frame.event_rows
    shown = []
    for told, index, _ in plot.events:
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
