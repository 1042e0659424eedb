"""One HTTP request and one answer, as the simulated platforms see and give them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Request:
    """What was asked; ``query`` keeps every value of a repeated key, header names are lower."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = b""

    def first(self, name: str, default: str = "") -> str:
        """The first value of a parameter."""
        return self.query.get(name, [default])[0]

    def number(self, name: str, default: int) -> int:
        """A whole number as Ruby and Express read it: nonsense is the default."""
        text = self.first(name)
        return int(text) if text.lstrip("-").isdigit() else default

    def listed(self, *names: str) -> list[str]:
        """Values given several times, with ``[]``, or separated by commas."""
        values = [value for name in names for value in self.query.get(name, [])]
        return [part for value in values for part in value.split(",") if part]

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty if it is none."""
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def bearer(self) -> str:
        """The bearer token, empty if there is none."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token if kind.lower() == "bearer" else ""


@dataclass(frozen=True)
class Answer:
    """What is answered: JSON unless the body is text."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[bytes, str]:
        """The bytes and their content type."""
        if isinstance(self.body, str):
            return self.body.encode(), "text/html; charset=utf-8"
        text = json.dumps(self.body, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "surrogatepass"), "application/json; charset=utf-8"


def stamp(at: datetime) -> str:
    """An instant as all three platforms write it: 2026-08-20T08:52:59.123Z."""
    here = at.astimezone(UTC)
    return f"{here:%Y-%m-%dT%H:%M:%S}.{here.microsecond // 1000:03d}Z"


def unstamp(text: str) -> datetime | None:
    """The instant of such a text, ``None`` if it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
