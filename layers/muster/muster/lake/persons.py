"""Decisions about pairs of accounts → persons: who is one, and which decision cannot be taken.

A decision accepts or rejects a pair, or undoes the last standing one on it. The log only grows;
what stands is read from it, so that undoing restores exactly what was before.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Literal

#: An account: the name of its source, and its id there.
Account = tuple[str, str]
Pair = tuple[Account, Account]
Person = frozenset[Account]
Verb = Literal["accept", "reject", "undo"]

#: Ids that decisions made begin so; any other ``person_id`` came with an import.
OURS = "muster:"


@dataclass(frozen=True)
class Decision:
    """What was decided of a pair, when, by which evidence, and by whom (a person, the evidence)."""

    at: datetime
    verb: Verb
    pair: Pair
    evidence: tuple[str, ...] = ()
    by: Literal["person", "evidence"] = "person"


@dataclass(frozen=True)
class Rules:
    """What decisions must respect.

    ``places`` names the platform's instance of each source (a source without one is its own):
    two sources of one instance know the same accounts. ``given`` are the accounts whose person
    an import named: its word stands.
    """

    places: Mapping[str, str]
    given: Collection[Account] = ()

    def place(self, account: Account) -> str:
        """The platform's instance an account is on."""
        return self.places.get(account[0], account[0])

    def are_same(self, one: Account, other: Account) -> bool:
        """Whether two sources know one and the same account."""
        return self.place(one) == self.place(other) and one[1] == other[1]

    def are_rivals(self, one: Account, other: Account) -> bool:
        """Whether they are two names on one platform, which are never one person."""
        return self.place(one) == self.place(other) and one[1] != other[1]


def pair_of(one: Account, other: Account) -> Pair:
    """The pair in the order it is kept."""
    return (one, other) if one <= other else (other, one)


def standing(log: Iterable[Decision]) -> dict[Pair, Decision]:
    """The decision that stands on each pair."""
    stacks: dict[Pair, list[Decision]] = {}
    for decision in log:
        stack = stacks.setdefault(decision.pair, [])
        if decision.verb != "undo":
            stack.append(decision)
        elif stack:
            stack.pop()
    return {pair: stack[-1] for pair, stack in stacks.items() if stack}


def persons(log: Iterable[Decision]) -> tuple[Person, ...]:
    """The accounts that accepted pairs join, each set at least two, in order."""
    joined: dict[Account, set[Account]] = {}
    for pair, decision in standing(log).items():
        if decision.verb == "accept":
            together = joined.get(pair[0], {pair[0]}) | joined.get(pair[1], {pair[1]})
            joined |= dict.fromkeys(together, together)
    return tuple(sorted({frozenset(one) for one in joined.values()}, key=min))


def person_of(account: Account, found: Iterable[Person]) -> Person:
    """The person an account belongs to; alone if no decision joins it."""
    return next((one for one in found if account in one), frozenset([account]))


def refusal(log: Sequence[Decision], decision: Decision, rules: Rules) -> str:
    """Why a decision cannot be taken, and what to do; empty if it can."""
    one, other = decision.pair
    before = standing(log).get(decision.pair)
    if decision.verb == "undo" and before is None:
        return f"nothing is decided on {shown(one)} and {shown(other)}"
    if before and before.verb == decision.verb:
        return f"{shown(one)} and {shown(other)}: that is what stands already"
    if one == other:
        return f"{shown(one)} is one account"
    if decision.verb == "accept":
        for account in decision.pair:
            if account in rules.given:
                return f"{shown(account)}: an import names its person; change it there"
    return conflict([*log, decision], rules)


def taken(log: Sequence[Decision], wished: Sequence[Decision], rules: Rules) -> Iterator[Decision]:
    """Those of the wished that can be taken one after the other."""
    of = _whose(persons((*log, *wished)))
    about = _about(log, of)
    for one in wished:
        near = about[of(one.pair[0])]
        if not refusal(near, one, rules):
            near.append(one)
            yield one


def possible(
    log: Sequence[Decision], wished: Iterable[Decision], rules: Rules
) -> Iterator[Decision]:
    """Those of the wished that could be taken now, each alone."""
    of = _whose(persons(log))
    about = _about(log, of)
    for one in wished:
        near = [decision for person in set(map(of, one.pair)) for decision in about[person]]
        if not refusal(near, one, rules):
            yield one


def _whose(found: Iterable[Person]) -> Callable[[Account], Person]:
    of = {account: person for person in found for account in person}
    return lambda account: of.get(account, frozenset([account]))


def _about(
    log: Iterable[Decision], of: Callable[[Account], Person]
) -> dict[Person, list[Decision]]:
    """A log by persons: what a decision can touch. Asking all of it each time takes the square."""
    found: dict[Person, list[Decision]] = defaultdict(list)
    for one in log:
        found[of(one.pair[0])].append(one)
    return found


def conflict(log: Iterable[Decision], rules: Rules) -> str:
    """The first contradiction in what stands; empty if there is none."""
    log = tuple(log)
    found = persons(log)
    for person in found:
        for one, other in combinations(sorted(person), 2):
            if rules.are_rivals(one, other):
                return (
                    f"{shown(one)} and {shown(other)} would be one person, and two names on one "
                    "platform never are: undo what joins one of them first"
                )
    for pair, decision in standing(log).items():
        if decision.verb == "reject" and pair[1] in person_of(pair[0], found):
            return (
                f"{shown(pair[0])} and {shown(pair[1])} are rejected, but would be one person by "
                "way of others: undo one of the decisions first"
            )
    return ""


def person_ids(found: Iterable[Person], given: Collection[Account] = ()) -> dict[Account, str]:
    """The id of each joined account's person; accounts that an import named are left out."""
    return {
        account: OURS + hashlib.sha256("/".join(min(person)).encode()).hexdigest()[:16]
        for person in found
        for account in person
        if account not in given
    }


def shown(account: Account) -> str:
    """An account as the command line writes it."""
    return "/".join(account)
