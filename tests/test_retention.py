"""What has stayed for as long as the settings say goes, and what is gone is no nought."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from muster.errors import BadSettings, StoreRefused
from muster.lake import raw, state
from muster.lake.merge import merge
from muster.pipeline import collect, retention
from muster.pipeline.freshness import coverage_of
from muster.project import Project, open_project
from muster.records import Audience, Item, Member, Message
from muster.sources._http import Http

NOW = datetime(2026, 11, 25, tzinfo=UTC)
SETTINGS = """\
community: Desk
keep: {messages: 60d, raw: 30d}
sources:
  - {name: forum, platform: file}
  - {name: chat, platform: file, keep: {messages: 300d, audience: 40d}}
"""


def _project(folder: Path, settings: str = SETTINGS) -> Project:
    (folder / "muster.yaml").write_text(settings)
    return open_project(folder, clock=lambda: NOW, environment={}, http=None)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A message and a measurement of the first of every month of 2026, raw of the last 60 days."""
    found, day = _project(tmp_path), date(2026, 1, 1)
    measured = Audience(account="a", metric="followers", measured_on=day, value=1)
    message = Message(message_id="0", thread_id="t", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    for source in ("forum", "chat", "imported"):
        rows = [
            (row, NOW)
            for month in range(1, 12)
            for row in (
                replace(message, message_id=str(month),
                        created_at=message.created_at.replace(month=month)),
                replace(measured, measured_on=day.replace(month=month)),
                Member(member_id="m"),
            )
        ]  # fmt: skip
        merge(found.lake, source, rows)
        covered = {"messages": datetime(2026, 1, 1, tzinfo=UTC)}
        state.save(found.lake, source, state.State(covered=covered, last_success_at=NOW))
        for days in (0, 29, 30, 31, 60):
            item = Item("post", {"days": days}, NOW - timedelta(days=days))
            raw.write(found.lake, source, "run", days, [item])
    return found


def _months(project: Project, table: str, source: str) -> list[str]:
    entries = project.lake.list(f"tables/{table}/source={source}/")
    return [entry.key.split("month=")[1][:7] for entry in entries]


def test_whole_months_go_once_they_are_over_for_that_long(project: Project) -> None:
    before = {source: _months(project, "messages", source) for source in ("forum", "chat")}
    collect.fetch(project)
    # 60 days before the 25th of November September was not over yet.
    for source in ("forum", "imported"):
        assert _months(project, "messages", source) == ["2026-09", "2026-10", "2026-11"]
    assert _months(project, "messages", "chat") == before["chat"] == before["forum"]
    assert _months(project, "audience", "chat") == ["2026-10", "2026-11"]
    assert _months(project, "audience", "forum") == before["forum"]
    assert [item.body["days"] for item in raw.read(project.lake, "chat")] == [30, 29, 0]
    assert len(list(project.lake.list("tables/members/"))) == 3


def test_what_is_gone_is_not_vouched_for(project: Project) -> None:
    retention.expire(project)
    found = {one.source: one.from_at for one in coverage_of(project, NOW)}
    assert found["forum"] == datetime(2026, 9, 1, tzinfo=UTC)
    assert found["chat"] == datetime(2026, 1, 1, tzinfo=UTC)
    # A later run that vouches for more than there is does not bring it back.
    memory = state.load(project.lake, "forum")
    state.save(project.lake, "forum", replace(memory, dropped={}))
    assert {one.source: one.from_at for one in coverage_of(project, NOW)} == found


class _Dying:
    """A store whose process is killed at its first deletion."""

    def __init__(self, inner: object) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> object:
        if name == "delete":
            raise KeyboardInterrupt
        return getattr(self.inner, name)


def test_killed_before_the_first_row_goes_the_state_has_already_said_so(project: Project) -> None:
    with pytest.raises(KeyboardInterrupt):
        retention.expire(replace(project, lake=_Dying(project.lake)))  # type: ignore[arg-type]
    assert _months(project, "messages", "forum")[0] == "2026-01"
    retention.expire(project)
    assert _months(project, "messages", "forum")[0] == "2026-09"
    assert {one.source: one.from_at for one in coverage_of(project, NOW)}["forum"] == datetime(
        2026, 9, 1, tzinfo=UTC
    )


class _Full(_Dying):
    """A store that has no room until something is deleted."""

    has_room = False

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def put(self, *args: object, **how: object) -> object:
        if not self.has_room:
            raise StoreRefused("no room")
        return self.inner.put(*args, **how)  # type: ignore[attr-defined]

    def delete(self, *args: object, **how: object) -> None:
        self.inner.delete(*args, **how)  # type: ignore[attr-defined]
        self.has_room = True


def test_a_full_disk_gets_room_by_what_goes(project: Project) -> None:
    gone = retention.expire(replace(project, lake=_Full(project.lake)))  # type: ignore[arg-type]
    assert gone["raw"] and gone["messages"]


def test_nothing_goes_by_a_clock_that_a_platform_says_is_ahead(project: Project) -> None:
    told = {"date": f"{NOW:%a, %d %b %Y %H:%M:%S} GMT"}
    platform = httpx.MockTransport(lambda _: httpx.Response(200, headers=told, json={}))
    more = "  - {name: club, platform: discourse, base_url: 'https://club.example'}\n"
    before = [entry.key for entry in project.lake.list() if "month=" in entry.key]
    for ahead, is_kept in ((timedelta(days=400), True), (timedelta(), False)):
        at = NOW + ahead
        http = Http(platform, clock=lambda at=at: at, sleep=lambda _: None)
        found = _project(project.folder, SETTINGS + more)
        (club,) = collect.fetch(replace(found, clock=lambda at=at: at, http=http), ["club"])
        assert ("clock is 576000 minutes ahead" in club.error) is is_kept
        left = [entry.key for entry in project.lake.list() if "month=" in entry.key]
        assert (left == before) is is_kept


def test_nothing_goes_where_nothing_is_said_and_again_nothing_is_left(
    project: Project, tmp_path: Path
) -> None:
    silent = _project(tmp_path, "community: Desk\n")
    assert retention.expire(silent) == {}
    assert sum(retention.expire(project).values()) > 10
    assert retention.expire(project) == {}


@pytest.mark.parametrize("name", ["members", "mesages", "state"])
def test_what_cannot_expire_is_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadSettings, match=f"'{name}' cannot expire: write one of raw, quarantine"):
        _project(tmp_path, f"community: Desk\nkeep: {{{name}: 9d}}\n")
