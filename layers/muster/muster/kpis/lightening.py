"""A step, and who reads what it stores → the step without the columns that nobody reads.

A stored value costs more than most that is worked out of it, and those who ask for few KPIs read
few columns. What a statement reads is told by its words: one too many is kept, none is missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from functools import cache

from muster.kpis import steps
from muster.kpis.typed import quoted
from muster.records import TABLES

_ASIDE = re.compile(r"--[^\n]*|'(?:[^']|'')*'")  # a comment or a text
_STAR = r"(?:\b(?:select|distinct)|,)\s*\*|\bcolumns\s*\(|\bnatural\b"
_ALL_COLUMNS = re.compile(rf"{_STAR}|\.\*")
_ALL_OF_ANY = re.compile(_STAR)
_ALL_OF = re.compile(r"\b(\w+)\.\*")
_NAMED = re.compile(r"(?:\b(\w+)\.)?\b([a-z_]\w*)\b")
_WITH = re.compile(r"\b(\w+)\s+as\s*\(")
_ALIAS = re.compile(r"\bas\s+(\w+)")


def lighter(name: str, shared: Mapping[str, str], asked: Iterable[str]) -> str:
    """The statement of the step ``name``, which the steps ``shared`` and the statements ``asked``
    may read, without columns that they leave alone.

    The first stays, as there must be one. Which there are is left to DuckDB: to ask it before
    costs as much as to plan the step.
    """
    sql, read = shared[name], words(name, shared, asked)
    if read is None:
        return sql
    listed = ", ".join(map(quoted, sorted(read))) or "null"
    return f"select columns(lambda name, place: place = 1 or name in ({listed})) from ({sql}\n)"


def words(name: str, shared: Mapping[str, str], asked: Iterable[str]) -> Set[str] | None:
    """What those call by name who read a step, or a step that hands on all columns of it; ``None``
    if somebody asks for all columns, whatever they are."""
    passed_on = {name}
    while more := {
        one for one, sql in shared.items() if one not in passed_on and _handed_on(sql) & passed_on
    }:
        passed_on |= more
    found = [sql for sql in asked if steps.reads(sql) & passed_on]
    if any(_takes_all(sql) for sql in found):
        return None
    found += [sql for sql in shared.values() if steps.reads(sql) & passed_on]
    not_meant = frozenset((TABLES.keys() | shared.keys()) - passed_on)
    return frozenset[str]().union(*(_named(sql, not_meant) for sql in found))


def _bare(sql: str) -> str:
    return _ASIDE.sub("''", sql).lower()


@cache
def _takes_all(sql: str) -> bool:
    return bool(_ALL_COLUMNS.search(_bare(sql)))


@cache
def _handed_on(sql: str) -> frozenset[str]:
    """The tables of which a statement's rows have all columns there are; perhaps more."""
    parts = _parts(_bare(sql))
    found, waiting = set[str](), [""]
    while waiting:
        part = parts[waiting.pop()]
        inner = set(steps.READ.findall(part))
        owners = set(_ALL_OF.findall(part))
        if _ALL_OF_ANY.search(part) or owners - inner:  # of an alias it is not told whose it is
            owners = inner
        waiting += (owners - found) & parts.keys()
        found |= owners
    return frozenset(found)


def _parts(bare: str) -> dict[str, str]:
    """The tables that a statement defines for itself, and the rest of it by no name."""
    found = {"": bare}
    for match in _WITH.finditer(bare):
        depth, end = 1, match.end()
        while depth and end < len(bare):
            depth += {"(": 1, ")": -1}.get(bare[end], 0)
            end += 1
        found[match[1]] = bare[match.end() : end - 1]
        found[""] = found[""].replace(bare[match.start() : end], "")
    return found


@cache
def _named(sql: str, not_meant: Set[str]) -> frozenset[str]:
    """The words of a statement, but for columns of tables that are not meant and names it gives."""
    bare = _bare(sql)
    own = {*_WITH.findall(bare), *_ALIAS.findall(bare)}
    return frozenset(
        word
        for owner, word in _NAMED.findall(_ALIAS.sub("", bare))
        if owner not in not_meant or owner in own
    )
