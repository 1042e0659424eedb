"""What a check of the lake can find: each kind in words, and what is to be done about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_REPAIR = "muster lake repair"


@dataclass(frozen=True)
class Kind:
    """What is found (one, many), what to do, whether it is wrong, and whether repair mends it."""

    one: str
    many: str
    do: str
    is_wrong: bool = True
    is_mended: bool = True


KINDS: Mapping[str, Kind] = {
    "foreign": Kind("file that is none of the lake's", "files that are none of the lake's",
                    f"{_REPAIR} sets it aside; muster import takes its rows"),
    "unreadable": Kind("object that no reader can open", "objects that no reader can open",
                       f"{_REPAIR} sets it aside; then muster replay, or import the file again"),
    "newer": Kind("object of a newer Muster", "objects of a newer Muster",
                  "update this one; nothing is changed", is_mended=False),
    "old_schema": Kind("object in an older schema", "objects in an older schema",
                       f"{_REPAIR} writes it in today's", is_wrong=False),
    "broken": Kind("row without what its table requires", "rows without what their table requires",
                   f"{_REPAIR} sets them aside; import them again, completed"),
    "unknown_value": Kind("row with a value the table does not know",
                          "rows with a value the table does not know",
                          "update Muster and replay, or import corrected rows; nothing is changed",
                          is_mended=False),
    "wrong_month": Kind("row outside of its month", "rows outside of their month",
                        f"{_REPAIR} moves them"),
    "twice": Kind("key that stands twice", "keys that stand twice",
                  f"{_REPAIR} merges their rows, the later observation wins"),
    "unsorted": Kind("row out of order", "rows out of order", f"{_REPAIR} sorts them"),
    "statistics": Kind("row group without true statistics", "row groups without true statistics",
                       f"{_REPAIR} writes them anew; until then readers may skip rows"),
    "parts": Kind("part that is missing or still open before others",
                  "parts that are missing or still open before others",
                  f"{_REPAIR} closes them; until then a merge may write a key twice"),
    "too_large": Kind("part far above its size", "parts far above their size",
                      f"{_REPAIR} splits it"),
    "left_over": Kind("left-over of a broken run", "left-overs of broken runs",
                      f"{_REPAIR} removes it", is_wrong=False),
    "state": Kind("state that cannot be read", "states that cannot be read",
                  f"{_REPAIR} sets it aside; then muster fetch --source NAME --since DATE"),
    "damaged": Kind("small file that is damaged, or of another version of Muster",
                    "small files that are damaged, or of another version of Muster",
                    "bring an earlier version of it back, or delete it", is_mended=False),
    "no_rows": Kind("source whose cursor has passed items of which no row is left",
                    "sources whose cursors have passed items of which no row is left",
                    "muster replay --source NAME, or muster fetch --source NAME --since DATE",
                    is_mended=False),
    "no_state": Kind("source with rows and no state", "sources with rows and no state",
                     "nothing vouches for its rows: fetch or import once more",
                     is_wrong=False, is_mended=False),
    "future": Kind("row of the future", "rows of the future",
                   "look at the clock of the platform or the file", is_wrong=False,
                   is_mended=False),
    "orphans": Kind("reply to a message that the lake does not hold",
                    "replies to messages that the lake does not hold",
                    "fetch from further back (--since), if the platform still has them",
                    is_wrong=False, is_mended=False),
    "aside": Kind("object set aside earlier", "objects set aside earlier",
                  "look at it, import or delete it", is_wrong=False, is_mended=False),
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """Something found in one place: its kind, where, how many, and more about it."""

    kind: str
    where: str
    count: int = 1
    detail: str = ""

    @property
    def is_wrong(self) -> bool:
        """Whether the lake is not as it should be; else it is only worth knowing."""
        return KINDS[self.kind].is_wrong

    @property
    def is_mended(self) -> bool:
        """Whether ``muster lake repair`` mends it."""
        return KINDS[self.kind].is_mended

    @property
    def do(self) -> str:
        """What to do about it."""
        return KINDS[self.kind].do

    def what(self) -> str:
        """How many of what."""
        kind = KINDS[self.kind]
        more = f" ({self.detail})" if self.detail else ""
        return f"{self.count:,} {kind.one if self.count == 1 else kind.many}{more}"

    def sentence(self) -> str:
        """Where, how many of what, and what to do."""
        return f"{_CONTROL.sub('?', self.where)}: {self.what()}: {self.do}"
