"""Who may read the site behind its password: site password, site lock."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from muster.commands import app
from muster.commands.remote import Stack
from muster.terminal import say, secret

site_app = typer.Typer(help="Who may read the site behind its password.", no_args_is_help=True)
app.add_typer(site_app, name="site")

User = Annotated[str, typer.Option(help="The name they type beside the password.")]


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
