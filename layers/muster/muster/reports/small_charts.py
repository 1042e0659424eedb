"""A measure or a goal goes in, a sparkline or a bullet bar comes out as SVG."""

from __future__ import annotations

from muster.reports import chart, marks
from muster.reports.marks import Place
from muster.reports.model import GoalLine, Measure
from muster.reports.words import Words

SPARK = (124.0, 36.0)
BULLET = (240.0, 22.0)
GOOD = frozenset({"met", "on_track"})


def sparkline(measure: Measure, say: Words) -> str:
    """The series in a word's size: routine band, average, line, signals and the latest value."""
    width, height = SPARK
    values = [p.value for p in measure.points if p.value is not None]
    values += [edge for band in measure.bands for edge in (band.lower, band.upper)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    tall = (high - low) or 1.0
    step = (width - 6) / max(len(measure.points) - 1, 1)

    def y(value: float) -> float:
        return 5 + (height - 10) * (1 - (value - low) / tall)

    def x(index: float) -> float:
        return 3 + step * index

    places = [
        None if p.value is None else Place(x(i), y(p.value)) for i, p in enumerate(measure.points)
    ]
    inside = [_band(x(b.start), x(b.end - 1), y(b.upper), y(b.lower)) for b in measure.bands]
    inside += [marks.levels("mean", x(b.start), x(b.end - 1), (y(b.mean),)) for b in measure.bands]
    inside.append(f'<path class="line" d="{marks.polyline(places)}"/>')
    inside.append(_markers(measure, places))
    told = (measure.title, chart.describe(measure, say))
    return marks.picture(SPARK, f"{measure.kpi}-spark", told, "".join(inside), 10)


def _band(left: float, right: float, upper: float, lower: float) -> str:
    n = marks.number
    size = f'width="{n(right - left)}" height="{n(lower - upper)}"'
    return f'<rect class="band" x="{n(left)}" y="{n(upper)}" {size}/>'


def _markers(measure: Measure, places: list[Place | None]) -> str:
    last = max((i for i, place in enumerate(places) if place), default=-1)
    shown = []
    for index, (place, point) in enumerate(zip(places, measure.points, strict=True)):
        if place and (point.tone in marks.SIGNALS or index == last):
            shown.append(marks.marker(point.tone, place, 2.3))
    return "".join(shown)


def bullet(goal: GoalLine, say: Words, key: str) -> str:
    """The goal's value as a bar, its target as an upright stroke, the expected pace as a wedge."""
    width, height = BULLET
    inside = [f'<rect class="track" x="0" y="3" width="{marks.number(width)}" height="12" rx="2"/>']
    if goal.value_at is not None:
        css = _bar_class(goal.status)
        long = marks.number(max(_within(goal.value_at) * width, 2))
        inside.append(f'<rect class="{css}" x="0" y="6" width="{long}" height="6" rx="1"/>')
    if goal.expected_at is not None:
        x = marks.number(min(max(_within(goal.expected_at) * width, 5), width - 5))
        inside.append(f'<path class="pace" d="M{x} 14.5l5 7h-10z"/>')
    if goal.target_at is not None:
        x = marks.number(min(_within(goal.target_at) * width, width - 3))
        inside.append(f'<rect class="aimed" x="{x}" y="0" width="3" height="18"/>')
    return marks.picture(
        (width, height), key, (goal.name, in_words(goal, say)), "".join(inside), 10
    )


def in_words(goal: GoalLine, say: Words) -> str:
    """The bar in words, for those who do not see it."""
    said = [goal.status_text]
    if goal.value_at is not None:
        said.append(goal.value_text)
    said.append(f"{say.OF_TARGET} {goal.target_text}")
    if goal.expected_at is not None:
        said.append(f"{say.EXPECTED} {goal.expected_text}")
    return ", ".join(said)


def _bar_class(status: str) -> str:
    if status in GOOD:
        return "bar good"
    return "bar bad" if status == "off_track" else "bar"


def _within(share: float) -> float:
    return min(max(share, 0.0), 1.0)
