"""Writes tests/recordings/discourse.json anew from the forum in memory, when that has changed."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from forum import START, Forum

from muster.sources import Window, discourse
from muster.sources._http import Http
from muster.sources._recording import Recorder

PATH = Path(__file__).parents[1] / "recordings" / "discourse.json"
HOUR = timedelta(hours=1)
NOW = START + 240 * HOUR


def small_forum() -> Forum:
    """Two weeks of a help desk: questions, an edit, a deletion, staff, a bot, a lost author."""
    forum = Forum(per_page=4)
    forum.join(1, "desk", name="Help Desk", moderator=True)
    forum.join(-1, "system", name="system", admin=True)
    for id_, name in ((11, "anna"), (12, "bela"), (13, "chiara")):
        forum.join(id_, name)
    forum.join(14, "mail_in", staged=True)
    for topic in range(1, 7):
        forum.open(topic, f"Question &amp; more {topic}", START + topic * HOUR, tags=["vpn"])
    forum.topics[2].update(closed=True, tags=[{"id": 1, "name": "printer", "slug": "printer"}])
    forum.write(3, 1, -1, START, "<p>Welcome!</p>")
    forum.write(5, 1, 11, START + HOUR, "<p>My <b>VPN</b> fails &amp; I cannot log in</p>")
    quote = (
        '<aside class="quote"><blockquote><p>My VPN fails</p></blockquote></aside><p>Try now</p>'
    )
    forum.write(48, 1, 1, START + 2 * HOUR, quote, reply_to_post_number=2)
    forum.write(50, 1, 11, START + 3 * HOUR, "<p>Works, thanks</p>", reply_to_post_number=3,
                actions_summary=[{"id": 2, "count": 3}, {"id": 3, "count": 1}])  # fmt: skip
    forum.write(52, 2, 12, START + 4 * HOUR, "<p>Printer offline</p>")
    forum.write(98, 2, 1, START + 5 * HOUR, "<p>Fixed</p>", accepted_answer=True)
    forum.topics[2]["has_accepted_answer"] = True
    forum.write(99, 2, 1, START + 6 * HOUR, "closed", post_type=3)
    forum.write(101, 3, 13, START + 200 * HOUR, "<p>Wi-Fi?</p>", user_id=None, username=None)
    forum.write(103, 3, 12, START + 201 * HOUR, "<p>Same here</p>", reply_to_post_number=1)
    forum.write(120, 4, 12, START + 202 * HOUR, "<p>spam</p>", hidden=True)
    forum.write(121, 4, 13, START + 203 * HOUR, "<p>(gone)</p>", user_deleted=True)
    forum.write(130, 5, 11, START + 204 * HOUR, "<p>New here</p>")
    forum.write(131, 6, 14, START + 205 * HOUR, "<p>By mail</p>")
    forum.edit(130, "<p>New here, hello</p>", START + 206 * HOUR)
    return forum


def main() -> None:
    """Record an undisturbed fetch, what is asked from each of its cursors, and the check."""
    told = {
        "options": {"name": "forum", "platform": "discourse",
                    "base_url": "https://forum.example.org", "token": "env:FORUM_KEY"},
        "secret": "key-0123456789abcdef-invented",
        "now": NOW.isoformat(),
        "cursor": {"post": 60, "synced_at": (START + 100 * HOUR).isoformat(),
                   "checked_at": START.isoformat(), "members_on": "2026-11-06"},
        "known": [
            {"message_id": "102", "thread_id": "3", "created_at": "2026-11-10T16:30:00+00:00"},
            {"message_id": "52", "thread_id": "2", "created_at": "2026-11-02T12:00:00+00:00"},
            {"message_id": "7", "thread_id": "99", "created_at": "2026-11-02T10:00:00+00:00"},
        ],
        "expect": {"messages": 10, "deletions": 3, "members": 6, "threads": 6, "audience": 2},
        "rate_limited": {
            "status": 429, "headers": {"discourse-rate-limit-error-code": "admin_api_key_rate"},
            "body": {"errors": ["Too many requests"], "extras": {"wait_seconds": 7}}, "wait": 7,
        },
        "author_fields": ["user_id", "username", "name"],
    }  # fmt: skip
    PATH.write_text(json.dumps(told))
    from recorded import Recorded

    one = Recorded("discourse")
    recorder = Recorder(small_forum(), PATH, [told["secret"]])
    api = discourse.connect(one.options, one.secret, Http(transport=recorder, clock=lambda: NOW))
    window = one.window()
    cursors = [page.cursor for page in discourse.pages(api, window)]
    for cursor in cursors:
        list(discourse.pages(api, Window(one.options, NOW, cursor, known=window.known)))
    discourse.check(api, one.options)
    different = {json.dumps(exchange["request"]): exchange for exchange in recorder.exchanges}
    recorder.exchanges = list(different.values())
    api.close()


if __name__ == "__main__":
    main()
