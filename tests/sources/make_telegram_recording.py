"""Writes tests/recordings/telegram.json anew from the bot in memory."""

from __future__ import annotations

from making import record
from telegram_bot import START, small_bot

from muster.clock import DAY

if __name__ == "__main__":
    record("telegram", small_bot(), {
        "options": {"name": "telegram", "platform": "telegram", "token": "env:TELEGRAM_TOKEN"},
        "secret": "1:invented-token-of-no-bot",
        "now": (START + DAY / 2).isoformat(),
        "expect": {"messages": 9, "members": 4, "audience": 2},
        "rate_limited": {"status": 429, "headers": {}, "wait": 35, "body": {
            "ok": False, "error_code": 429, "description": "Too Many Requests: retry after 35",
            "parameters": {"retry_after": 35}}},
        "refused": {"status": 401, "headers": {}, "names": "BotFather", "body": {
            "ok": False, "error_code": 401, "description": "Unauthorized"}},
        "author_fields": ["from"],
        "parent_fields": ["update_id"],
    })  # fmt: skip
