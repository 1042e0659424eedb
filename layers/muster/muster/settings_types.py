"""The kinds of values in ``muster.yaml``: spans, zones, patterns, addresses, secrets."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from muster.names import SOURCE_NAME

KEPT_AS_RECEIVED = ("raw", "quarantine")
LONGEST = timedelta(days=36525)
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)\s*")
_ADDRESS = re.compile(r"[^@\s,;:<>()\"\\]+@[^@\s,;:<>()\"\\]+")


def parse_duration(value: Any) -> Any:
    """``4h``, ``30m``, ``7d`` … as a timedelta; other values pass through to pydantic."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match:
        seconds = float(match[1]) * _UNITS[match[2]]
        if seconds > LONGEST.total_seconds():
            raise ValueError("longer than a hundred years: write a shorter span")
        return timedelta(seconds=seconds)
    if isinstance(value, timedelta):
        return value
    raise ValueError("write a number and a unit: 30m, 4h, 7d")


def _known_zone(name: str) -> str:
    # Its file is looked for, not listed among all six hundred, as available_timezones() does.
    try:
        is_known = ZoneInfo(name).key.partition("/")[0] not in ("posix", "right", "posixrules")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        is_known = False
    if not is_known:
        raise ValueError(f"{name!r} is no IANA time zone: write for example Europe/Berlin")
    return name


def _compiles(pattern: str) -> str:
    try:
        with warnings.catch_warnings(action="ignore"):  # what a later Python may read otherwise
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        shown = pattern if len(pattern) <= 100 else f"{pattern[:100]}…"
        raise ValueError(f"{shown!r} is no pattern (regular expression): {error}") from error
    return pattern


def _is_plausible(day: date) -> date:
    # A day further off has no instant in every time zone.
    if not 1900 < day.year < 9999:
        raise ValueError(f"{day} is no day that a community has seen")
    return day


def _is_place(url: str) -> str:
    """An address whose host is what it seems to be: no second one before an ``@``, no odd port."""
    try:
        parts = urlsplit(url)
        is_plain = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        is_plain = False
    if not (is_plain and url.isprintable() and "\\" not in url):
        raise ValueError("write https://host or https://host/path; a secret goes into token")
    return url


def _is_address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is no mail address: write name@example.org")
    return text


def _has_time(keep: Mapping[str, timedelta]) -> Mapping[str, timedelta]:
    from muster.records import TABLES  # ten tables that a mail's function need not know

    kinds = [*KEPT_AS_RECEIVED, *(name for name, table in TABLES.items() if table.month)]
    for name in keep:
        if name not in kinds:
            raise ValueError(f"{name!r} cannot expire: write one of {', '.join(kinds)}")
    return keep


_URL, _NAME = r"^https?://[^\s?#]+$", f"^{SOURCE_NAME}$"
_REFERENCE = r"^(env:\w+|ssm:/\S+|secretsmanager:\S+)$"
_LANGUAGE, CURRENCY = r"^[a-z]{2}(-[A-Z]{2})?$", r"^[A-Z]{3}$"
# Of a text that does not have the form it needs: what to write.
SHAPES = {
    _URL: "write https://host or https://host/path, without ? and #",
    _NAME: "write a short name in small letters, digits, - and _: help-desk",
    _REFERENCE: "a secret never stands in this file: write where it is, as env:NAME, ssm:/path or "
    "secretsmanager:name",
    _LANGUAGE: "write a language: de, en-US",
    CURRENCY: "write three capital letters: EUR, USD",
}

Pattern = Annotated[str, AfterValidator(_compiles)]
Address = Annotated[str, AfterValidator(_is_address)]
Duration = Annotated[timedelta, BeforeValidator(parse_duration, json_schema_input_type=str)]
Day = Annotated[date, AfterValidator(_is_plausible)]
BaseUrl = Annotated[str, StringConstraints(pattern=_URL), AfterValidator(_is_place)]
Zone = Annotated[str, AfterValidator(_known_zone)]
Slug = Annotated[str, StringConstraints(pattern=_NAME)]
Secret = Annotated[str, StringConstraints(pattern=_REFERENCE)]
Language = Annotated[
    str,
    StringConstraints(pattern=_LANGUAGE),
    Field(description="of words, numbers and dates: de, en-US; the community's if absent"),
]
Keep = Annotated[
    Mapping[str, Duration],
    AfterValidator(_has_time),
    Field(description="how long rows stay: a table, raw or quarantine → 90d, 104w; absent: always"),
]
Grain = Literal["day", "week", "month", "quarter", "year"]
Sentiment = Literal["vader", "comprehend", "none"]


class Part(BaseModel):
    """Any part of the settings: frozen, and strict about unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)
