"""The verb that says who is whom: muster people, and accept, reject, undo."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from muster.commands import Json, app, opened
from muster.terminal import say, say_json, say_table

if TYPE_CHECKING:
    from muster.lake.persons import Verb
    from muster.pipeline.people import People

people_app = typer.Typer(help="Who is whom: suggestions, persons, suspected bots.")
app.add_typer(people_app, name="people")

SHOWN = 25

One = Annotated[str, typer.Argument(metavar="A", help="An account: SOURCE/HANDLE or SOURCE/ID.")]
Other = Annotated[str, typer.Argument(metavar="B", help="The other account.")]


@people_app.callback(invoke_without_command=True)
def people(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Every suggestion, not only 25.")] = False,
    as_json: Json = False,
) -> None:
    """Accounts that may be one person, the persons there are, and suspected bots."""
    if context.invoked_subcommand:
        return
    from muster.pipeline.people import overview

    found = overview(opened(context))
    if as_json:
        say_json(asdict(found))
        return
    _say_suggestions(found, None if every else SHOWN)
    _say_persons(found)
    _say_suspected(found)


@people_app.command()
def accept(context: typer.Context, one: One, other: Other, as_json: Json = False) -> None:
    """The two are one person."""
    _decide(context, "accept", one, other, as_json)


@people_app.command()
def reject(context: typer.Context, one: One, other: Other, as_json: Json = False) -> None:
    """The two are not one person: never suggest it again."""
    _decide(context, "reject", one, other, as_json)


@people_app.command()
def undo(context: typer.Context, one: One, other: Other, as_json: Json = False) -> None:
    """Take back the last decision on the two."""
    _decide(context, "undo", one, other, as_json)


def _decide(context: typer.Context, verb: Verb, one: str, other: str, as_json: bool) -> None:
    from muster.pipeline.people import decide

    person = decide(opened(context), verb, one, other)
    if as_json:
        say_json({"decided": verb, "person": person})
        return
    told = " = ".join(person) if len(person) > 1 else f"{person[0]} stands alone"
    say(f"{verb}: {told}. The next measure counts so")


def _say_suggestions(found: People, most: int | None) -> None:
    suggestions = found.suggestions
    if not suggestions:
        say("No suggestions: nothing speaks for two accounts being one person.")
        return
    say("May be one person (muster people accept A B, or reject A B):")
    rows = [
        (one.one, one.other, ", ".join(one.evidence), " = ".join(one.joins))
        for one in suggestions[:most]
    ]
    say_table(("A", "B", "evidence", "accepted, one person"), rows)
    if left := len(suggestions) - len(rows):
        say(f"and {left:,} more: muster people --all")


def _say_persons(found: People) -> None:
    if persons := found.persons:
        say("\nOne person (muster people undo A B):")
        rows = [(" = ".join(one.accounts), "; ".join(one.decisions)) for one in persons]
        say_table(("accounts", "because"), rows)


def _say_suspected(found: People) -> None:
    if suspected := found.suspected:
        say("\nSuspected bots (bots: in muster.yaml confirms, not_bots: clears):")
        heads = ("source", "member_id", "handle", "rule", "days", "most", "since")
        say_table(heads, [[one[head] for head in heads] for one in suspected])
