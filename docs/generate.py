"""The documents that are made from the code: README tables and the schema of muster.yaml.

``python docs/generate.py`` writes them; ``--check`` only tells whether they are current.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import month_costs
import size_costs
import yaml
from typer.main import get_command

from muster import sources
from muster.command_line import app
from muster.kpis import catalogue
from muster.measured import DERIVED, derived_columns
from muster.project import options_of
from muster.records import TABLES, Column, columns
from muster.settings_file import json_schema
from release import shipped

HOUSE = Path(__file__).resolve().parents[1]


def documents() -> dict[Path, str]:
    """Every generated document with its present text."""
    readme = HOUSE / "README.md"
    text = readme.read_text(encoding="utf-8")
    for name, table in (("platforms", platforms()), ("kpis", kpis()), ("commands", commands())):
        text = _between(text, name, table)
    querying, scaling = HOUSE / "docs" / "tables.md", HOUSE / "docs" / "scaling.md"
    listed, measured = HOUSE / "infra" / "prices.json", HOUSE / "infra" / "measured.json"
    schema = json_schema({name: options_of(name) for name in sources.platform_names()})
    return {
        readme: text,
        querying: tables(),
        HOUSE / "docs" / "mistakes.md": mistakes(),
        HOUSE / "docs" / "licences.md": shipped.document(),
        HOUSE / "docs" / "costs.md": month_costs.page(listed, measured),
        scaling: _between(scaling.read_text("utf-8"), "sizes", size_costs.part(listed, measured)),
        HOUSE / "docs" / "muster.schema.json": json.dumps(schema, indent=2) + "\n",
    }


def _between(text: str, name: str, table: str) -> str:
    """``text`` with the part between the two markers of ``name`` replaced."""
    pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
    return re.sub(pattern, lambda found: found[1] + table + found[2], text, flags=re.DOTALL)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in lines
    )


def platforms() -> str:
    """Every platform by its docstring, and the tables its recording fills."""
    heads = ("platform", "what it reads", "tables", "credentials", "limits", "verified by")
    return _table(heads, map(_platform, sources.platform_names()))


def _platform(name: str) -> Sequence[str]:
    told = {word: text.replace("``", "`") for word, text in sources.said_of(name).items()}
    words = (told.get(what, "") for what in ("Credentials", "Limits", "Verified"))
    return (f"`{name}`", told["reads"], _filled(name), *map(sources.sentence, words))


def _filled(name: str) -> str:
    """The tables a platform fills, by its recording."""
    path = HOUSE / "tests" / "recordings" / f"{name}.json"
    told = json.loads(path.read_text(encoding="utf-8"))["expect"] if path.exists() else {}
    return ", ".join(f"`{table}`" for table in TABLES if table in told)


def kpis() -> str:
    """The catalogue from the headers of the SQL files."""
    rows = (
        (f"`{kpi.id}`", kpi.title, kpi.question, f"{kpi.unit} {_arrow(kpi.better)}".strip())
        for kpi in catalogue.load()
    )
    return _table(("id", "title", "question", "unit"), rows)


def _arrow(better: str) -> str:
    return {"up": "↑", "down": "↓"}.get(better, "")


def commands() -> str:
    """Every verb of the command line with its one-line help."""
    group = get_command(app)
    rows = ((f"`muster {name}`", verb.get_short_help_str(200)) for name, verb in _verbs(group, ""))
    return _table(("command", "what it does"), rows)


def _verbs(group, prefix):  # type: ignore[no-untyped-def]
    for name, verb in group.commands.items():
        if hasattr(verb, "commands"):
            yield from _verbs(verb, f"{prefix}{name} ")
        else:
            yield prefix + name, verb


def tables() -> str:
    """Every table of the lake with its columns."""
    parts = ["# Tables of the lake\n\nMade from `records.py` and `measured.py` by `make docs`. "
             "Times are UTC: Parquet says so, `muster sql` and the views give them without a zone. "
             "`money` is a decimal with four places, `strings` a list; what has a `?` may be "
             "missing.\n"]  # fmt: skip
    for table in TABLES.values():
        said = f"{table.row.__doc__} Key in bold; `source` is part of it."
        parts.append(_told(table.name, said, columns(table.row), table.key))
    parts.append("\n# Derived tables\n\nEach measuring writes them; nothing in them is fetched.\n")
    for name, row in DERIVED.items():
        parts.append(_told(name, row.__doc__ or "", derived_columns(name)))
    return "".join(parts)


def _told(name: str, said: str, told: Iterable[Column], key: Sequence[str] = ()) -> str:
    rows = (
        (f"**{one.name}**" if one.name in key else one.name, one.type + "?" * one.nullable,
         one.meaning)
        for one in told
    )  # fmt: skip
    return f"\n## {name}\n\n{said}\n\n" + _table(("column", "type", "meaning"), rows)


def mistakes() -> str:
    """What other tools get wrong, and the tests here that fail if it is put in."""
    path = HOUSE / "tests" / "golden" / "mistakes" / "mistakes.yaml"
    rows = (
        (row["mistake"], row["seen_in"], row["here"], "; ".join(_named(row)))
        for row in yaml.safe_load(path.read_text(encoding="utf-8"))
    )
    said = (
        "# Mistakes other tools make\n\nRead in their code. `make test-mistakes` puts each into a "
        "copy of Muster, and the tests named here must fail there. Made from "
        "`tests/golden/mistakes/mistakes.yaml` by `make docs`.\n\n"
    )
    return said + _table(("mistake", "seen in", "here", "tests"), rows)


def _named(row: Mapping[str, Any]) -> Iterable[str]:
    """The tests of a row in words, each once: the case's own, else the function's."""
    tests = [test.split("::")[1] for way in row["ways"] for test in way["fails"]]
    cases = (test.partition("[")[2].removesuffix("]") for test in tests)
    functions = (test.partition("[")[0].removeprefix("test_").replace("_", " ") for test in tests)
    both = zip(cases, functions, strict=True)
    return dict.fromkeys(case if " " in case else function for case, function in both)


def main(check: bool) -> int:
    """Write what is out of date; with ``check`` only name it and return 1."""
    stale = {path: text for path, text in documents().items() if not _is(path, text)}
    for path, text in stale.items():
        print(f"{path.relative_to(HOUSE)} {'is out of date: make docs' if check else 'written'}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return int(check and bool(stale))


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
