"""Every small object that nothing else can tell again → those of them that are damaged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from muster.lake import person_ids, suppression
from muster.lake.findings import Finding
from muster.pipeline import alerts, definitions, publish, subscriptions
from muster.project import Project
from muster.remembered import Remembered
from muster.reports import addresses
from muster.store import Store


def found(project: Project) -> Iterator[Finding]:
    """Each damaged one, and what is lost with it; the states of sources are told by themselves."""
    for store, prefix, kind in _all(project):
        for entry in store.list(prefix):
            try:
                kind.get(store, entry.key)
            except kind.error:
                yield Finding("damaged", store.url(entry.key), 1, kind.lost)


def _all(project: Project) -> Iterator[tuple[Store, str, Remembered[Any]]]:
    lake, outbox = project.lake, project.outbox
    yield lake, person_ids.LOG, person_ids.DECISIONS
    yield lake, suppression.FOLDER, suppression.ERASED
    yield lake, definitions.KEY, definitions.DEFINITIONS
    yield lake, subscriptions.SUBSCRIPTIONS, subscriptions.SINCE
    yield outbox, subscriptions.RETURNED, subscriptions.CAME_BACK
    for one in project.settings.reports:
        yield outbox, alerts.key_of(one), alerts.TOLD
    yield project.site, addresses.INDEX, publish.PAST
