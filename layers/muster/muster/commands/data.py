"""The verbs that move data: init, fetch, measure, report, run, import, replay, erase."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from muster import telling
from muster.clock import system_clock
from muster.commands import (
    AsOf,
    Json,
    Only,
    Since,
    Until,
    agreed,
    app,
    fail_if,
    instant,
    opened,
    say_price,
)  # fmt: skip
from muster.errors import BadSettings
from muster.terminal import asking, called, progress, say, say_json

if TYPE_CHECKING:
    from muster.lake.importing import Reading
    from muster.pipeline.importing import Imported
    from muster.project import Project


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
    type_: Annotated[
        str | None, typer.Option("--type", help="support, product, employee, audience or sales.")
    ] = None,
    lake: Annotated[str, typer.Option(help="Folder, or s3://bucket/prefix.")] = "./lake",
) -> None:
    """Write a commented muster.yaml; asks for what no flag says."""
    from muster import starter

    given = {
        "community": community, "platform": platform, "base_url": base_url, "account": account,
        "token": token, "name": name, "timezone": timezone, "recipient": recipient, "lake": lake,
        "type": type_,
    }  # fmt: skip
    answers = starter.complete(given, system_clock().date(), asking())
    path = starter.write(context.obj, answers)
    say(f"{path} written. Next: {starter.next_step(answers, called(context.obj))}")


@app.command()
def fetch(
    context: typer.Context,
    source: Only = None,
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """Fetch what is new on every platform into the lake."""
    from muster.pipeline import collect, plans

    with progress() as notify:
        project = opened(context, notify)
        plans.check_hours(project)
        plans.check_plans(project)
        say_price(project, source or ())
        begins, ends = instant(since, project), instant(until, project)
        if begins and ends and begins >= ends:
            raise BadSettings(f"--since {since} is not before --until {until}")
        fetched = collect.fetch(project, source or (), begins, ends)
    telling.fetched(fetched, as_json)
    fail_if(any(one.error for one in fetched))


@app.command()
def measure(context: typer.Context, as_of: AsOf = None, as_json: Json = False) -> None:
    """Compute every KPI and every goal's status over the lake."""
    from muster.pipeline import measure as stage

    with progress() as notify:
        project = opened(context, notify)
        measured = stage.measure(project, instant(as_of, project))
    telling.measured(measured, as_json)
    fail_if(bool(measured.problems))


@app.command()
def report(
    context: typer.Context,
    report: Annotated[list[str] | None, typer.Option("--report", help="Only this report.")] = None,
    as_of: AsOf = None,
    send: Annotated[bool, typer.Option("--send", help="Deliver it, once per recipient.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also what may have been sent when a run broke off.")
    ] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only show the mails, in a browser; nothing is sent.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the reports' mails into the outbox and publish the site."""
    from muster.pipeline import publish

    project = opened(context)
    bounds = instant(as_of, project)
    if preview:
        telling.previewed(publish.preview(project, report or (), bounds), as_json)
        return
    reported = publish.report(project, report or (), bounds, send=send or again, again=again)
    telling.reported(reported, as_json)
    fail_if(any(one.error for one in reported))


@app.command()
def alert(
    context: typer.Context,
    report: Annotated[list[str] | None, typer.Option("--report", help="Only this report.")] = None,
    send: Annotated[bool, typer.Option("--send", help="Mail it, once per signal.")] = False,
    as_json: Json = False,
) -> None:
    """Tell what may not wait for the next report: new signals, goals that turned off track."""
    from muster.pipeline import alerts

    project = opened(context)
    told = alerts.alert(project, send=send, names=tuple(report or ()))
    telling.alerted(told, as_json, is_wanted=any(one.alerted for one in project.settings.reports))
    fail_if(any(one.error for one in told))


@app.command()
def run(
    context: typer.Context,
    send: Annotated[bool, typer.Option("--send", help="Deliver the reports.")] = False,
    as_json: Json = False,
) -> None:
    """Fetch, measure and report: the whole way."""
    from muster.pipeline import run as whole_way

    done: dict[str, Any] = {}
    try:
        with progress() as notify:
            project = opened(context, notify)
            say_price(project)
            done.update(whole_way(project, send=send))
    finally:  # Where a stage could not be done, those before it are told all the same.
        telling.whole_way(done, as_json)
    results = (*done["fetched"], *done["reported"])
    fail_if(any(one.error for one in results) or bool(done["measured"].problems))


@app.command("import")
def import_(
    context: typer.Context,
    table: Annotated[str, typer.Argument(help="messages, members, audience, orders …")],
    file: Annotated[Path, typer.Argument(help="CSV, JSON Lines, Parquet or Excel.")],
    source: Annotated[str | None, typer.Option(help="Name of the source the rows are of.")] = None,
    file_format: Annotated[
        str | None, typer.Option("--format", help="A named export format, e.g. twcs.")
    ] = None,
    encoding: Annotated[str, typer.Option(help="If the guess is wrong: cp1251, shift_jis.")] = "",
    sheet: Annotated[str, typer.Option(help="Of an Excel file; the first if absent.")] = "",
    preview: Annotated[
        bool, typer.Option("--preview", help="Only say what would be taken; nothing is written.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take your own export into the lake, through the same merge as a fetch."""
    from muster.lake.importing import Reading
    from muster.pipeline import previewing

    reading = Reading(file_format or "", encoding, sheet)
    with progress() as notify:
        project = opened(context, notify)
        made = previewing.preview if preview else _imported
        outcome = made(project, table, file, source, reading=reading)
    if as_json:
        say_json(asdict(outcome))
    else:
        say(outcome.sentence())
    fail_if(bool(outcome.refusals))


def _imported(
    project: Project, table: str, file: Path, source: str | None, reading: Reading
) -> Imported:
    """Import, and settle the rows whose time was corrected into another month."""
    from muster.pipeline import health, importing

    outcome = importing.import_file(project, table, file, source, reading=reading)
    changed = [name for name, count in outcome.changed.items() if count]
    return replace(outcome, moved=health.bring_together(project, table, changed))


@app.command()
def replay(
    context: typer.Context,
    source: Only = None,
    since: Since = None,
    rescore: Annotated[
        bool, typer.Option("--rescore", help="Score every text anew, after sentiment: changed.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Pay for the scores without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Map the raw items in the lake again, after a mapping was mended."""
    from muster.pipeline import collect

    project = opened(context)
    start = instant(since, project)
    what = project, source or (), start.date() if start else None
    cost = collect.replay_cost(*what, rescore=rescore)
    if cost.texts and not yes:
        agreed(cost.sentence())
    replayed = collect.replay(*what, rescore=rescore)
    telling.fetched(replayed, as_json)
    fail_if(any(one.error for one in replayed))


@app.command()
def erase(
    context: typer.Context,
    source: Annotated[str, typer.Option(help="The source they are a member of.")],
    member: Annotated[str, typer.Option(help="Their id there (members.member_id).")],
    as_json: Json = False,
) -> None:
    """Erase a member from lake, site and outbox for good; the totals stay."""
    from muster.pipeline.erase import erase as erase_member

    erased = erase_member(opened(context), source, member)
    if as_json:
        say_json(asdict(erased))
        return
    rows = ", ".join(f"{count:,} {table}" for table, count in erased.rows.items()) or "no rows"
    say(f"{source}: {rows}, {erased.raw_items:,} raw items, {erased.mails:,} mails erased")
    if not (erased.rows or erased.raw_items or erased.mails):
        say(f"Nothing is held under the id {member!r} there, or not any more: is it the right one?")
    if erased.aside:
        say(f"{erased.aside:,} objects that a repair had set aside were removed")
    for key in erased.look:
        say(f"{key} lies in the inbox: take it away if it names them")
    muster = called(context.obj)
    say(f"They will not come back. Next: {muster} measure, then {muster} report")


@app.command()
def export(
    context: typer.Context,
    source: Annotated[str, typer.Option(help="The source they are a member of.")],
    member: Annotated[str, typer.Option(help="Their id there (members.member_id).")],
    output: Annotated[Path, typer.Option("-o", help="A file ending in .json or .zip.")],
    as_json: Json = False,
) -> None:
    """Write all that is held of one member into a file that only you can read."""
    from muster.pipeline import access

    found = access.held(opened(context), source, member)
    counts = found.counts()
    access.write(found, output)
    if as_json:
        say_json({"path": str(output), "counts": counts})
    else:
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        say(f"{output}: {told or 'nothing is held of them'}")
    fail_if(not counts)
