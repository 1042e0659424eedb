"""Writes tests/recordings/matrix.json anew from the home server in memory."""

from __future__ import annotations

from making import record
from matrix_server import HOUR, ROOM, START, small_server

from muster.clock import DAY

NOW = START + 18 * DAY


def known(event: str, hours: float) -> dict[str, str]:
    id_ = f"{ROOM}/${event}"
    return {"message_id": id_, "thread_id": id_, "created_at": (START + hours * HOUR).isoformat()}


if __name__ == "__main__":
    record("matrix", small_server(), {
        "options": {"name": "room", "platform": "matrix", "base_url": "https://matrix.example.org",
                    "token": "env:MATRIX_TOKEN"},
        "secret": "syt_invented_0123456789",
        "now": NOW.isoformat(),
        "known": [known("late", 402), known("lost", 403)],
        "expect": {"messages": 7, "members": 2, "audience": 2, "deletions": 2},
        "rate_limited": {"status": 429, "headers": {"retry-after": "5"}, "wait": 4.255, "body": {
            "errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": 4255}},
        "refused": {"status": 401, "headers": {}, "names": "token", "body": {
            "errcode": "M_UNKNOWN_TOKEN", "error": "Invalid access token passed.",
            "soft_logout": False}},
        "author_fields": [],
        "parent_fields": ["event_id"],
    })  # fmt: skip
