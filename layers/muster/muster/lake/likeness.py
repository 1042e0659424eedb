"""Accounts as their platforms describe them → what speaks for two of them being one person.

Exact evidence (one account seen by two sources, one verified address, profiles that link to each
other) is enough by itself. Anything weaker is a suggestion: everybody can call themselves anything
and link to anybody.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product

from muster.lake.persons import Account, Pair, Rules, pair_of

SAME_ACCOUNT = "same account, seen by two sources"
SAME_ADDRESS = "same verified address"
LINKED = "profiles link to each other"
CLAIMED = "one profile links to the other"
SAME_HANDLE = "same handle"
SAME_NAME = "same name"
SIMILAR = "similar name"
EXACT = frozenset({SAME_ACCOUNT, SAME_ADDRESS, LINKED})
STRENGTH = (SAME_ACCOUNT, SAME_ADDRESS, LINKED, CLAIMED, SAME_HANDLE, SAME_NAME, SIMILAR)

_SHORTEST = 6  # letters of a name that says something
_SCHEME = re.compile(r"^[a-z]+://(www\.)?")


@dataclass(frozen=True, slots=True)
class Profile:
    """What a source tells of an account; ``addresses`` are those its own profile is found at."""

    source: str
    member_id: str
    handle: str | None = None
    display_name: str | None = None
    links: tuple[str, ...] = ()
    email_hash: str | None = None
    addresses: tuple[str, ...] = ()

    @property
    def account(self) -> Account:
        return self.source, self.member_id


def evidence(profiles: Iterable[Profile], rules: Rules) -> dict[Pair, tuple[str, ...]]:
    """What speaks for each pair of accounts, the strongest first; never two names on one place.

    A handle or name that several accounts of one place share tells nothing of any of them.
    """
    profiles = tuple(profiles)
    found: dict[Pair, set[str]] = defaultdict(set)
    for kind, pair in _all(profiles, rules):
        if not rules.are_rivals(*pair):
            found[pair].add(kind)
    return {pair: tuple(sorted(kinds, key=STRENGTH.index)) for pair, kinds in found.items()}


def _all(profiles: tuple[Profile, ...], rules: Rules) -> Iterator[tuple[str, Pair]]:
    keys: Mapping[str, Callable[[Profile], Iterable[str]]] = {
        SAME_ADDRESS: lambda one: _some(one.email_hash),
        SAME_HANDLE: lambda one: _some(handle_key(one.handle)),
        SAME_NAME: lambda one: _some(name_key(one.display_name)),
        SIMILAR: letters,
    }
    yield from ((SAME_ACCOUNT, pair) for pair in _seen_twice(profiles, rules))
    yield from _links(profiles)
    for kind, keys_of in keys.items():
        yield from ((kind, pair) for pair in _shared(profiles, keys_of, rules))


def _some(key: str | None) -> tuple[str, ...]:
    return (key,) if key else ()


def _seen_twice(profiles: Iterable[Profile], rules: Rules) -> Iterator[Pair]:
    held: dict[tuple[str, str], list[Account]] = defaultdict(list)
    for one in profiles:
        held[rules.place(one.account), one.member_id].append(one.account)
    for accounts in held.values():
        yield from (pair_of(*pair) for pair in combinations(accounts, 2))


def _shared(
    profiles: Iterable[Profile],
    keys: Callable[[Profile], Iterable[str]],
    rules: Rules,
) -> Iterator[Pair]:
    """Pairs of accounts of different places that alone hold a key there."""
    held: dict[str, dict[str, set[Account]]] = defaultdict(lambda: defaultdict(set))
    for one in profiles:
        for key in keys(one):
            held[key][rules.place(one.account)].add(one.account)
    for places in held.values():
        sole = [accounts for accounts in places.values() if len({id_ for _, id_ in accounts}) == 1]
        for these, those in combinations(sole, 2):
            yield from (pair_of(*pair) for pair in product(these, those))


def _links(profiles: Iterable[Profile]) -> Iterator[tuple[str, Pair]]:
    profiles = tuple(profiles)
    linked = {plain_address(link) for one in profiles for link in one.links}
    holders: dict[str, list[Account]] = defaultdict(list)
    for one in profiles:
        for address in set(map(plain_address, one.addresses)) & linked:
            holders[address].append(one.account)
    claims = {
        (one.account, other)
        for one in profiles
        for link in one.links
        for other in holders.get(plain_address(link), ())
        if other != one.account
    }
    for one_account, other in claims:
        kind = LINKED if (other, one_account) in claims else CLAIMED
        yield kind, pair_of(one_account, other)


def plain_address(url: str) -> str:
    """An address without scheme, ``www.``, query, fragment and closing slash, in small letters."""
    return re.split(r"[?#]", _SCHEME.sub("", url.strip().lower()))[0].rstrip("/")


def handle_key(handle: str | None) -> str:
    """A handle in small letters; of one that is a domain (``anna.example.org``) its first part."""
    plain = (handle or "").strip().lower().removeprefix("@")
    return plain.split(".")[0] if plain.count(".") > 1 else plain


def name_key(name: str | None) -> str:
    """A name of two words or more in small letters with single blanks; else nothing."""
    words = unicodedata.normalize("NFKC", name or "").casefold().split()
    return " ".join(words) if len(words) > 1 else ""


def letters(profile: Profile) -> tuple[str, ...]:
    """Handle and name, each as its letters alone: no accents, blanks, points, closing digits."""
    told = (handle_key(profile.handle), profile.display_name or "")
    keys = (_letters(one) for one in told)
    return tuple(dict.fromkeys(key for key in keys if len(key) >= _SHORTEST))


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if char.isalnum()).rstrip("0123456789")


def is_exact(kinds: Iterable[str]) -> bool:
    """Whether any of the evidence is enough by itself."""
    return bool(EXACT.intersection(kinds))
