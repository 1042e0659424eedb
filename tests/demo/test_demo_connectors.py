"""Muster's own connectors read the demo's platforms over HTTP and find exactly what is true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

import demo
from muster.clock import fixed_clock
from muster.errors import SourceFailed
from muster.records import Audience, Deletion, KnownMessage, Member, Message, Thread
from muster.sources import Window, platform
from muster.sources._http import Http

SOURCES = ("forum", "x", "bluesky")


@pytest.fixture(scope="module")
def server() -> Iterator[demo.Server]:
    with demo.start(are_limited=False) as running:
        yield running


@pytest.fixture(scope="module")
def project(server: demo.Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's project folder."""
    folder = tmp_path_factory.mktemp("project")
    server.write_project(folder)
    return folder


@pytest.fixture(scope="module")
def sources(project: Path) -> dict[str, Any]:
    """The settings of each source as the demo's muster.yaml has them."""
    told = yaml.safe_load((project / "muster.yaml").read_text("utf-8"))
    return {source["name"]: source for source in told["sources"]}


@dataclass
class Read:
    """What one source's connector has yielded, the newest row of each message."""

    messages: dict[str, Message] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    threads: dict[str, Thread] = field(default_factory=dict)
    audience: list[Audience] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    cursor: Mapping[str, Any] = field(default_factory=dict)

    def live(self) -> set[str]:
        gone = {key for key, message in self.messages.items() if message.deleted_at}
        return set(self.messages) - gone - self.deleted

    def known(self, after: datetime) -> list[KnownMessage]:
        live = self.live()
        found = [
            KnownMessage(key, row.thread_id, row.created_at, row.edited_at)
            for key, row in self.messages.items()
            if key in live and row.created_at >= after
        ]
        return sorted(found, key=lambda known: known.created_at)


def fetch(
    source: Mapping[str, Any], now: datetime, read: Read, http: Http, groups: tuple[str, ...] = ()
) -> Read:
    """Run the connector as the pipeline does, without a lake."""
    module = platform(source["platform"])
    options = module.Options(**source)
    api = module.connect(options, demo.TOKENS[source["token"].removeprefix("env:")], http)
    window = Window(options, now, dict(read.cursor), known=read.known, groups=groups)
    for page in module.pages(api, window):
        read.cursor = page.cursor or read.cursor
        for item in page.items:
            try:
                for row in module.rows(item, options):
                    _keep(read, row)
            except (KeyError, TypeError, ValueError, SourceFailed) as error:
                read.refused.append(repr(error))
    return read


def _keep(read: Read, row: Any) -> None:
    if isinstance(row, Message):
        read.messages[row.message_id] = row
        if row.deleted_at is None:
            read.deleted.discard(row.message_id)
    elif isinstance(row, Deletion):
        read.deleted.add(row.message_id)
    elif isinstance(row, Member):
        read.members[row.member_id] = row
    elif isinstance(row, Thread):
        read.threads[row.thread_id] = row
    elif isinstance(row, Audience):
        read.audience.append(row)


@pytest.fixture(scope="module")
def first(server: demo.Server, sources: dict[str, Any]) -> dict[str, tuple[Read, dict[str, Any]]]:
    """The first fetch of each source, and the truth at that instant."""
    truth = server.truth(with_ids=True)["sources"]
    http = Http(clock=fixed_clock(server.now))
    return {name: (fetch(sources[name], server.now, Read(), http), truth[name]) for name in SOURCES}


@pytest.mark.parametrize("name", SOURCES)
def test_the_first_fetch_finds_every_live_message_and_no_other(first: Any, name: str) -> None:
    read, truth = first[name]
    assert read.live() == set(truth["live_ids"])
    assert len(truth["live_ids"]) == truth["live"] == len(set(truth["live_ids"]))
    assert not read.refused


@pytest.mark.parametrize("name", SOURCES)
def test_staff_is_told_from_members(first: Any, name: str) -> None:
    read, truth = first[name]
    roles = Counter(read.messages[key].author_role for key in read.live())
    assert roles["staff"] == truth["by_role"]["staff"]


def test_groups_that_the_settings_name_are_read_and_no_others(
    server: demo.Server, sources: dict[str, Any], first: Any
) -> None:
    """As Discourse answers: who is in the group, and of everybody else that they are not."""
    assert {one.groups for one in first["forum"][0].members.values()} == {None}
    http, named = Http(clock=fixed_clock(server.now)), ("help-desk", "night-shift")
    since = (server.now - timedelta(weeks=8)).date().isoformat()
    found = fetch({**sources["forum"], "since": since}, server.now, Read(), http, named)
    found = found.members.values()
    night = {one.handle for one in found if one.groups == named}
    assert night == {"mirko", "sunniva", "dao", "emil"}
    assert len([one for one in found if one.groups == ("help-desk",)]) == 6
    assert {one.groups for one in found if one.role == "member"} == {()}
    assert {one.platform_roles for one in found if one.role == "member"} == {()}
    admins = {one.handle for one in found if "admin" in (one.platform_roles or ())}
    assert admins == {"meike", "system"}


def test_a_group_that_cannot_be_read_is_said_before_anything_is_fetched(
    server: demo.Server, sources: dict[str, Any]
) -> None:
    http = Http(clock=fixed_clock(server.now))
    with pytest.raises(SourceFailed, match="group 'helpdesk' that staff, bots or not_bots names"):
        fetch(sources["forum"], server.now, Read(), http, ("helpdesk",))


@pytest.mark.parametrize("name", SOURCES)
def test_todays_audience_continues_the_history(first: Any, project: Path, name: str) -> None:
    """The history and the connector file the audience under one account, within a few a day."""
    (now,) = first[name][0].audience
    last = (project / "history" / f"audience-{name}.csv").read_text().splitlines()[-1].split(",")
    assert (now.account, now.metric) == (last[0], last[1])
    assert abs(now.value - int(last[4])) < 40


def test_solutions_and_closed_topics_of_the_forum_are_seen(first: Any) -> None:
    read, _ = first["forum"]
    solved = [thread for thread in read.threads.values() if thread.solved_by]
    assert len(solved) > 1000
    assert sum(message.is_solution for message in read.messages.values()) >= len(solved) - 30
    assert sum(thread.closed_at is not None for thread in read.threads.values()) > 150


def test_whispers_and_small_actions_are_no_messages(first: Any) -> None:
    read, _ = first["forum"]
    assert not any("Internal:" in (message.text or "") for message in read.messages.values())


def test_outreach_is_told_from_what_is_said_to_us(first: Any) -> None:
    for name in ("x", "bluesky"):
        directions = Counter(m.direction for m in first[name][0].messages.values())
        assert directions["ambient"] > 800 and directions["inbound"] > 500, name


def test_edits_and_deletions_are_found_as_time_passes(
    first: Any, server: demo.Server, sources: dict[str, Any]
) -> None:
    before = server.now
    server.move_to(before + timedelta(days=8))
    truth = server.truth(with_ids=True)["sources"]
    http = Http(clock=fixed_clock(server.now))
    for name in SOURCES:
        read = first[name][0]
        had = read.live()
        fetch(sources[name], server.now, read, http)
        live = set(truth[name]["live_ids"])
        assert live <= read.live(), name
        # The forum's last 30 days are checked every week; X and Bluesky look at a post again when
        # it is 1, 3, 7 and 30 days old: an older one may still be due.
        oldest = before - timedelta(days=21 if name == "forum" else 7)
        young = {key for key in had - live if read.messages[key].created_at > oldest}
        assert young, f"{name}: nothing was deleted, so nothing is tested"
        assert not young & read.live(), name


def test_an_edit_is_seen_where_the_platform_tells(first: Any) -> None:
    for name in ("forum", "x"):
        read, truth = first[name]
        edited = sum(read.messages[key].edited_at is not None for key in read.live())
        assert edited > 0.8 * truth["edited"] > 50, name
