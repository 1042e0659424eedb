"""What really happened by an instant, counted from the plot and not through any platform."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from statistics import mean, median
from typing import Any

from demo import bluesky_posts
from demo.community import World, local_day
from demo.exchange import stamp
from demo.people import BLUESKY, SOURCES
from demo.shifts import Desk
from demo.threads import REGULAR, Message, Thread

_FOREVER = 1e12


def truth(world: World, now: datetime, with_ids: bool = False) -> dict[str, Any]:
    """Live and deleted messages of each source, first responses of each month, the stories."""
    issues = [found for source in SOURCES for found in _issues(world, source, now)]
    return {
        "now": stamp(now),
        "sources": {source: _counts(world, source, now, with_ids) for source in SOURCES},
        "months": _by_month(issues),
        "waiting": sum(issue["waits"] for issue in issues),
        "stories": [
            {
                "name": story.name,
                "starts": str(story.starts),
                "ends": str(story.ends) if story.ends else None,
                "find": story.find,
            }
            for story in world.plot.stories()
        ],
    }


def _counts(world: World, source: str, now: datetime, with_ids: bool) -> dict[str, Any]:
    """``live``: ordinary messages a reader sees; ``others``: whispers and small actions."""
    written = [message for message in world.messages[source] if message.at <= now]
    live = [m for m in written if m.kind == REGULAR and is_live(m, now)]
    deleted = [m for m in written if m.kind == REGULAR and not is_live(m, now)]
    told: dict[str, Any] = {
        "live": len(live),
        "deleted": len(deleted),
        "edited": sum(m.version(now) > 0 for m in live),
        "others": sum(m.kind != REGULAR for m in written),
        "by_role": _by_role(live),
    }
    if with_ids:
        names = _names(world, source)
        told["live_ids"] = [names(message) for message in live]
        told["deleted_ids"] = [names(message) for message in deleted]
    return told


def is_live(message: Message, now: datetime) -> bool:
    """Whether it can be read; a topic goes with its first post."""
    first = message.thread.messages[0]
    topic_stands = message.thread.source not in ("forum",) or first.exists(now)
    return message.exists(now) and topic_stands


def _names(world: World, source: str) -> Any:
    if source == BLUESKY:
        records = bluesky_posts.uris(world)
        return lambda message: records[message]
    return lambda message: str(message.id)


def _by_role(messages: list[Message]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for message in messages:
        counts[message.author.role] += 1
    return dict(counts)


def _issues(world: World, source: str, now: datetime) -> list[dict[str, Any]]:
    """Every issue: opened when, answered after how long, inside the desk's hours or not."""
    desk = Desk(world.plot)
    found = []
    for thread in world.threads[source]:
        for n, opener in enumerate(thread.openers):
            if not is_live(opener, now):
                continue
            until = None if thread.is_announcement else _next(thread, n)
            first = _first_answer(thread, opener, until, now)
            if thread.is_ambient and first is None:
                continue
            ends = [thread.accepted_at, thread.closed_at]
            is_solved = any(end is not None and end <= now for end in ends)
            found.append(
                {
                    "source": source,
                    "month": f"{local_day(opener.at):%Y-%m}",
                    "week": _week(opener.at),
                    "wait": first.at - opener.at if first else None,
                    "is_open_hours": desk.is_open(opener.at),
                    "is_outreach": thread.is_ambient,
                    "is_reopened": n > 0 and not thread.is_announcement,
                    "staff": _staff_messages(thread, opener, until, now),
                    "waits": first is None and not is_solved,
                }
            )
    return found


def _next(thread: Thread, n: int) -> Message | None:
    return thread.openers[n + 1] if n + 1 < len(thread.openers) else None


def _staff_after(
    thread: Thread, opener: Message, until: Message | None, now: datetime
) -> list[Message]:
    return [
        message
        for message in sorted(thread.messages, key=lambda m: m.at)
        if message.author.role == "staff"
        and message.kind == REGULAR
        and opener.at < message.at <= now
        and (until is None or message.at < until.at)
        and (not thread.is_announcement or message.parent is opener)
    ]


def _first_answer(
    thread: Thread, opener: Message, until: Message | None, now: datetime
) -> Message | None:
    return next(iter(_staff_after(thread, opener, until, now)), None)


def _staff_messages(thread: Thread, opener: Message, until: Message | None, now: datetime) -> int:
    return len(_staff_after(thread, opener, until, now))


def _week(at: datetime) -> str:
    year, week, _ = local_day(at).isocalendar()
    return f"{year}-W{week:02d}"


def _by_month(issues: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    months: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for issue in issues:
        months[issue["month"]].append(issue)
    return {month: _summary(months[month]) for month in sorted(months)}


def _summary(issues: list[dict[str, Any]]) -> dict[str, Any]:
    """Seconds; the medians count an unanswered issue as waiting for ever."""
    told: dict[str, Any] = {"issues": len(issues)}
    for name, chosen in (
        ("all", issues),
        ("in_hours", [issue for issue in issues if issue["is_open_hours"]]),
        ("off_hours", [issue for issue in issues if not issue["is_open_hours"]]),
    ):
        waits = [issue["wait"].total_seconds() for issue in chosen if issue["wait"] is not None]
        unanswered = [_FOREVER] * (len(chosen) - len(waits))
        middle = median([*waits, *unanswered] or [_FOREVER])
        is_known = middle < _FOREVER / 2
        told[f"first_response_{name}_median"] = round(middle, 1) if is_known else None
        told[f"first_response_{name}_mean"] = round(mean(waits), 1) if waits else None
    answered = [issue for issue in issues if issue["wait"] is not None]
    social = [issue for issue in answered if issue["source"] != "forum"]
    told["unanswered"] = len(issues) - len(answered)
    told["outreach_share_social"] = _share(social, lambda issue: issue["is_outreach"])
    told["at_most_4_staff_messages"] = _share(answered, lambda issue: issue["staff"] <= 4)
    told["reopened"] = sum(issue["is_reopened"] for issue in issues)
    return told


def _share(issues: list[dict[str, Any]], test: Any) -> float | None:
    return round(sum(map(test, issues)) / len(issues), 3) if issues else None
