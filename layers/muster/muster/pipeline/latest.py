"""The last measurement, kept as one object of the lake: all that reports and alerts are made of."""

from __future__ import annotations

import msgspec

from muster.errors import BadSettings
from muster.project import Project
from muster.results import Measured

KEY = "measured/latest.json"


def keep(project: Project, measured: Measured) -> None:
    """Put it in the place of the one before."""
    project.lake.put(KEY, msgspec.json.encode(measured))


def read(project: Project) -> Measured:
    """``BadSettings`` if nothing is measured yet."""
    stored = project.lake.get(KEY)
    if stored is None:
        raise BadSettings("nothing is measured yet: run muster measure first")
    return msgspec.json.decode(stored.data, type=Measured)
