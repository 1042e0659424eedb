"""What cannot be mended, out of every reader's way and never lost: ``aside/<digest>/<its key>``."""

from __future__ import annotations

import hashlib
from contextlib import suppress

from muster.errors import Conflict
from muster.store import Store

ASIDE = "aside/"


def keep(store: Store, key: str, data: bytes) -> str:
    """Keep a copy and return where; the same bytes of the same key are kept once."""
    digest = hashlib.blake2b(data, digest_size=8).hexdigest()
    place = f"{ASIDE}{digest}/{key}"
    with suppress(Conflict):  # A run that was killed before it took the object away has kept it.
        store.put(place, data, if_new=True)
    return place


def take_away(store: Store, key: str, data: bytes, etag: str) -> str:
    """Keep a copy, then remove the object itself; ``Conflict`` if it has changed meanwhile."""
    place = keep(store, key, data)
    store.delete(key, if_match=etag)
    return place
