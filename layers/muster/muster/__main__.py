"""The command line: the same verbs on a folder or a bucket; errors become one line and a code."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from muster import telling
from muster.clock import parse_instant, system_clock
from muster.errors import BadSettings, MusterError
from muster.terminal import (
    asking,
    file_trouble,
    progress,
    say,
    say_csv,
    say_json,
    say_records,
    say_table,
    warn,
    writing_to,
)

app = typer.Typer(
    name="muster",
    help="Musters what a community says into Parquet, measures it, and mails what changed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
kpis_app = typer.Typer(help="The catalogue: what is measured, and how.", no_args_is_help=True)
app.add_typer(kpis_app, name="kpis")

Json = Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout.")]
Since = Annotated[str | None, typer.Option(help="Local date or instant to read from.")]
Until = Annotated[str | None, typer.Option(help="Local date or instant to read to.")]
AsOf = Annotated[str | None, typer.Option(help="Local date or instant, exclusive; now if absent.")]
Only = Annotated[list[str] | None, typer.Option("--source", help="Only this source; repeatable.")]


@app.callback()
def _folder(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Option("-C", metavar="DIR", help="Project folder with muster.yaml.")
    ] = Path(),
) -> None:
    context.obj = folder


def _open(context: typer.Context, notify: Any = lambda _: None) -> Any:
    """The project of ``-C``, with the real clock, environment and network."""
    from muster.project import open_project
    from muster.sources._http import Http

    return open_project(
        context.obj,
        clock=system_clock,
        environment=os.environ,
        http=Http(clock=system_clock),
        notify=notify,
    )


def _instant(text: str | None, project: Any) -> datetime | None:
    return parse_instant(text, project.settings.zone) if text else None


@app.command()
def init(
    context: typer.Context,
    community: Annotated[str | None, typer.Option(help="Name of the community.")] = None,
    platform: Annotated[str | None, typer.Option(help="Platform of the first source.")] = None,
    base_url: Annotated[str | None, typer.Option(help="Address of the instance.")] = None,
    account: Annotated[str | None, typer.Option(help="Our account or space there.")] = None,
    token: Annotated[str | None, typer.Option(help="Where its secret is: env:NAME.")] = None,
    name: Annotated[str | None, typer.Option(help="Short name of the source.")] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA zone, e.g. Europe/Berlin.")] = None,
    recipient: Annotated[str | None, typer.Option(help="Who gets the weekly report.")] = None,
    lake: Annotated[str, typer.Option(help="Folder, or s3://bucket/prefix.")] = "./lake",
) -> None:
    """Write a commented muster.yaml; asks for what no flag says."""
    from muster import starter

    given = {
        "community": community, "platform": platform, "base_url": base_url, "account": account,
        "token": token, "name": name, "timezone": timezone, "recipient": recipient, "lake": lake,
    }  # fmt: skip
    path = starter.write(context.obj, starter.complete(given, system_clock().date(), asking()))
    say(f"{path} written. Next: muster doctor, then muster run")


@app.command()
def fetch(
    context: typer.Context,
    source: Only = None,
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """Fetch what is new on every platform into the lake."""
    from muster.pipeline import collect, measure

    with progress() as notify:
        project = _open(context, notify)
        measure.check_plans(project)
        bounds = _instant(since, project), _instant(until, project)
        fetched = collect.fetch(project, source or (), *bounds)
    telling.fetched(fetched, as_json)
    _fail_if(any(one.error for one in fetched))


@app.command()
def measure(context: typer.Context, as_of: AsOf = None, as_json: Json = False) -> None:
    """Compute every KPI and every goal's status over the lake."""
    from muster.pipeline import measure as stage

    with progress() as notify:
        project = _open(context, notify)
        measured = stage.measure(project, _instant(as_of, project))
    telling.measured(measured, as_json)
    _fail_if(bool(measured.problems))


@app.command()
def report(
    context: typer.Context,
    report: Annotated[list[str] | None, typer.Option("--report", help="Only this report.")] = None,
    as_of: AsOf = None,
    send: Annotated[bool, typer.Option("--send", help="Deliver it, once per recipient.")] = False,
    as_json: Json = False,
) -> None:
    """Write the reports' mails into the outbox and publish the site."""
    from muster.pipeline import publish

    project = _open(context)
    reported = publish.report(project, report or (), _instant(as_of, project), send=send)
    telling.reported(reported, as_json)


@app.command()
def run(
    context: typer.Context,
    send: Annotated[bool, typer.Option("--send", help="Deliver the reports.")] = False,
    as_json: Json = False,
) -> None:
    """Fetch, measure and report: the whole way."""
    from muster.pipeline import run as whole_way

    with progress() as notify:
        fetched, measured, reported = whole_way(_open(context, notify), send=send)
    if as_json:
        parts = {"fetched": [asdict(one) for one in fetched], "measured": telling.summary(measured)}
        say_json(parts | {"reported": [asdict(one) for one in reported]})
    else:
        telling.fetched(fetched, False)
        telling.measured(measured, False)
        telling.reported(reported, False)
    _fail_if(any(one.error for one in fetched) or bool(measured.problems))


@app.command("import")
def import_(
    context: typer.Context,
    table: Annotated[str, typer.Argument(help="messages, members, audience, orders …")],
    file: Annotated[Path, typer.Argument(help="CSV, JSON Lines or Parquet.")],
    source: Annotated[str | None, typer.Option(help="Name of the source the rows are of.")] = None,
    file_format: Annotated[
        str | None, typer.Option("--format", help="A named export format, e.g. twcs.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Take your own export into the lake, through the same merge as a fetch."""
    from muster.pipeline.importing import import_file

    with progress() as notify:
        project = _open(context, notify)
        imported = import_file(project, table, file, source, file_format)
    if as_json:
        say_json(asdict(imported))
    else:
        say(imported.sentence())
    _fail_if(bool(imported.refused))


@app.command()
def replay(
    context: typer.Context, source: Only = None, since: Since = None, as_json: Json = False
) -> None:
    """Map the raw items in the lake again, after a mapping was mended."""
    from muster.pipeline import collect

    with progress() as notify:
        project = _open(context, notify)
        start = _instant(since, project)
        replayed = collect.replay(project, source or (), start.date() if start else None)
    telling.fetched(replayed, as_json)


@app.command()
def sql(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="SQL over the tables of the lake.")],
    file_format: Annotated[
        Literal["table", "csv", "json", "parquet"], typer.Option("--format")
    ] = "table",
    output: Annotated[Path | None, typer.Option("-o", help="File; needed for parquet.")] = None,
) -> None:
    """Ask the lake anything: every table is a view; nothing can be changed."""
    from muster.kpis import engine

    project = _open(context)
    lake = {"lake_url": project.lake.url(), "sql": query, "environment": project.environment}
    if file_format == "parquet":
        if output is None:
            raise BadSettings("Parquet is no text: name a file with -o FILE")
        found = engine.ask_parquet(**lake)
        with file_trouble(output):
            output.write_bytes(found)
        return
    answer = engine.ask(**lake)
    with writing_to(output):
        {"table": say_table, "csv": say_csv, "json": say_records}[file_format](
            answer.columns, answer.rows
        )


@kpis_app.command("list")
def kpis_list(context: typer.Context, as_json: Json = False) -> None:
    """Every KPI with its question and unit."""
    from muster.pipeline.measure import catalogue_of

    found = catalogue_of(context.obj)
    if as_json:
        say_json([asdict(kpi) for kpi in found])
        return
    rows = [(kpi.id, kpi.title, kpi.question, kpi.unit, kpi.better) for kpi in found]
    say_table(("id", "title", "question", "unit", "better"), rows)


@kpis_app.command("show")
def kpis_show(context: typer.Context, kpi: str, as_json: Json = False) -> None:
    """One KPI: what it means, its SQL, and its last values."""
    from muster.pipeline.measure import shown

    found, values = shown(_open(context), kpi)
    if as_json:
        say_json({"kpi": asdict(found), "values": [asdict(value) for value in values]})
        return
    say(f"{found.title} ({found.id}, version {found.version})\n{found.question}\n")
    say(f"{found.definition}\nUnit: {found.unit}; better: {found.better}\n\n{found.sql.strip()}\n")
    heads = ("grain", "period_start", "segment", "value", "n", "too_few", "partial")
    say_table(heads, [[getattr(value, head) for head in heads] for value in values])


@app.command()
def goals(context: typer.Context, as_json: Json = False) -> None:
    """Every goal with its status, value, target and where the trend leads."""
    from muster.pipeline.measure import latest

    statuses = latest(_open(context)).goals
    if as_json:
        say_json([asdict(status) for status in statuses])
        return
    heads = ("goal", "kpi", "period_start", "status", "value", "target", "expected", "reason")
    say_table(heads, [[getattr(status, head) for head in heads] for status in statuses])


@app.command()
def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Check settings, lake, KPIs, goals and every source's token; say how to mend what is wrong."""
    from muster.pipeline.doctor import checkup

    findings = checkup(_open(context))
    if as_json:
        say_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            say(f"{'ok  ' if finding.is_well else 'BAD '} {finding.what}: {finding.says}")
    code = max((finding.exit_code for finding in findings if not finding.is_well), default=0)
    _fail_if(bool(code), code)


@app.command()
def schema(
    settings: Annotated[
        bool, typer.Option("--settings", help="The JSON Schema of muster.yaml instead.")
    ] = False,
) -> None:
    """Every table and column of the lake with its meaning."""
    from muster import sources
    from muster.project import options_of
    from muster.records import TABLES, columns
    from muster.settings_file import json_schema

    if settings:
        say_json(json_schema({name: options_of(name) for name in sources.platform_names()}))
        return
    rows = [
        (table.name, column.name, column.type + "?" * column.nullable, column.meaning)
        for table in TABLES.values()
        for column in columns(table.row)
    ]
    say_table(("table", "column", "type", "meaning"), rows)


@app.command()
def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="On loopback; 0: a free one.")] = 8000,
) -> None:
    """Show the site of this project on this machine."""
    from muster.serving import server

    with server(_open(context).site.url(), port) as running:
        say(f"http://127.0.0.1:{running.server_port}/ (Ctrl-C ends)")
        running.serve_forever()


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo project is made.")] = Path(".demo"),
) -> None:
    """Simulate a community behind real APIs, and take it all the way to mail and site."""
    try:
        from demo.tour import tour
    except ImportError as error:
        raise BadSettings("the demo is part of the repository: run make demo in a clone") from error
    tour(folder, say)


def _fail_if(failed: bool, code: int = 1) -> None:
    if failed:
        raise typer.Exit(code)


def main() -> None:
    """Run the command line; every ``MusterError`` is one line on stderr and its exit code."""
    try:
        app()
    except MusterError as error:
        warn(f"muster: {error}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        warn("muster: interrupted; what was stored stands, run it again to continue")
        sys.stdout.flush()
        os._exit(130)  # Sources still being fetched must not hold up the user; a kill is safe.
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
