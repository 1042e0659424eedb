"""Libraries that no command needs → found nowhere, though DuckDB and pyarrow look for them.

Where they are installed, each of the two imports pandas and numpy: half a second of a command.
Where they are not, DuckDB looks through all folders for pandas again, at nearly every question.
"""

from __future__ import annotations

import sys

NAMES = ("numpy", "pandas", "polars")


class _Nowhere:
    """A finder that is asked first. Spark asks what there is, and works with it."""

    def find_spec(self, name: str, *_: object) -> None:
        if name in NAMES and "pyspark" not in sys.modules:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def hide() -> None:
    """From now on this process finds none of them, unless it has imported one already."""
    sys.meta_path.insert(0, _Nowhere())
