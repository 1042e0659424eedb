"""An account that a run has just stored is not merged again; whatever changes it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from muster.pipeline.repeats import Repeats
from muster.records import Deletion, Member, Message

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def member(id_: str, name: str) -> tuple[Member, datetime]:
    return Member(member_id=id_, display_name=name), NOON


def test_an_account_told_again_just_like_that_is_no_news() -> None:
    run = Repeats()
    assert run.news([member("1", "Ann"), member("1", "Ann"), member("2", "Ann")]) == [
        member("1", "Ann"), member("2", "Ann"),
    ]  # fmt: skip
    assert run.news([member("1", "Ann")]) == []
    assert Repeats().news([member("1", "Ann")]) == [member("1", "Ann")]


def test_a_changed_account_is_news_and_so_is_its_changing_back() -> None:
    run = Repeats()
    told = [member("1", "Ann"), member("1", "Anna"), member("1", "Ann")]
    assert run.news(told) == told


def test_messages_and_deletions_are_always_news() -> None:
    message = Message(message_id="m", thread_id="t", created_at=NOON)
    deletion = Deletion(message_id="m", created_at=NOON, deleted_at=NOON)
    told = [(message, NOON), (deletion, NOON + timedelta(1)), (message, NOON), (deletion, NOON)]
    assert Repeats().news(told) == told


def test_only_so_many_are_remembered() -> None:
    run = Repeats(room=2)
    for id_ in "123":
        run.news([member(id_, "Ann")])
    assert run.news([member("3", "Ann"), member("1", "Ann")]) == [member("1", "Ann")]
