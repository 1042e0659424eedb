"""The verb that says who gets the reports: muster recipients, and restore."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from muster.commands import Json, app, opened
from muster.terminal import say, say_json, say_table

recipients_app = typer.Typer(help="Who gets the reports, who left, and whom mail does not reach.")
app.add_typer(recipients_app, name="recipients")


@recipients_app.callback(invoke_without_command=True)
def recipients(
    context: typer.Context,
    report: Annotated[list[str] | None, typer.Option("--report", help="Only this report.")] = None,
    as_json: Json = False,
) -> None:
    """Every reader of the reports: gets it, unsubscribed, bounced or complained, and since when."""
    if context.invoked_subcommand:
        return
    from muster.pipeline import subscriptions

    found = subscriptions.readers(opened(context), tuple(report or ()))
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
    as_json: Json = False,
) -> None:
    """Mail a reader again who left or whose mails came back; they should have asked for it."""
    from muster.pipeline import subscriptions

    found = subscriptions.take_back(opened(context), report, recipient)
    if as_json:
        say_json(asdict(found))
        return
    say(f"{recipient} {found.state} again: {report}")
