"""An API item in; the same without the named fields, however deep, out.

What the tables never hold (addresses, telephone numbers, cards) is left out before raw is written:
what is not kept need not be protected, erased or explained.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any


def without(value: Any, names: Collection[str]) -> Any:
    """The value without everything that stands under one of the names.

    >>> without({"id": 1, "user": {"email": "a@example.org", "role": "agent"}}, {"email"})
    {'id': 1, 'user': {'role': 'agent'}}
    """
    if isinstance(value, Mapping):
        kept = ((key, found) for key, found in value.items() if key not in names)
        return {key: without(found, names) for key, found in kept}
    return [without(one, names) for one in value] if isinstance(value, list) else value
