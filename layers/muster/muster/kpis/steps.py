"""The shared ``.sql`` steps and what each reads → those some KPIs need, in an order that works."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

from muster.errors import BadKpi

SHARED = Path(__file__).parent / "shared"
_COMMENT = re.compile(r"--[^\n]*")
_READ = re.compile(r"\b(?:from|join)\s+(\w+)\b(?!\s*\()", re.IGNORECASE)
_DEFINED = re.compile(r"\b(\w+)\s+as\s*\(", re.IGNORECASE)
_PARAMETER = re.compile(r"\$([a-z_]+)")


def load() -> dict[str, str]:
    """Every shared step's SQL by name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(SHARED.glob("*.sql"))}


def reads(sql: str) -> set[str]:
    """The tables a statement reads, its own common table expressions left out."""
    bare = _COMMENT.sub("", sql)
    return set(_READ.findall(bare)) - set(_DEFINED.findall(bare))


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


def run(
    connection: duckdb.DuckDBPyConnection, name: str, sql: str, parameters: Mapping[str, Any]
) -> None:
    """Compute a step into a temporary table of its name; ``BadKpi`` for an unknown parameter."""
    connection.execute(f"create or replace temp table {name} as {sql}", used(sql, parameters))


def used(sql: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters a statement names."""
    names = sorted(set(_PARAMETER.findall(_COMMENT.sub("", sql))))
    for name in names:
        if name not in parameters:
            raise BadKpi(f"no parameter ${name}: there are {', '.join(sorted(parameters))}")
    return {name: parameters[name] for name in names}
