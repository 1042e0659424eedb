"""Writes tests/recordings/discord.json anew from the server in memory."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from discord_server import GUILD, HOUR, START, small_server
from making import record

from muster.clock import DAY
from muster.sources._discord_rows import snowflake

NOW = START + 18 * DAY


def known(at: datetime, channel: str = "10") -> dict[str, Any]:
    id_ = f"{channel}:{snowflake(at)}"
    return {"message_id": id_, "thread_id": id_, "created_at": at.isoformat()}


if __name__ == "__main__":
    record("discord", small_server(), {
        "options": {"name": "discord", "platform": "discord", "account": GUILD,
                    "token": "env:DISCORD_TOKEN"},
        "secret": "MTk4.invented.bot-token",
        "now": NOW.isoformat(),
        "known": [known(START + 400 * HOUR), known(START + 404 * HOUR),
                  known(START + 401 * HOUR, snowflake(START + 400 * HOUR))],
        "expect": {"messages": 12, "members": 5, "threads": 4, "audience": 1, "deletions": 1},
        "rate_limited": {"status": 429, "headers": {"retry-after": "65"}, "wait": 64.57, "body": {
            "message": "You are being rate limited.", "retry_after": 64.57, "global": False}},
        "refused": {"status": 403, "headers": {}, "names": "View Channels",
                    "body": {"message": "Missing Access", "code": 50001}},
        "author_fields": ["author"],
        "parent_fields": ["id"],
        "spec": {"file": "discord_openapi.json.xz", "streams": {
            "message": "MessageResponse", "member": "GuildMemberResponse",
            "guild": "GuildWithCountsResponse", "thread": "ThreadResponse"}},
    })  # fmt: skip
