"""The verbs about the lake's health: lake check, lake repair."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any

import typer

from muster.commands import Json, app, fail_if, opened
from muster.terminal import progress, say, say_json

lake_app = typer.Typer(help="The health of the lake.", no_args_is_help=True)
app.add_typer(lake_app, name="lake")


@lake_app.command("check")
def lake_check(context: typer.Context, as_json: Json = False) -> None:
    """Look at every object of the lake and say what is wrong, where, and what to do."""
    from muster.pipeline import health

    with progress() as notify:
        checked = health.check(opened(context, notify))
    if as_json:
        told = {"objects": checked.objects, "is_well": checked.is_well}
        say_json(told | {"found": _plain(checked.found)})
    else:
        _say(checked.found)
        say(f"{checked.objects:,} objects checked: {_verdict(checked)}")
    fail_if(not checked.is_well)


@lake_app.command("repair")
def lake_repair(context: typer.Context, as_json: Json = False) -> None:
    """Mend what can be mended without loss; what cannot be is set aside and named."""
    from muster.pipeline import health

    with progress() as notify:
        repaired = health.repair(opened(context, notify))
    if as_json:
        parts = {"mended": repaired.mended, "left": repaired.left}
        told = {name: _plain(found) for name, found in parts.items()}
        say_json({"is_well": repaired.is_well, "aside": repaired.aside} | told)
    else:
        for one in repaired.mended:
            say(f"mended: {one.where}: {one.what()}")
        for place in repaired.aside:
            say(f"set aside: {place}")
        _say(one for one in repaired.left if one.kind != "aside")
        say(f"{len(repaired.mended):,} mended: {_verdict(repaired)}")
    fail_if(not repaired.is_well)


def _say(found: Iterable[Any]) -> None:
    for one in found:
        say(f"{'BAD ' if one.is_wrong else 'note'} {one.sentence()}")


def _verdict(result: Any) -> str:
    return "the lake is well" if result.is_well else "something is wrong"


def _plain(found: Iterable[Any]) -> list[dict[str, Any]]:
    return [
        asdict(one) | {"is_wrong": one.is_wrong, "what": one.what(), "do": one.do} for one in found
    ]


@lake_app.command("expire")
def lake_expire(
    context: typer.Context,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only say what would go; nothing is deleted.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Delete what has stayed longer than `keep:` says; every fetch does the same."""
    from muster.pipeline import retention

    project = opened(context)
    if preview:
        found = [(kind, len(entries)) for _, kind, entries in retention.expired(project)]
        gone = {kind: sum(count for one, count in found if one == kind) for kind, _ in found}
    else:
        gone = retention.expire(project)
    if as_json:
        say_json({"objects": gone, "preview": preview})
        return
    told = ", ".join(f"{count:,} objects of {kind}" for kind, count in gone.items())
    say(f"{'would go' if preview else 'gone'}: {told or 'nothing'}")
