"""Rate limits that pass faster than the real ones, so that a demo meets them and loses seconds.

Each platform answers in its own manner; only the numbers are scaled: Discourse's minute lasts
``DISCOURSE.seconds``, X's quarter of an hour ``X_SECONDS``, Bluesky's five minutes
``BLUESKY.seconds``.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limit:
    """So many requests in a window of so many seconds."""

    requests: int
    seconds: float


DISCOURSE = Limit(220, 5)  # really 60 a minute for all keys of the admin API
X_SECONDS = 2.0  # really 15 minutes
X_LIMITS = {  # requests in such a window; really 300, 450, 450, 10,000, 3,500
    "search/all": 110,
    "search/recent": 15,
    "mentions": 15,
    "tweets": 100,
    "lookup": 60,
    "users": 60,
}
BLUESKY = Limit(50, 2)  # really 3,000 in 5 minutes
SESSIONS = Limit(30, 20)  # really 30 in 5 minutes
ACCESS_SECONDS = 20.0  # life of a Bluesky access token; really about 2 hours


@dataclass
class Meter:
    """Counts requests in fixed windows and says when the present one ends."""

    limit: Limit
    used: int = 0
    ends: float = 0.0
    refused: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> tuple[bool, int, float]:
        """Whether one more may pass, how many are left, and the end of the window (epoch)."""
        with self._lock:
            now = time.time()
            if now >= self.ends:
                self.used, self.ends = 0, now + self.limit.seconds
            self.used += 1
            is_fine = self.used <= self.limit.requests
            self.refused += not is_fine
            return is_fine, max(self.limit.requests - self.used, 0), self.ends
