"""A step, and who reads what it stores → the step without the columns that nobody reads.

A stored value costs more than most that is worked out of it, and those who ask for few KPIs read
few columns. What a statement reads is told by its words: one too many is kept, none is missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from functools import cache
from typing import Any

import duckdb

from muster.kpis import steps
from muster.records import TABLES

_COMMENT = re.compile(r"--[^\n]*")
_ALL_COLUMNS = re.compile(r"(?:\b(?:select|distinct)|,)\s*\*|\.\*|\bcolumns\s*\(", re.IGNORECASE)
_NAMED = re.compile(r"(?:\b(\w+)\.)?\b([a-z_]\w*)\b")
# A table of this statement's own, which may be called as one that is not meant.
_OWN = re.compile(r"\b(\w+)\s+as\s*\(|\bas\s+(\w+)", re.IGNORECASE)


def lighter(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    parameters: Mapping[str, Any],
    shared: Mapping[str, str],
    asked: Iterable[str],
) -> str:
    """The statement of the step ``name``, which the steps ``shared`` and the statements ``asked``
    may read, without columns that they leave alone."""
    sql, read = shared[name], words(name, shared, asked)
    if read is None:
        return sql
    told = connection.execute(f"describe {sql}", steps.used(sql, parameters)).fetchall()
    unread = [column for column, *_ in told if column not in read]
    if not unread or len(unread) == len(told):
        return sql
    return f"select * exclude ({', '.join(unread)}) from ({sql}\n)"


def words(name: str, shared: Mapping[str, str], asked: Iterable[str]) -> Set[str] | None:
    """What those call by name who read a step, or a step that hands on all columns of it; ``None``
    if somebody asks for all columns, whatever they are."""
    passed_on = {name}
    while more := {
        one
        for one, sql in shared.items()
        if one not in passed_on and steps.reads(sql) & passed_on and _takes_all(sql)
    }:
        passed_on |= more
    found = [sql for sql in asked if steps.reads(sql) & passed_on]
    if any(_takes_all(sql) for sql in found):
        return None
    found += [sql for sql in shared.values() if steps.reads(sql) & passed_on]
    not_meant = frozenset((TABLES.keys() | shared.keys()) - passed_on)
    return frozenset[str]().union(*(_named(sql, not_meant) for sql in found))


@cache
def _takes_all(sql: str) -> bool:
    return bool(_ALL_COLUMNS.search(_COMMENT.sub("", sql)))


@cache
def _named(sql: str, not_meant: Set[str]) -> frozenset[str]:
    """The words of a statement, but for columns of tables that are not meant."""
    bare = _COMMENT.sub("", sql)
    own = {name for pair in _OWN.findall(bare) for name in pair}
    return frozenset(
        word for owner, word in _NAMED.findall(bare) if owner not in not_meant or owner in own
    )
