"""The verbs about the catalogue: kpis list, and kpis show with the rows behind a value."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer

from muster.commands import Json, app, opened
from muster.terminal import say, say_csv, say_json, say_table

ROWS_SHOWN = 20
# Of a message these say nothing more to a person; json and csv tell them too.
LEFT_OUT = ("person", "thread_id", "channel", "segment", "resolved_at")

kpis_app = typer.Typer(help="The catalogue: what is measured, and how.", no_args_is_help=True)
app.add_typer(kpis_app, name="kpis")


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
def kpis_show(
    context: typer.Context,
    kpi: Annotated[str, typer.Argument(help="Its id: see kpis list.")],
    period: Annotated[
        str | None, typer.Option(help="Ask why: 2026-W47, 2026-11, 2026-Q4, 2026, 2026-11-23.")
    ] = None,
    segment: Annotated[str | None, typer.Option(help="With --period: not the whole.")] = None,
    file_format: Annotated[
        Literal["text", "json", "csv"],
        typer.Option("--format", help="With --period: json and csv tell every row."),
    ] = "text",
    as_json: Json = False,
) -> None:
    """One KPI: its meaning and SQL, its last values, or the rows behind the value of a period."""
    from muster.pipeline import why

    project, told = opened(context), "json" if as_json else file_format
    if period is None:
        _show_values(*why.shown(project, kpi), told)
        return
    most = ROWS_SHOWN if told == "text" else None
    found = why.why(project, kpi, period, segment, most)
    {"text": _show_why, "json": _why_json, "csv": _why_csv}[told](found)


def _show_values(found: Any, breaks: Any, values: Any, told: str) -> None:
    heads = ("grain", "period_start", "segment", "value", "n", "too_few", "partial")
    rows = [[getattr(value, head) for head in heads] for value in values]
    if told == "json":
        told_values = [asdict(value) for value in values]
        new = [asdict(one) for one in breaks]
        say_json({"kpi": asdict(found), "definitions": new, "values": told_values})
    elif told == "csv":
        say_csv(heads, rows)
    else:
        _show_definition(found, breaks)
        say(f"\n{found.sql.strip()}\n")
        say_table(heads, rows)
        say(f"\nThe rows behind a value: muster kpis show {found.id} --period 2026-W47")


def _show_definition(found: Any, breaks: Any) -> None:
    say(f"{found.title} ({found.id}, version {found.version})\n{found.question}\n")
    say(f"{found.definition}\nUnit: {found.unit}; better: {found.better}")
    for one in breaks:
        say(one.text)


def _show_why(found: Any) -> None:
    behind = found.behind
    _show_definition(found.kpi, found.breaks)
    if behind.formula[0]:
        say(f"Formula: value = {behind.formula[0]}; n = {behind.formula[1]}")
    say(f"\n{found.kpi.sql.strip()}\n")
    say(f"{found.period_text}, {found.segment}: {found.sentence}")
    for part in behind.parts:
        _show_rows(part)
    if behind.trouble:
        say(behind.trouble)


def _show_rows(part: Any) -> None:
    some = (
        f", {len(part.rows)} shown; --format csv tells all" if part.total > len(part.rows) else ""
    )
    say(f"\n{part.total:,} of {part.table}{some}")
    if not part.rows:
        return
    told = [
        at
        for at, name in enumerate(part.columns)
        if any(row[at] is not None for row in part.rows)
        and (name not in LEFT_OUT or name in part.contributions or "message_id" not in part.columns)
    ]
    heads = [part.columns[at] for at in told]
    say_table(heads, [[_short(row[at]) for at in told] for row in part.rows])


def _short(cell: Any) -> Any:
    if isinstance(cell, float):
        return round(cell, 3)
    if isinstance(cell, str) and len(cell) > 60 and "://" not in cell:
        return f"{cell[:59]}…"
    return f"{cell:%Y-%m-%d %H:%M}" if hasattr(cell, "hour") else cell


def _why_json(found: Any) -> None:
    parts = [
        {
            "table": part.table,
            "total": part.total,
            "contributions": part.contributions,
            "rows": [dict(zip(part.columns, row, strict=True)) for row in part.rows],
        }
        for part in found.behind.parts
    ]
    facts = ("grain", "period_start", "segment", "as_of", "value", "value_text", "n", "has_changed")
    said = {name: getattr(found, name) for name in facts}
    formula = dict(zip(("value", "n"), found.behind.formula, strict=True))
    measured = asdict(found.measured) if found.measured else None
    new = [asdict(one) for one in found.breaks]
    more = {
        "definitions": new,
        "measured": measured,
        "behind": parts,
        "trouble": found.behind.trouble,
    }
    say_json({"kpi": asdict(found.kpi), "formula": formula, **said, **more})


def _why_csv(found: Any) -> None:
    """Every row of every table; a column that a table lacks is empty."""
    columns = list(dict.fromkeys(name for part in found.behind.parts for name in part.columns))
    rows = [
        [part.table, *(dict(zip(part.columns, row, strict=True)).get(name) for name in columns)]
        for part in found.behind.parts
        for row in part.rows
    ]
    say_csv(("table", *columns), rows)
