"""Groups of a forum that the settings name in; who is in them out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from muster.errors import Rejected, SourceFailed
from muster.sources._discourse_answers import id_of, is_hidden, records
from muster.sources._http import Api

PER_CALL = 200  # a forum gives at most 1,000 a call


def memberships(api: Api, names: Iterable[str], source: str) -> dict[int, list[str]] | None:
    """The groups of each account that is in any of them; ``None`` where none is named."""
    names = tuple(names)
    found: dict[int, list[str]] = {}
    for name in names:
        for member in _members(api, name, source):
            found.setdefault(member, []).append(name)
    return found if names else None


def _members(api: Api, name: str, source: str) -> set[int]:
    """Ids of a group's members and owners; a group that cannot be read is an error, not empty."""
    found: set[int] = set()
    offset = 0
    while True:
        people = _page(api, name, source, offset)
        new = {id_ for one in people if (id_ := id_of(one))} - found
        found |= new
        offset += PER_CALL
        if not new:
            return found


def _page(api: Api, name: str, source: str, offset: int) -> list[dict[str, Any]]:
    try:
        asked = {"limit": PER_CALL, "offset": offset or None}
        body = api.get(f"/groups/{name}/members.json", asked).body
    except Rejected as refused:
        if not is_hidden(refused):
            raise
        raise SourceFailed(
            f"{source}: the group {name!r} that staff, bots or not_bots names cannot be read "
            f"({refused.status}): check in muster.yaml its name, and that the token is right and "
            "may see its members"
        ) from refused
    return [*records(body, "members"), *records(body, "owners")]
