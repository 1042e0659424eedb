"""The settings and what the lake remembers → sources that were fetched and are no longer named.

Their rows stay and count, since a community's past does not go with a platform. Whoever gave a
source another name has the same messages twice once it is fetched under that one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from muster.lake import state
from muster.lake.state import State
from muster.project import Project, all_sources

_log = logging.getLogger(__name__)


def names(project: Project) -> tuple[str, ...]:
    """Those whose memory says how far they were read."""
    there = (name for name in all_sources(project) if project.settings.source(name) is None)
    return tuple(name for name in there if was_fetched(state.told(project.lake, name)))


def was_fetched(memory: State) -> bool:
    """Whether a source that the settings do not name was fetched: an import has no cursor."""
    return bool(memory.cursor)


def sentence(left: Iterable[str]) -> str:
    """What becomes of them, and what to do if one was only renamed."""
    told = ", ".join(left)
    return (
        f"{told}: no longer in the settings; the rows stay and count. If a source there is the "
        "same place under a new name, give it its old one, or everything counts twice"
    )


def warn_of_new_name(project: Project, name: str) -> None:
    """Tell, before anything is fetched, what a source that was never fetched may have been."""
    if left := names(project):
        _log.warning("%s: fetched for the first time; %s", name, sentence(left))
