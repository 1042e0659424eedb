"""A store → the proof that it can be a lake: it writes, and it honours conditions."""

from __future__ import annotations

from uuid import uuid4

from muster.errors import Conflict, StoreRefused
from muster.store import Store


def check_writable(store: Store) -> None:
    """Prove with a probe that the store writes and honours conditions, else ``StoreRefused``."""
    key = f"probe-{uuid4().hex}"
    store.put(key, b"1", if_new=True)
    try:
        if not _refuses(store, key, if_new=True) or not _refuses(store, key, if_match='"0"'):
            raise StoreRefused(
                f"{store.url()} ignores conditional writes (If-None-Match, If-Match), so two runs "
                "at once would lose rows: use AWS S3, SeaweedFS, MinIO, Ceph or a local folder"
            )
    finally:
        store.delete(key)


def _refuses(store: Store, key: str, *, if_match: str | None = None, if_new: bool = False) -> bool:
    try:
        store.put(key, b"2", if_match=if_match, if_new=if_new)
    except Conflict:
        return True
    return False
