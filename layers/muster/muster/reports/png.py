"""A chart's SVG goes in, the PNG a mail can carry comes out: 2×, light colours, shipped font."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import resvg_py

FONTS = Path(__file__).parent / "fonts"
FONT_FILES = (FONTS / "Inter-Regular.otf", FONTS / "Inter-SemiBold.otf")

#: The light palette of the site's stylesheet, since resvg knows no CSS variables.
LIGHT = """
.chart { font-family: Inter; }
.band { fill: #e9eef4; }
.limit { stroke: #a9b6c4; stroke-width: 1; fill: none; }
.limit.open { stroke-dasharray: 2 3; }
.mean { stroke: #8595a6; stroke-width: 1; fill: none; }
.target { stroke: #1d2733; stroke-width: 1.4; stroke-dasharray: 6 4; fill: none; }
.line { stroke: #44525f; stroke-width: 1.8; fill: none; }
.line { stroke-linejoin: round; stroke-linecap: round; }
.dots { stroke: #7a8896; stroke-width: 4.4; stroke-linecap: round; fill: none; }
.better { fill: #1c6cab; stroke: #ffffff; stroke-width: 1; }
.worse { fill: #b8500f; stroke: #ffffff; stroke-width: 1; }
.changed { fill: #1d2733; stroke: #ffffff; stroke-width: 1; }
.now { fill: #ffffff; stroke: #1d2733; stroke-width: 1.8; }
.span { fill: #a9b6c4; }
.event { stroke: #a9b6c4; stroke-width: 1; stroke-dasharray: 1 3; fill: none; }
.lead { stroke: #a9b6c4; stroke-width: 1; fill: none; }
text { fill: #5a6876; }
.aim { fill: #1d2733; font-weight: 600; }
.track { fill: #e3e9f0; }
.bar { fill: #5a6876; }
.bar.good { fill: #1c6cab; }
.bar.bad { fill: #b8500f; }
.aimed { fill: #1d2733; }
.pace { fill: #1d2733; stroke: #ffffff; stroke-width: 1; }
"""


@lru_cache(maxsize=256)  # one report goes to several recipients
def png(svg: str, *, with_font: bool = True) -> bytes:
    """The picture at twice its size on white; without a font resvg leaves all text out.

    Reading the fonts costs more than drawing, so a picture without text does without them.
    """
    needs = with_font and "<text" in svg
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            style_sheet=LIGHT,
            zoom=2,
            background="#ffffff",
            skip_system_fonts=True,
            font_family="Inter",
            font_files=[str(file) for file in FONT_FILES] if needs else None,
        )
    )
