"""An erased member leaves no trace in any byte, changes no total, and does not come back."""

from __future__ import annotations

import gzip
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import demo
from muster import as_json
from muster.errors import BadSettings
from muster.kpis import engine
from muster.lake import erasing, raw, suppression
from muster.pipeline import access, collect, importing, measure, publish
from muster.pipeline.erase import Erased, erase, residue
from muster.project import Project, open_project
from muster.records import Item
from muster.settings import Settings
from muster.sources._http import Http
from muster.store import FolderStore

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
DAYS = 25
SOURCES = ("forum", "bluesky")
BUSIEST = """
select m.author_id, handle, display_name from messages m
join members on members.source = m.source and member_id = author_id
where m.source = '{source}' and author_role = 'member' and handle like '%\\_%' escape '\\'
    or m.source = '{source}' and author_role = 'member' and handle like '%.%'
group by all order by count(distinct text) desc, 1 limit 1
"""
UNLIKE_OTHERS = """
select text from messages where length(text) > 60 group by text
having count(*) = 1 and any_value(source) = '{source}' and any_value(author_id) = '{member}'
order by text limit 20
"""


@dataclass(frozen=True)
class Case:
    """A project in which one member of a source was erased, and what was there before."""

    project: Project
    source: str
    member: str
    needles: tuple[str, ...]
    before: tuple[Any, ...]
    held: access.Held
    erased: Erased


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Some weeks of the demo's platforms, measured and reported; the server goes on running."""
    folder = tmp_path_factory.mktemp("erase")
    with demo.start(NOW, are_limited=False) as server:
        server.write_project(folder)
        recent = f"    since: {(NOW - timedelta(days=DAYS)).date()}"
        settings = folder / "muster.yaml"
        settings.write_text(re.sub("^    since: .*", recent, settings.read_text(), flags=re.M))
        ticking = map(timedelta(milliseconds=1).__mul__, count())
        # Each reading has its own instant: the later one wins, also when raw is read again.
        project = open_project(
            folder, clock=lambda: NOW + next(ticking), environment=demo.TOKENS, http=Http()
        )
        assert not [one.error for one in collect.fetch(project) if one.error]
        read_again(project)
        yield project


def read_again(project: Project) -> None:
    """A backfill sees some edits that no other read shows."""
    collect.fetch(project, since=NOW - timedelta(days=DAYS))


def reported(project: Project) -> tuple[Any, ...]:
    """Measure and report; every value that was measured."""
    values = measure.measure(project, NOW).values
    publish.report(project, send=False)
    return values


@pytest.fixture(scope="module")
def cases(lake: Project) -> dict[str, Case]:
    """A member of either source, one erased after the other."""
    before = reported(lake)
    return {source: erased(lake, source, before) for source in SOURCES}


@pytest.fixture(params=SOURCES)
def case(cases: dict[str, Case], request: pytest.FixtureRequest) -> Case:
    return cases[request.param]


def erased(lake: Project, source: str, before: tuple[Any, ...]) -> Case:
    url = lake.lake.url()
    ((member, handle, name),) = engine.ask(url, BUSIEST.format(source=source)).rows
    texts = engine.ask(url, UNLIKE_OTHERS.format(source=source, member=member)).rows
    alike = f"from members where display_name = '{name}'"
    is_nobody_elses = engine.ask(url, f"select count(distinct handle) = 1 {alike}").rows == (
        (True,),
    )
    needles = (handle, *(text for (text,) in texts), *([member] if len(member) > 5 else []))
    needles += (name,) if is_nobody_elses else ()
    assert texts and found_in(lake, needles) >= set(needles), (member, handle, name)
    plant(lake.lake, source, member, handle, texts[0][0])
    held = access.held(lake, source, member)
    return Case(lake, source, member, needles, before, held, erase(lake, source, member))


def plant(store: Any, source: str, member: str, handle: str, text: str) -> None:
    """What else may name them: a refused row, a receipt, an object that was set aside."""
    row = {"author_id": member, "handle": handle, "text": text}
    raw.quarantine(store, "import", "run", 0, [(Item("import messages", row, NOW), handle)])
    store.put("receipts/messages/a.csv.json", json.dumps({"refused": [f"@{handle}"]}).encode())
    key = f"aside/0/tables/messages/source={source}/month=2026-11/part-9.parquet"
    store.put(key, f"torn {text}".encode())
    whole = pa.table({"text": [text], "author_id": [member]})
    pq.write_table(whole, store.root / ".muster" / "7f.unfinished")  # by a writer that was killed


def said(data: bytes) -> str:
    """What bytes say once they are unpacked, whatever they are called."""
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return said(pa.CompressedInputStream(pa.BufferReader(data), "zstd").read())
    if data[:2] == b"\x1f\x8b":
        return said(gzip.decompress(data))
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(BytesIO(data)) as packed:
            return "".join(said(packed.read(name)) for name in packed.namelist())
    if data[:4] == b"PAR1" == data[-4:]:
        return json.dumps(pq.ParquetFile(pa.BufferReader(data)).read().to_pylist(), default=str)
    return data.decode("utf-8", "replace")


def plain(path: Path) -> str:
    """All that a file says, as it lies there (a footer tells smallest and largest) and unpacked."""
    data = path.read_bytes()
    texts = [data.decode("utf-8", "replace"), said(data)]
    if path.suffix == ".eml":
        parts = message_from_bytes(data, policy=policy.default).walk()
        texts += [said(part.get_payload(decode=True) or b"") for part in parts]
    return "\n".join(texts)


def found_in(project: Project, needles: tuple[str, ...]) -> set[str]:
    """Which needles stand anywhere in the project's folder, as they are or escaped in JSON."""
    texts = [plain(path) for path in project.folder.rglob("*") if path.is_file()]
    spelled = {one: (one, *as_json.spelled(one)) for one in needles}
    return {one for one, ways in spelled.items() for text in texts if any(w in text for w in ways)}


def test_no_byte_of_raw_lake_site_or_outbox_names_or_quotes_them(case: Case) -> None:
    assert case.erased.rows["messages"] > 2 and case.erased.raw_items > 2
    assert case.erased.rows["members"] == 1
    assert not found_in(case.project, case.needles)


def test_what_is_held_of_them_can_be_handed_to_them_and_is_nobody_else_s(
    case: Case, tmp_path: Path
) -> None:
    held, told = case.held, json.dumps(asdict(case.held), default=str)
    assert all(json.dumps(one)[1:-1] in told for one in case.needles)
    assert {row["author_id"] for row in held.tables["messages"]} == {case.member}
    assert [row["member_id"] for row in held.tables["members"]] == [case.member]
    assert len(held.items) >= len(held.tables["messages"])
    assert len(held.refused) == 1
    assert case.erased.aside == 1
    after = access.held(case.project, case.source, case.member)
    assert after.counts() == {}
    for name in ("all.json", "all.zip"):
        access.write(held, tmp_path / name)
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(tmp_path / "all.zip") as packed:
        rows = json.loads(packed.read("messages.json"))
        assert len(rows) == len(held.tables["messages"])
        assert not any(b"<" in packed.read(name) for name in packed.namelist())
    assert json.loads((tmp_path / "all.json").read_text())["member"] == case.member


def test_every_total_stays(lake: Project, cases: dict[str, Case]) -> None:
    values = measure.measure(lake, NOW).values
    assert all(values == one.before for one in cases.values())


def test_they_do_not_come_back_by_fetch_backfill_or_replay(
    lake: Project, cases: dict[str, Case]
) -> None:
    collect.fetch(lake)
    read_again(lake)
    collect.replay(lake)
    values = reported(lake)
    for one in cases.values():
        assert values == one.before
        assert not found_in(lake, one.needles)


def test_they_do_not_come_back_by_an_import(case: Case, tmp_path: Path) -> None:
    row = {"message_id": "m1", "thread_id": "m1", "author_id": case.member, "text": "back"}
    row |= {"created_at": "2026-11-01T10:00:00Z", "kind": "post", "direction": "inbound"}
    other = {"message_id": "m2", "author_id": "x", "text": "new"}
    file = tmp_path / "messages.jsonl"
    file.write_text(json.dumps(row) + "\n" + json.dumps(row | other))
    project = replace(case.project, folder=tmp_path, lake=case.project.lake)
    importing.import_file(project, "messages", file, case.source)
    query = (
        f"select text from messages where message_id in ('m1', 'm2') and source = '{case.source}'"
    )
    found = engine.ask(project.lake.url(), query)
    assert found.rows == (("new",),)


def test_a_handle_is_answered_with_its_id_and_nothing_is_changed(
    lake: Project, tmp_path: Path
) -> None:
    query = "select handle, member_id from members where source = 'x' and handle != member_id"
    ((handle, member), *_) = engine.ask(lake.lake.url(), query).rows
    before = list(lake.lake.list())
    for name in (handle, f"@{handle.upper()}"):
        with pytest.raises(BadSettings, match=f"{name}' is a handle, not an id: say {member}$"):
            erase(lake, "x", name)
    with pytest.raises(BadSettings, match="no member is named"):
        erase(lake, "x", " ")
    assert list(lake.lake.list()) == before


def test_erasing_again_finds_nothing_to_do(case: Case) -> None:
    again = erase(case.project, case.source, case.member)
    assert (again.rows, again.raw_items, again.mails) == ({}, 0, 0)


def test_who_asks_the_lake_with_a_duckdb_of_their_own_finds_every_table(case: Case) -> None:
    lake = Path(case.project.lake.url())
    with duckdb.connect() as connection:
        connection.execute((lake / "measured" / "views.sql").read_text())
        counted = connection.execute("select count(*) from conversations").fetchall()
        assert counted == [(0,)]
        assert connection.execute("select count(*) from kpi_values").fetchall() > [(0,)]


def test_the_list_of_the_erased_names_nobody(case: Case) -> None:
    kept = case.project.lake.get(f"erased/{case.source}.json")
    assert kept and not any(one.encode() in kept.data for one in case.needles)
    assert suppression.load(case.project.lake, case.source).pseudonym(case.member)


def test_a_kill_in_the_middle_is_mended_by_erasing_again(
    lake: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before one write or another, the second try leaves no trace."""
    url = lake.lake.url()
    ((member, handle, _),) = engine.ask(url, BUSIEST.format(source="x")).rows
    texts = engine.ask(url, UNLIKE_OTHERS.format(source="x", member=member)).rows
    for limit in range(1, 60, 9):
        store = Killed(lake.lake, limit)
        try:
            erase(replace(lake, lake=store), "x", member)
        except KeyboardInterrupt:
            continue
        break
    erase(lake, "x", member)
    assert texts and not found_in(lake, (handle, member, *(text for (text,) in texts)))


def test_killed_after_their_messages_and_before_their_threads_the_titles_go_all_the_same(
    tmp_path: Path,
) -> None:
    (tmp_path / "muster.yaml").write_text("community: Desk\nsentiment: none\n")
    found = open_project(tmp_path, clock=lambda: NOW, environment={}, http=None)
    at, title = NOW.isoformat(), "What the doctor told me"
    for table, text in (
        ("messages", f"message_id,thread_id,author_id,created_at,text\n1,t1,anna,{at},Help\n"),
        ("threads", f"thread_id,title,created_at\nt1,{title},{at}\nt2,Others' title,{at}\n"),
    ):
        (tmp_path / f"{table}.csv").write_text(text)
        importing.import_file(found, table, tmp_path / f"{table}.csv", "desk")
    with pytest.raises(KeyboardInterrupt):
        erase(replace(found, lake=Killed(found.lake, "tables/threads/")), "desk", "anna")
    assert engine.ask(found.lake.url(), "select author_id from messages").rows != (("anna",),)
    erase(found, "desk", "anna")
    left = engine.ask(found.lake.url(), "select title from threads order by thread_id").rows
    assert [*left] == [(None,), ("Others' title",)]


class Killed:
    """A store whose process ends before a write: that of a number, or the first to a place."""

    def __init__(self, store: Any, before: int | str) -> None:
        self.store, self.before, self.writes = store, before, 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.store, name)
        if name not in ("put", "delete"):
            return found

        def write(key: str, *rest: Any, **how: Any) -> Any:
            if self.before == self.writes or key.startswith(str(self.before)):
                raise KeyboardInterrupt
            self.writes += 1
            return found(key, *rest, **how)

        return write


def test_a_plain_word_is_a_name_only_where_it_is_used_as_one() -> None:
    known = suppression.Suppressed("s", {suppression._hash("s", "thanks"): "erased-1"})
    assert known.text("thanks a lot, @thanks and https://x.example/thanks") == (
        "thanks a lot, @erased-1 and https://x.example/erased-1"
    )
    assert known.value({"username": "thanks", "name": "T. Hanks", "text": "thanks"}) == {
        "username": "erased-1", "name": None, "text": "thanks",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["ÉLODIE", 'Ünal\t"Ü"', "Страшко"])
@pytest.mark.parametrize("is_ascii", [True, False])
def test_a_name_is_found_however_a_line_of_raw_spells_it(name: str, is_ascii: bool) -> None:
    known = suppression.Suppressed("s", {})
    erasure = erasing.Erasure("forum", "7", known, "erased-1", str, names=frozenset({name}))
    assert erasure.may_name(json.dumps({"username": name}, ensure_ascii=is_ascii))
    assert not erasure.may_name(json.dumps({"username": "Bob"}))


def test_a_quote_of_theirs_in_another_s_item_loses_its_words() -> None:
    known = suppression.Suppressed("s", {suppression._hash("s", "did:plc:anna"): "erased-1"})
    said = {"author": {"did": "did:plc:anna", "displayName": "A"}, "record": {"text": "my secret"}}
    reply = {"author": {"did": "did:plc:bob", "displayName": "B"}, "record": {"text": "indeed"}}
    cleaned = known.value({**reply, "embed": {**said, "replies": [reply]}})
    assert cleaned == {
        **reply,
        "embed": {
            "author": {"did": "erased-1", "displayName": None},
            "record": {"text": ""},
            "replies": [reply],
        },
    }


def test_what_is_left_of_a_short_text_asks_or_thanks_as_it_did() -> None:
    left = residue(Settings(community="Desk"))
    assert left("Printer 5 jams, please fix. Thanks") == "please … Thanks"
    assert left("Thanks for the printer") == "Thanks"


def test_who_wrote_the_same_keeps_their_words_and_who_quotes_does_not(tmp_path: Path) -> None:
    """Else a replay, at a tie the later word, would empty a message of somebody else."""
    same, store = "Tried it, no luck: access denied again, sorry.", FolderStore(tmp_path)
    said = [{"text": same}, {"text": f"They said: {same}"}]
    raw.write(store, "s", "run", 0, [Item("post", body, NOW) for body in said])
    known = suppression.Suppressed("s", {suppression._hash("s", "anna.b"): "erased-1"})
    erasure = erasing.Erasure("s", "anna.b", known, "erased-1", str, words=frozenset({same}))
    whole = erasing.erase_raw(
        store, erasure, lambda _: False, lambda i: frozenset({i.body["text"]})
    )
    assert [one.body["text"] for one in raw.read(store, "s")] == [same, "They said: "]
    assert whole == 1
