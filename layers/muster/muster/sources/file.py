"""A source that no API feeds: its rows come from ``muster import``; it needs no credentials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from muster.records import Deletion, Item, Page, Row
from muster.settings import Source
from muster.sources import Window


class Options(Source):
    """Nothing beyond what every source has."""

    platform: Literal["file"]


def connect(options: Options, secret: str | None, http: Any) -> None:
    """There is nothing to connect to."""


def pages(api: None, window: Window) -> Iterator[Page]:
    """There is nothing to fetch."""
    return iter(())


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """There is nothing to map."""
    return iter(())


def check(api: None, options: Options) -> str:
    """There is nothing to check."""
    return "fed by muster import"
