"""Posts without thread ids in; the first post of each chain, and the news in our threads, out.

Three parts of the source's cursor: ``seen`` tells the thread of each young post and when that was
written, ``ours`` when each young thread of ours began and its last count of replies, ``due`` the
threads that have news and are still to be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from muster.clock import DAY
from muster.errors import Rejected
from muster.sources._http import Api
from muster.sources._mastodon_rows import created_at, is_readable, writer
from muster.sources._newest import State, instant, stamp

OUR_SPACE = 14 * DAY  # replies under a post of ours count as said to us, and are read, that long
REMEMBERED = OUR_SPACE + 31 * DAY  # so that the last look at a reply still knows

Post = Mapping[str, Any]


def begin(state: State) -> None:
    """A cursor in which threads can be noted."""
    state.setdefault("seen", {})
    state.setdefault("ours", {})
    state.setdefault("due", [])  # a killed run must not forget them


def thread(api: Api, state: State, post: Post) -> str:
    """The first post of its chain; asked for where neither it nor its parent was seen lately."""
    seen, parent = state["seen"], post.get("in_reply_to_id")
    if post["id"] in seen:
        return str(seen[post["id"]][0])
    if parent and parent not in seen:
        _read_chain(api, state, post)
    first = seen[parent][0] if parent in seen else parent or post["id"]
    _note(state, post, first)
    return str(first)


def _read_chain(api: Api, state: State, post: Post) -> None:
    """Note the thread of every post above one; none if it is gone."""
    try:
        answer = api.get(context(post["id"]))
    except Rejected as refused:
        if not refused.is_gone:
            raise
        return
    above = [one for one in answer.body.get("ancestors") or () if is_readable(one)]
    known = (state["seen"][one["id"]][0] for one in above if one["id"] in state["seen"])
    first = next(known, above[0]["id"] if above else None)
    for one in above:
        _note(state, one, str(first))


def context(post_id: str) -> str:
    """Where the posts above and below one are found."""
    return f"/api/v1/statuses/{quote(post_id, safe='')}/context"


def _note(state: State, post: Post, first: str) -> None:
    """Remember the thread of a post, and a thread of ours with when it began."""
    written, our_id = stamp(created_at(post)), state["us"]["id"]
    state["seen"][post["id"]] = [first, written]
    begins = first == post["id"] and writer(post) == our_id
    answers = first == post.get("in_reply_to_id") and post.get("in_reply_to_account_id") == our_id
    if begins or answers:
        began, replies = state["ours"].get(first, (written, 0))
        state["ours"][first] = [min(began, written), replies]


def watch(state: State, post: Post, is_new: bool, is_daily: bool) -> None:
    """Note that a young thread of ours has news: more direct replies, or a post not seen before."""
    first = state["seen"][post["id"]][0]
    if not is_under_ours(state, post):
        return
    has_news = is_new
    if post["id"] == first:
        counted, replies = state["ours"][first][1], post.get("replies_count") or 0
        has_news = replies > 0 and (is_daily or replies != counted)
        state["ours"][first][1] = replies
    if has_news and first not in state["due"]:
        state["due"].append(first)


def is_under_ours(state: State, post: Post) -> bool:
    """Whether it stands in a thread of ours that was young when it was written."""
    ours = state["ours"].get(state["seen"][post["id"]][0])
    return bool(ours) and created_at(post) - instant(ours[0]) <= OUR_SPACE


def forget(now: datetime, state: State) -> None:
    """Drop what is too old to be asked about again."""
    seen, ours = stamp(now - OUR_SPACE), stamp(now - REMEMBERED)
    state["seen"] = {one: told for one, told in state["seen"].items() if told[1] >= seen}
    state["ours"] = {one: told for one, told in state["ours"].items() if told[0] >= ours}
