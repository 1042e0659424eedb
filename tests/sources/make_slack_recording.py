"""Writes tests/recordings/slack.json anew from the workspace in memory."""

from __future__ import annotations

from making import record
from slack_workspace import HOUR, START, small_workspace, ts

from muster.clock import DAY

NOW = START + 18 * DAY


def known(hours: float, thread: float, part: int = 100) -> dict[str, str]:
    at = START + hours * HOUR
    return {"message_id": f"C1:{ts(at, part)}", "thread_id": f"C1:{ts(START + thread * HOUR)}",
            "created_at": at.isoformat()}  # fmt: skip


if __name__ == "__main__":
    record("slack", small_workspace(), {
        "options": {"name": "slack", "platform": "slack", "token": "env:SLACK_TOKEN"},
        "secret": "xoxb-0123456789-invented",
        "now": NOW.isoformat(),
        "known": [known(400, 400), known(403, 403), known(405, 400)],
        "expect": {"messages": 8, "members": 6, "audience": 3, "deletions": 3},
        "rate_limited": {"status": 429, "headers": {"retry-after": "30"}, "wait": 30,
                         "body": {"ok": False, "error": "ratelimited"}},
        "refused": {"status": 200, "headers": {}, "names": "channels:history", "body": {
            "ok": False, "error": "missing_scope", "needed": "channels:history",
            "provided": "users:read"}},
        "author_fields": ["user"],
        "parent_fields": ["ts", "id"],
        "spec": {"file": "slack_web_openapi_v2.json.xz", "streams": {
            "message": "objs_message", "user": "objs_user", "channel": "objs_conversation"},
            "beyond": {}},
    })  # fmt: skip
