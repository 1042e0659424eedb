"""The followers and members of each day: a world goes in, a measurement a day comes out.

A platform tells only today's followers, so the demo imports the history of measurements, as
somebody would who noted them every day.
"""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from random import Random

from demo import bluesky_posts, x_posts
from demo.community import DEFAULT_NOW, SEED, World, world
from demo.people import BLUESKY, FORUM, SOURCES, X
from demo.shifts import DAY
from demo.stories import AFTERWARDS, Plot, load

FORUM_ACCOUNT = "nordufer-forum"
_START = {X: (3850, 1.9), BLUESKY: (640, 2.6)}  # followers on the first day, gained a day
_BOTS = 1340
COLUMNS = ("account", "metric", "segment", "measured_on", "value", "suspected_bots")


def followers(world: World) -> dict[str, dict[date, tuple[int, int]]]:
    """Per source and UTC day: the audience, and how many of it are suspected bots."""
    found = {source: _followers(world.plot, source) for source in (X, BLUESKY)}
    return {**found, FORUM: _members(world)}


def _followers(plot: Plot, source: str) -> dict[date, tuple[int, int]]:
    rng = Random(f"{SEED}/audience/{source}")
    people, daily = _START[source]
    found, day = {}, plot.begins
    while day <= plot.ends + AFTERWARDS:
        people += round(rng.gauss(daily * min(load(plot, day), 2.2), 1.3))
        bots = 35 + (_bots(plot, day) if source == X else 0)
        found[day] = (people + bots, bots)
        day += DAY
    return found


def _bots(plot: Plot, day: date) -> int:
    """They come within three days, and most are removed on one."""
    if day < plot.bot_jump:
        return 0
    if day >= plot.bot_purge:
        return 60
    return min((day - plot.bot_jump).days + 1, 3) * _BOTS // 3


def _members(world: World) -> dict[date, tuple[int, int]]:
    joined = sorted(person.joined_at.date() for person in world.crowds[FORUM].people)
    found, day, count = {}, world.plot.begins, 0
    while day <= world.plot.ends + AFTERWARDS:
        while count < len(joined) and joined[count] <= day:
            count += 1
        found[day] = (count, 0)
        day += DAY
    return found


def account(world: World, source: str) -> str:
    """The account as the platform's connector names it."""
    if source == FORUM:
        return FORUM_ACCOUNT
    us = world.crowds[source].desk[0]
    return x_posts.user_id(us) if source == X else bluesky_posts.did(us)


def history_csv(told: World, source: str, now: datetime) -> str:
    """The measurements of every day before ``now`` as ``muster import audience`` takes them."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    metric = "members" if source == FORUM else "followers"
    for day, (value, bots) in followers(told)[source].items():
        if day < now.date():
            suspected = "" if source == FORUM else bots
            rows.writerow((account(told, source), metric, "all", day, value, suspected))
    return text.getvalue()


def audience_csv(source: str, now: datetime = DEFAULT_NOW) -> str:
    """The same without a server: plays the whole community first, which takes some seconds."""
    if source not in SOURCES:
        raise ValueError(f"{source!r} is no source of the demo: {', '.join(SOURCES)}")
    return history_csv(world(now), source, now)
