"""The verbs that show: goals, doctor, schema, serve, demo."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from muster import telling
from muster.commands import Json, app, fail_if_unwell, opened
from muster.errors import BadSettings
from muster.terminal import say, say_json, say_table


@app.command()
def goals(context: typer.Context, as_json: Json = False) -> None:
    """Every goal with its status, value and target; which lack data, and what serves no goal."""
    from muster.pipeline.measure import judged

    statuses, loose = judged(opened(context))
    without_data = [status.goal for status in statuses if status.status == "no_data"]
    if as_json:
        told = {"goals": [asdict(status) for status in statuses], "without_data": without_data}
        say_json(told | {"without_goal": loose})
        return
    heads = ("goal", "kpi", "period_start", "status", "value", "target", "expected", "reason")
    say_table(heads, [[getattr(status, head) for head in heads] for status in statuses])
    for text, names in (("Goals without data", without_data), ("KPIs without a goal", loose)):
        if names:
            say(f"\n{text}: {', '.join(names)}")


@app.command()
def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Check settings, KPIs, goals, lake, mail server, tokens; say how to mend what is wrong."""
    from muster.pipeline.doctor import checkup

    findings = checkup(opened(context))
    telling.findings(findings, as_json)
    fail_if_unwell(findings)


@app.command()
def schema(
    settings: Annotated[
        bool, typer.Option("--settings", help="The JSON Schema of muster.yaml instead.")
    ] = False,
) -> None:
    """Every table and column of the lake with its meaning."""
    from muster import sources
    from muster.measured import DERIVED, derived_columns
    from muster.project import options_of
    from muster.records import TABLES, columns
    from muster.settings_file import json_schema

    if settings:
        say_json(json_schema({name: options_of(name) for name in sources.platform_names()}))
        return
    tables = {table.name: columns(table.row) for table in TABLES.values()}
    tables |= {name: derived_columns(name) for name in DERIVED}
    rows = [
        (name, column.name, column.type + "?" * column.nullable, column.meaning)
        for name, told in tables.items()
        for column in told
    ]
    say_table(("table", "column", "type", "meaning"), rows)


@app.command()
def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="On loopback; 0: a free one.")] = 8000,
) -> None:
    """Show the site of this project on this machine."""
    from muster.serving import server

    with server(opened(context).site.url(), port) as running, suppress(KeyboardInterrupt):
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
