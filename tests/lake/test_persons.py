"""Decisions about persons: any order of them equals a plain model, and undoing restores exactly."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from muster.lake.persons import (
    Decision,
    Rules,
    pair_of,
    person_ids,
    person_of,
    persons,
    possible,
    refusal,
    standing,
    taken,
)

AT = datetime(2026, 11, 26, tzinfo=UTC)
# "x1" and "x2" read the same platform: account 1 of both is one account.
RULES = Rules({"x1": "x", "x2": "x"})
ACCOUNTS = [("forum", "1"), ("forum", "2"), ("x1", "1"), ("x1", "2"), ("x2", "1"), ("blue", "1")]
STEPS = some.lists(
    some.tuples(
        some.sampled_from(["accept", "reject", "undo"]),
        some.sampled_from(ACCOUNTS),
        some.sampled_from(ACCOUNTS),
    ),
    max_size=25,
)


def decide(log, verb, one, other, rules=RULES):
    """The log after a decision, or as it was if that is refused; and why."""
    decision = Decision(AT, verb, pair_of(one, other))
    why = refusal(log, decision, rules)
    return (log if why else (*log, decision)), why


class Model:
    """Stacks of verdicts on pairs; persons by walking from account to account."""

    def __init__(self):
        self.stacks = {}

    def copy_with(self, verb, pair):
        after = Model()
        after.stacks = {key: list(stack) for key, stack in self.stacks.items()}
        stack = after.stacks.setdefault(pair, [])
        if verb == "undo":
            if not stack:
                return None
            stack.pop()
        elif stack and stack[-1] == verb:
            return None
        else:
            stack.append(verb)
        return after if pair[0] != pair[1] and after.is_sound() else None

    def verdicts(self, verb):
        return {pair for pair, stack in self.stacks.items() if stack and stack[-1] == verb}

    def person(self, account):
        reached, new = {account}, [account]
        while new:
            here = new.pop()
            for pair in self.verdicts("accept"):
                if here in pair:
                    new += set(pair) - reached
                    reached |= set(pair)
        return reached

    def is_sound(self):
        place = {"x1": "x", "x2": "x"}
        for account in ACCOUNTS:
            for one, other in combinations(self.person(account), 2):
                there = {place.get(one[0], one[0]), place.get(other[0], other[0])}
                if len(there) == 1 and one[1] != other[1]:
                    return False
        return all(pair[1] not in self.person(pair[0]) for pair in self.verdicts("reject"))


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_any_sequence_equals_a_plain_model(steps):
    log, model = (), Model()
    for verb, one, other in steps:
        log, why = decide(log, verb, one, other)
        after = model.copy_with(verb, pair_of(one, other))
        assert (after is None) == bool(why), why
        model = after or model
        found = persons(log)
        for account in ACCOUNTS:
            assert person_of(account, found) == model.person(account)


@settings(max_examples=200, deadline=None)
@given(
    STEPS, some.sampled_from(["accept", "reject"]), some.tuples(*[some.sampled_from(ACCOUNTS)] * 2)
)
def test_undo_restores_exactly(steps, verb, accounts):
    log = ()
    for step in steps:
        log, _ = decide(log, *step)
    after, why = decide(log, verb, *accounts)
    if not why:
        undone, why_not = decide(after, "undo", *accounts)
        assert why_not == ""
        assert standing(undone) == standing(log)
        assert person_ids(persons(undone)) == person_ids(persons(log))


@settings(max_examples=300, deadline=None)
@given(STEPS, STEPS)
def test_many_decisions_at_once_are_those_taken_one_by_one(steps, more):
    log = ()
    for step in steps:
        log, _ = decide(log, *step)
    wished = [Decision(AT, "accept", pair_of(one, other)) for _, one, other in more]
    alone = [one for one in wished if not refusal(log, one, RULES)]
    assert list(possible(log, wished, RULES)) == alone
    after = log
    for one in wished:
        after, _ = decide(after, one.verb, *one.pair)
    assert (*log, *taken(log, wished, RULES)) == after


@pytest.mark.timeout(30)  # 0.3 s; as the square of the pairs it would be hours
def test_thousands_whom_two_sources_see_are_joined_in_one_go():
    wished = [Decision(AT, "accept", (("x1", str(n)), ("x2", str(n)))) for n in range(20_000)]
    assert len(list(taken((), wished, RULES))) == 20_000
    assert next(possible(wished, wished[:5_000], RULES), None) is None


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_no_person_ever_has_two_names_on_one_platform(steps):
    log = ()
    for step in steps:
        log, _ = decide(log, *step)
        for person in persons(log):
            assert not any(RULES.are_rivals(*pair) for pair in combinations(person, 2))


def test_a_chain_that_would_join_two_names_is_refused_and_says_which():
    log, _ = decide((), "accept", ("forum", "1"), ("blue", "1"))
    log, _ = decide(log, "accept", ("x1", "1"), ("blue", "1"))
    log, why = decide(log, "accept", ("x1", "1"), ("forum", "2"))
    assert "forum/1 and forum/2 would be one person" in why
    assert len(log) == 2


def test_what_was_rejected_is_not_joined_by_way_of_others():
    log, _ = decide((), "reject", ("forum", "1"), ("x1", "1"))
    log, _ = decide(log, "accept", ("forum", "1"), ("blue", "1"))
    _, why = decide(log, "accept", ("blue", "1"), ("x1", "1"))
    assert "forum/1 and x1/1 are rejected" in why


def test_whom_an_import_named_is_left_to_the_import():
    rules = Rules({}, given={("forum", "1")})
    _, why = decide((), "accept", ("forum", "1"), ("x1", "1"), rules)
    assert "an import names its person" in why
    log, _ = decide((), "accept", ("forum", "1"), ("x1", "1"))
    assert list(person_ids(persons(log), rules.given)) == [("x1", "1")]


def test_the_id_of_a_person_is_the_same_for_all_of_its_accounts_and_no_other():
    log, _ = decide((), "accept", ("forum", "1"), ("x1", "1"))
    log, _ = decide(log, "accept", ("forum", "2"), ("blue", "1"))
    ids = person_ids(persons(log))
    assert ids["forum", "1"] == ids["x1", "1"] != ids["forum", "2"] == ids["blue", "1"]
