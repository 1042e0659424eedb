"""The shared ``.sql`` steps and what each reads → those some KPIs need, in an order that works."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

from muster.errors import BadKpi
from muster.kpis.typed import quoted

SHARED = Path(__file__).parent / "shared"
_LIKE = re.compile(r"\(as (\w+), with (\w+) for (\w+)\)")
_COMMENT = re.compile(r"--[^\n]*")
READ = re.compile(r"\b(?:from|join)\s+(\w+)\b(?!\s*\()", re.IGNORECASE)
_DEFINED = re.compile(r"\b(\w+)\s+as\s*\(", re.IGNORECASE)
_PARAMETER = re.compile(r"\$([a-z_]+)")


def load() -> dict[str, str]:
    """Every shared step's SQL by name.

    A file that only says "(as a, with b for c)" is the step ``a`` with the table ``b`` for ``c``.
    """
    found = {path.stem: path.read_text(encoding="utf-8") for path in sorted(SHARED.glob("*.sql"))}
    for name, text in found.items():
        if like := _LIKE.search(text):
            bare = _COMMENT.sub("", found[like[1]]).replace(like[3], like[2])
            found[name] = text.partition("\n")[0] + bare
    return found


@cache
def reads(sql: str) -> frozenset[str]:
    """The tables a statement reads, its own common table expressions left out."""
    bare = _COMMENT.sub("", sql)
    return frozenset(READ.findall(bare)) - frozenset(_DEFINED.findall(bare))


def needed(sources: Iterable[str], steps: Mapping[str, str]) -> list[str]:
    """The steps these statements rest on, each after the ones it reads."""
    graph: dict[str, set[str]] = {}
    waiting = [name for sql in sources for name in reads(sql) if name in steps]
    while waiting:
        name = waiting.pop()
        if name not in graph:
            graph[name] = {other for other in reads(steps[name]) if other in steps}
            waiting += graph[name]
    in_order = {name: sorted(graph[name]) for name in sorted(graph)}
    return list(TopologicalSorter(in_order).static_order())


def each_grain(order: Iterable[str], steps: Mapping[str, str]) -> list[str]:
    """Of these steps, the ones that rest on ``periods`` and so are computed for every grain."""
    found: list[str] = []
    for name in order:
        if reads(steps[name]) & {"periods", *found}:
            found.append(name)
    return found


def is_view(sql: str) -> bool:
    """Whether the step's first line ends with "(a view)."."""
    return sql.partition("\n")[0].endswith("(a view).")


def outlived(
    order: Iterable[str], steps: Mapping[str, str], later: Iterable[str]
) -> dict[str, list[str]]:
    """Step → those nobody reads any more once it is computed; ``later`` are read afterwards."""
    in_order = list(order)
    kept = {name for sql in later for name in _reads_through(sql, steps)}
    last = {name: reader for reader in in_order for name in _reads_through(steps[reader], steps)}
    found: dict[str, list[str]] = {}
    for name in in_order:
        if name not in kept:
            found.setdefault(last.get(name, name), []).append(name)
    return found


def _reads_through(sql: str, steps: Mapping[str, str]) -> set[str]:
    """The steps a statement reads, and those that the views among them read."""
    found = {name for name in reads(sql) if name in steps}
    for name in list(found):
        if is_view(steps[name]):
            found |= _reads_through(steps[name], steps)
    return found


def drop(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Drop the temporary table or view of that name, if there is one."""
    sql = "select table_type from information_schema.tables where table_name = ?"
    for (kind,) in connection.execute(sql, [name]).fetchall():
        what = "view" if kind == "VIEW" else "table"
        connection.execute(f"drop {what} if exists temp.{name}")


def run(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    sql: str,
    parameters: Mapping[str, Any],
    *,
    is_stored: bool = False,
) -> None:
    """Compute a step into a temporary table of its name; ``BadKpi`` for an unknown parameter.

    One whose first line ends with "(a view)." only joins: who reads it takes the columns it needs,
    unless it is to be stored.
    """
    given = used(sql, parameters)
    if is_view(sql) and not is_stored:
        connection.execute(f"create or replace temp view {name} as {_filled(sql, given)}")
    else:
        connection.execute(f"create or replace temp table {name} as {sql}", given)


def _filled(sql: str, given: Mapping[str, Any]) -> str:
    """The statement with its parameters as literals, since a view takes none."""
    bare = _COMMENT.sub("", sql)
    return _PARAMETER.sub(lambda found: _literal(given[found[1]]), bare)


def _literal(value: Any) -> str:
    if value is None:
        return "cast(null as varchar)"
    if isinstance(value, datetime):
        return f"timestamp '{value.isoformat(sep=' ')}'"
    return repr(value) if isinstance(value, int | float) else quoted(value)


def used(sql: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters a statement names."""
    names = sorted(set(_PARAMETER.findall(_COMMENT.sub("", sql))))
    for name in names:
        if name not in parameters:
            raise BadKpi(f"no parameter ${name}: there are {', '.join(sorted(parameters))}")
    return {name: parameters[name] for name in names}
