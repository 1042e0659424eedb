"""A folder with ``muster.yaml`` → an open project: settings, stores, clock and connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from muster import settings_file, sources
from muster.clock import Clock
from muster.sending import Mailer, Outbox, mailer
from muster.settings import Settings, Source
from muster.store import Store, open_store

SETTINGS_FILE = "muster.yaml"
CONFIG = "config/"  # below it, in a stack's lake, lie the settings and the community's own KPIs


@dataclass(frozen=True)
class Progress:
    """One step forward of one source or stage, for whoever shows it."""

    stage: str
    name: str
    done: int
    note: str = ""


@dataclass(frozen=True)
class Project:
    """Everything a stage may touch; tests hand in a folder, a fixed clock and a transport."""

    folder: Path
    settings: Settings
    lake: Store
    site: Store
    outbox: Store
    clock: Clock
    environment: Mapping[str, str]
    http: Any
    notify: Callable[[Progress], None]
    mailer: Mailer = field(default_factory=Outbox)

    @property
    def kpi_folder(self) -> Path:
        """Where the community's own KPIs lie."""
        return self.folder / "kpis"


def options_of(platform: str) -> type[Source]:
    """The settings class of a platform's sources; ``BadSettings`` if there is no such platform."""
    return sources.platform(platform).Options


def platform_names() -> tuple[str, ...]:
    """Every platform there is."""
    return sources.platform_names()


def read_settings(folder: Path) -> Settings:
    """The validated ``muster.yaml`` of a project folder."""
    return settings_file.load(folder / SETTINGS_FILE, options_of)


def place(project: Project, *at: str | int) -> str:
    """Where a key of the project's settings stands: ``muster.yaml:12``."""
    return settings_file.place(project.folder / SETTINGS_FILE, at)


def open_project(
    folder: Path,
    *,
    clock: Clock,
    environment: Mapping[str, str],
    http: Any,
    notify: Callable[[Progress], None] = lambda _: None,
) -> Project:
    """Read the settings and open the stores; nothing is written yet.

    On a laptop site and outbox lie beside the lake folder; in a bucket they lie inside it.
    """
    settings = read_settings(folder)
    lake = open_store(settings.lake, base=folder)
    is_remote = "://" in settings.lake
    return Project(
        folder=folder,
        settings=settings,
        lake=lake,
        site=open_store(f"{settings.lake}/site" if is_remote else "./site", base=folder),
        outbox=open_store(f"{settings.lake}/outbox" if is_remote else "./outbox", base=folder),
        clock=clock,
        environment=environment,
        http=http,
        notify=notify,
        mailer=mailer(settings, environment),
    )
