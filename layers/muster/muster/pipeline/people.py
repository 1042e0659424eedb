"""Accounts of the lake and decisions about them → persons, suggestions, and ``person_id``."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from muster import sources
from muster.errors import BadSettings, Retry, SourceFailed
from muster.lake import likeness, person_ids, persons
from muster.lake.likeness import Profile
from muster.lake.person_ids import Held
from muster.lake.persons import Account, Decision, Pair, Person, Rules, Verb
from muster.project import Project
from muster.settings import Source

_ROUNDS = 3
_log = logging.getLogger(__name__)
SUSPECTED = """
select suspected_accounts.*, members.handle, members.display_name
from suspected_accounts
left join members using (source, member_id)
order by source, member_id, rule
"""


@dataclass(frozen=True)
class Suggestion:
    """Two accounts that may be one person: what speaks for it, and who would then be one."""

    one: str
    other: str
    evidence: tuple[str, ...]
    joins: tuple[str, ...]


@dataclass(frozen=True)
class Joined:
    """A person of several accounts, with the decisions that made it."""

    accounts: tuple[str, ...]
    decisions: tuple[str, ...]


@dataclass(frozen=True)
class People:
    """Everything there is to know or to decide about who is whom."""

    suggestions: tuple[Suggestion, ...]
    persons: tuple[Joined, ...]
    suspected: tuple[Mapping[str, Any], ...]


def overview(project: Project) -> People:
    """Suggestions, the strongest first; the persons there are; accounts suspected as bots."""
    crowd = _crowd(project)
    log = person_ids.load(project.lake)
    found = persons.persons(log)
    reasons = _reasons(crowd, log, found)
    return People(
        tuple(_suggestions(project, crowd, log, found)),
        tuple(Joined(_names(crowd, one), tuple(reasons[one])) for one in found),
        tuple(_suspected(project)),
    )


def decide(project: Project, verb: Verb, one: str, other: str) -> tuple[str, ...]:
    """Take a decision on two accounts, named ``source/handle`` or ``source/id``.

    Returns who is one person with the first account now; ``BadSettings`` says why it cannot be.
    """
    crowd = _crowd(project)
    pair = persons.pair_of(_named(crowd, one), _named(crowd, other))
    kinds = likeness.evidence(crowd.profiles, crowd.rules).get(pair, ())
    decision = Decision(project.clock(), verb, pair, kinds)

    def step(log: tuple[Decision, ...]) -> tuple[Decision, ...]:
        if why := persons.refusal(log, decision, crowd.rules):
            raise BadSettings(f"people {verb}: {why}")
        return (*log, decision)

    log = person_ids.change(project.lake, step)
    _apply(project, crowd, log)
    return _names(crowd, persons.person_of(_named(crowd, one), persons.persons(log)))


def settle(project: Project) -> int:
    """Join what exact evidence joins, and write every decision into the members' rows.

    Returns the rows that changed. A pair that was ever decided on is left to that decision.
    """
    if len(person_ids.sources(project.lake)) < 2:
        return 0
    crowd = _crowd(project)
    kinds = likeness.evidence(crowd.profiles, crowd.rules)
    exact = {pair: found for pair, found in kinds.items() if likeness.is_exact(found)}
    log = person_ids.change(project.lake, lambda log: _with_exact(project, crowd, log, exact))
    return _apply(project, crowd, log)


def settle_after(project: Project) -> None:
    """Settle the members as they are, if that is not done yet, whoever wrote them.

    A lost race leaves it to the next fetch or import; so does a run that was killed before this.
    Members or decisions that cannot be read stay as they are: what was fetched or imported stands.
    """
    try:
        for _ in range(_ROUNDS):
            there = person_ids.objects(project.lake)
            if there == person_ids.settled(project.lake):
                return
            # What changes rows changes the objects, too: only what is left as it was is settled.
            if not settle(project):
                person_ids.note_settled(project.lake, there)
    except (Retry, SourceFailed) as error:
        _log.warning("who is whom was not settled: %s", error)


# ---- the accounts ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Crowd:
    """All accounts with what their platforms tell, and the rules that decisions respect."""

    held: tuple[Held, ...]
    profiles: tuple[Profile, ...]
    rules: Rules
    handles: Mapping[Account, str]

    def name(self, account: Account) -> str:
        """An account for a person: by its handle, else by its id."""
        return f"{account[0]}/{self.handles.get(account) or account[1]}"


def _crowd(project: Project) -> _Crowd:
    held = tuple(person_ids.members(project.lake))
    settings = {one.name: one for one in project.settings.sources}
    rules = Rules(
        {name: _place(one) for name, one in settings.items()},
        frozenset(one.account for one in held if one.is_given),
    )
    profiles = tuple(_profile(one, settings) for one in held if not _is_bot(one))
    handles = {one.account: one.handle.removeprefix("@") for one in held if one.handle}
    return _Crowd(held, profiles, rules, handles)


def _is_bot(member: Held) -> bool:
    return member.is_bot or member.role == "bot"


def _place(source: Source) -> str:
    """The instance of the platform that a source reads; what is only imported stands alone."""
    if source.platform == "file":
        return source.name
    return f"{source.platform} {source.base_url or ''}".strip()


def _profile(member: Held, settings: Mapping[str, Source]) -> Profile:
    return Profile(
        member.source,
        member.member_id,
        member.handle,
        member.display_name,
        tuple(member.links or ()),
        member.email_hash,
        _addresses(member, settings.get(member.source)),
    )


def _addresses(member: Held, source: Source | None) -> tuple[str, ...]:
    """Where the platform shows the account, if its module tells."""
    if source is None or not member.handle:
        return ()
    tells = getattr(sources.platform(source.platform), "addresses", None)
    return tuple(tells(member.handle, member.member_id, source)) if tells else ()


def _named(crowd: _Crowd, text: str) -> Account:
    """The account that ``source/handle`` or ``source/id`` means."""
    source, _, name = text.partition("/")
    name = name.removeprefix("@").lower()
    here = [one for one in crowd.held if one.source == source]
    found = [one for one in here if one.member_id.lower() == name]
    found = found or [one for one in here if (one.handle or "").removeprefix("@").lower() == name]
    if len(found) == 1:
        return found[0].account
    if not here:
        known = ", ".join(sorted({one.source for one in crowd.held})) or "none yet"
        raise BadSettings(f"{text!r}: write SOURCE/HANDLE; sources with members: {known}")
    problem = "several accounts have this handle: write its id" if found else "no such account"
    raise BadSettings(f'{text!r}: {problem} (muster sql "select * from members" shows all)')


# ---- decisions ---------------------------------------------------------------------------------


def _with_exact(
    project: Project,
    crowd: _Crowd,
    log: tuple[Decision, ...],
    exact: Mapping[Pair, tuple[str, ...]],
) -> tuple[Decision, ...]:
    """The log with a decision for each pair that exact evidence joins and nobody ever judged."""
    new = sorted(set(exact) - {one.pair for one in log})
    now = project.clock()
    wished = [Decision(now, "accept", pair, exact[pair], "evidence") for pair in new]
    return (*log, *persons.taken(log, wished, crowd.rules))


def _apply(project: Project, crowd: _Crowd, log: Sequence[Decision]) -> int:
    ids = persons.person_ids(persons.persons(log), crowd.rules.given)
    return person_ids.apply(project.lake, ids)


def _suggestions(
    project: Project, crowd: _Crowd, log: Sequence[Decision], found: Sequence[Person]
) -> Iterator[Suggestion]:
    """What speaks for a pair on which nothing stands and that may be accepted as things are."""
    kinds = likeness.evidence(crowd.profiles, crowd.rules)
    stands = persons.standing(log)
    strongest = {pair: likeness.STRENGTH.index(found[0]) for pair, found in kinds.items()}
    order = sorted(kinds, key=lambda pair: (strongest[pair], -len(kinds[pair]), pair))
    of = {account: person for person in found for account in person}
    open_ = (pair for pair in order if pair not in stands and pair[1] not in of.get(pair[0], ()))
    wished = (Decision(project.clock(), "accept", pair) for pair in open_)
    for pair in (one.pair for one in persons.possible(log, wished, crowd.rules)):
        union = of.get(pair[0], frozenset(pair[:1])) | of.get(pair[1], frozenset(pair[1:]))
        one, other = (crowd.name(account) for account in pair)
        yield Suggestion(one, other, kinds[pair], _names(crowd, union))


def _names(crowd: _Crowd, accounts: Iterable[Account]) -> tuple[str, ...]:
    return tuple(crowd.name(account) for account in sorted(accounts))


def _reasons(
    crowd: _Crowd, log: Iterable[Decision], found: Iterable[Person]
) -> dict[Person, list[str]]:
    """The accepted pairs of each person, with their evidence, by whom and when."""
    of = {account: person for person in found for account in person}
    reasons: dict[Person, list[str]] = {}
    for pair, one in persons.standing(log).items():
        if one.verb == "accept":
            names = " = ".join(_names(crowd, pair))
            told = ", ".join(one.evidence) or "no evidence"
            reason = f"{names}: {told}; by {one.by}, {one.at:%F}"
            reasons.setdefault(of[pair[0]], []).append(reason)
    return reasons


def _suspected(project: Project) -> Iterator[dict[str, Any]]:
    """Accounts that the last measurement suspects, with the evidence."""
    from muster.kpis import engine

    found = engine.ask(project.lake.url(), SUSPECTED, environment=project.environment)
    for row in found.rows:
        yield dict(zip(found.columns, row, strict=True))
