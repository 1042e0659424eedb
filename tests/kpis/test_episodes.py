"""The SQL of episodes and conversations says the same as the story told step by step."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_lake import START, at, lay, message
from small_lake import settings as small_settings
from story import Said, tell
from thorough import tries

from muster.kpis import engine, steps
from muster.kpis.given import parameters, prepare
from muster.records import Row, Thread

WORDS = {"thanks": "thank you", "sends away": "please dm us"}
TAGS = {"sends away by tag": ("elsewhere",), "ends": ("done",), "ends by a tag of ours": ("done",)}
MEMBERS = ("asks", "thanks", "ends")
QUIET = 5
AS_OF = 50

hours = st.integers(0, 60)
# Steps around the gaps (3, 7) and the quiet hours (5), so that every rule meets its edge.
pauses = st.sampled_from([0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8])
sorts = st.sampled_from(
    ["asks", "asks", "asks", "thanks", "answers", "answers", "answers", "sends away", *TAGS]
)


def _in_order(parts) -> list[tuple[str, Said]]:
    now, told = 0, []
    for pause, sort in parts:
        now += pause
        role = "member" if sort in MEMBERS else "staff"
        is_away, is_end = sort.startswith("sends away"), sort.startswith("ends")
        told.append((sort, Said(now, role, sort == "thanks", is_away, is_end)))
    return told


said = st.lists(st.tuples(pauses, sorts), min_size=1, max_size=14).map(_in_order)
# Under an announcement a conversation begins with a member's reply to it.
replies = st.tuples(said, st.integers(0, 3), st.sampled_from(["asks", "thanks"])).map(
    lambda one: [(one[2], Said(one[1], "member", one[2] == "thanks")),
                 *((sort, replace(told, at=told.at + one[1])) for sort, told in one[0])]
)  # fmt: skip
facts = (st.lists(hours, max_size=2), st.sampled_from([None, 3, 7]), *[st.booleans()] * 3)
threads = st.lists(st.tuples(st.tuples(said), *facts), min_size=1, max_size=9)
announcements = st.lists(
    st.tuples(st.lists(replies, min_size=1, max_size=3).map(tuple), *facts), max_size=3
)


@pytest.fixture(scope="module")
def engine_of_test():
    return engine.connect("/nowhere")


# Sent away after the quiet hours were over: that does not bar the next episode's.
AFTERWARDS = _in_order(
    [(0, "asks"), (1, "answers"), (7, "sends away"), (1, "asks"), (1, "answers"), (7, "asks")]
)
# Staff's answer stands for the quiet hours: what follows is a new story, but for thanks.
REOPENED = _in_order([(0, "asks"), (1, "answers"), (4, "thanks"), (2, "asks"), (1, "answers")])
LONG = _in_order([(0, "asks"), *[(4, "answers"), (4, "asks")] * 3, (1, "answers"), (8, "thanks")])


@settings(max_examples=tries(8, 200), deadline=None)
@given(stories=threads, announced=announcements)
@example(stories=[((AFTERWARDS,), [], None, False, False, False)], announced=[])
@example(stories=[((REOPENED,), [], None, False, False, True)], announced=[])
@example(stories=[((LONG,), [], None, False, False, True)], announced=[])
def test_windows_open_the_same_episodes_as_a_machine_that_reads_on(
    engine_of_test, stories, announced
):
    every = [(f"{n:02}", n >= len(stories), one) for n, one in enumerate([*stories, *announced])]
    rows = [row for name, is_announced, story in every for row in _rows(name, is_announced, story)]
    found = _conversations(engine_of_test, rows)
    for name, is_announced, story in every:
        _compare(found, name, is_announced, story)


PAUSES = (0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8)
SORTS = (*["asks"] * 5, "thanks", *["answers"] * 5, "sends away")


@pytest.mark.parametrize("seed", range(tries(2, 40)))
def test_so_they_do_for_thousands_of_threads_at_once(engine_of_test, seed):
    """Every other time with tags: with them few stories are one episode."""
    dice = random.Random(seed)
    sorts = SORTS if seed % 2 == 0 else (*SORTS, *TAGS)
    every = [(f"{number:04}", _story(dice, sorts)) for number in range(3_000)]
    rows = [row for name, story in every for row in _rows(name, False, story)]
    found = _conversations(engine_of_test, rows)
    for name, story in every:
        _compare(found, name, False, story)
    (calm,) = engine_of_test.execute("select count(*) from calm_roots").fetchone()
    assert 300 < calm < 2_700


def _story(dice: random.Random, sorts):
    """A thread as those above, drawn by plain dice: so many are not to be made smaller."""
    count = dice.choice([1, 2, 2, 3, 3, 4, 5, 6, 8, 14])
    told = _in_order([(dice.choice(PAUSES), dice.choice(sorts)) for _ in range(count)])
    events = [dice.randint(0, 60) for _ in range(dice.choice([0, 0, 0, 1, 2]))]
    likely = (dice.random() < chance for chance in (0.15, 0.15, 0.8))
    return (told,), events, dice.choice([None, 3, 7]), *likely


def _compare(found, name: str, is_announced: bool, story) -> None:
    """What the SQL found of a thread is what the story tells of each of its conversations."""
    parts, events, gap, is_tagged, is_sent, is_bare = story
    for number, told in enumerate(parts):
        known = [one for _, one in told if one.at < AS_OF]
        opens = not is_announced and _begins(parts, is_bare)
        if known and opens and (events or is_tagged or is_sent):
            known[0] = replace(known[0], is_closing=False)  # who opens a topic asks
        if is_sent and not is_announced:
            known = _sent_away(known)
        tagged = [known[-1].at] if is_tagged and known else []
        expected = [
            (
                one.opened_at, one.is_reopening, one.first_response_at, one.escalated_at,
                one.resolved_at, len(one.staff_at),
            )
            for one in tell(known, [*events, *tagged], gap, QUIET, AS_OF)
        ]  # fmt: skip
        root = f"{name}-{number}-00" if is_announced or opens else f"{name}-"
        assert found.get(root, []) == expected, (root, gap, events, tagged, known)


def _sent_away(known: list[Said]) -> list[Said]:
    """A thread's tag sends away at staff's last message, where none does by itself."""
    last = max((one.at for one in known if one.role == "staff"), default=None)
    if last is None or any(one.is_escalating for one in known):
        return known
    return [
        replace(one, is_escalating=True) if (one.role, one.at) == ("staff", last) else one
        for one in known
    ]


def _begins(parts, is_bare: bool) -> bool:
    """Whether a member's message opens the thread itself."""
    return is_bare and parts[0][0][1].role == "member"


def _rows(thread: str, is_announced: bool, story) -> list[tuple[str, Row]]:
    parts, events, gap, is_tagged, is_sent, is_bare = story
    name = thread
    # Others begin with a bot's word, which opens nothing: so that staff may be first.
    root = message(f"{thread}-", -1, "staff" if is_announced else "bot", thread_id=thread)
    rows: list[Row] = [root]
    if not is_announced and _begins(parts, is_bare):
        thread, rows = f"{thread}-0-00", []
    for number, told in enumerate(parts):
        parent = root.message_id if is_announced else None
        for place, (sort, one) in enumerate(told):
            own = f"{name}-{number}-{place:02}"
            rows.append(
                message(
                    own, one.at, one.role, author_id=f"{one.role} of {name}",
                    thread_id=thread, parent_id=parent, text=WORDS.get(sort, "and now"),
                    tags=TAGS.get(sort, ()), direction="inbound",
                )
            )  # fmt: skip
            parent = own if is_announced else None
    times = [at(event) for event in events] + [None, None]
    tags = (*["done"] * is_tagged, *["elsewhere"] * is_sent)
    if events or tags:  # of others the platform tells nothing
        rows.append(
            Thread(
                thread_id=thread, created_at=START, closed_at=times[0], solved_at=times[1],
                tags=tags,
            )
        )  # fmt: skip
    return [(f"gap{gap or 0}", row) for row in rows]


def _conversations(connection, rows):
    own = small_settings(
        windows={"quiet": f"{QUIET}h"},
        escalation={"tags": ["elsewhere"]},
        resolution_tags=["done"],
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
    order = "select * from conversations order by root_id, episode"
    cursor = connection.execute(order)
    names = [column[0] for column in cursor.description]
    for row in cursor.fetchall():
        one = dict(zip(names, row, strict=True))
        found.setdefault(one["root_id"], []).append(
            (
                _hour(one["opened_at"]), one["is_reopening"], _hour(one["first_response_at"]),
                _hour(one["escalated_at"]), _hour(one["resolved_at"]), one["staff_messages"],
            )
        )  # fmt: skip
    return found


def _hour(moment):
    return None if moment is None else (moment - START.replace(tzinfo=None)).total_seconds() / 3600
