"""What the CLI says: tables and progress on a terminal, plain lines in a pipe, JSON on request."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

import typer

from muster.errors import BadSettings
from muster.project import Progress

# What drives a terminal, turns text around or is half a character; joiners of emoji may stay.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def say(text: str = "") -> None:
    """Lines for a person, on stdout."""
    typer.echo(_UNSEEN.sub(" ", text))


def warn(text: str) -> None:
    """A line about trouble, on stderr; more of it is indented, so that no text forges a line."""
    typer.echo(_UNSEEN.sub(" ", text).replace("\n", "\n  "), err=True)


def called(folder: Path) -> str:
    """What calls Muster on a project, in the words that called it now: to be copied."""
    program = sys.argv[0]
    if program.endswith("__main__.py"):
        program = "python -m muster"
    elif program == shutil.which("muster"):
        program = "muster"
    return program if folder == Path() else f"{program} -C {shlex.quote(str(folder))}"


def say_json(value: Any) -> None:
    """``value`` as JSON; instants and dates in ISO 8601, money as text."""
    text = json.dumps(value, default=_plain, ensure_ascii=False, indent=2)
    typer.echo(_UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], text))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return list(value) if isinstance(value, tuple | set) else str(value)


def say_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table: drawn on a terminal, tab-separated in a pipe."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            typer.echo("\t".join(_cell(value) for value in row))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    Console().print(table)


def _cell(value: Any) -> str:
    """A cell as text; control characters cannot drive the terminal."""
    text = "" if value is None else str(value)
    return _UNSEEN.sub(" ", text).translate({9: " ", 10: " "})


def say_csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Comma-separated values: lists as JSON; what a spreadsheet would run as a formula quoted."""
    from muster.reports.inert import csv_cell

    def plain(value: Any) -> Any:
        is_nested = isinstance(value, list | dict)
        return csv_cell(
            json.dumps(_finite(value), default=_plain, ensure_ascii=False) if is_nested else value
        )

    writer = csv.writer(sys.stdout, lineterminator="\n")
    shown = _cell if sys.stdout.isatty() else lambda value: value
    for row in (columns, *rows):
        writer.writerow([shown(plain(value)) for value in row])


def say_records(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Rows as a JSON array of objects; what is no number in JSON is null."""
    say_json([dict(zip(columns, map(_finite, row), strict=True)) for row in rows])


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return {key: _finite(one) for key, one in value.items()} if isinstance(value, dict) else value


@contextmanager
def writing_to(path: Path | None) -> Iterator[None]:
    """Whatever is said inside goes to ``path``, or to stdout if there is none."""
    if path is None:
        yield
        return
    with (
        file_trouble(path),
        path.open("w", encoding="utf-8", newline="") as file,
        redirect_stdout(file),
    ):
        yield


@contextmanager
def file_trouble(path: Path) -> Iterator[None]:
    """``BadSettings`` in one line where a file that the user named cannot be written."""
    try:
        yield
    except OSError as error:
        raise BadSettings(f"{path} cannot be written: {error.strerror}") from error


def secret(question: str) -> str:
    """A secret: typed unseen at a terminal, else read from stdin; never from the command line."""
    if not sys.stdin.isatty():
        return sys.stdin.read()
    return str(typer.prompt(question, hide_input=True))


def asking() -> Callable[[str], str] | None:
    """A way to ask a person, or none where nobody sits at a terminal."""
    if not sys.stdin.isatty():
        return None
    return lambda question: str(typer.prompt(question, default="", show_default=False))


@contextmanager
def progress() -> Iterator[Any]:
    """A callable that shows :class:`Progress` on a terminal, and nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[tuple[str, str], Any] = {}

        def show(step: Progress) -> None:
            key = (step.stage, step.name)
            if key not in tasks:
                tasks[key] = bar.add_task("")
            text = f"{step.stage} {step.name}: {step.done:,} {step.note}"
            bar.update(tasks[key], description=text)

        yield show
