"""The SQL of episodes and conversations says the same as the story told step by step."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_lake import START, at, lay, message
from small_lake import settings as small_settings
from story import Said, tell

from muster.kpis import engine, steps
from muster.kpis.given import parameters, prepare
from muster.records import Message, Row, Thread

TEXTS = {(False, False): "and now", (True, False): "thank you", (False, True): "please dm us"}
QUIET = 5
AS_OF = 50

hours = st.integers(0, 60)
# Steps around the gaps (3, 7) and the quiet hours (5), so that every rule meets its edge.
pauses = st.sampled_from([0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8])
sorts = st.sampled_from(["asks", "asks", "thanks", "answers", "answers", "sends away"])


def _in_order(parts) -> list[Said]:
    now, told = 0, []
    for pause, sort in parts:
        now += pause
        role = "member" if sort in ("asks", "thanks") else "staff"
        told.append(Said(now, role, sort == "thanks", sort == "sends away"))
    return told


said = st.lists(st.tuples(pauses, sorts), min_size=1, max_size=14).map(_in_order)
threads = st.lists(
    st.tuples(said, st.lists(hours, max_size=2), st.sampled_from([None, 3, 7])),
    min_size=1,
    max_size=12,
)


@pytest.fixture(scope="module")
def engine_of_test():
    return engine.connect("/nowhere")


# Sent away after the quiet hours were over: that does not bar the next episode's.
AFTERWARDS = _in_order(
    [(0, "asks"), (1, "answers"), (7, "sends away"), (1, "asks"), (1, "answers"), (7, "asks")]
)


@settings(max_examples=40, deadline=None)
@given(stories=threads)
@example(stories=[(AFTERWARDS, [], None)])
def test_windows_open_the_same_episodes_as_a_machine_that_reads_on(engine_of_test, stories):
    rows = [row for number, story in enumerate(stories) for row in _rows(number, story)]
    found = _conversations(engine_of_test, rows)
    for number, (told, events, gap) in enumerate(stories):
        known = [one for one in told if one.at < AS_OF]
        expected = [
            (
                one.opened_at, one.is_reopening, one.first_response_at, one.escalated_at,
                one.resolved_at, len(one.staff_at),
            )
            for one in tell(known, events, gap, QUIET, AS_OF)
        ]  # fmt: skip
        assert found.get(f"{number:02}", []) == expected, (number, gap, events, known)


def _rows(number: int, story) -> list[tuple[str, Row]]:
    told, events, gap = story
    thread = f"{number:02}"
    source = f"gap{gap or 0}"
    messages: list[Message] = [
        message(
            f"{thread}-{place:02}", one.at, one.role, thread_id=thread,
            text=TEXTS[one.is_closing, one.is_escalating], direction="inbound",
        )
        for place, one in enumerate(told)
    ]  # fmt: skip
    # A member opens every thread, so that none is an announcement with sub-threads: a question
    # long before, in a place of its own, is the root.
    root = message(f"{thread}-", -1, "bot", thread_id=thread)
    times = [at(event) for event in events] + [None, None]
    facts = Thread(thread_id=thread, created_at=START, closed_at=times[0], solved_at=times[1])
    return [(source, row) for row in (root, *messages, facts)]


def _conversations(connection, rows):
    own = small_settings(
        windows={"quiet": f"{QUIET}h"},
        sources=[
            {"name": "gap3", "platform": "file", "episode_gap": "3h"},
            {"name": "gap7", "platform": "file", "episode_gap": "7h"},
        ],
    )
    lay(connection, rows)
    prepare(connection, own, at(AS_OF), (), ())
    shared = steps.load()
    for name in steps.needed(["from conversations"], shared):
        steps.run(connection, name, shared[name], parameters(own, at(AS_OF)))
    found: dict[str, list[tuple]] = {}
    order = "select * from conversations order by thread_id, episode"
    cursor = connection.execute(order)
    names = [column[0] for column in cursor.description]
    for row in cursor.fetchall():
        one = dict(zip(names, row, strict=True))
        found.setdefault(one["thread_id"], []).append(
            (
                _hour(one["opened_at"]), one["is_reopening"], _hour(one["first_response_at"]),
                _hour(one["escalated_at"]), _hour(one["resolved_at"]), one["staff_messages"],
            )
        )  # fmt: skip
    return found


def _hour(moment):
    return None if moment is None else (moment - START.replace(tzinfo=None)).total_seconds() / 3600
