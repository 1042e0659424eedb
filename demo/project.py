"""The demo's project folder: where the server listens goes in, muster.yaml and history come out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

from demo.audience import FORUM_ACCOUNT
from demo.bluesky_api import PASSWORD
from demo.discourse_api import API_KEY
from demo.stories import Plot, plot
from demo.x_api import BEARER

TOKENS = {
    "DEMO_FORUM_KEY": API_KEY,
    "DEMO_X_BEARER": BEARER,
    "DEMO_BLUESKY_PASSWORD": PASSWORD,
}
_TEMPLATE = Path(__file__).parent / "muster.yaml"


def settings_yaml(now: datetime, port: int) -> str:
    """The demo's muster.yaml, its dates set to the plot that ends with ``now``."""
    story = plot(now)
    text = _TEMPLATE.read_text("utf-8")
    for name, value in _values(story, port).items():
        text = text.replace(f"<{name}>", value)
    return text


def _values(story: Plot, port: int) -> dict[str, str]:
    due = date(story.ends.year, 12, 31)
    if due - story.ends < timedelta(days=30):
        due = date(story.ends.year + 1, 6, 30)
    quarter = story.training - timedelta(days=1)
    return {
        "base_url": f"http://127.0.0.1:{port}",
        "forum_account": FORUM_ACCOUNT,
        "since": str(story.begins),
        "due": str(due),
        "before_from": str(story.training - timedelta(days=91)),
        "before_to": str(quarter),
        "year_before_from": str(story.ends - timedelta(weeks=53)),
        "year_before_to": str(story.ends - timedelta(weeks=49, days=1)),
        "events": _events(story),
    }


def _events(story: Plot) -> str:
    """Every story of the plot as an event of the settings."""
    lines = []
    for found in story.stories():
        ends = f", ends: {found.ends}" if found.ends else ""
        lines.append(f"  - {{name: {found.name}, starts: {found.starts}{ends}}}")
    return "\n".join(lines)


def write_project(
    folder: Path, now: datetime, port: int, histories: Mapping[str, str]
) -> dict[str, Path]:
    """Write muster.yaml and each source's audience history; returns the CSV files by source."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "muster.yaml").write_text(settings_yaml(now, port), "utf-8")
    (folder / "history").mkdir(exist_ok=True)
    found = {}
    for source, text in histories.items():
        found[source] = folder / "history" / f"audience-{source}.csv"
        found[source].write_text(text, "utf-8")
    return found
