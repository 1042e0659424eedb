"""A KPI's or a step's SQL and its parameters → the same question in Spark's or Trino's SQL.

Names and syntax are sqlglot's work. What the same words mean differs from engine to engine, and is
settled here, so that every engine gives the values DuckDB gives. Only who measures with another
engine imports this: it loads sqlglot, which no function's layer holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlglot
from sqlglot import exp

from muster.errors import BadKpi
from muster.kpis.steps import used

Dialect = Literal["spark", "trino"]

_BLANK = r"\t\n\f\r "
_WORD = "0-9A-Za-z_"
_TOKEN = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\\\]])*\]|\\.|\(\?[a-zA-Z<-]+[:)]?|.",
    re.DOTALL,
)
# What RE2 takes for ASCII, for one line's end, or for the very end, and Java does not always.
_OUTSIDE = {
    r"\s": f"[{_BLANK}]", r"\S": f"[^{_BLANK}]", r"\w": f"[{_WORD}]", r"\W": f"[^{_WORD}]",
    r"\d": "[0-9]", r"\D": "[^0-9]", "$": r"\z", ".": r"[^\n]",
    r"\b": f"(?:(?<=[{_WORD}])(?![{_WORD}])|(?<![{_WORD}])(?=[{_WORD}]))",
    r"\B": f"(?:(?<=[{_WORD}])(?=[{_WORD}])|(?<![{_WORD}])(?![{_WORD}]))",
}  # fmt: skip
# Java folds these two with "i", RE2 with nothing.
_NO_TURKISH_I = "(?!(?-i:[İı]))"
_INSIDE = {r"\s": _BLANK, r"\w": _WORD, r"\d": "0-9", "[": r"\[", "&": r"\&"}


def carried(sql: str, dialect: Dialect, parameters: Mapping[str, Any]) -> str:
    """``sql`` (DuckDB's, with ``$name`` parameters) for another engine, the values written out.

    Raises ``BadKpi`` for what has no equal there, and for a parameter that does not exist.
    """
    known = used(sql, parameters)
    try:
        tree = sqlglot.parse_one(sql, read="duckdb")
        _write_parameters(tree, dialect, known)
        _settle(tree, dialect)
        return tree.sql(dialect, comments=False, unsupported_level=sqlglot.ErrorLevel.RAISE)
    except sqlglot.errors.SqlglotError as error:
        raise BadKpi(f"the SQL does not carry over to {dialect}: {error}") from error


@dataclass(frozen=True)
class Recursion:
    """A statement ``with recursive``, taken apart: what comes before, the rounds, what is made."""

    before: Mapping[str, str]
    name: str
    first: str
    more: str
    rest: str


def recursion(sql: str) -> Recursion | None:
    """The rounds of a statement in DuckDB's SQL, if it is recursive.

    Trino ends after ten rounds, and Athena lets nobody ask for more.
    """
    tree = sqlglot.parse_one(sql, read="duckdb")
    with_ = tree.find(exp.With)
    if with_ is None or not with_.args.get("recursive"):
        return None
    *before, last = with_.expressions
    rest = tree.copy()
    rest.set("with_", None)
    return Recursion(
        {one.alias: one.this.sql("duckdb") for one in before}, last.alias,
        last.this.left.sql("duckdb"), last.this.right.sql("duckdb"), rest.sql("duckdb"),
    )  # fmt: skip


def over(sql: str, placed: Mapping[str, str]) -> str:
    """A statement of Trino's SQL with our names for tables that are called otherwise there."""
    tree = sqlglot.parse_one(sql, read="trino")
    own = {one.alias for one in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        if table.name in placed and table.name not in own:
            there = exp.to_table(placed[table.name])
            there.set("alias", exp.TableAlias(this=exp.to_identifier(table.alias or table.name)))
            table.replace(there)
    return tree.sql("trino", unsupported_level=sqlglot.ErrorLevel.RAISE)


def pattern(expression: str, dialect: Dialect) -> str:
    """A regular expression of RE2 (DuckDB) that means the same in Java (Spark) or Joni (Trino)."""
    kept = {"$"} if re.search(r"\(\?[a-zA-Z]*m", expression) else set()
    kept |= {"."} if re.search(r"\(\?[a-zA-Z]*s", expression) else set()
    is_folding = dialect == "spark" and re.search(r"\(\?[a-zA-Z]*i", expression) is not None
    written = []
    for token in _TOKEN.findall(expression):
        told = token if token in kept else _rewritten(token, dialect)
        written.append(_unlike_turkish(told, token) if is_folding else told)
    return "".join(written)


def _rewritten(token: str, dialect: Dialect) -> str:
    if token.startswith("[") and len(token) > 1:
        return _class(token)
    return _flags(token, dialect) if token.startswith("(?") else _OUTSIDE.get(token, token)


def _unlike_turkish(told: str, token: str) -> str:
    """An expression for one token, to which "İ" and "ı" are not "i" unless it names them."""
    if token in ("İ", "ı"):
        return f"(?-i:{token})"
    is_class = token[:1] == "[" != token or token in (r"\w", r"\W")
    if is_class and token.isascii() and not re.search(r"\\[pPx]", token):
        is_negated = told.startswith("[^")
        return f"(?:{told}|(?-i:[İı]))" if is_negated else f"(?:{_NO_TURKISH_I}{told})"
    return f"(?:{_NO_TURKISH_I}{token})" if token in ("i", "I") else told


def _class(written: str) -> str:
    """A class in brackets, where Java gives a meaning to signs that stand for themselves in RE2."""
    start = re.match(r"\[\^?\]?", written)[0]  # type: ignore[index]
    parts = re.findall(r"\\.|\[:|.", written[len(start) : -1], re.DOTALL)
    if {"[:", r"\S", r"\W", r"\D"} & set(parts):
        raise BadKpi(f"{written} means something else in other engines: write its letters out")
    return start.replace("]", r"\]") + "".join(_INSIDE.get(part, part) for part in parts) + "]"


def _flags(token: str, dialect: Dialect) -> str:
    """Java folds letters beyond ASCII, and ends lines with a line feed only, when asked to.

    Trino always does, and forbids asking.
    """
    if token.startswith("(?P<"):
        return token.replace("P", "", 1)
    switched_on = token.partition("-")[0]
    for flag, also in (("i", "iu"), ("m", "md")):
        if dialect == "spark" and flag in switched_on and "<" not in token:
            token = token.replace(flag, also, 1)
    return token


def _write_parameters(tree: Any, dialect: Dialect, parameters: Mapping[str, Any]) -> None:
    for node in list(tree.find_all(exp.Placeholder)):
        node.replace(_literal(parameters[node.name], dialect))


def _literal(value: Any, dialect: Dialect) -> Any:
    """A parameter's value as a literal of its type; patterns are the only ones that may be null."""
    if value is None:
        return exp.cast(exp.null(), "varchar")
    if isinstance(value, datetime):
        return exp.cast(exp.Literal.string(value.isoformat(" ")), _timestamp(dialect))
    return exp.convert(value)


def _timestamp(dialect: Dialect) -> Any:
    """An instant to the microsecond: Trino's plain ``timestamp`` has milliseconds."""
    return exp.DataType.build("timestamp(6)" if dialect == "trino" else "timestamp", dialect)


def _settle(tree: Any, dialect: Dialect) -> None:
    """Make explicit, in place, what would mean something else there."""
    # A number with a point is a double: an average of exact decimals is rounded elsewhere.
    for node in list(tree.find_all(exp.Literal)):
        if not node.is_string and "." in node.name:
            node.replace(exp.cast(node.copy(), "double"))
    for node in list(tree.find_all(exp.Cast)):
        if node.to.this == exp.DType.TIMESTAMPNTZ:
            node.set("to", _timestamp(dialect))
    for node in list(tree.find_all(exp.RegexpLike, exp.RegexpReplace, exp.RegexpSplit)):
        _settle_pattern(node, dialect)
    if dialect == "spark":
        _settle_spark(tree)


def _settle_pattern(node: Any, dialect: Dialect) -> None:
    written = node.expression
    if isinstance(written, exp.Literal):
        node.set("expression", exp.Literal.string(pattern(written.name, dialect)))
    elif not isinstance(written, exp.Cast):
        raise BadKpi(f"a pattern is written out or a parameter, not {written.sql()!r}")
    if isinstance(node, exp.RegexpReplace):
        if node.text("modifiers") != "g":
            raise BadKpi("regexp_replace replaces every match elsewhere: say so with 'g'")
        node.set("modifiers", None)


def _settle_spark(tree: Any) -> None:
    # Rows are numbered in an order there, if only in that of a constant.
    for node in list(tree.find_all(exp.Window)):
        if isinstance(node.this, exp.RowNumber) and not node.args.get("order"):
            node.set("order", exp.Order(expressions=[exp.Ordered(this=exp.Literal.number(1))]))
    # Units are counted as DuckDB and Trino count them: the boundaries passed.
    for node in list(tree.find_all(exp.DateDiff)):
        for side in ("this", "expression"):
            cut = exp.TimestampTrunc(this=node.args[side].copy(), unit=node.args["unit"].copy())
            node.set(side, cut)
    # Letter by letter: Java's small letters depend on a letter's neighbours, or become two.
    for node in list(tree.find_all(exp.Lower)):
        from_, to = exp.Literal.string("Σİ"), exp.Literal.string("σi")
        node.set("this", exp.Translate(this=node.this.copy(), from_=from_, to=to))
