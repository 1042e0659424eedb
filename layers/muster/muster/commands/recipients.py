"""The verb that says who gets the reports: muster recipients, and restore."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import typer

from muster.commands import Json, app, opened
from muster.terminal import say, say_json, say_table

recipients_app = typer.Typer(help="Who gets the reports, who left, and whom mail does not reach.")
app.add_typer(recipients_app, name="recipients")

Stack = Annotated[
    str | None, typer.Option(help="Of this stack, by its settings there, not of this folder.")
]


@recipients_app.callback(invoke_without_command=True)
def recipients(
    context: typer.Context,
    report: Annotated[list[str] | None, typer.Option("--report", help="Only this report.")] = None,
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """Every reader of the reports: gets it, unsubscribed, bounced or complained, and since when."""
    if context.invoked_subcommand:
        return
    from muster.pipeline import subscriptions

    with _project(context, stack) as project:
        found = subscriptions.readers(project, tuple(report or ()))
    if as_json:
        say_json([asdict(one) for one in found])
        return
    heads = ("report", "recipient", "state", "since", "why")
    say_table(heads, [[getattr(one, head) for head in heads] for one in found])


@recipients_app.command()
def restore(
    context: typer.Context,
    recipient: Annotated[str, typer.Argument(help="The reader's address.")],
    report: Annotated[str, typer.Option(help="The report they asked for again.")],
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """Mail a reader again who left or whose mails came back; they should have asked for it."""
    from muster.pipeline import subscriptions

    with _project(context, stack) as project:
        before, found = subscriptions.take_back(project, report, recipient)
    if as_json:
        say_json(asdict(found))
        return
    how = "as before; they had not left" if before == found else "again"
    say(f"{recipient} {found.state} {how}: {report}")


@contextmanager
def _project(context: typer.Context, stack: str | None) -> Iterator[Any]:
    if stack is None:
        yield opened(context)
        return
    from muster.account.aws import environment_of
    from muster.clock import system_clock
    from muster.project import in_bucket

    with in_bucket(environment_of(stack), clock=system_clock, http=None) as project:
        yield project
