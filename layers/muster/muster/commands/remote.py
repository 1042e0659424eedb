"""The verbs about what a stack reads: config, secret."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from muster import telling
from muster.commands import Json, app, fail_if_unwell, opened
from muster.terminal import say, say_json, say_table, secret, warn

config_app = typer.Typer(
    help="The settings of a stack: muster.yaml and your own KPIs in its bucket.",
    no_args_is_help=True,
)
secret_app = typer.Typer(help="The secrets of a stack, encrypted in SSM.", no_args_is_help=True)
app.add_typer(config_app, name="config")
app.add_typer(secret_app, name="secret")

Stack = Annotated[str, typer.Option(help="Name of the stack.")]
Name = Annotated[str, typer.Argument(help="Its name, e.g. FORUM_TOKEN.")]
Lake = Annotated[
    str | None, typer.Option(metavar="S3", help="s3://bucket, instead of asking the stack.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what somebody else changed.")]


@config_app.command("check")
def config_check(context: typer.Context, stack: Stack = "muster", as_json: Json = False) -> None:
    """Check muster.yaml, own KPIs, goals and reports, without any network."""
    _checked(context, stack, as_json)


@config_app.command("push")
def config_push(
    context: typer.Context,
    stack: Stack = "muster",
    lake: Lake = None,
    force: Force = False,
) -> None:
    """Check the settings and put them into the stack's bucket; the next hour uses them."""
    push_settings(context, stack, lake, force)


def push_settings(
    context: typer.Context, stack: str, lake: str | None = None, force: bool = False
) -> None:
    """Check, push, and tell what was put."""
    from muster.account import config

    _checked(context, stack, False)
    store = _lake(context, stack, lake)
    _tell_moved(config.push(context.obj, store, force=force), store.url(), "put")


@config_app.command("pull")
def config_pull(
    context: typer.Context,
    stack: Stack = "muster",
    lake: Lake = None,
    force: Force = False,
    version: Annotated[
        str | None,
        typer.Option(metavar="ID", help="As they were when this version was written: see history."),
    ] = None,
) -> None:
    """Bring the stack's settings into this folder; what you changed here is kept."""
    from muster.account import config, history

    store = _lake(context, stack, lake)
    if version is None:
        _tell_moved(config.pull(context.obj, store, force=force), str(context.obj), "written")
        return
    chosen, moved = history.pull(context.obj, store, version, force=force)
    _tell_moved(moved, str(context.obj), "written")
    say(f"settings as of {_told(chosen.at)}; muster config push puts them back in force")


@config_app.command("history")
def config_history(
    context: typer.Context, stack: Stack = "muster", lake: Lake = None, as_json: Json = False
) -> None:
    """Every version of the settings that the bucket still has, newest first."""
    from muster.account import history

    found = history.versions(_lake(context, stack, lake))
    if as_json:
        say_json([asdict(one) for one in found])
        return
    rows = [(_told(one.at), one.file, f"{one.what}, now" if one.is_now else one.what, one.id)
            for one in found]  # fmt: skip
    say_table(("when", "file", "what", "version"), rows)


def _told(at: datetime) -> str:
    return f"{at.astimezone(UTC):%F %T} UTC"


def _checked(context: typer.Context, stack: str, as_json: bool) -> None:
    """Everything that can be checked here; ends the command if something is wrong."""
    from muster.account.config import unreadable_secrets
    from muster.pipeline.doctor import checkup_of_settings

    project = opened(context)
    findings = checkup_of_settings(project)
    telling.findings(findings, as_json)
    for line in unreadable_secrets(project.settings, stack):
        warn(line)
    fail_if_unwell(findings)


def _lake(context: typer.Context, stack: str, lake: str | None) -> Any:
    """Where a stack's settings lie; by default it is asked."""
    from muster.account import aws
    from muster.store import open_store

    return open_store(f"{lake}/config" if lake else aws.settings_place(stack), base=context.obj)


def _tell_moved(moved: Any, place: str, verb: str) -> None:
    for key in moved.written:
        say(f"{verb}: {key}")
    for key in moved.deleted:
        say(f"deleted: {key}")
    for key in moved.kept:
        say(f"kept as it is here, not pushed yet: {key}")
    count = len(moved.written) + len(moved.deleted)
    say(f"{place}: {count} changed" if count else f"{place}: nothing to change")


@secret_app.command("set")
def secret_set(name: Name, stack: Stack = "muster") -> None:
    """Put a secret, asked for unseen or read from stdin; prints the line for muster.yaml."""
    from muster.account import secrets

    reference = secrets.put(stack, name, secret(f"Value of {name}"))
    say(f"token: {reference}")


@secret_app.command("list")
def secret_list(stack: Stack = "muster", as_json: Json = False) -> None:
    """The stack's secrets by name; never a value."""
    from muster.account import secrets

    found = secrets.kept(stack)
    if as_json:
        say_json([asdict(one) for one in found])
        return
    rows = [(one.name, one.reference, f"{one.changed_at:%F %R %Z}") for one in found]
    say_table(("name", "reference", "changed"), rows)


@secret_app.command("remove")
def secret_remove(name: Name, stack: Stack = "muster") -> None:
    """Remove a secret."""
    from muster.account import secrets

    secrets.remove(stack, name)
    say(f"/{stack}/{name} removed")
