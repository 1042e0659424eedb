"""Persons as a user decides on them: suggestions, decisions, undoing, and the figures then."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from muster.clock import fixed_clock
from muster.commands import app, people  # noqa: F401  (a verb is there once it is imported)
from muster.errors import BadSettings
from muster.kpis import engine
from muster.lake import person_ids
from muster.pipeline import measure
from muster.pipeline.erase import erase
from muster.pipeline.importing import import_file
from muster.pipeline.people import decide, overview, settle
from muster.project import open_project

NOW = datetime(2026, 3, 9, tzinfo=UTC)
HASH = "c0" * 32
MEMBERS = f"""\
source,member_id,handle,display_name,email_hash,links
forum,1,anna,Anna Berg,,
forum,2,bob,Bob Stone,{HASH},
x,91,anna,Anna Berg,,
x,92,rob,Robert,{HASH},
blue,did:a,anna_b,Anna Berg,,
"""
MESSAGES = """\
source,message_id,thread_id,author_id,created_at,text
forum,1,1,1,2026-03-02T09:00:00Z,One
x,1,1,91,2026-03-03T09:00:00Z,Two
x,2,2,92,2026-03-03T09:00:00Z,Three
"""


@pytest.fixture
def project(tmp_path):
    """A lake of three sources that imports fed."""
    (tmp_path / "muster.yaml").write_text("community: Desk\n")
    found = open_project(tmp_path, clock=fixed_clock(NOW), environment={}, http=None)
    for table, text in (("members", MEMBERS), ("messages", MESSAGES)):
        path = tmp_path / f"{table}.csv"
        path.write_text(text)
        import_file(found, table, path)
    return found


def unpacked(data):
    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
        return stream.read()


def ids(project):
    """The person of each account, of those that have one."""
    sql = "select source, member_id, person_id from members where person_id is not null"
    return {(source, name): who for source, name, who in engine.ask(project.lake.url(), sql).rows}


def pairs(project):
    return [(one.one, one.other) for one in overview(project).suggestions]


def active(project):
    found = measure.measure(project).values
    return [one.value for one in found if (one.kpi, one.grain) == ("active_members", "week")]


def parts(project):
    listed = project.lake.list("tables/members/")
    return {entry.key: project.lake.get(entry.key).data for entry in listed}


def test_exact_evidence_joins_by_itself_and_says_so(project):
    (person,) = overview(project).persons
    assert person.accounts == ("forum/bob", "x/rob")
    assert "same verified address; by evidence, 2026-03-09" in person.decisions[0]
    assert set(ids(project)) == {("forum", "2"), ("x", "92")}


def test_a_run_that_was_killed_before_it_joined_anybody_is_made_good_by_the_next(tmp_path):
    (tmp_path / "muster.yaml").write_text("community: Desk\n")
    (tmp_path / "members.csv").write_text(MEMBERS)
    found = open_project(tmp_path, clock=fixed_clock(NOW), environment={}, http=None)

    def killed(_):
        raise KeyboardInterrupt  # the rows are merged; what comes after is not done

    with pytest.raises(KeyboardInterrupt):
        import_file(replace(found, notify=killed), "members", tmp_path / "members.csv")
    assert not ids(found)
    import_file(found, "members", tmp_path / "members.csv")
    assert set(ids(found)) == {("forum", "2"), ("x", "92")}


def test_anything_weaker_is_only_suggested(project):
    names = [("blue/anna_b", "forum/anna"), ("blue/anna_b", "x/anna"), ("forum/anna", "x/anna")]
    assert sorted(pairs(project)) == names
    assert pairs(project)[0] == ("forum/anna", "x/anna")  # the strongest evidence first
    assert active(project) == [3]


def test_accepted_accounts_are_one_person_in_rows_and_figures(project):
    assert decide(project, "accept", "forum/anna", "x/91") == ("forum/anna", "x/anna")
    found = ids(project)
    assert found["forum", "1"] == found["x", "91"]
    assert active(project) == [2]
    assert ("forum/anna", "x/anna") not in pairs(project)


def test_undo_leaves_every_byte_of_the_members_as_it_was(project):
    before = parts(project)
    decide(project, "accept", "forum/anna", "x/anna")
    assert parts(project) != before
    decide(project, "undo", "x/anna", "forum/anna")
    assert parts(project) == before
    assert len(pairs(project)) == 3


def test_a_rejected_pair_is_never_suggested_again_until_undone(project):
    decide(project, "reject", "forum/anna", "x/anna")
    assert ("forum/anna", "x/anna") not in pairs(project)
    decide(project, "undo", "forum/anna", "x/anna")
    assert ("forum/anna", "x/anna") in pairs(project)


def test_undone_evidence_does_not_join_again(project):
    decide(project, "undo", "forum/bob", "x/rob")
    assert ids(project) == {}
    assert settle(project) == 0
    assert ("forum/bob", "x/rob") in pairs(project)


def test_decisions_survive_another_import_of_the_same_members(project):
    decide(project, "accept", "forum/anna", "x/anna")
    before = ids(project)
    changed = project.folder / "changed.csv"
    changed.write_text(MEMBERS.replace("Anna Berg", "Anna B."))
    import_file(project, "members", changed)
    assert ids(project) == before


def test_a_person_an_import_named_stays_and_takes_no_decisions(project):
    named = project.folder / "named.csv"
    named.write_text("source,member_id,person_id\nforum,1,p7\nforum,2,p8\n")
    import_file(project, "members", named)
    settle(project)
    assert ids(project)["forum", "1"] == "p7"
    assert ids(project)["forum", "2"] == "p8"
    with pytest.raises(BadSettings, match="an import names its person"):
        decide(project, "accept", "forum/anna", "x/anna")


def test_an_erased_account_stays_the_same_person_under_its_pseudonym(project):
    decide(project, "accept", "forum/anna", "x/anna")
    erase(project, "forum", "1")
    assert b'"1"' not in project.lake.get(person_ids.LOG).data
    settle(project)
    found = ids(project)
    assert ("forum", "1") not in found
    (renamed,) = [account for account in found if account[1].startswith("erased-")]
    assert found[renamed] == found["x", "91"]


def test_an_address_in_place_of_its_hash_is_refused_and_kept_nowhere(project):
    plain = project.folder / "plain.csv"
    plain.write_text("source,member_id,email_hash\nforum,3,anna@example.org\n")
    imported = import_file(project, "members", plain)
    assert "never write an address there" in imported.refused[0]
    kept = [project.lake.get(entry.key).data for entry in project.lake.list("quarantine/")]
    assert kept
    assert not any(b"anna@example" in unpacked(data) for data in kept)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("forum/anna", "forum/bob", "two names on one platform"),
        ("forum/nobody", "x/anna", "no such account"),
        ("nowhere/anna", "x/anna", "sources with members: blue, forum, x"),
        ("forum/bob", "x/rob", "that is what stands already"),
    ],
)
def test_what_cannot_be_says_why(project, one, other, why):
    with pytest.raises(BadSettings, match=why):
        decide(project, "accept", one, other)


def test_the_command_lists_decides_and_speaks_json(project):
    def said(*words):
        found = CliRunner().invoke(app, ["-C", str(project.folder), "people", *words])
        assert found.exit_code == 0, found.output
        return found.output

    assert "forum/anna\tx/anna\tsame handle, same name" in said()
    assert said("accept", "forum/anna", "x/anna").startswith("accept: forum/anna = x/anna.")
    told = json.loads(said("--json"))
    assert ["forum/anna", "x/anna"] in [one["accounts"] for one in told["persons"]]
    assert json.loads(said("undo", "forum/anna", "x/anna", "--json"))["person"] == ["forum/anna"]


def test_suspected_bots_are_listed_with_their_evidence(project):
    spam = project.folder / "spam.jsonl"
    row = {"source": "forum", "thread_id": "9", "author_id": "2",
           "text": "Cheap phones at example dot com"}  # fmt: skip
    rows = [
        row | {"message_id": f"s{n}", "created_at": f"2026-03-02T10:0{n}:00Z"} for n in range(9)
    ]
    spam.write_text("\n".join(map(json.dumps, rows)))
    import_file(project, "messages", spam)
    measure.measure(project)
    (found,) = overview(project).suspected
    assert (found["handle"], found["rule"], found["most"]) == ("bob", "duplicate_text", 9)
