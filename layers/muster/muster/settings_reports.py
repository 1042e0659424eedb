"""The part of ``muster.yaml`` about reports: for whom, in which words, when, and how sent."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from muster.settings_types import Address, Language, Part, Secret, Slug, Zone

_TIME = r"([01]\d|2[0-3]):([0-5]\d)"
# No day that a month may lack: its report would be left out without a word.
_SEND_AT = {
    "week": (re.compile(rf"(mon|tue|wed|thu|fri|sat|sun) {_TIME}"), "mon 07:30"),
    "month": (
        re.compile(rf"([1-9]|1\d|2[0-8]) {_TIME}"), "a day from 1 to 28 and a time: 1 07:30",
    ),
}  # fmt: skip
_HERE = ("localhost", "127.0.0.1", "::1")


class Smtp(Part):
    """The mail server that takes the reports, if ``mail`` is ``smtp``."""

    host: str
    port: Annotated[int | None, Field(ge=1, le=65535, description="587, 465 or 25 if absent")] = (
        None
    )
    security: Annotated[
        Literal["starttls", "tls", "none"], Field(description="none: readable on its way")
    ] = "starttls"
    user: str | None = None
    password: Secret | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Smtp:
        if bool(self.user) != bool(self.password):
            raise ValueError("user and password go together: write both or none")
        if self.password and self.security == "none" and self.host not in _HERE:
            raise ValueError("security: none would show the password on its way: write starttls")
        return self


class Unsubscribe(Part):
    """Where a click on a mail's Unsubscribe leads, and the secret that signs it."""

    url: Annotated[str, StringConstraints(pattern=r"^https://[^\s?#]+$")]
    secret: Secret


class Report(Part):
    """One mailed report: which KPIs, for whom, in which voice, and when."""

    name: Slug = "weekly"
    title: str | None = None
    voice: Literal["team", "executive"] = "team"
    grain: Literal["week", "month", "quarter"] = "week"
    kpis: Annotated[
        tuple[str, ...], Field(description="KPI ids in order; all that have data if empty")
    ] = ()
    goals: Annotated[
        tuple[str, ...], Field(description="names of goals; all of the settings' if empty")
    ] = ()
    recipients: tuple[Address, ...] = ()
    alerts: Annotated[
        Literal["all"] | tuple[Address, ...],
        Field(description="recipients who are also mailed between reports; all: every one"),
    ] = ()
    sender: Address = "muster@localhost"
    site_url: str | None = None
    language: Language | None = None
    chat: Annotated[
        tuple[Secret, ...], Field(description="where apprise URLs of channels are: env:TEAM_CHAT")
    ] = ()
    send_at: Annotated[
        str, Field(description="mon 07:30 for a week; 1 07:30 (day and time) for longer grains")
    ] = ""
    timezone: Annotated[
        Zone | None, Field(description="of send_at and of the times it shows; else the community's")
    ] = None

    @property
    def alerted(self) -> tuple[str, ...]:
        """The recipients who want to hear of signals between reports."""
        return self.recipients if self.alerts == "all" else self.alerts

    @model_validator(mode="after")
    def _alerts_readers(self) -> Report:
        strangers = [one for one in self.alerted if one not in self.recipients]
        if self.recipients and strangers:
            raise ValueError(f"alerts go to recipients only: add {strangers[0]} to recipients")
        return self

    @model_validator(mode="after")
    def _has_a_time(self) -> Report:
        pattern, example = _SEND_AT["week" if self.grain == "week" else "month"]
        if self.send_at and not pattern.fullmatch(self.send_at):
            raise ValueError(
                f"{self.send_at!r} is no time for a {self.grain}'s report: write {example}"
            )
        return self
