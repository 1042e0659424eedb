"""The last measurement, kept as one object of the lake: all that reports and alerts are made of."""

from __future__ import annotations

from functools import partial

import msgspec

from muster.errors import BadSettings
from muster.project import Project
from muster.remembered import Remembered
from muster.results import Measured

KEY = "measured/latest.json"
MEASURED = Remembered(
    partial(msgspec.json.decode, type=Measured), "which writes it anew", "run muster measure",
    BadSettings,
)  # fmt: skip


def keep(project: Project, measured: Measured) -> None:
    """Put it in the place of the one before."""
    project.lake.put(KEY, msgspec.json.encode(measured))


def read(project: Project) -> Measured:
    """``BadSettings`` if nothing is measured yet, or by a version that wrote other fields."""
    found = MEASURED.get(project.lake, KEY)
    if found is None:
        raise BadSettings("nothing is measured yet: run muster measure first")
    return found
