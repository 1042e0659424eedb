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
NEW_DEFINITION = "Definition {}"
MARKED = "Marked: {}."
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
NO_GOAL = "Measures that serve no goal: {}."
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
BULLET_KEY = "Bar: value. Upright stroke: target. Wedge: expected by now."
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

# Site
OVERVIEW = "Overview"
ARCHIVE = "Past reports"
DATA = "Data"
PAGES = "Pages"
SKIP = "Skip to the report"
MADE_BY = "Made by Muster."
SHOW = "Show"
ALL = "All"
ISSUE = "Issue"
SOURCE = "Source"
OPENED = "Opened"
PLATFORM = "Platform"
LAST_READ = "Last read"
STATE = "State"
MESSAGES = "Messages"
QUARANTINED = "In quarantine"
COMPARED = "Compared with"
SEGMENT = "Segment"
SEGMENTS = "Segments"
NUMBERS = "Numbers"
NUMBERS_OF = "All {} periods"
MEASURE = "Measure"
VALUE = "Value"
COUNT = "n"
PERIOD = "Period from"
READING = "Reading"
DEFINITION = "Definition"
VERSION = "version"
SQL = "How it is computed (SQL)"
DOWNLOAD_CSV = "Download as CSV"
FILES = "Files"
NUMBERS_AS_CSV = "Every measure as CSV"
DOCUMENTS = "The reports as JSON, with their schemas"
DATA_LEAD = "Every number on these pages can be taken away and computed again."
ASK = "Ask the lake"
ASK_LEAD = "The tables behind the report are Parquet; any reader sees one row per entity."
ASK_EXAMPLE = """muster sql "
  select kpi, period_start, value, n
  from kpi_values
  where grain = 'week'
  order by period_start desc
  limit 20\""""
