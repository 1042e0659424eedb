"""Who is scored, when, and in which language: told, else the source's, else detected, else none."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import tries

from muster.lake.merge import Observed, merge
from muster.records import Deletion, Message, Review
from muster.sentiment import Mood, Scorer, vader
from muster.store import FolderStore

THEN = datetime(2026, 11, 2, 9, tzinfo=UTC)
ENGLISH = "The printer works again, great help, thank you all"
GERMAN = "Die Anmeldung geht seit gestern nicht, das ist sehr ärgerlich"


@dataclass
class Counting:
    """A scorer that remembers what it was asked; a text it does not like gets no score."""

    languages: frozenset[str] = frozenset({"en", "de"})
    asked: list[tuple[str, str]] = field(default_factory=list)
    fails: bool = False

    def scores(self, lang: str, texts: Sequence[str]) -> list[float | None]:
        self.asked += [(lang, text) for text in texts]
        return [None if self.fails else len(text) / 1_000 for text in texts]

    def scorer(self) -> Scorer:
        return Scorer(self.languages, self.scores)


def post(text: str | None = ENGLISH, *, name: str = "m", **cells: Any) -> Message:
    return Message(message_id=name, thread_id="t", created_at=THEN, text=text, **cells)


def seen(row: Message | Review | Deletion, hours: float = 0) -> Observed:
    return row, THEN + timedelta(hours=hours)


def stored(store: FolderStore, table: str = "messages") -> list[dict[str, Any]]:
    found = []
    for entry in store.list(f"tables/{table}/"):
        data = store.get(entry.key)
        assert data is not None
        found += pq.ParquetFile(pa.BufferReader(data.data)).read().to_pylist()
    return found


def scored(store: FolderStore) -> list[tuple[str | None, float | None]]:
    return [(row["lang"], row["sentiment"]) for row in stored(store)]


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


@pytest.mark.parametrize(
    ("told", "of_source", "text", "lang", "is_scored"),
    [
        (None, None, ENGLISH, "en", True),
        (None, None, GERMAN, "de", False),
        (None, None, "+1", "und", False),
        (None, None, "thanks", "und", False),
        ("en", None, GERMAN, "en", True),
        ("en-GB", "de", ENGLISH, "en-GB", True),
        (None, "en", "thanks", "en", True),
        (None, "de", ENGLISH, "de", False),
    ],
)
def test_the_platform_tells_the_language_else_the_source_else_the_text(
    store: FolderStore, told: str | None, of_source: str | None, text: str, lang: str,
    is_scored: bool,
) -> None:  # fmt: skip
    merge(store, "s", [seen(post(text, lang=told))], derive=Mood(vader(), of_source).read)
    ((found, score),) = scored(store)
    assert found == lang
    assert (score is not None) == is_scored


def test_german_is_not_scored_as_english(store: FolderStore) -> None:
    """To VADER "die" is a death: it must not be asked about German."""
    merge(
        store, "s", [seen(post(GERMAN)), seen(post(ENGLISH, name="n"))], derive=Mood(vader()).read
    )
    assert scored(store) == [("de", None), ("en", pytest.approx(0.8481, abs=0.1))]


def test_without_a_scorer_there_are_languages_and_no_scores(store: FolderStore) -> None:
    merge(store, "s", [seen(post()), seen(post(GERMAN, name="n"))], derive=Mood(Scorer()).read)
    assert scored(store) == [("en", None), ("de", None)]


def test_only_new_and_changed_texts_are_scored(store: FolderStore) -> None:
    counting = Counting()
    read = Mood(counting.scorer()).read
    first = [seen(post(name=f"m{number}", lang="en")) for number in range(3)]
    merge(store, "s", first, derive=read)
    assert len(counting.asked) == 3
    counting.asked.clear()
    again = [seen(post(name=f"m{number}", likes=number, lang="en"), 1) for number in range(3)]
    assert merge(store, "s", again, derive=read) == {"messages": 2}
    assert counting.asked == []
    assert merge(store, "s", [seen(post("New text", name="m1", lang="en"), 2)], derive=read)
    assert counting.asked == [("en", "New text")]
    assert sorted(score for _, score in scored(store)) == [0.008, 0.05, 0.05]


def test_a_text_observed_twice_in_a_batch_is_scored_as_it_ends(store: FolderStore) -> None:
    counting = Counting()
    rows = [seen(post("First", lang="en")), seen(post("Second", lang="en"), 1)]
    merge(store, "s", rows, derive=Mood(counting.scorer()).read)
    assert counting.asked == [("en", "Second")]


def test_a_language_told_later_is_believed_and_scored_anew(store: FolderStore) -> None:
    counting = Counting()
    read = Mood(counting.scorer()).read
    merge(store, "s", [seen(post())], derive=read)
    merge(store, "s", [seen(post(lang="de"), 1)], derive=read)
    merge(store, "s", [seen(post(), 2)], derive=read)
    assert counting.asked == [("en", ENGLISH), ("de", ENGLISH)]
    assert scored(store) == [("de", 0.05)]


def test_what_could_not_be_scored_is_scored_at_the_next_look(store: FolderStore) -> None:
    failing, working = Counting(fails=True), Counting()
    mood = Mood(failing.scorer())
    merge(store, "s", [seen(post()), seen(post("+1", name="n"))], derive=mood.read)
    assert (mood.unscored, scored(store)) == (1, [("en", None), ("und", None)])
    assert merge(store, "s", [seen(post(), 1)], derive=Mood(working.scorer()).read)
    assert scored(store)[0] == ("en", 0.05)
    assert stored(store)[0]["observed_at"] == THEN, "the row itself is no news"


def test_an_imported_score_is_kept(store: FolderStore) -> None:
    counting = Counting()
    merge(store, "s", [seen(post(sentiment=-0.25))], derive=Mood(counting.scorer()).read)
    merge(store, "s", [seen(post(), 1)], derive=Mood(counting.scorer()).read)
    assert counting.asked == []
    assert scored(store) == [("en", -0.25)]


def test_scoring_again_replaces_scores_and_takes_those_that_should_not_be(
    store: FolderStore,
) -> None:
    merge(store, "s", [seen(post(sentiment=0.9)), seen(post(GERMAN, name="n", sentiment=-0.6))])
    mood = Mood(Counting(frozenset({"en"})).scorer(), again=True)
    merge(store, "s", [seen(post(), 1), seen(post(GERMAN, name="n"), 1)], derive=mood.read)
    assert scored(store) == [("en", 0.05), ("de", None)]
    failing = Mood(Counting(fails=True).scorer(), again=True)
    merge(store, "s", [seen(post(), 2)], derive=failing.read)
    assert scored(store)[0] == ("en", 0.05), "a failure costs no score there was"


def test_a_deleted_message_has_neither_text_nor_language_nor_score(store: FolderStore) -> None:
    counting = Counting()
    read = Mood(counting.scorer()).read
    gone = Deletion(message_id="m", created_at=THEN, deleted_at=THEN + timedelta(hours=1))
    merge(store, "s", [seen(post())], derive=read)
    merge(store, "s", [seen(gone, 1)], derive=read)
    assert scored(store) == [(None, None)]
    assert len(counting.asked) == 1


def test_reviews_are_scored_in_the_language_they_are_in(store: FolderStore) -> None:
    reviews = [
        Review(review_id=name, rating=1, rating_max=5, created_at=THEN, text=text)
        for name, text in (("a", ENGLISH), ("b", GERMAN), ("c", None))
    ]
    merge(store, "s", map(seen, reviews), derive=Mood(vader()).read)
    found = {row["review_id"]: row["sentiment"] for row in stored(store, "reviews")}
    assert found["a"] > 0.5
    assert found["b"] is found["c"] is None


@settings(max_examples=tries(20, 400))
@given(
    st.lists(
        st.tuples(st.sampled_from([ENGLISH, GERMAN, "+1"]), st.sampled_from([None, "en", "de"])),
        min_size=1,
        max_size=4,
    )
)
def test_the_lake_is_the_same_in_whatever_order_and_batches_rows_come(
    tmp_path_factory: pytest.TempPathFactory, states: list[tuple[str, str | None]]
) -> None:
    """Each state another text, since of one text's languages the last told one stays."""
    rows = [
        seen(post(f"{text} {number}", lang=lang, likes=number), number)
        for number, (text, lang) in enumerate(states)
    ]
    found = set()
    for order in itertools.islice(itertools.permutations(rows), 6):
        for at_once in (True, False):
            store = FolderStore(tmp_path_factory.mktemp("lake"))
            for batch in [order] if at_once else [[row] for row in order]:
                merge(store, "s", batch, derive=Mood(Counting(frozenset({"en"})).scorer()).read)
            found.add(repr(stored(store)))
    assert len(found) == 1
