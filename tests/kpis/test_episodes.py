"""The SQL of episodes and conversations says the same as the story told step by step."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_lake import START, at, lay, message
from small_lake import settings as small_settings
from story import Said, tell

from muster.kpis import engine, steps
from muster.kpis.given import parameters, prepare
from muster.records import Message, Row, Thread

TEXTS = {(False, False): "and now", (True, False): "thank you", (False, True): "please dm us"}
QUIET = 5
AS_OF = 40

hours = st.integers(0, 44)
said = st.lists(
    st.one_of(
        st.builds(Said, at=hours, role=st.just("member"), is_closing=st.booleans()),
        st.builds(Said, at=hours, role=st.just("staff"), is_escalating=st.booleans()),
    ),
    min_size=1,
    max_size=14,
)
threads = st.lists(
    st.tuples(said, st.lists(hours, max_size=2), st.sampled_from([None, 3, 7])),
    min_size=1,
    max_size=12,
)


@pytest.fixture(scope="module")
def engine_of_test():
    return engine.connect("/nowhere")


@settings(max_examples=60, deadline=None)
@given(stories=threads)
def test_windows_open_the_same_episodes_as_a_machine_that_reads_on(engine_of_test, stories):
    stories = [(sorted(told, key=lambda one: one.at), events, gap) for told, events, gap in stories]
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
