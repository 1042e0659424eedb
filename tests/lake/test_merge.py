"""Merging: any order, batching, repetition and number of writers gives the same lake."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.dataset as ds
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from observations import (
    START,
    at,
    deletion,
    message,
    objects,
    row,
    rows,
    seen,
)

from muster.errors import SourceFailed
from muster.lake.merge import Observed, Rules, merge
from muster.records import AdSpend, Audience, Deletion, Member, Thread
from muster.store import FolderStore

# A state of an entity is seen from its hour on until the next state; so its content is a function
# of the hour at which it is seen, as on a platform.
_HOURS = st.integers(0, 7)


def _message(number: int, hour: int) -> Observed:
    state = hour // 2
    edited = at(1000 + state) if state else None
    found = message(number, likes=state * 3, edited_at=edited, text=f"text {number} of {state} 🙂")
    return found, seen(hour)


def _thread(number: int, hour: int) -> Observed:
    found = Thread(
        thread_id=f"t{number}", created_at=at(number * 100), views=hour // 3, tags=("x",)
    )
    return found, seen(hour)


def _audience(number: int, hour: int) -> Observed:
    day = at(number * 24 * 9).date()
    return Audience(account="us", metric="followers", measured_on=day, value=100 + hour), seen(hour)


def _ad_spend(number: int, hour: int) -> Observed:
    spend = Decimal(hour) / 7
    day = at(number * 24 * 9).date()
    return AdSpend(campaign_id="c", date=day, currency="EUR", spend=spend), seen(hour)


def _member(number: int, hour: int) -> Observed:
    return Member(member_id=f"a{number}", handle=f"h{hour // 4}"), seen(hour)


@st.composite
def observations(draw: st.DrawFn) -> list[Observed]:
    """Observations of several tables; what is seen at one hour is always the same."""
    makers = st.sampled_from([_message, _message, _thread, _audience, _ad_spend, _member])
    return draw(
        st.lists(
            st.builds(lambda m, n, h: m(n, h), makers, st.integers(0, 40), _HOURS), max_size=40
        )
    )


def cut(pairs: Sequence[Observed], cuts: Sequence[int]) -> list[list[Observed]]:
    """The observations in batches, cut at the given places."""
    places = sorted({0, len(pairs), *(place % (len(pairs) + 1) for place in cuts)})
    return [list(pairs[a:b]) for a, b in zip(places, places[1:], strict=False)]


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def test_rows_lie_in_their_own_month(store: FolderStore) -> None:
    day = START.date()
    merged = merge(
        store,
        "forum",
        [
            (message(0), seen(0)),
            (message(31), seen(0)),
            (Member(member_id="a1"), seen(0)),
            (Thread(thread_id="t", created_at=at(0)), seen(0)),
            (Audience(account="us", metric="followers", measured_on=day, value=3), seen(0)),
        ],
    )
    assert merged == {"messages": 2, "members": 1, "threads": 1, "audience": 1}
    assert list(objects(store)) == [
        "tables/audience/source=forum/month=2026-01/part-0.parquet",
        "tables/members/source=forum/part-0.parquet",
        "tables/messages/source=forum/month=2026-01/part-0.parquet",
        "tables/messages/source=forum/month=2026-02/part-0.parquet",
        "tables/threads/source=forum/month=2026-01/part-0.parquet",
    ]


def test_the_month_is_that_of_utc(store: FolderStore) -> None:
    from zoneinfo import ZoneInfo

    late = (START + timedelta(days=31)).astimezone(ZoneInfo("Pacific/Auckland"))
    merge(store, "s", [(message(1, created_at=late - timedelta(seconds=1)), seen(0))])
    assert "month=2026-01" in next(iter(objects(store)))


def test_fetching_twice_changes_no_byte(store: FolderStore) -> None:
    pairs = [(message(n, likes=n, tags=("a", "b"), sentiment=0.1 * n), seen(0)) for n in range(50)]
    merge(store, "s", pairs)
    before = objects(store)
    writes = _Counting(store.root)
    assert merge(writes, "s", [(found, seen(5)) for found, _ in pairs]) == {"messages": 0}
    assert objects(store) == before
    assert writes.puts == 0


class _Counting(FolderStore):
    puts = 0

    def put(
        self, key: str, data: bytes, *, if_match: str | None = None, if_new: bool = False
    ) -> str:
        type(self).puts += 1
        return super().put(key, data, if_match=if_match, if_new=if_new)


@settings(max_examples=40, deadline=None)
@given(observations(), st.randoms(use_true_random=False), st.lists(st.integers(0, 60), max_size=4))
def test_any_order_batching_and_repetition_gives_the_same_bytes(
    pairs: list[Observed], rng: random.Random, cuts: list[int]
) -> None:
    shuffled = pairs + rng.choices(pairs, k=5) if pairs else []
    rng.shuffle(shuffled)
    # A null-filling table keeps columns of several observations, which have an order.
    shuffled = [p for p in shuffled if not isinstance(p[0], Member)] + sorted(
        (p for p in shuffled if isinstance(p[0], Member)), key=lambda pair: pair[1]
    )
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        merge(FolderStore(Path(one)), "s", pairs)
        for batch in cut(shuffled, cuts):
            merge(FolderStore(Path(other)), "s", batch)
        assert objects(FolderStore(Path(one))) == objects(FolderStore(Path(other)))


def test_the_latest_observation_wins_whenever_it_arrives(store: FolderStore) -> None:
    merge(store, "s", [(message(1, likes=5), seen(5))])
    merge(store, "s", [(message(1, likes=2), seen(2))])
    assert row(store, 1)["likes"] == 5
    merge(store, "s", [(message(1, likes=7), seen(7))])
    assert row(store, 1)["likes"] == 7


def test_at_a_tie_the_incoming_row_wins(store: FolderStore) -> None:
    merge(store, "s", [(message(1, text="mapped wrongly"), seen(1))])
    merge(store, "s", [(message(1, text="mapped anew"), seen(1))])
    assert row(store, 1)["text"] == "mapped anew"


def test_observed_at_is_when_the_present_state_was_first_seen(store: FolderStore) -> None:
    merge(store, "s", [(message(1), seen(3)), (message(1), seen(4))])
    merge(store, "s", [(message(1), seen(9))])
    assert row(store, 1)["observed_at"] == seen(3)
    merge(store, "s", [(message(1), seen(2))])
    assert row(store, 1)["observed_at"] == seen(2)


def test_a_role_stays_what_it_was_when_first_seen(store: FolderStore) -> None:
    merge(store, "s", [(message(1, author_role="staff"), seen(1))])
    merge(store, "s", [(message(1, author_role="member", likes=3), seen(2))])
    assert (row(store, 1)["author_role"], row(store, 1)["likes"]) == ("staff", 3)
    before = objects(store)
    merge(store, "s", [(message(1, author_role="member", likes=3), seen(3))])
    assert objects(store) == before


def test_a_null_never_overwrites_what_is_known_of_a_member(store: FolderStore) -> None:
    merge(store, "s", [(Member(member_id="a", handle="ann", joined_at=at(1)), seen(1))])
    merge(store, "s", [(Member(member_id="a", handle="anna", location="Ulm"), seen(2))])
    merge(store, "s", [(Member(member_id="a", handle="old", lang="de"), seen(0))])
    (found,) = rows(store, "members")
    assert (found["handle"], found["joined_at"], found["location"]) == ("anna", at(1), "Ulm")
    assert found["lang"] == "de"
    assert found["observed_at"] == seen(2)


def test_a_null_does_overwrite_elsewhere(store: FolderStore) -> None:
    solved = Thread(thread_id="t", created_at=at(0), solved_at=at(1))
    merge(store, "s", [(solved, seen(1))])
    merge(store, "s", [(replace(solved, solved_at=None), seen(2))])
    assert rows(store, "threads")[0]["solved_at"] is None


def test_a_deletion_keeps_the_facts_and_removes_the_content(store: FolderStore) -> None:
    full = message(1, likes=3, views=9, sentiment=0.5, lang="en", tags=("x",), channel="c")
    merge(store, "s", [(full, seen(1))])
    assert merge(store, "s", [(deletion(1, at(50)), seen(2))]) == {"messages": 1}
    found = row(store, 1)
    assert [found[name] for name in ("text", "url", "sentiment", "lang")] == [None] * 4
    assert found["tags"] == []
    kept = ("author_id", "thread_id", "created_at", "likes", "views", "channel")
    assert [found[name] for name in kept] == [getattr(full, name) for name in kept]
    assert (found["deleted_at"], found["observed_at"]) == (at(50), seen(2))


def test_a_deletion_found_again_changes_no_byte(store: FolderStore) -> None:
    merge(store, "s", [(message(1), seen(1)), (deletion(1, at(50)), seen(2))])
    before = objects(store)
    merge(store, "s", [(deletion(1, at(60)), seen(3))])
    merge(store, "s", [(message(1, text=None, deleted_at=at(70)), seen(4))])
    assert objects(store) == before


def test_a_deletion_of_the_unknown_is_dropped_and_told(store: FolderStore) -> None:
    told: list[Deletion] = []
    gone = deletion(1, at(9))
    assert merge(store, "s", [(gone, seen(1))], on_unknown=told.append) == {"messages": 0}
    assert told == [gone]
    assert objects(store) == {}
    merge(store, "s", [(message(2), seen(1)), (gone, seen(1))], on_unknown=told.append)
    assert told == [gone, gone]
    merge(store, "s", [(deletion(2, at(9)), seen(2))], on_unknown=told.append)
    assert told == [gone, gone]


def test_what_was_deleted_comes_back_only_if_seen_later(store: FolderStore) -> None:
    merge(store, "s", [(message(1), seen(1)), (deletion(1, at(50)), seen(5))])
    gone = objects(store)
    merge(store, "s", [(message(1, text="older look"), seen(4))])
    merge(store, "s", [(message(1, text=None, likes=8), seen(6))])
    assert objects(store) == gone
    merge(store, "s", [(message(1, text="restored"), seen(7))])
    assert (row(store, 1)["text"], row(store, 1)["deleted_at"]) == ("restored", None)


def test_an_old_deletion_does_not_remove_what_was_seen_alive_since(store: FolderStore) -> None:
    merge(store, "s", [(message(1), seen(5))])
    merge(store, "s", [(deletion(1, at(50)), seen(4))])
    assert row(store, 1)["deleted_at"] is None


def test_a_message_that_arrives_deleted_has_no_content(store: FolderStore) -> None:
    merge(store, "s", [(message(1, deleted_at=at(50)), seen(1))])
    assert (row(store, 1)["text"], row(store, 1)["url"]) == (None, None)


SMALL = Rules(part_bytes=4_000, batch_rows=16, sleep=lambda _: None)


def test_a_full_object_is_followed_by_the_next(store: FolderStore) -> None:
    many = [(message(n, created_at=at(n)), seen(0)) for n in range(200)]
    merge(store, "s", many, rules=SMALL)
    keys = list(objects(store))
    assert len(keys) > 3
    assert {key.rsplit("/", 1)[0] for key in keys} == {"tables/messages/source=s/month=2026-01"}
    assert [found["message_id"] for found in rows(store)] == sorted(f"m{n}" for n in range(200))


def test_no_row_moves_when_a_month_grows_and_edits_reach_every_part(store: FolderStore) -> None:
    where: dict[str, str] = {}
    for start in range(0, 200, 20):
        batch = range(start, start + 20)
        merge(store, "s", [(message(n, created_at=at(n)), seen(0)) for n in batch], rules=SMALL)
        for found, key in _placed(store):
            assert where.setdefault(found, key) == key
    edits = [(message(n, created_at=at(n), text="edited"), seen(1)) for n in range(0, 200, 7)]
    assert merge(store, "s", edits, rules=SMALL) == {"messages": len(edits)}
    assert dict(_placed(store)) == where
    assert {r["message_id"] for r in rows(store) if r["text"] == "edited"} == {
        found.message_id for found, _ in edits
    }
    before = objects(store)
    merge(store, "s", edits, rules=SMALL)
    assert objects(store) == before


def _placed(store: FolderStore) -> list[tuple[str, str]]:
    found = []
    for key in objects(store):
        table = ds.dataset(store.url(key)).to_table(["message_id"])
        found += [(message_id, key) for message_id in table.column(0).to_pylist()]
    return found


def test_a_full_part_takes_edits_but_no_new_rows(store: FolderStore) -> None:
    merge(store, "s", [(message(n, created_at=at(n)), seen(0)) for n in range(40)], rules=SMALL)
    mixed = [message(0, created_at=at(0), text="edited"), message(99, created_at=at(0))]
    merge(store, "s", [(found, seen(1)) for found in mixed], rules=SMALL)
    placed = dict(_placed(store))
    assert placed["m0"] == f"{_folder()}/part-0.parquet"
    assert placed["m99"] == max(placed.values())
    assert placed["m99"] != placed["m0"]


def test_a_part_that_shrinks_stays_full(store: FolderStore) -> None:
    long = [(message(n, created_at=at(n), text="x" * 1000), seen(0)) for n in range(16)]
    merge(store, "s", long, rules=SMALL)
    gone = [
        (Deletion(message_id=f"m{n}", created_at=at(n), deleted_at=at(999)), seen(1))
        for n in range(16)
    ]
    merge(store, "s", gone, rules=SMALL)
    merge(store, "s", [(message(500, created_at=at(5)), seen(2))], rules=SMALL)
    assert dict(_placed(store))["m500"] == f"{_folder()}/part-1.parquet"


def test_a_batch_is_read_in_the_order_it_was_observed(store: FolderStore) -> None:
    later = message(1, author_role="member", likes=2)
    merge(
        store,
        "s",
        [
            (deletion(2, at(9)), seen(2)),
            (later, seen(2)),
            (message(1, author_role="staff"), seen(1)),
            (message(2), seen(1)),
        ],
    )
    assert (row(store, 1)["author_role"], row(store, 1)["likes"]) == ("staff", 2)
    assert row(store, 2)["deleted_at"] == at(9)


def _folder() -> str:
    return "tables/messages/source=s/month=2026-01"


def test_any_reader_of_the_folder_sees_each_row_once(store: FolderStore) -> None:
    for source in ("forum", "x"):
        pairs = [(message(n, tags=("a",), likes=n), seen(0)) for n in range(100)]
        merge(store, source, pairs, rules=SMALL)
        merge(store, source, [(message(n, likes=n + 1), seen(1)) for n in range(50)], rules=SMALL)
    glob = f"{store.url('tables/messages')}/**/*.parquet"
    duck = duckdb.connect().execute(
        "select count(*), count(distinct (source, message_id)), sum(likes), min(month), max(source)"
        f" from read_parquet('{glob}', hive_partitioning = true)"
    )
    total = 2 * (sum(range(100)) + 50)
    assert duck.fetchone() == (200, 200, total, "2026-01", "x")
    arrow = ds.dataset(store.url("tables/messages"), partitioning="hive").to_table()
    assert arrow.num_rows == 200
    assert len({(r["source"], r["message_id"]) for r in arrow.to_pylist()}) == 200


def test_a_foreign_object_in_the_lake_is_named(store: FolderStore) -> None:
    key = f"{_folder()}/part-0.parquet"
    store.put(key, b"no parquet at all")
    with pytest.raises(SourceFailed, match=r"part-0.parquet is no readable Parquet"):
        merge(store, "s", [(message(1), seen(0))])
    assert objects(store) == {key: b"no parquet at all"}
