"""The strokes every chart is drawn with: numbers, lines with gaps, marker shapes, text widths.

Charts name classes, never colours: the site's stylesheet or ``png.LIGHT`` colours them.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

SIGNALS = ("better", "worse", "changed")

# Advance widths of the shipped font in em, close enough to keep labels apart.
_NARROW = frozenset("iljtfrI.,:;'|()[]/! ")
_WIDE = frozenset("mwMW%—@")


class Place(NamedTuple):
    """A point of the drawing, in pixels."""

    x: float
    y: float


def number(value: float) -> str:
    """A coordinate in its shortest form."""
    short = f"{value:.1f}".rstrip("0").rstrip(".")
    return "0" if short == "-0" else short


def width_of(text: str, size: float) -> float:
    """About how wide the text is at this size, in pixels."""
    ems = (0.34 if c in _NARROW else 0.92 if c in _WIDE else 0.6 for c in text)
    return size * sum(ems)


def fitted(text: str, size: float, width: float) -> str:
    """The text, cut short with an ellipsis where it would be wider than ``width``."""
    while text and width_of(text, size) > width:
        text = text.removesuffix("…")[:-1].rstrip() + "…" if len(text) > 2 else ""
    return text


def polyline(places: Sequence[Place | None]) -> str:
    """A path through the places in relative steps; it breaks where there is none."""
    steps: list[str] = []
    before: Place | None = None
    at = Place(0.0, 0.0)
    for place in places:
        if place is not None:
            here = Place(round(place.x, 1), round(place.y, 1))
            steps.append(_step("m" if before is None else "l", here.x - at.x, here.y - at.y))
            at = here
        before = place
    return "".join(steps).replace("m", "M", 1)


def _step(pen: str, x: float, y: float) -> str:
    """``l12-4.5``: a minus sign parts two numbers as well as a space does."""
    right, down = number(x), number(y)
    return f"{pen}{right}{'' if down.startswith('-') else ' '}{down}"


def dots(places: Sequence[Place]) -> str:
    """Dots as one path of strokes without length, which round caps make visible."""
    return "".join(f"M{number(place.x)} {number(place.y)}h0" for place in places)


def marker(tone: str, place: Place, size: float, told: str = "") -> str:
    """A signal's shape: ● better, ◆ worse, ■ changed; else ○, the latest value of a calm series."""
    title = f"<title>{escape(told)}</title>" if told else ""
    if tone == "worse":
        return _shape("path", tone, _diamond(place, size * 1.35), title)
    if tone == "changed":
        return _shape("rect", tone, _square(place, size * 0.9), title)
    css = "better" if tone == "better" else "now"
    at = f'cx="{number(place.x)}" cy="{number(place.y)}" r="{number(size)}"'
    return _shape("circle", css, at, title)


def _diamond(place: Place, reach: float) -> str:
    r = number(reach)
    return f'd="M{number(place.x)} {number(place.y - reach)}l{r} {r}-{r} {r}-{r}-{r}z"'


def _square(place: Place, half: float) -> str:
    side = number(half * 2)
    at = f'x="{number(place.x - half)}" y="{number(place.y - half)}"'
    return f'{at} width="{side}" height="{side}"'


def _shape(tag: str, css: str, attributes: str, title: str) -> str:
    start = f'<{tag} class="{css}" {attributes}'
    return f"{start}>{title}</{tag}>" if title else f"{start}/>"


def label(text: str, place: Place, css: str = "", anchor: str = "") -> str:
    """A text at its baseline; ``anchor`` is middle or end."""
    held = f' class="{css}"' if css else ""
    held += f' text-anchor="{anchor}"' if anchor else ""
    at = f'x="{number(place.x)}" y="{number(place.y)}"'
    return f"<text {at}{held}>{escape(text, quote=False)}</text>"


def levels(css: str, start: float, end: float, heights: Sequence[float]) -> str:
    """Level lines from ``start`` to ``end`` as one path."""
    long = number(end - start)
    path = "".join(f"M{number(start)} {number(y)}h{long}" for y in heights)
    return f'<path class="{css}" d="{path}"/>'


def line(css: str, start: Place, end: Place) -> str:
    """A straight line."""
    x1, y1, x2, y2 = (number(value) for value in (*start, *end))
    return f'<path class="{css}" d="M{x1} {y1}L{x2} {y2}"/>'


def picture(
    size: tuple[float, float], key: str, told: tuple[str, str], inside: str, font: float
) -> str:
    """The whole ``<svg>``: an image with a title and a description for those who do not see it."""
    width, height = (number(value) for value in size)
    title, description = (escape(text, quote=False) for text in told)
    wide = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" {wide} font-size="{number(font)}"'
        f' role="img" aria-labelledby="{key}-t {key}-d">'
        f'<title id="{key}-t">{title}</title><desc id="{key}-d">{description}</desc>'
        f"{inside}</svg>"
    )


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Where labels go so that none overlaps: as near as may be to ``wanted`` (ascending)."""
    placed: list[float] = []
    for y in wanted:
        placed.append(max(y, low, placed[-1] + gap if placed else low))
    ceiling = high
    for index in range(len(placed) - 1, -1, -1):
        placed[index] = min(placed[index], ceiling)
        ceiling = placed[index] - gap
    return placed
