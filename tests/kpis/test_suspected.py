"""Accounts that behave like bots: who is suspected, who never is; on real conversations nobody."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given as for_all
from hypothesis import settings as limits
from hypothesis import strategies as some
from small_lake import at, lay, measured, message, settings
from thorough import tries

from muster.kpis import engine, given, steps
from muster.records import Member
from muster.results import SuspectedBots

REAL = Path(__file__).parents[2] / ".." / "shared" / "data" / "conversations"
AD = "Cheap phones at example dot com"
AS_OF = at(days=9)


def suspected(rows, as_of=AS_OF, **more):
    """Rows of the table by account and rule: days, most, since."""
    connection, own = engine.connect("/nowhere"), settings(**more)
    lay(connection, rows)
    given.prepare(connection, own, as_of, (), ())
    shared = steps.load()
    for name in steps.needed(["from suspected_accounts"], shared):
        steps.run(connection, name, shared[name], given.parameters(own, as_of))
    found = connection.execute("select * exclude (source, rule_version) from suspected_accounts")
    return {(member, rule): tuple(told) for member, rule, *told in found.fetchall()}


def spam(times, text=AD, **more):
    facts = {"author_id": "eve", "text": text, **more}
    return [message(f"s{n}", n / 60, **facts) for n in range(times)]


def flood(times, seconds=5, **more):
    return [
        message(f"f{n}", n * seconds / 3600, author_id="eve", text=f"line {n}", **more)
        for n in range(times)
    ]


def test_eight_equal_texts_in_a_day_are_suspicious_and_seven_are_not():
    assert suspected(spam(8)) == {("eve", "duplicate_text"): (1, 8, at().replace(tzinfo=None))}
    assert suspected(spam(7)) == {}
    assert suspected(spam(8, text="Good morning to you, Ada Lov.")) == {}  # 29 letters
    assert suspected(spam(8, text="Good morning to you, Ada Love.")) != {}


def test_a_hundred_messages_in_a_slot_of_ten_minutes_are_suspicious_and_99_are_not():
    assert suspected(flood(100)) == {("eve", "burst"): (1, 100, at().replace(tzinfo=None))}
    assert suspected(flood(99)) == {}
    assert suspected(flood(100, seconds=6.1)) == {}  # the last ones fall into the next slot


def test_spam_that_moderators_removed_is_still_evidence_of_a_burst():
    gone = flood(100, deleted_at=at(2))
    assert list(suspected(gone)) == [("eve", "burst")]


def test_what_comes_after_as_of_is_unknown_to_it():
    assert suspected(spam(8), as_of=at(7 / 60)) == {}


@pytest.mark.parametrize(
    ("rows", "more"),
    [
        (spam(8, role="staff"), {}),
        (spam(8, role="bot"), {}),
        ([message("old", -900, role="staff", author_id="eve"), *spam(8)], {}),
        ([Member(member_id="eve", role="staff"), *spam(8)], {}),
        ([Member(member_id="eve", is_bot=True), *spam(8)], {}),
        (spam(8), {"staff": [{"account": "eve", "valid_until": "2020-01-01"}]}),
        (spam(8), {"bots": [{"account": "eve"}]}),
        (spam(8), {"not_bots": [{"account": "eve"}]}),
        ([Member(member_id="eve", handle="@Ev9"), *spam(8)], {"not_bots": [{"account": "ev9"}]}),
        (spam(8, kind="repost"), {}),
        (spam(8, text="Out of office until Monday, the 9th"), {"auto_replies": ["out of office"]}),
        (spam(8, author_id=None), {}),
    ],
)
def test_never_suspected(rows, more):
    assert suspected(rows, **more) == {}


def test_reposts_do_not_add_up_with_what_somebody_wrote():
    own = [message(f"o{n}", 1, author_id="eve", text=AD if n % 2 else f"{n}") for n in range(14)]
    passed_on = [message(f"r{n}", 1, author_id="eve", text=AD, kind="repost") for n in range(3)]
    assert suspected([*own, *passed_on]) == {}
    assert suspected([*own, message("m", 1, author_id="eve", text=AD)]) != {}


def test_a_clearing_on_one_source_holds_there_only():
    other = [{"account": "eve", "source": "elsewhere"}]
    assert list(suspected(spam(8), not_bots=other)) == [("eve", "duplicate_text")]


def test_the_band_counts_accounts_once_and_all_their_messages_that_stand():
    rows = [*spam(8), *flood(100), message("m", -2000, author_id="eve")]
    rows += [message("d", -2001, author_id="eve", deleted_at=at(1)), message("n", 0)]
    outcome = measured(rows, as_of=AS_OF, kpis=["messages"])
    assert outcome.suspected == SuspectedBots(accounts=1, messages=109)
    assert measured([message("n", 0)], as_of=AS_OF).suspected == SuspectedBots()


@limits(max_examples=tries(20, 200), deadline=None)
@for_all(
    some.lists(
        some.tuples(
            some.sampled_from(["eve", "ada"]),
            some.sampled_from([0, 5, 20]),
            some.sampled_from([AD, AD + "!", "short"]),
        ),
        min_size=40,
        max_size=90,
    )
)
def test_equals_a_count_in_plain_python(said):
    rows = [
        message(f"m{n}", hours, author_id=author, text=text)
        for n, (author, hours, text) in enumerate(said)
    ]
    times = Counter((one.author_id, one.created_at.date(), one.text) for one in rows)
    expected: dict = {}
    for (author, day, text), count in times.items():
        if count >= 8 and len(text) >= 30:
            days, most = expected.get(author, (set(), 0))
            expected[author] = (days | {day}, max(most, count))
    found = {author: told[:2] for (author, _), told in suspected(rows).items()}
    assert found == {author: (len(days), most) for author, (days, most) in expected.items()}


@pytest.mark.skipif(not REAL.exists(), reason="../shared/data is absent")
def test_no_human_of_real_support_tweets_is_suspected():
    with (REAL / "twcs_5k.csv").open(newline="", encoding="utf-8") as file:
        told = [one for one in csv.DictReader(file) if one["inbound"] == "True"]
    rows = [
        message(
            one["tweet_id"], 0, author_id=one["author_id"], text=one["text"],
            created_at=datetime.strptime(one["created_at"], "%a %b %d %H:%M:%S %z %Y"),
        )
        for one in told
    ]  # fmt: skip
    assert len({row.author_id for row in rows}) > 1_400
    assert suspected(rows) == {}


@pytest.mark.skipif(not REAL.exists(), reason="../shared/data is absent")
def test_no_human_of_a_busy_chat_is_suspected():
    rows = [row for path in sorted((REAL / "irc_dev").glob("*.raw.txt")) for row in _chat(path)]
    assert len({row.author_id for row in rows}) > 1_200
    assert suspected(rows) == {}


def _chat(path):
    """Lines of a log as messages; a log that passes midnight goes on with the next day."""
    day = datetime.strptime(path.name[:10], "%Y-%m-%d").replace(tzinfo=UTC)
    last = -1
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines()):
        if said := re.match(r"\[(\d\d):(\d\d)\] <([^>]+)> (.*)", line):
            minute = int(said[1]) * 60 + int(said[2])
            day += timedelta(days=minute < last - 720)
            last = minute
            written = day + timedelta(minutes=minute)
            name = f"{path.name} {number}"
            yield message(name, 0, author_id=said[3], text=said[4], created_at=written)
