"""Lines of a chat find their conversation as the rule says, in whatever order they arrive."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_lake import at, lay
from small_lake import settings as small_settings

from muster.clock import fixed_clock
from muster.kpis import catalogue, engine
from muster.kpis.joining import Line, joined_lines, threads
from muster.pipeline import measure
from muster.pipeline.importing import import_file
from muster.project import open_project
from muster.records import Message

WINDOW = timedelta(minutes=10)
NAMES = ("ada", "bob", "cyd")


@st.composite
def channels(draw) -> list[Line]:
    """Up to 25 lines, at steps around the window, some naming others, some replying."""
    lines: list[Line] = []
    now = datetime(2026, 3, 2, 9)
    for number in range(draw(st.integers(1, 25))):
        now += timedelta(minutes=draw(st.sampled_from([0, 1, 1, 4, 9, 10, 11])))
        author = draw(st.sampled_from((*NAMES, None)))
        parent = draw(st.sampled_from([None, None, None, *lines])) if lines else None
        names = tuple(draw(st.lists(st.sampled_from(NAMES), max_size=2)))
        own = f"{number:02}"
        thread = parent.thread_id if parent else own
        known = (author,) if author else ()
        parent_id = parent and parent.message_id
        lines.append(Line(own, thread, parent_id, author, known, now, names))
    return lines


def read_aloud(lines: list[Line]) -> dict[str, str]:
    """Line → its conversation, by the ruling's words, looking back over every line each time."""
    found: dict[str, str] = {}
    for number, line in enumerate(lines):
        before = lines[:number]
        if line.parent_id:
            found[line.message_id] = found[line.parent_id]
            continue
        found[line.message_id] = line.message_id
        if not before:
            continue
        latest = found[before[-1].message_id]
        there = [one for one in before if found[one.message_id] == latest and one.author]
        wrote = [one for one in there if one.author == line.author]
        is_own = any(line.at - one.at <= WINDOW for one in wrote)
        is_named = any(one.author in line.names and one.author != line.author for one in there)
        if is_own or is_named:
            found[line.message_id] = latest
    return found


def _line(number: int, minutes: float, author: str, *names: str) -> Line:
    own = f"{number:02}"
    at_ = datetime(2026, 3, 2, 9) + timedelta(minutes=minutes)
    return Line(own, own, None, author, (author,), at_, names)


# Exactly ten minutes, a hair more, and a name an hour later.
EDGES = [
    _line(0, 0, "ada"), _line(1, 10, "ada"), _line(2, 20.01, "ada"), _line(3, 80, "bob", "ada"),
]  # fmt: skip


@given(lines=channels())
@example(lines=EDGES)
def test_lines_join_as_the_rule_says_read_line_by_line(lines):
    found = {line.message_id: thread for line, thread, _ in threads(lines, WINDOW)}
    assert found == read_aloud(lines)


@given(lines=channels())
def test_a_line_goes_on_from_one_before_it_in_its_own_conversation(lines):
    found = {line.message_id: (thread, parent) for line, thread, parent in threads(lines, WINDOW)}
    for line in lines:
        thread, parent = found[line.message_id]
        if parent is None:
            assert thread == line.message_id
        else:
            assert parent < line.message_id and found[parent][0] == thread


@given(lines=channels())
@example(lines=[_line(0, 0, "ada"), _line(1, 1, "bob", "ada"), _line(2, 2, "ada")])
@example(lines=[_line(0, 0, "sue"), _line(1, 1, "ada", "sue"), _line(2, 2, "bob", "sue"),
                _line(3, 3, "ada")])  # fmt: skip
def test_who_names_nobody_goes_on_from_what_was_last_said_to_them(lines):
    found = {line.message_id: (thread, parent) for line, thread, parent in threads(lines, WINDOW)}
    author = {line.message_id: line.author for line in lines}

    def is_to(key: str | None, who: str | None) -> bool:
        place = found[key][0] if key else ""
        while key and found[key][0] == place:
            if author[key] == who:
                return True
            key = found[key][1]
        return False

    for number, line in enumerate(lines):
        thread, parent = found[line.message_id]
        if parent and not line.parent_id and not line.names:
            before = (one.message_id for one in lines[:number])
            there = [key for key in before if found[key][0] == thread]
            assert parent == max(key for key in there if is_to(key, line.author))


@pytest.fixture(scope="module")
def engine_of_test():
    return engine.connect("/nowhere")


@settings(max_examples=20, deadline=None)
@given(lines=channels(), data=st.data())
def test_the_order_in_which_lines_arrive_changes_nothing(engine_of_test, lines, data):
    own = small_settings(sources=[{"name": "desk", "platform": "file", "chat": True}])
    messages = [
        Message(
            message_id=line.message_id, thread_id=line.thread_id, parent_id=line.parent_id,
            author_id=line.author, channel="help", created_at=line.at,
            text=" ".join(f"@{name.title()}," for name in line.names),
        )
        for line in lines
    ]  # fmt: skip
    expected = {line.message_id: found for line, *found in threads(lines, WINDOW)}
    lay(engine_of_test, data.draw(st.permutations(messages)))
    found = {one.message_id: (one.thread_id, one.parent_id) for one in messages} | {
        row[1]: row[2:] for row in joined_lines(engine_of_test, own, at(days=9))
    }
    assert {key: list(one) for key, one in found.items()} == expected


LINES = """\
message_id,thread_id,author_id,author_role,channel,created_at,text
m1,m1,ada,member,help,2026-03-02T23:50,The wifi is down?
m2,m2,ada,member,help,2026-03-02T23:58,in room 5
m3,m3,sue,staff,help,2026-03-03T00:20,@ada: better now?
m4,m4,bob,member,help,2026-03-03T00:21,Where is lunch?
m5,m5,bob,member,help,2026-03-03T00:30,never mind
m6,m6,ada,member,help,2026-03-03T00:31,@sue it is
"""
ASKED = """
select opened_at, first_response_at, messages from conversations order by opened_at, message_id
"""


@pytest.mark.parametrize(
    "batches",
    [
        [(1, 7)],
        [(4, 7), (1, 4)],
        [(2, 3), (6, 7), (1, 2), (3, 6)],
        [(3, 7), (2, 3), (1, 2)],  # late lines of one day join those of the next
    ],
)
def test_late_lines_give_the_same_conversations_as_lines_in_time(tmp_path, batches, monkeypatch):
    counted = tuple(one for one in catalogue.load() if one.id == "issues_opened")
    monkeypatch.setattr(catalogue, "load", lambda *_: counted)
    (tmp_path / "muster.yaml").write_text(
        "community: Desk\nsources: [{name: irc, platform: file, chat: true}]\n"
    )
    header, *lines = LINES.splitlines(keepends=True)
    for number, (first, last) in enumerate(batches):
        then = fixed_clock(at(days=9 + 2 * number))  # what came before is no news any more
        project = open_project(tmp_path, clock=then, environment={}, http=None)
        part = tmp_path / "part.csv"
        part.write_text(header + "".join(lines[first - 1 : last - 1]))
        import_file(project, "messages", part, "irc")
        measure.measure(project)
    found = [(str(row[0])[11:16], str(row[1])[11:16], row[2]) for row in
             engine.ask(project.lake.url(), ASKED).rows]  # fmt: skip
    assert found == [("23:50", "00:20", 3), ("00:21", "", 2), ("00:31", "", 1)]
