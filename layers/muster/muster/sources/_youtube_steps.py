"""What one fetch of a YouTube channel asks for, list by list; the pages it gets, out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import filterfalse
from typing import Any

from muster.clock import DAY
from muster.errors import Rejected
from muster.records import Item, KnownMessage, Page
from muster.sources import Window
from muster.sources._answer import Answer
from muster.sources._downward import done_today, downward, gone, is_due_today, is_within
from muster.sources._newest import Place, State, came_of_age, follow, instant, page, stamp
from muster.sources._paging import FORGOTTEN, walk
from muster.sources._quota import left
from muster.sources._youtube_api import PACIFIC, Tube, is_refused
from muster.sources._youtube_rows import created_at

OVERLAP, LATE = 2 * DAY, 30 * DAY  # each hour, and each day for replies
REFRESHED = 25 * DAY
IDS = 50
VIDEO = "snippet,statistics,status"
VIDEO_ID = 11  # letters of a video's id; those of comments are longer
PLAIN = {"textFormat": "plainText"}


@dataclass(frozen=True)
class Fetch:
    """What every step of one fetch needs; each request is counted before it is made."""

    api: Tube
    window: Window
    state: State

    def get(self, resource: str, params: Mapping[str, Any]) -> Answer:
        return self.api.counted(self.state, self.window, resource, params)

    def item(self, stream: str, body: Any, answer: Answer, **context: Any) -> Item:
        return Item(stream, body, answer.seen_at, {"us": self.state["us"], **context})

    def page(self, items: Iterable[Item] = ()) -> Page:
        return page(self.state, list(items))


def paying(fetch: Fetch) -> Iterator[Page]:
    """Who pays for a membership of the channel, and how many do, once a UTC day."""
    is_due = is_due_today(fetch.state, fetch.window, "paying")
    if not (fetch.window.options.memberships and is_due):
        return
    asked, count = {"part": "snippet", "mode": "all_current", "maxResults": 1000}, 0
    for step in walk(lambda token: fetch.get("members", {**asked, "pageToken": token}), _read):
        items = [fetch.item("paying", one, step.answer) for one in step.items]
        count += len(items)
        if step.token is None:
            done_today(fetch.state, fetch.window, "paying")
            told = {key: one for key, one in step.answer.body.items() if key != "items"}
            items.append(fetch.item("paying_count", told, step.answer, count=count))
        yield fetch.page(items)


def videos(fetch: Fetch) -> Iterator[Page]:
    """Our uploads, newest first, with what they are now."""
    asked_for = {"part": "contentDetails", "playlistId": _uploads(fetch), "maxResults": 50}
    stream = downward(
        "videos",
        lambda asked, token: fetch.get("playlistItems", {**asked_for, "pageToken": token}),
        _read,
        lambda entry: _place(
            entry["contentDetails"]["videoPublishedAt"], entry["contentDetails"]["videoId"]
        ),
        fetch.window,
        OVERLAP,
    )
    for step in follow(fetch.state, stream, fetch.window):
        unread = [entry for entry in step.items if not _video_id(entry)]
        found = {one: entry for entry in step.items if (one := _video_id(entry))}
        items = [fetch.item("video", one, step.answer) for one in unread]
        yield fetch.page([*items, *_videos_by_id(fetch, found)])


def _uploads(fetch: Fetch) -> str:
    """The list of all videos of our channel, whose id differs from the channel's in one letter."""
    return f"UU{fetch.state['us'][2:]}"


def _read(answer: Answer) -> tuple[Sequence[Any], str | None]:
    return answer.body.get("items") or (), answer.body.get("nextPageToken")


def _place(at: str, key: str) -> Place:
    return [stamp(instant(at)), key]


def _video_id(entry: Any) -> str | None:
    try:
        found = entry["contentDetails"]["videoId"]
    except (KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None


def _videos_by_id(fetch: Fetch, found: Mapping[str, Any]) -> Iterator[Item]:
    """Videos as they are now, of the window, each with the entry it was found by.

    Those YouTube does not tell are left out, and those it tells the owner only: what is not public
    yet gets another date once it is.
    """
    ids = list(found)
    for at in range(0, len(ids), IDS):
        asked = {"part": VIDEO, "id": ",".join(ids[at : at + IDS])}
        answer = fetch.get("videos", asked)
        for video in filterfalse(_is_private, answer.body.get("items") or ()):
            if is_within(fetch.window, lambda one: instant(one["snippet"]["publishedAt"]), video):
                key = video.get("id") if isinstance(video, Mapping) else None
                entry = found.get(key) if isinstance(key, str) else None
                yield fetch.item("video", video, answer, entry=entry)


def _is_private(video: Any) -> bool:
    told = video.get("status") if isinstance(video, Mapping) else None
    return isinstance(told, Mapping) and told.get("privacyStatus") == "private"


def threads(fetch: Fetch) -> Iterator[Page]:
    """The comments on all our videos, newest first; once a day deep enough for late replies."""
    is_deep = is_due_today(fetch.state, fetch.window, "threads")
    about = {"allThreadsRelatedToChannelId": fetch.state["us"], "order": "time", **PLAIN}
    asked_for = {"part": "snippet,replies", "maxResults": 100, **about}
    stream = downward(
        "threads",
        lambda asked, token: fetch.get("commentThreads", {**asked_for, "pageToken": token}),
        _read,
        lambda thread: _place(thread["snippet"]["topLevelComment"]["snippet"]["publishedAt"],
                              thread["id"]),
        fetch.window,
        LATE if is_deep else OVERLAP,
    )  # fmt: skip
    for step in follow(fetch.state, stream, fetch.window):
        if step.token is None and is_deep:
            done_today(fetch.state, fetch.window, "threads")
        yield fetch.page([one for told in step.items for one in _thread(fetch, step.answer, told)])
        yield from replies(fetch)


def _thread(fetch: Fetch, answer: Answer, thread: Any) -> Iterator[Item]:
    """A first comment, and the replies that came with it; whether there are more is noted."""
    if not _is_readable(thread):
        yield fetch.item("thread", thread, answer)
        return
    told, replies = thread["snippet"], (thread.get("replies") or {}).get("comments") or []
    first, count = told["topLevelComment"], int(told.get("totalReplyCount") or 0)
    if is_within(fetch.window, created_at, first):
        bare = {key: value for key, value in thread.items() if key != "replies"}
        yield fetch.item("thread", bare, answer)
    for reply in replies:
        if is_within(fetch.window, created_at, reply):
            yield fetch.item("comment", reply, answer, video=told.get("videoId"))
    before = fetch.state["threads"].get(thread["id"], [len(replies)])[0]
    if fetch.window.now - created_at(first) <= LATE + DAY:
        fetch.state["threads"][thread["id"]] = [count, stamp(created_at(first))]
    if count > len(replies) and count != before:
        fetch.state["due"].append([thread["id"], told.get("videoId"), None])


def _is_readable(thread: Any) -> bool:
    try:
        int(thread["snippet"].get("totalReplyCount") or 0)
        created_at(thread["snippet"]["topLevelComment"])
        return isinstance(thread["id"], str)
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def replies(fetch: Fetch) -> Iterator[Page]:
    """The replies of threads that have more than they brought along, a page at a time."""
    due = fetch.state["due"]
    while due:
        thread, video, token = due[0]
        asked = {"part": "snippet", "parentId": thread, "maxResults": 100, **PLAIN}
        items: list[Item] = []
        due[0] = [thread, video, None]
        try:
            answer = fetch.get("comments", {**asked, "pageToken": token})
            found, after = _read(answer)
            inside = [one for one in found if is_within(fetch.window, created_at, one)]
            items = [fetch.item("comment", one, answer, video=video) for one in inside]
            due[0][2] = after if after != token and found else None
        except Rejected as refused:
            if token and refused.status in FORGOTTEN:
                continue  # the page is not known any more: from the first one
            if not (refused.is_gone or is_refused(refused, "commentsDisabled")):
                raise
        if due[0][2] is None:
            due.pop(0)
        yield fetch.page(items)


def is_due(known: KnownMessage, last: datetime, now: datetime) -> bool:
    """On days 1, 3, 7, and every 25 days for as long as it is kept."""
    ages = [(at - known.created_at) // REFRESHED for at in (last, now)]
    return came_of_age(known, last, now) or ages[1] > max(ages[0], 0)


def looked_up(fetch: Fetch, batch: Sequence[KnownMessage]) -> Iterator[Item]:
    """Known videos and comments as they are now; those that are missing are gone."""
    videos = [one for one in batch if len(one.message_id) == VIDEO_ID]
    others = [one for one in batch if len(one.message_id) != VIDEO_ID]
    firsts = [one for one in others if one.message_id == one.thread_id]
    replies = [one for one in others if one.message_id != one.thread_id]
    for resource, part, some, params in (
        ("videos", VIDEO, videos, {}),
        ("commentThreads", "snippet,replies", firsts, PLAIN),
        ("comments", "snippet", replies, PLAIN),
    ):
        if some:
            ids = ",".join(one.message_id for one in some)
            answer = fetch.get(resource, {"part": part, "id": ids, **params})
            yield from _found(fetch, resource, some, answer)


def _found(
    fetch: Fetch, resource: str, some: Sequence[KnownMessage], answer: Answer
) -> Iterator[Item]:
    found = answer.body.get("items") or []
    for one in found:
        if resource == "commentThreads":
            yield from _thread(fetch, answer, one)
        else:
            yield fetch.item(resource.removesuffix("s"), one, answer)
    if all(isinstance(one, Mapping) and isinstance(one.get("id"), str) for one in found):
        there = {one["id"] for one in found}
        yield from (gone(one, answer.seen_at) for one in some if one.message_id not in there)


def search(fetch: Fetch, term: str) -> Iterator[Page]:
    """Videos of others that a term finds, once a day, while searches are left."""
    state, window, name = fetch.state, fetch.window, f"search:{term}"
    if not is_due_today(state, window, name):
        return
    asked_for = {"part": "snippet", "type": "video", "q": term, "order": "date", "maxResults": 50}

    def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
        since = asked["from"] or stamp(window.now - LATE)
        after = instant(since).strftime("%Y-%m-%dT%H:%M:%SZ")
        return fetch.get("search", {**asked_for, "publishedAfter": after, "pageToken": token})

    def place(found: Any) -> Place:
        return _place(found["snippet"]["publishedAt"], found["id"]["videoId"])

    steps = follow(state, downward(name, ask, _read, place, window, OVERLAP), window)
    while left(state, window, "searches", window.options.daily_searches, zone=PACIFIC):
        step = next(steps, None)
        if step is None:
            return
        if step.token is None:
            done_today(state, window, name)
        found = {one["id"]["videoId"]: one for one in step.items if _is_others(state, one)}
        yield fetch.page(_videos_by_id(fetch, found))


def _is_others(state: State, found: Any) -> bool:
    try:
        is_video = isinstance(found["id"]["videoId"], str)
        return is_video and found["snippet"]["channelId"] != state["us"]
    except (KeyError, TypeError):
        return False
