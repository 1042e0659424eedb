"""The ``.sql`` files of the catalogue and of a user's folder → definitions of KPIs.

A KPI is one file; its name is the KPI's id. It begins with a header of ``-- key: value`` lines (a
line that starts with ``--`` and two or more blanks continues the one before). The SQL below yields
``period_start, segment, value, n`` and may read the tables of the lake, the steps in ``shared/``,
and ``periods`` (period_start, end_on, start_at, end_at, is_partial): the periods of one grain.
A KPI that counts what happens within a window after the fact names it in ``settles``: until the
window has passed after a period's end, its value still moves and is kept as partial.
Where the value of a longer period follows from those of its days, ``from_days`` says how: then the
SQL runs over days alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from muster.errors import BadKpi
from muster.names import nearest
from muster.records import TABLES
from muster.results import Kpi, StartingGoal
from muster.settings import Settings, Target

BUILT_IN = Path(__file__).parent
GRAINS = ("day", "week", "month", "quarter", "year")
COMMUNITIES = ("support", "product", "employee", "audience", "sales")
_LINE = re.compile(r"--\s?([a-z_ ]+?)\s*:\s*(.*)")
_END = re.compile(r"\s*;\s*\Z")  # as a shell wants it; the runner sets the statement in others
_MORE = re.compile(r"--\s{2,}(\S.*)")


def load(folder: Path | None = None) -> tuple[Kpi, ...]:
    """Every KPI by id: the built-in ones, and those of ``folder`` (which may replace them).

    A header that lacks a key, has an unknown one or a wrong value raises ``BadKpi``.
    """
    paths = sorted(BUILT_IN.glob("*.sql")) + sorted(folder.glob("*.sql") if folder else ())
    found = {path.stem: read(path) for path in paths}
    return tuple(found[kpi] for kpi in sorted(found))


def read(path: Path) -> Kpi:
    """The KPI of one file; ``BadKpi`` as :func:`load` raises it."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", path.stem):
        raise BadKpi(f"{path}: a KPI's file is named by its id: lower case, digits, underscores")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadKpi(f"{path}: cannot be read: {error}: write it as UTF-8") from error
    header = _header(path, text)
    missing = [key for key, (_, default) in _KEYS.items() if default is ... and key not in header]
    if missing:
        raise BadKpi(f"{path}: the header lacks {missing[0]!r}: add a line '-- {missing[0]}: …'")
    values = {key: _value(path, key, header) for key in _KEYS}
    if values["zero"] and values["statistic"] != "count":
        raise BadKpi(f"{path}:{header['zero'][0]}: only a count can be 0 by default; drop 'zero'")
    return Kpi(id=path.stem, sql=_END.sub("\n", text), **values)


def _header(path: Path, text: str) -> dict[str, tuple[int, str]]:
    """Key → (line number, value) of the comment lines the file begins with."""
    header: dict[str, tuple[int, str]] = {}
    key = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("--"):
            break
        if (more := _MORE.fullmatch(line)) and key:
            header[key] = (header[key][0], f"{header[key][1]} {more[1]}".strip())
            continue
        match = _LINE.fullmatch(line)
        key = _known(path, number, match[1] if match else line)
        header[key] = (number, match[2].strip() if match else "")
    return header


def _known(path: Path, number: int, key: str) -> str:
    if key in _KEYS:
        return key
    raise BadKpi(f"{path}:{number}: unknown header key {key!r}: {nearest(key, _KEYS)}")


def _value(path: Path, key: str, header: Mapping[str, tuple[int, str]]) -> Any:
    read, default = _KEYS[key]
    if key not in header:
        return default
    number, text = header[key]
    try:
        return read(text)
    except ValueError as error:
        raise BadKpi(f"{path}:{number}: {key}: {error}") from error


def _words(text: str) -> str:
    if not text:
        raise ValueError("write a sentence")
    return text


def _one_of(*known: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in known:
            raise ValueError(f"{text!r} is none of {', '.join(known)}")
        return text

    return read


def _some_of(*known: str) -> Callable[[str], tuple[str, ...]]:
    read = _one_of(*known)
    return lambda text: tuple(read(part.strip()) for part in text.split(","))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip().lower() for part in text.split(",") if part.strip())


def _conditions(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{text!r} is no version: write 1, 2, 3 …")
    return int(text)


def _goal(text: str) -> StartingGoal:
    """``Answer within a day | Be trusted | at_least 90%``."""
    name, objective, target = ([part.strip() for part in text.split("|")] + [""] * 3)[:3]
    form, _, amount = target.partition(" ")
    if not (name and objective and amount and form in Target.model_fields):
        forms = ", ".join(Target.model_fields)
        raise ValueError(f"write: name | objective | one of {forms}, and an amount")
    return StartingGoal(name, objective, form, amount)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None
    if not isfinite(number):
        raise ValueError(f"{text!r} is no bound: leave the key out")
    return number


_KEYS: Mapping[str, tuple[Callable[[str], Any], Any]] = {
    "title": (_words, ...),
    "question": (_words, ...),
    "definition": (_words, ...),
    "unit": (_one_of("seconds", "ratio", "count", "money", "score"), ...),
    "better": (_one_of("up", "down", "none"), ...),
    "statistic": (_one_of("count", "mean", "quantile", "ratio", "state"), ...),
    "communities": (_some_of(*COMMUNITIES), ...),
    "version": (_whole, ...),
    "table": (_one_of(*TABLES), ...),
    "grains": (_some_of(*GRAINS), GRAINS),
    "lowest": (_number, None),
    "highest": (_number, None),
    "zero": (_one_of("all", "source"), None),
    "needs": (_some_of(*Settings.model_fields), ()),
    "influence": (_listed, ()),
    "assertions": (_conditions, ()),
    "settles": (_one_of("answer", "resolution", "reopen"), ""),
    "rows": (_words, ""),
    "starter": (_some_of(*COMMUNITIES), ()),
    "goal": (_goal, None),
    "from_days": (_one_of("sum", "mean", "last"), ""),
}
