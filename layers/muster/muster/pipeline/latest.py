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
    """``BadSettings`` if nothing is measured yet, or by a version that wrote other fields."""
    stored = project.lake.get(KEY)
    if stored is None:
        raise BadSettings("nothing is measured yet: run muster measure first")
    try:
        return msgspec.json.decode(stored.data, type=Measured)
    except msgspec.DecodeError as error:
        raise BadSettings(
            f"{project.lake.url(KEY)} is of another version of Muster, or damaged: run muster "
            "measure, which writes it anew"
        ) from error
