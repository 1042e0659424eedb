"""A small file of the lake is damaged: it is named; nothing is lost, nothing is sent twice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from command_line import here, one_line
from mailing import ANNA, BEN, NOW, READERS, Postbox, at, measured_project

import muster
from muster.errors import MusterError
from muster.lake import person_ids, raw, suppression
from muster.pipeline import (
    alerts,
    collect,
    erase,
    health,
    importing,
    inbox,
    people,
    publish,
    schedules,
    subscriptions,
)  # fmt: skip
from muster.project import Project
from muster.records import Item
from muster.reports import addresses

MEMBERS = "member_id,handle,display_name\nu-70001,anna.berg,Anna Berg\nu-70002,ben.k,Ben K\n"
MESSAGES = """\
message_id,thread_id,author_id,created_at,text
1,1,u-70001,2026-11-02T09:00:00Z,Hello
2,2,u-70002,2026-11-03T09:00:00Z,Goodbye
"""
MORE = """\
sources: [{name: one, platform: file}, {name: two, platform: file}]
"""
LEFT = "subscriptions/left/weekly/"
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "a list": lambda data: b"[7]",
    "a number": lambda data: b"7",
    "without keys": lambda data: b"{}",
    "of other values": lambda data: json.dumps(dict.fromkeys(json.loads(data), 7)).encode(),
    "no UTF-8": lambda data: data.replace(b'"', b'"\xe9', 1),
    "too deep": lambda data: b"[" * 100_000,
}  # fmt: skip


@pytest.fixture
def box() -> Postbox:
    return Postbox()


@pytest.fixture
def project(tmp_path: Path, box: Postbox) -> Project:
    """A lake in which something of every kind is remembered."""
    found = measured_project(tmp_path, box, more=MORE)
    for table, text in (("members", MEMBERS), ("messages", MESSAGES)):
        (tmp_path / f"{table}.csv").write_text(text)
        for source in ("one", "two"):
            importing.import_file(found, table, tmp_path / f"{table}.csv", source)
    people.decide(found, "accept", "one/ben.k", "two/ben.k")
    erase.erase(found, "one", "u-70001")
    publish.report(found, send=True)
    return found


def damaged(project: Project, store: str, key: str, damage: str) -> bytes:
    """The object's bytes, damaged."""
    held = getattr(project, store)
    spoiled = DAMAGES[damage](held.get(key).data)
    held.put(key, spoiled)
    return bytes(spoiled)


def came_back(project: Project, recipient: str) -> str:
    told = {"bounceType": "Permanent", "timestamp": NOW.isoformat(), "bouncedRecipients": []}
    mail = {"messageId": "m-1", "destination": [recipient]}
    inbox.came_back(project, {"eventType": "Bounce", "mail": mail, "bounce": told})
    return f"{subscriptions.RETURNED}m-1.json"


def names(project: Project, kind: str = "damaged") -> list[str]:
    return [one.where for one in health.check(project).found if one.kind == kind]


def doctor(project: Project) -> str:
    return here(project.folder, "doctor").stdout


@pytest.mark.parametrize("damage", DAMAGES)
def test_decisions_that_cannot_be_read_stop_who_decides_and_nobody_else(project, damage, caplog):
    left = damaged(project, "lake", person_ids.LOG, damage)
    ids = [held.person_id for held in person_ids.members(project.lake)]
    for step in (
        lambda: people.overview(project),
        lambda: people.decide(project, "reject", "one/ben.k", "two/ben.k"),
        lambda: erase.erase(project, "two", "u-70001"),
    ):
        with pytest.raises(MusterError, match=r"people/decisions\.json is damaged.*: bring an ear"):
            step()
    assert not any(one.error for one in collect.fetch(project))
    importing.import_file(project, "messages", project.folder / "messages.csv", "two")
    assert "decisions.json is damaged" in caplog.text
    assert project.lake.get(person_ids.LOG).data == left, "whoever has a copy can bring it back"
    assert [held.person_id for held in person_ids.members(project.lake)] == ids
    assert names(project) == [project.lake.url(person_ids.LOG)]
    assert "decisions.json: 1 small file that is damaged" in doctor(project)


@pytest.mark.parametrize("damage", DAMAGES)
def test_nobody_erased_comes_back_because_a_file_is_damaged(project, damage):
    key = f"{suppression.FOLDER}one.json"
    left = damaged(project, "lake", key, damage)
    messages = project.folder / "messages.csv"
    for step in (
        lambda: importing.import_file(project, "messages", messages, "one"),
        lambda: erase.erase(project, "one", "u-70002"),
    ):
        with pytest.raises(MusterError, match=r"erased/one\.json is damaged.*whoever was erased"):
            step()
    importing.import_file(project, "messages", messages, "two")
    assert project.lake.get(key).data == left
    assert names(project) == [project.lake.url(key)]
    assert "u-70001" not in [one.member_id for one in person_ids.members(project.lake)
                             if one.source == "one"]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_was_told_between_reports_is_not_told_again_nor_forgotten(project, box, damage):
    text = (
        (project.folder / "muster.yaml")
        .read_text()
        .replace("recipients:", "alerts: all, recipients:")
    )
    (project.folder / "muster.yaml").write_text(text)
    (one,) = project.settings.reports
    project.outbox.put(
        alerts.key_of(one), b'{"standing": ["a"], "mails": {"2026-11-22": 1}, "owed": {}}'
    )
    left = damaged(project, "outbox", alerts.key_of(one), damage)
    ended = here(project.folder, "alert", "--send")
    assert ended.returncode == 1
    assert "alerts/weekly.json is damaged" in one_line(ended)
    assert "what stands now then counts as told" in one_line(ended)
    assert project.outbox.get(alerts.key_of(one)).data == left
    assert names(project) == [project.outbox.url(alerts.key_of(one))]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_mail_whose_claim_is_damaged_is_not_sent_twice(project, box, damage):
    name = next(entry.key for entry in project.outbox.list() if entry.key.endswith(".sent.json"))
    claim = name.replace(".sent.", ".sending.")
    project.outbox.delete(name)
    damaged(project, "outbox", claim, damage)
    (missed,) = [one for one in READERS if one.split("@")[0] in name]
    box.sent.clear()
    later = at(project, NOW + timedelta(minutes=20))
    told = {one.recipient: one.outcome for one in publish.report(later, send=True)}
    assert (told.pop(missed), {*told.values()}, box.sent) == ("unclear", {"sent before"}, [])
    publish.report(at(project, NOW + timedelta(days=7)), send=False)
    asked = {one.recipient: one.outcome for one in publish.report(later, send=True, again=True)}
    assert (asked[missed], box.readers) == ("sent", [missed])


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_report_goes_out_beside_the_damaged_facts_of_its_mails(project, box, damage, caplog):
    """Whoever left stays away; what came back and cannot be read costs its own word only."""
    key = came_back(project, BEN)
    project.lake.put(subscriptions._left("weekly", ANNA), b'{"at": "2026-11-20T10:00:00+00:00"}')
    damaged(project, "lake", subscriptions._left("weekly", ANNA), damage)
    damaged(project, "outbox", key, damage)
    found = {one.recipient: one.state for one in subscriptions.readers(project)}
    assert (found[ANNA], found[BEN]) == ("unsubscribed", "gets it")
    assert f"{key} is damaged" in caplog.text
    assert {one.outcome for one in publish.report(project, send=True)} <= {
        "sent before",
        "unsubscribed",
    }
    assert {*names(project)} == {
        project.lake.url(subscriptions._left("weekly", ANNA)), project.outbox.url(key)
    }  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_only_a_shortcut_is_made_anew(project, damage):
    project.lake.put(schedules.SYNCED, b'{"digest": "x"}')
    project.site.put(addresses.ENGINE_FACTS, b'{"version": "1", "megabytes": 8}')
    people.settle_after(project)
    damaged(project, "lake", person_ids.SETTLED, damage)
    damaged(project, "lake", schedules.SYNCED, damage)
    damaged(project, "site", addresses.ENGINE_FACTS, damage)
    people.settle_after(project)
    assert person_ids.settled(project.lake) == person_ids.objects(project.lake)
    assert schedules._DONE.spare(project.lake, schedules.SYNCED) != "x"
    publish.publish_site(project)
    assert names(project) == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_list_of_earlier_reports_is_not_lost_by_writing_a_new_one(project, damage):
    left = damaged(project, "site", addresses.INDEX, damage)
    with pytest.raises(MusterError, match=r"data/index\.json is damaged.*earlier reports"):
        publish.publish_site(project)
    assert project.site.get(addresses.INDEX).data == left


def test_raw_that_cannot_be_read_is_named_by_whoever_needs_it(project):
    raw.write(project.lake, "two", "r", 1, [Item("x", {"id": 1}, NOW)])
    (entry,) = project.lake.list("raw/")
    whole = project.lake.get(entry.key).data
    for spoiled in (b"", whole[:20], b"no zstd", raw.pack(["{}"]), raw.pack(["u-70002", "7"])):
        project.lake.put(entry.key, spoiled)
        if spoiled:
            with pytest.raises(MusterError, match="r-000001.* cannot be read"):
                list(raw.read(project.lake, "two"))
    with pytest.raises(MusterError, match="r-000001.* cannot be read"):
        erase.erase(project, "two", "u-70002")


def test_what_the_store_holds_as_json_is_read_in_one_place():
    """So that no other reader ends in a traceback where a file is damaged."""
    reads = re.compile(r"loads?\(\w+\.data\b|json\.decode\(\w+\.data")
    modules = Path(muster.__file__).parent.rglob("*.py")
    found = [path.name for path in modules if reads.search(path.read_text("utf-8"))]
    assert found == ["kept.py"], "which counts anew whatever it cannot read"
