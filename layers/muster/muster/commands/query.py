"""The verb that asks the lake: one question, or one after the other on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from muster.commands import app, opened
from muster.errors import BadSettings
from muster.terminal import file_trouble, say, say_csv, say_records, say_table, warn, writing_to

if TYPE_CHECKING:
    from muster.kpis.engine import Reader

Format = Literal["table", "csv", "json", "parquet"]
SAID = {"table": say_table, "csv": say_csv, "json": say_records}
WORDS = ("select", "from", "where", "group by all", "order by", "limit", "join", "using",
         "count(*)", "sum(", "avg(", "median(", "date_trunc(", "describe",
         "show tables")  # fmt: skip


@app.command()
def sql(
    context: typer.Context,
    query: Annotated[
        str | None, typer.Argument(help="SQL over the tables of the lake; none: ask in turn.")
    ] = None,
    file_format: Annotated[Format, typer.Option("--format", help="Of the answer.")] = "table",
    output: Annotated[Path | None, typer.Option("-o", help="File; needed for parquet.")] = None,
    init: Annotated[
        bool, typer.Option("--init", help="SQL that makes the tables views of any DuckDB.")
    ] = False,
) -> None:
    """Ask the lake anything: every table is a view; nothing can be changed."""
    from muster.kpis import engine

    project = opened(context)
    lake: dict[str, Any] = {"lake_url": project.lake.url(), "environment": project.environment}
    if init:
        with writing_to(output):
            say(engine.views(**lake).rstrip())
    elif file_format == "parquet":
        _write_parquet(engine.ask_parquet(**lake, sql=query or sys.stdin.read()), output)
    elif query is None and sys.stdin.isatty():
        with engine.reading(**lake) as reader:
            _converse(reader, file_format)
    else:
        answer = engine.ask(**lake, sql=query or sys.stdin.read())
        with writing_to(output):
            SAID[file_format](answer.columns, answer.rows)


def _write_parquet(found: bytes, output: Path | None) -> None:
    if output is None:
        raise BadSettings("Parquet is no text: name a file with -o FILE")
    with file_trouble(output):
        output.write_bytes(found)


def _converse(reader: Reader, file_format: str) -> None:
    """Answer each question until there is none; a wrong one is explained and asked again."""
    for question in _questions(reader.names()):
        try:
            answer = reader.ask(question)
        except BadSettings as error:
            warn(str(error))
            continue
        SAID[file_format](answer.columns, answer.rows)


def _questions(names: tuple[str, ...]) -> Iterator[str]:
    """What is typed, up to a ``;`` or an empty line; Tab completes tables and columns.

    Nothing typed is kept on disk: a question may name a member.
    """
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.shortcuts import CompleteStyle

    words = WordCompleter([*names, *WORDS], ignore_case=True)
    session: PromptSession[str] = PromptSession(
        completer=words, complete_while_typing=False, complete_style=CompleteStyle.READLINE_LIKE
    )
    say("Every table is a view: show tables. A question ends with ; and Ctrl-D ends it all.")
    typed: list[str] = []
    while True:
        try:
            typed.append(session.prompt("... " if typed else "lake> "))
        except KeyboardInterrupt:
            typed = []
        except EOFError:
            return
        question = "\n".join(typed).strip()
        if question and (question.endswith(";") or not typed[-1].strip()):
            yield question
            typed = []
