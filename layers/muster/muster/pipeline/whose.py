"""A row or an item → whose it is, and whether erased members leave it to anybody else."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from muster.lake.suppression import Suppressed, load
from muster.pipeline.mapping import mapped
from muster.project import Project
from muster.records import Deletion, Item, Row, Thread
from muster.settings import Source


def is_theirs(source: Source, suppressed: Suppressed) -> Callable[[Item], bool]:
    """A function that tells whether an item is of erased members only.

    One that cannot be mapped is theirs if it names them at all.
    """

    def check(item: Item) -> bool:
        rows, refused = mapped(source, [item])
        if refused:
            return bool(suppressed.value(item.body) != item.body)
        owned = [_is_owned(row, suppressed) for row, _ in rows]
        return True in owned and False not in owned

    return check


def _is_owned(row: Row | Deletion, suppressed: Suppressed) -> bool | None:
    """Whether a row is of an erased member, of somebody else, or (``None``) of nobody."""
    if person := person_of(row):
        return suppressed.pseudonym(person) is not None
    return suppressed.has_opened(row.thread_id) if isinstance(row, Thread) else None


def person_of(row: Row | Deletion) -> str | None:
    """The account a row is of."""
    names = ("author_id", "member_id", "respondent_id", "customer_id")
    return next((found for name in names if (found := getattr(row, name, None))), None)


def without_erased(project: Project, name: str, rows: Iterable[Row]) -> list[Row]:
    """Rows of an import without those of the source's erased members."""
    suppressed = load(project.lake, name)
    return [row for row in rows if not suppressed.pseudonym(person_of(row))]
