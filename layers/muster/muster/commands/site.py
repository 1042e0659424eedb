"""The verbs about the site: site ask, and who may read it: site password, site lock."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from muster.commands import app, opened
from muster.commands.remote import Stack
from muster.terminal import say, secret

site_app = typer.Typer(
    help="The site: its page to ask on, and who may read it.", no_args_is_help=True
)
app.add_typer(site_app, name="site")

User = Annotated[str, typer.Option(help="The name they type beside the password.")]


@site_app.command("ask")
def ask(
    context: typer.Context,
    stack: Annotated[
        str | None, typer.Option(help="Onto this stack's site, instead of this folder's.")
    ] = None,
    package: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The npm package, if npm cannot bring it.")
    ] = None,
) -> None:
    """Bring the database that the page “Ask the data” runs in the reader's browser (once)."""
    from muster.account.aws import outputs
    from muster.pipeline import browser_database, publish
    from muster.store import open_store

    found = browser_database.package(package)
    if stack is not None:
        site = open_store(outputs(stack)["Site"], base=Path())
        then = "the next measuring shows it"
    else:
        project = opened(context)
        site = project.site
    size = browser_database.bring(site, found)
    if stack is None:
        publish.publish_site(project)
        then = "muster serve shows it"
    say(f"DuckDB {browser_database.VERSION} ({size} MB) lies on {site.url()}; {then}")


@site_app.command("password")
def password(stack: Stack = "muster", user: User = "reader") -> None:
    """Let a reader in; asks for the password and keeps a salted hash of it."""
    from muster.account import readers

    word = secret(f"Password of {user}").rstrip("\n")
    readers.let_in(stack, user, word, secrets.token_hex(16))
    say(f"{user!r} may read the site of {stack}, with this password only")


@site_app.command("lock")
def lock(stack: Stack = "muster", user: User = "reader") -> None:
    """Let a reader in no more."""
    from muster.account import readers

    readers.keep_out(stack, user)
    say(f"{user!r} may no longer read the site of {stack}")
