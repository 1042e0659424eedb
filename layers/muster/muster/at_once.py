"""Objects → their puts, some at once and while the next are made."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from muster.store import Store

AT_ONCE = 8  # a bucket answers in some 30 ms, and there may be hundreds of objects


def put_all(store: Store, made: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Put objects as they are made and hold few; returns each key's ETag."""
    found, running = dict[str, str](), deque[tuple[str, Future[str]]]()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for key, data in made:
            running.append((key, threads.submit(store.put, key, data)))
            if len(running) > AT_ONCE:  # no more are held
                first, putting = running.popleft()
                found[first] = putting.result()
        return found | {key: putting.result() for key, putting in running}
