"""One conversation told step by step: the counting rules in plain Python, written from the rulings.

An independent reading of the rules, one message after the other, to hold the SQL against.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby


@dataclass(frozen=True)
class Said:
    """A message: hours since the start, who (member or staff), and what it does; ``is_ending``
    is a tag that says resolved."""

    at: int
    role: str
    is_closing: bool = False
    is_escalating: bool = False
    is_ending: bool = False


@dataclass
class Episode:
    """What one pass over the story learns of an episode."""

    opened_at: int
    is_reopening: bool
    first_response_at: int | None = None
    escalated_at: int | None = None
    resolved_at: int | None = None
    staff_at: list[int] = field(default_factory=list)
    members: list[int] = field(default_factory=list)
    last_considered: Said | None = None
    has_staff: bool = False


def tell(
    said: list[Said], events: list[int], gap: int | None, quiet: int, as_of: int
) -> list[Episode]:
    """Episodes of a thread whose messages are in order; ``events`` are explicit resolutions."""
    told: list[Episode] = []
    now: Episode | None = None
    silent_since: int | None = None
    due = sorted([*(event for event in events if event < as_of), *_tagged(said)])
    for at, group in groupby(said, key=lambda one: one.at):
        if now is not None:
            _settle(now, due, quiet, before=at)
        for one in group:
            now = _hear(one, now, told, silent_since, gap)
            silent_since = at
    if now is not None:
        _settle(now, due, quiet, before=as_of)
    _settle_left(told, quiet, as_of)
    return told


def _tagged(said: list[Said]) -> list[int]:
    return [one.at for one in said if one.is_ending]


def _hear(
    one: Said, now: Episode | None, told: list[Episode], silent_since: int | None, gap: int | None
) -> Episode | None:
    if one.role == "member" and not one.is_closing:
        is_silent = gap is not None and silent_since is not None and one.at - silent_since >= gap
        is_resolved = now is not None and now.resolved_at is not None
        if now is None or is_resolved or (is_silent and now.has_staff):
            now = Episode(one.at, is_reopening=is_resolved)
            told.append(now)
    if now is None:
        return None
    if one.role == "staff":
        now.has_staff = True
        now.staff_at.append(one.at)
        if one.at > now.opened_at and now.first_response_at is None:
            now.first_response_at = one.at
        if one.is_escalating and now.escalated_at is None:
            now.escalated_at = one.at
    if not one.is_closing:
        now.last_considered = one
    return now


def _settle(now: Episode, due: list[int], quiet: int, before: int) -> None:
    """The first resolution since the episode opened, if it came before the next message."""
    if now.resolved_at is not None:
        return
    ends = [event for event in due if now.opened_at <= event < before][:1]
    assumed = _assumed(now, quiet, before)
    now.resolved_at = min([*ends, *assumed], default=None)


def _assumed(now: Episode, quiet: int, before: int) -> list[int]:
    """When the quiet hours after staff's last word were over, unless staff sent them elsewhere."""
    last = now.last_considered
    if last is None or last.role != "staff" or now.escalated_at is not None:
        return []
    return [last.at + quiet] if last.at + quiet < before else []


def _settle_left(told: list[Episode], quiet: int, as_of: int) -> None:
    """An episode that ended by the gap with staff's message last, once its quiet hours are over."""
    for one in told[:-1]:
        if one.resolved_at is None:
            one.resolved_at = min(_assumed(one, quiet, as_of), default=None)
