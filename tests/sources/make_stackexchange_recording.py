"""Writes tests/recordings/stackexchange.json anew from the site in memory."""

from __future__ import annotations

from making import record
from stackexchange_site import START, small_site

from muster.clock import DAY

NOW = START + 18 * DAY


def known(message: str, thread: str, days: float) -> dict[str, str]:
    return {"message_id": message, "thread_id": thread,
            "created_at": (NOW - days * DAY).isoformat()}  # fmt: skip


if __name__ == "__main__":
    record("stackexchange", small_site(), {
        "options": {"name": "stack", "platform": "stackexchange", "account": "desk",
                    "tags": ["vpn"], "terms": ["eduroam"], "filter": "!made",
                    "token": "env:STACK_KEY"},
        "secret": "U4DMV*8nvpm3EOpvf69Rxw((",
        "now": NOW.isoformat(),
        "known": [known("40", "40", 7.5), known("c99", "40", 7.2), known("49", "49", 3.3),
                  known("43", "43", 1.2)],
        "expect": {"messages": 11, "members": 3, "threads": 5, "deletions": 2},
        "rate_limited": {"status": 400, "headers": {}, "wait": 13, "body": {
            "error_id": 502, "error_name": "throttle_violation",
            "error_message": "too many requests, more requests available in 12 seconds",
        }},
        "refused": {"status": 400, "headers": {}, "names": "token", "body": {
            "error_id": 400, "error_name": "bad_parameter",
            "error_message": "`key` doesn't match a known application",
        }},
        "author_fields": ["owner"],
        "parent_fields": ["question_id"],
    })  # fmt: skip
