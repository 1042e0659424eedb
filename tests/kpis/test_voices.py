"""The best answers and the unhappiest threads of a period, told from rows whose answer is plain."""

from __future__ import annotations

from pathlib import Path

from small_lake import SOURCE, at, message, write

from muster.kpis import engine, given, runner, voices
from muster.kpis.catalogue import load
from muster.pipeline.quotes import begun
from muster.records import Member, Thread
from muster.results import WaitingIssue
from muster.settings import Account, Settings

SETTINGS = Settings(community="c", staff=(Account(account="helper"),))


def said(folder: Path, *rows) -> voices.Said:
    """What is told of START's first week."""
    people = [Member(member_id=name, handle=name) for name in ("a member", "a staff", "helper")]
    threads = [Thread(thread_id=f"t{n}", title=f"Title {n}", created_at=at()) for n in range(9)]
    connection = engine.connect(write(folder, [*rows, *people, *threads]))
    one = [kpi for kpi in load() if kpi.id == "messages"]
    runner.measure(connection, SETTINGS, one, as_of=at(days=9), coverage=())
    facts = given.parameters(SETTINGS, at(days=9))
    return voices.said(connection, facts, at(-9), at(-9, days=7))


def question(thread: str, hours: float = 0, **more):
    return message(f"{thread} q", hours, thread_id=thread, text=f"question {thread}", **more)


def answer(thread: str, name: str, hours: float = 1, role: str = "staff", **more):
    facts = {"thread_id": thread, "parent_id": f"{thread} q", "kind": "reply", "text": name}
    return message(name, hours, role, **{**facts, **more})


def test_liked_and_accepted_answers_come_first_and_others_not_at_all(tmp_path: Path) -> None:
    found = said(
        tmp_path,
        question("t1", likes=50),
        answer("t1", "liked most", likes=7),
        answer("t1", "accepted", is_solution=True),
        answer("t1", "liked a little", likes=1, reposts=1),
        answer("t1", "liked least", likes=1),
        answer("t1", "not liked"),
        answer("t1", "of another week", 24 * 8, likes=99),
    )
    assert [one["text"] for one in found.answers] == ["liked most", "accepted", "liked a little"]
    first = found.answers[0]
    assert (first["title"], first["likes"], first["author"]) == ("Title 1", 7, "@a staff")
    assert [one["is_solution"] for one in found.answers] == [False, True, False]


def test_a_member_s_answer_counts_and_the_asker_s_own_words_do_not(tmp_path: Path) -> None:
    found = said(
        tmp_path,
        question("t1"),
        answer("t1", "by a peer", role="member", author_id="peer", likes=2),
        answer("t1", "by the asker", role="member", likes=9),
        answer("t1", "sent away: please open a ticket", likes=9),
        answer("t1", "deleted", likes=9, deleted_at=at(2)),
        answer("t1", "by a bot", role="bot", likes=9),
    )
    assert [(one["text"], one["is_staff"]) for one in found.answers] == [("by a peer", False)]


def test_what_a_member_writes_under_our_post_is_no_answer_but_what_is_said_to_it_is(
    tmp_path: Path,
) -> None:
    found = said(
        tmp_path,
        message("t1 q", 0, "staff", thread_id="t1", kind="post", text="We have news"),
        answer("t1", "a question of theirs", 1, "member", likes=9),
        answer("t1", "our answer to it", 2, likes=2, parent_id="a question of theirs"),
        answer("t1", "a peer's", 3, "member", likes=1, parent_id="a question of theirs",
               author_id="peer"),
    )  # fmt: skip
    assert [one["text"] for one in found.answers] == ["our answer to it", "a peer's"]


def test_threads_with_most_unhappy_words_come_first_with_their_unhappiest(tmp_path: Path) -> None:
    found = said(
        tmp_path,
        question("t1", sentiment=-0.9),
        question("t2", sentiment=-0.5),
        answer("t2", "worse", 1, "member", sentiment=-0.6),
        answer("t2", "thanks", 2, "member", sentiment=0.9),
        question("t3", sentiment=-0.3),
        question("t4", sentiment=None),
    )
    assert [(one["title"], one["text"], one["messages"]) for one in found.unhappy] == [
        ("Title 2", "worse", 2), ("Title 1", "question t1", 1),
    ]  # fmt: skip


def test_our_own_moods_and_those_of_named_staff_are_no_complaints(tmp_path: Path) -> None:
    found = said(
        tmp_path,
        question("t1"),
        answer("t1", "sorry, terrible", sentiment=-0.9),
        answer("t1", "awful too", role="member", author_id="helper", sentiment=-0.9),
    )
    assert not found.unhappy


def test_waiting_issues_without_a_title_get_their_first_words(tmp_path: Path) -> None:
    rows = [question("t1"), question("t2"), message("t3 q", 0, text=None), question("t4", 1)]
    connection = engine.connect(write(tmp_path, rows))

    def issue(number: int, title: str | None = None) -> WaitingIssue:
        return WaitingIssue(SOURCE, f"t{number}", f"t{number} q", at(), 9.0, title, None, None)

    asked = (issue(1, " "), issue(2, "Has one"), issue(3), issue(4), issue(5))
    quotes = [one.quote for one in begun(connection, asked, len(asked))]
    assert quotes == ["question t1", "", "", "", ""], "t3 has no text, t4 is of another hour"


def test_an_empty_lake_says_nothing(tmp_path: Path) -> None:
    assert said(tmp_path) == voices.Said((), ())
