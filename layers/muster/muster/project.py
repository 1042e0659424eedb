"""A folder or a bucket with ``muster.yaml`` → an open project: settings, stores, clock, network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from muster import scratch, settings_file, sources
from muster.clock import Clock
from muster.errors import BadSettings
from muster.sending import Mailer, Outbox, mailer
from muster.settings import Settings, Source
from muster.store import Store, checked, open_store

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
    environment: Mapping[str, str] = field(repr=False)  # secrets lie there
    http: Any
    notify: Callable[[Progress], None]
    mailer: Mailer = field(default_factory=Outbox)
    sleep: Callable[[float], None] = time.sleep
    settings_url: str = ""  # where the settings came from, if not from the folder

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


def credentials_of(platform: str) -> str:
    """What a platform wants as its secret, as one sentence; empty if it says nothing."""
    return sources.sentence(sources.said_of(platform).get("Credentials", "")).replace("``", "")


def read_settings(folder: Path) -> Settings:
    """The validated ``muster.yaml`` of a project folder."""
    return settings_file.load(folder / SETTINGS_FILE, options_of)


def place(project: Project, *at: str | int) -> str:
    """Where a key of the project's settings stands: ``muster.yaml:12``."""
    path = project.folder / SETTINGS_FILE
    return settings_file.place(path, project.settings_url or str(path), at)


def all_sources(project: Project) -> Iterator[str]:
    """The sources of the settings, then those that only imports fed."""
    named = [source.name for source in project.settings.sources]
    yield from named
    for entry in project.lake.list("state/"):
        name = entry.key.removeprefix("state/").removesuffix(".json")
        if name not in named and "/" not in name:  # below state/stack/ lies the stack's own
            yield name


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


@contextmanager
def in_bucket(
    environment: Mapping[str, str],
    *,
    clock: Clock,
    http: Any,
    options: Callable[[str], type[Source]] = options_of,
) -> Iterator[Project]:
    """The project whose settings, KPIs and templates lie in the settings' folder of the bucket.

    ``MUSTER_LAKE`` and ``MUSTER_SITE`` say where lake and site are, whatever ``lake:`` says;
    ``MUSTER_SETTINGS`` names the folder; ``options`` gives the settings class of a platform.
    """
    with scratch.folder() as folder:
        lake = open_store(environment["MUSTER_LAKE"], base=folder)
        config = f"{environment['MUSTER_SETTINGS']}/"
        text = _settings_text(lake, f"{config}{SETTINGS_FILE}")
        (folder / SETTINGS_FILE).write_text(text, encoding="utf-8")  # for the line of an error
        url = lake.url(f"{config}{SETTINGS_FILE}")
        settings = _completed(settings_file.parse(text, url, options), environment)
        _copy_own(lake, config, folder)
        yield Project(
            folder=folder,
            settings=settings,
            lake=lake,
            site=open_store(environment["MUSTER_SITE"], base=folder),
            outbox=open_store(f"{environment['MUSTER_LAKE']}/outbox", base=folder),
            clock=clock,
            environment=environment,
            http=http,
            notify=lambda _: None,
            mailer=mailer(settings, environment),
            settings_url=url,
        )


def _settings_text(lake: Store, key: str) -> str:
    stored = lake.get(key)
    if stored is None:
        raise BadSettings(f"{lake.url(key)}: not found. Put it there with muster config push")
    try:
        return stored.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadSettings(f"{lake.url(key)}: cannot be read: {error}") from error


def _completed(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """The settings of the bucket; what they leave open of a report, the stack says."""
    readers = tuple(filter(None, environment.get("MUSTER_RECIPIENTS", "").split(",")))
    site = environment.get("MUSTER_SITE_URL") or None
    reports = tuple(
        one.model_copy(
            update={"recipients": one.recipients or readers, "site_url": one.site_url or site}
        )
        for one in settings.reports
    )
    return settings.model_copy(update={"reports": reports})


def _copy_own(lake: Store, config: str, folder: Path) -> None:
    """The community's own KPIs and templates, as files where the library looks for them."""
    for entry in lake.list(config):
        name = entry.key.removeprefix(config)
        stored = lake.get(entry.key) if name.startswith(("kpis/", "templates/")) else None
        if stored is not None:
            path = folder / checked(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(stored.data)
