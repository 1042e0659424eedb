"""The fixed words of every report: headings, labels and the phrases of charts, in one place."""

from __future__ import annotations

from types import MappingProxyType

UPPER = "Upper limit"
UP = "Upper"
LOW = "Lower"
AVERAGE = "Average"
LOWER = "Lower limit"
TARGET = "Target"
SIGNALS = "{} signals, the latest {} {} ({})."
NO_DATA = "No data yet."
SPAN = "From {} to {}, {} values."
LATEST = "Latest {}."
BAND = "Routine range {} to {}, average {}."

#: A shape for every tone and every goal status: meaning never rests on colour alone.
SHAPES = MappingProxyType(
    {
        "better": "●", "worse": "◆", "changed": "■", "routine": "○", "early": "…", "none": "–",
        "met": "●", "on_track": "●", "at_risk": "◇", "off_track": "◆", "no_data": "–",
    }
)  # fmt: skip

#: The colour class each tone and status is shown in.
COLOURS = MappingProxyType(
    {
        "better": "better", "worse": "worse", "changed": "changed",
        "met": "better", "on_track": "better", "at_risk": "worse", "off_track": "worse",
    }
)  # fmt: skip
ARROWS = MappingProxyType({"up": "▲", "down": "▼", "same": "=", "none": ""})

# Mail and site
GOALS = "Goals"
CHANGED = "What changed"
NOTHING_CHANGED = "Nothing left its routine range."
ALL_MEASURES = "All measures"
WAITING = "Who waits longest"
WAITED = "Waiting"
MISSING = "What is missing or stale"
FRESHNESS = "How current the sources are"
STALE = "Stale"
CURRENT = "Current"
LAST_SUCCESS = "last read"
HOW_TO_READ = "How to read this"
OPEN_SITE = "Open the dashboard"
UNSUBSCRIBE = "Unsubscribe"
OF_TARGET = "target"
EXPECTED = "expected by now"
BULLET_KEY = (
    "Bar: the value. Upright stroke: the target. Wedge: where a straight pace would be now."
)
ON = "on"
MORE_ON_SITE = "{} more measures are on the site."
KEY = "● better  ◆ worse  ■ changed  ○ routine"
ROUTINE_RANGE = "routine range {} to {}"
TONES = MappingProxyType(
    {
        "better": "Better", "worse": "Worse", "changed": "Changed",
        "routine": "Routine", "early": "Early", "none": "No data",
    }
)  # fmt: skip
