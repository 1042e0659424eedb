"""The customer-support file of Kaggle: conversations, brands, and its known oddities."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from muster.errors import BadImport
from muster.lake import importing
from muster.lake.taken import Refusal, Taken
from muster.records import Message

REAL = Path(__file__).parents[2] / ".." / "shared" / "data" / "conversations" / "twcs_5k.csv"
HEADER = (
    "tweet_id,author_id,inbound,created_at,text,response_tweet_id,in_response_to_tweet_id\n"
)  # fmt: skip
TIME = "Tue Oct 31 22:10:47 +0000 2017"


def _line(tweet: str, author: str, text: str, parent: str = "", answers: str = "") -> str:
    return f'{tweet},{author},{not author.isalpha()},{TIME},"{text}","{answers}",{parent}\n'


def _read(tmp_path: Path, *lines: str) -> dict[str, Taken]:
    path = tmp_path / "twcs.csv"
    path.write_text(HEADER + "".join(lines))
    found = list(importing.read(path, "messages", form="twcs"))
    assert all(isinstance(one, Taken) for one in found), found
    return {one.row.message_id: one for one in found}  # type: ignore[union-attr,misc]


def test_a_tweet_becomes_a_message(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        _line("1", "77", "@AcmeHelp it broke &amp; burns", answers="2,3"),
        _line("2", "AcmeHelp", "@77 Sorry!", parent="1.0"),
    )
    assert found["1"].row == Message(
        message_id="1",
        thread_id="1",
        author_id="77",
        created_at=datetime(2017, 10, 31, 22, 10, 47, tzinfo=UTC),
        text="@AcmeHelp it broke & burns",
        replies=2,
    )
    answer = found["2"].row
    assert isinstance(answer, Message)
    assert (answer.author_role, answer.direction, answer.kind) == ("staff", "outbound", "reply")
    assert (answer.parent_id, answer.thread_id) == ("1", "1")
    assert {one.source for one in found.values()} == {"acmehelp"}


def test_a_thread_is_the_topmost_tweet_in_the_file(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        _line("5", "77", "third", parent="4.0"),
        _line("4", "Acme", "second", parent="3"),
        _line("3", "77", "first", parent="999.0"),
        _line("8", "78", "loop", parent="9"),
        _line("9", "78", "loop", parent="8"),
    )
    assert [found[i].row.thread_id for i in "345"] == ["3", "3", "3"]  # type: ignore[union-attr]
    assert found["3"].row.parent_id == "999"  # type: ignore[union-attr]
    assert found["8"].row.thread_id == found["9"].row.thread_id  # type: ignore[union-attr]


def test_a_conversation_belongs_to_the_brand_that_answers_else_is_named(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        _line("1", "77", "@Beta and @Acme: help"),
        _line("2", "Acme", "we", parent="1"),
        _line("3", "Acme", "do", parent="2"),
        _line("4", "Beta", "hm", parent="1"),
        _line("5", "78", "@beta? anyone?"),
        _line("6", "78", "nobody named"),
    )
    sources = [found[i].source for i in "123456"]
    assert sources == ["acme"] * 4 + ["beta", "no-brand"]


def test_bad_rows_are_refused_and_foreign_files_named(tmp_path: Path) -> None:
    path = tmp_path / "twcs.csv"
    bad = _line("x1", "77", "a") + _line("2", "77", "b").replace("Oct", "Okt") + "3,77\n"
    path.write_text(HEADER + bad + _line("4", "77", "fine"))
    found = list(importing.read(path, "messages", form="twcs"))
    assert [one.line for one in found if isinstance(one, Refusal)] == [2, 3, 4]
    assert [one.line for one in found if isinstance(one, Taken)] == [5]
    path.write_text("a,b\n1,2\n")
    with pytest.raises(BadImport, match="no column 'tweet_id'"):
        importing.read(path, "messages", form="twcs")


@pytest.mark.skipif(not REAL.exists(), reason="../shared/data is absent")
def test_the_real_file_is_read_whole() -> None:
    found = list(importing.read(REAL, "messages", form="twcs"))
    taken = {one.row.message_id: one for one in found if isinstance(one, Taken)}  # type: ignore[union-attr]
    messages = [one.row for one in taken.values() if isinstance(one.row, Message)]
    assert (len(found), len(taken)) == (5000, 5000)
    parents = [row.parent_id for row in messages if row.parent_id]
    assert (len(parents), sum(parent in taken for parent in parents)) == (3694, 3688)
    assert Counter(row.direction for row in messages) == {"inbound": 2778, "outbound": 2222}
    assert len({row.author_id for row in messages if row.author_role == "staff"}) == 76
    odd = taken["3399"].row
    assert isinstance(odd, Message)
    assert odd.text == "@AskPayPal \r\rI just love the start of email 😁 https://t.co/8u1Pf5rJoN"
    assert taken["3399"].source == "askpaypal"
    for row in messages:
        if row.parent_id in taken:
            assert taken[row.parent_id].row.thread_id == row.thread_id  # type: ignore[union-attr]
            assert taken[row.parent_id].source == taken[row.message_id].source
