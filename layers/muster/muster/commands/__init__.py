"""What every command shares: the application, the project of ``-C``, and how a verb fails."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

import muster
from muster.clock import parse_instant, system_clock
from muster.errors import BadSettings
from muster.terminal import asking, say, warn

app = typer.Typer(
    name="muster",
    help="Musters what a community says into Parquet, measures it, and mails what changed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout.")]
Since = Annotated[str | None, typer.Option(help="Local date or instant to read from.")]
Until = Annotated[str | None, typer.Option(help="Local date or instant to read to.")]
AsOf = Annotated[str | None, typer.Option(help="Local date or instant, exclusive; now if absent.")]
Only = Annotated[list[str] | None, typer.Option("--source", help="Only this source; repeatable.")]


def _say_version(is_asked: bool) -> None:
    if is_asked:
        say(f"muster {muster.__version__}")
        raise typer.Exit


@app.callback()
def _folder(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Option("-C", metavar="DIR", help="Project folder with muster.yaml.")
    ] = Path(),
    version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say it and exit."),
    ] = False,
) -> None:
    context.obj = folder


def opened(context: typer.Context, notify: Any = lambda _: None) -> Any:
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


def instant(text: str | None, project: Any) -> datetime | None:
    """A date or instant of the command line, in the community's time zone."""
    return parse_instant(text, project.settings.zone) if text else None


def fail_if_unwell(findings: Any) -> None:
    """End with the gravest exit code of what was found wrong."""
    code = max((finding.exit_code for finding in findings if not finding.is_well), default=0)
    fail_if(bool(code), code)


def fail_if(failed: bool, code: int = 1) -> None:
    """End with an exit code, once everything that could be done is done and said."""
    if failed:
        raise typer.Exit(code)


def say_price(project: Any, names: Sequence[str] = ()) -> None:
    """Say beforehand what scoring costs, where it is paid for."""
    from muster.pipeline import moods

    if moods.is_paid(project, names):
        warn(moods.price_list())


def agreed(price: str) -> None:
    """Ask whether to pay; nobody there to say yes is a no."""
    ask = asking()
    if ask is None:
        raise BadSettings(f"{price}: say --yes to pay for it")
    if ask(f"{price}. Go on? (yes, no)").strip().lower() not in ("y", "yes"):
        raise BadSettings("nothing was scored and nothing was changed")
