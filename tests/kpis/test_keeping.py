"""A run that goes on from what the one before kept says what a run from scratch says, whatever
happened to the lake between them."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from small_lake import settings
from thorough import tries

from muster.kpis import catalogue, engine, kept, measuring, runner
from muster.lake import person_ids, persons
from muster.lake.merge import merge
from muster.measured import Coverage
from muster.pipeline.forgetting import forget
from muster.records import Deletion, Member, Message, Order, Row, Thread
from muster.store import FolderStore

WEEK = timedelta(days=7)
SEEN = timedelta(hours=30)  # before a run: longer than a run looks back for what came late
FIRST = datetime(2026, 1, 5, 9, tzinfo=UTC)
TEXTS = (
    "Where is it?", "and now", "thank you", "please dm us", "Acme sent a Rocket", "solved, thanks",
    None,
)  # fmt: skip
SETTINGS = settings(
    timezone="America/New_York",
    business_hours=[{"country": "US", "hours": {"mon-fri": ["08:00-12:00", "13:00-18:00"]}}],
    brand_terms=["Acme"],
    product_terms=["Rocket"],
    feedback=["ideas"],
    resolution_tags=["done"],
    staff=[{"account": "@boss"}, {"account": "m3", "valid_from": "2026-02-01"}],
    bots=[{"source": "talk", "account": "m5"}],
    sources=[
        {"name": "desk", "platform": "file"},
        {"name": "talk", "platform": "file", "episode_gap": "24h"},
    ],
)
SOURCES = ("desk", "talk")
# Of every way in which a KPI can rest on messages, and a few that rest on other tables.
KPIS = [one for one in catalogue.load() if one.table in ("messages", "threads", "orders")]


class Life:
    """A community in which anything may happen; what it does in a week are rows to be merged."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.messages: dict[str, Message] = {}
        self.source: dict[str, str] = {}
        self.members: dict[tuple[str, str], Member] = {}
        self.count = 0

    def week(self, now: datetime) -> Iterator[tuple[str, Row | Deletion]]:
        """What is observed by ``now``: mostly of the last week."""
        for _ in range(40):
            yield self._said(now)
        for deed in (self._edited, self._deleted, self._told, self._person, self._ordered):
            for _ in range(self.dice.randrange(1, 5)):
                yield from deed(now)
        if self.dice.random() < 0.3:
            yield from self._burst(now)

    def _said(self, now: datetime) -> tuple[str, Row]:
        dice, source = self.dice, self.dice.choice(SOURCES)
        self.count += 1
        key = f"x{self.count}"
        late = dice.random() < 0.1
        created = now - timedelta(hours=dice.uniform(0, 24 * (60 if late else 7)))
        inside = [one for one in self.messages.values() if self.source[one.message_id] == source]
        before = dice.choice(inside) if inside and dice.random() < 0.7 else None
        role = dice.choice(["member", "member", "member", "staff", "bot"])
        made = Message(
            message_id=key, thread_id=before.thread_id if before else key,
            parent_id=before.message_id if before and dice.random() < 0.5 else None,
            author_id=f"{'m' if role == 'member' else role}{dice.randrange(8)}", author_role=role,
            created_at=max(created, before.created_at) if before else created,
            kind=dice.choice(["post", "reply", "direct"]), text=dice.choice(TEXTS),
            direction="outbound" if role == "staff" else dice.choice(["inbound", "ambient"]),
            channel=dice.choice([None, "ideas"]), sentiment=dice.choice([None, -0.5, 0.1, 0.7]),
            likes=dice.randrange(9), is_solution=dice.random() < 0.1,
            tags=("done",) if dice.random() < 0.05 else (),
        )  # fmt: skip
        self.messages[key], self.source[key] = made, source
        return source, made

    def _edited(self, now: datetime) -> Iterator[tuple[str, Row]]:
        key = self.dice.choice(sorted(self.messages))
        one = self.messages[key]
        changed = replace(
            one, text=self.dice.choice(TEXTS), likes=one.likes + 1, edited_at=now,
            is_solution=self.dice.random() < 0.3,
        )  # fmt: skip
        self.messages[key] = changed
        yield self.source[key], changed

    def _deleted(self, now: datetime) -> Iterator[tuple[str, Deletion]]:
        one = self.messages.pop(self.dice.choice(sorted(self.messages)))
        yield (
            self.source[one.message_id],
            Deletion(message_id=one.message_id, created_at=one.created_at, deleted_at=now),
        )

    def _told(self, now: datetime) -> Iterator[tuple[str, Row]]:
        one = self.messages[self.dice.choice(sorted(self.messages))]
        ends = self.dice.choice([None, now - timedelta(hours=5), now + timedelta(days=3)])
        yield (
            self.source[one.message_id],
            Thread(
                thread_id=one.thread_id, created_at=FIRST, title=f"of {now:%d %b}",
                closed_at=ends if self.dice.random() < 0.5 else None, solved_at=ends,
                solved_by=self.dice.choice([None, "m1", "staff1"]),
                channel=self.dice.choice([None, "ideas", "help"]),
                tags=("done",) if self.dice.random() < 0.2 else (),
            ),
        )  # fmt: skip

    def _person(self, now: datetime) -> Iterator[tuple[str, Row]]:
        dice, source, name = self.dice, self.dice.choice(SOURCES), f"m{self.dice.randrange(8)}"
        joined = now - timedelta(days=dice.uniform(0, 60))
        told = Member(
            member_id=name, handle=dice.choice([name, "boss"]), joined_at=joined,
            role=dice.choice(["member", "member", "staff", "bot"]),
            is_bot=dice.random() < 0.1, person_id=dice.choice([None, None, "p1", "p2"]),
            last_seen_at=now,
        )  # fmt: skip
        self.members[source, name] = told
        yield source, told

    def linked(self) -> dict[persons.Account, str]:
        """What `muster people` writes into the rows of accounts that nobody told a person of."""
        chosen = self.dice.sample(sorted(self.members), len(self.members) // 2)
        return {account: persons.OURS + self.dice.choice("ab") for account in chosen}

    def _ordered(self, now: datetime) -> Iterator[tuple[str, Row]]:
        when = now - timedelta(days=self.dice.uniform(0, 20))
        self.count += 1
        delivered = self.dice.choice([None, when + timedelta(days=3)])
        yield (
            "desk",
            Order(order_id=f"o{self.count}", customer_id="m1", created_at=when, revenue=Decimal(10),
                  currency="EUR", delivered_at=delivered),
        )  # fmt: skip

    def _burst(self, now: datetime) -> Iterator[tuple[str, Row]]:
        start = now - timedelta(days=self.dice.uniform(1, 20))
        for number in range(9):
            self.count += 1
            key = f"x{self.count}"
            made = Message(
                message_id=key, thread_id=key, author_id="m7", author_role="member",
                created_at=start + timedelta(minutes=number), kind="post", direction="inbound",
                text="Buy the very best followers here, cheaply and at once",
            )  # fmt: skip
            self.messages[key], self.source[key] = made, "talk"
            yield "talk", made


def measured(folder: Path, as_of: datetime, connection=None) -> runner.Outcome:
    lake = FolderStore(folder)
    connection = connection or engine.connect(lake.url())
    coverage = [
        Coverage(source=source, table_name="messages", from_at=FIRST, to_at=as_of)
        for source in SOURCES
    ]
    outcome = runner.measure(connection, SETTINGS, KPIS, as_of=as_of, coverage=coverage, lake=lake)
    assert outcome.problems == ()
    return outcome


def only(monkeypatch: pytest.MonkeyPatch, *ids: str) -> None:
    """Measure what a test is about; all at once are measured as weeks of all kinds pass."""
    monkeypatch.setitem(globals(), "KPIS", [one for one in KPIS if one.id in ids])


def afresh(folder: Path, as_of: datetime) -> tuple[runner.Outcome, tuple]:
    """What a lake with the same rows and no memory says, and its conversations."""
    other = folder.parent / "afresh"
    shutil.rmtree(other, ignore_errors=True)
    skipped = shutil.ignore_patterns("kept", "conversations")
    shutil.copytree(folder, other, ignore=skipped)
    return measured(other, as_of), conversations(other)


def conversations(folder: Path) -> tuple:
    asked = "select * from conversations order by source, thread_id, root_id, episode"
    return engine.ask(str(folder), asked).rows


def objects(folder: Path) -> dict[str, bytes]:
    """What lies where everybody reads it, of the tables whose figures are no sums; months that are
    empty by now aside."""
    files = (
        file
        for name in ("conversations", "waiting")
        for file in folder.glob(f"tables/{name}/**/*.parquet")
    )
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in files
        if engine.ask(str(folder), f"select count(*) from '{file}'").rows != ((0,),)
    }  # fmt: skip


def told(outcome: runner.Outcome) -> tuple:
    values = {
        (one.kpi, one.grain, one.period_start, one.segment): (
            pytest.approx(one.value, abs=2e-9), one.n, one.too_few, one.partial
        )
        for one in outcome.values
    }  # fmt: skip
    assert len(values) == len(outcome.values), "a value is told twice"
    return values, outcome.waiting, outcome.suspected


@pytest.mark.parametrize("seed", range(tries(1, 20)))
def test_going_on_says_what_a_run_from_scratch_says(tmp_path, monkeypatch, seed):
    scratch = []
    count = measuring.Run.from_scratch
    monkeypatch.setattr(measuring.Run, "from_scratch", lambda *it: scratch.append(1) or count(*it))
    life, lake = Life(seed), tmp_path / "lake"
    # Another first year means counting from scratch: the lake knows of the year before at once.
    say(lake, FIRST - timedelta(days=10), "first", "staff")
    for week in range(1, 4):
        now = FIRST + (week + 3) * WEEK
        for _ in range(5 if week == 1 else 1):
            done = [(source, (row, now - SEEN)) for source, row in life.week(now)]
            for source in SOURCES:
                merge(FolderStore(lake), source, (row for at, row in done if at == source))
        person_ids.apply(FolderStore(lake), life.linked())
        outcome = measured(lake, now)
        if week == 1:
            continue  # from scratch itself
        assert len(scratch) == week - 1  # the first, and those to compare with
        fresh, rows = afresh(lake, now)
        assert told(outcome) == told(fresh)
        assert conversations(lake) == rows
        assert objects(lake) == objects(lake.parent / "afresh")


def test_who_still_waits_moves_an_old_month_that_nothing_else_touches(tmp_path, monkeypatch):
    """One answered after 44 days, one asked 24 days later: while the second has waited less than
    that, all are answered by then; once it has waited longer, nobody knows of the last tenth."""
    only(monkeypatch, "first_response_p90")
    lake = tmp_path / "lake"
    for days, thread, role in ((0, "t1", "member"), (44, "t1", "staff"), (24, "t2", "member")):
        say(lake, FIRST + timedelta(days=days), thread, role)
    months = []
    for days in (48, 76):
        now = FIRST + timedelta(days=days)
        outcome = measured(lake, now)
        assert told(outcome) == told(afresh(lake, now)[0])
        months.append([
            one.value / 86_400 for one in outcome.values
            if (one.kpi, one.grain, one.segment) == ("first_response_p90", "month", "all")
        ])  # fmt: skip
    assert months == [[44.0], []]


def say(lake: Path, at: datetime, thread: str, who: str, seen: datetime | None = None) -> Message:
    role = who.partition(" ")[0]
    row = Message(
        message_id=f"{thread} {at}", thread_id=thread, author_id=who, author_role=role,
        created_at=at, kind="post", direction="outbound" if role == "staff" else "inbound",
        text="and now?",
    )  # fmt: skip
    merge(FolderStore(lake), "desk", [(row, seen or at)])
    return row


def test_however_few_kpis_there_are_the_next_run_goes_on(tmp_path, monkeypatch):
    only(monkeypatch, "issues_opened")
    lake = tmp_path / "lake"
    say(lake, FIRST, "t1", "member")
    measured(lake, FIRST + WEEK)
    say(lake, FIRST + WEEK + SEEN, "t2", "member")
    now = FIRST + 2 * WEEK
    expected = told(afresh(lake, now)[0])
    monkeypatch.setattr(measuring.Run, "from_scratch", None)  # not once more
    assert told(measured(lake, now)) == expected


def test_issues_of_one_local_day_are_counted_together_though_they_lie_in_two_months(
    tmp_path, monkeypatch
):
    """In New York the last evening of January is February by UTC; only the first of two is answered
    later, so that only January's conversations differ then."""
    only(monkeypatch, "unanswered_issues", "response_rate")
    lake = tmp_path / "lake"
    for at, thread in ((20, "t1"), (26, "t2")):
        say(lake, datetime(2026, 1, 31, tzinfo=UTC) + timedelta(hours=at), thread, "member")
    measured(lake, datetime(2026, 2, 10, tzinfo=UTC))
    say(lake, datetime(2026, 2, 12, tzinfo=UTC), "t1", "staff")
    now = datetime(2026, 2, 17, tzinfo=UTC)
    outcome = measured(lake, now)
    assert told(outcome) == told(afresh(lake, now)[0])
    standing = {
        one.period_start.day: one.value for one in outcome.values
        if (one.kpi, one.grain) == ("unanswered_issues", "day") and one.period_start.month == 2
    }  # fmt: skip
    assert (standing[10], standing[13]) == (2, 1)


def test_an_answer_that_stays_the_last_word_ends_an_issue_though_nothing_is_written(
    tmp_path, monkeypatch
):
    only(monkeypatch, "open_issues", "resolution_rate")
    lake = tmp_path / "lake"
    say(lake, FIRST, "t1", "member")
    say(lake, FIRST + timedelta(days=6), "t1", "staff")
    measured(lake, FIRST + WEEK)
    outcome = measured(lake, FIRST + 2 * WEEK)
    fresh, rows = afresh(lake, FIRST + 2 * WEEK)
    assert (told(outcome), conversations(lake)) == (told(fresh), rows)
    assert ["assumed" in row for row in rows] == [True]


def test_what_is_imported_from_before_all_else_moves_no_clock(tmp_path, monkeypatch):
    only(monkeypatch, "issues_opened", "first_response_business_median")
    lake, older = tmp_path / "lake", FIRST - timedelta(days=26)
    for days in (-16, 1):
        say(lake, FIRST + timedelta(days=days), f"t{days}", "member")
    measured(lake, FIRST + WEEK)
    say(lake, older, "t0", "member", seen=FIRST + timedelta(days=8))
    outcome = measured(lake, FIRST + 2 * WEEK)
    fresh, rows = afresh(lake, FIRST + 2 * WEEK)
    assert (told(outcome), conversations(lake)) == (told(fresh), rows)
    opened = [one for one in outcome.values if (one.kpi, one.grain) == ("issues_opened", "day")]
    assert older.date() in {one.period_start for one in opened if one.value}


def test_a_month_whose_conversations_are_gone_is_emptied(tmp_path, monkeypatch):
    only(monkeypatch, "issues_opened")
    lake, now = FolderStore(tmp_path / "lake"), FIRST + WEEK
    (source, row) = Life(1)._said(now)
    merge(lake, source, [(row, now)])
    measured(lake.root, now)
    assert len(conversations(lake.root)) == 1
    gone = Deletion(message_id=row.message_id, created_at=row.created_at, deleted_at=now)
    merge(lake, source, [(gone, now)])
    forget(lake)
    measured(lake.root, now + WEEK)
    assert conversations(lake.root) == ()


def test_a_lake_without_a_conversation_can_be_read_once_it_has_one(tmp_path, monkeypatch):
    only(monkeypatch, "issues_opened")
    lake, now = FolderStore(tmp_path / "lake"), FIRST + WEEK
    measured(lake.root, now)
    lake.put("tables/conversations/part-0.parquet", _no_conversation(lake))  # as 0.1 wrote it
    (source, row) = Life(1)._said(now)
    merge(lake, source, [(row, now)])
    measured(lake.root, now + WEEK)
    assert len(conversations(lake.root)) == 1


def _no_conversation(lake: FolderStore) -> bytes:
    return engine.ask_parquet(lake.url(), "select * from conversations limit 0")


def test_after_forgetting_all_is_counted_again_even_if_a_run_was_under_way(tmp_path, monkeypatch):
    only(monkeypatch, "issues_opened")
    scratch = []
    count = measuring.Run.from_scratch
    monkeypatch.setattr(measuring.Run, "from_scratch", lambda *it: scratch.append(1) or count(*it))
    lake, now = FolderStore(tmp_path / "lake"), FIRST + WEEK
    (source, row) = Life(1)._said(now)
    merge(lake, source, [(row, now)])
    measured(lake.root, now)
    measured(lake.root, now)
    assert len(scratch) == 1
    kept = {entry.key: lake.get(entry.key).data for entry in lake.list("kept/")}
    forget(lake)
    for key, data in kept.items():  # what a run that began before writes at its end
        lake.put(key, data)
    measured(lake.root, now)
    assert len(scratch) == 2


def test_what_is_mended_in_python_is_counted_anew_within_a_release(tmp_path, monkeypatch):
    """Whoever runs main has many states of the code in one release."""
    connection = duckdb.connect()
    connection.execute("create table day_spans (start_at timestamp)")
    before = kept.fingerprint(settings(), {}, connection)
    code = shutil.copytree(kept.CODE, tmp_path / "code")
    monkeypatch.setattr(kept, "CODE", code)
    assert kept.fingerprint(settings(), {}, connection) == before, "the same code elsewhere"
    (code / "worktime.py").write_text("# mended")
    assert kept.fingerprint(settings(), {}, connection) != before
