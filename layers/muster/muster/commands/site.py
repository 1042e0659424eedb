"""Who may read the site behind its password: site password, site lock."""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64encode
from typing import Annotated, Any

import typer

from muster.commands import app
from muster.errors import BadSettings, Unavailable
from muster.terminal import say

site_app = typer.Typer(help="Who may read the site behind its password.", no_args_is_help=True)
app.add_typer(site_app, name="site")

Stack = Annotated[str, typer.Option(help="Name of the stack.")]
User = Annotated[str, typer.Option(help="The name they type beside the password.")]
SHORTEST = 12


@site_app.command("password")
def password(stack: Stack = "muster", user: User = "reader") -> None:
    """Let a reader in; asks for the password and keeps a salted hash of it."""
    word = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    _put(stack, user, hashed(user, word, secrets.token_hex(16)))
    say(f"{user!r} may read the site of {stack}. Whoever had another password there has it no more")


@site_app.command("lock")
def lock(stack: Stack = "muster", user: User = "reader") -> None:
    """Let a reader in no more."""
    _change(stack, lambda client, store, etag: client.delete_key(
        KvsARN=store, Key=user, IfMatch=etag
    ))  # fmt: skip
    say(f"{user!r} may no longer read the site of {stack}")


def hashed(user: str, word: str, salt: str) -> str:
    """What the site's doorkeeper compares: salt, and SHA-256 of salt and the browser's answer."""
    if len(word) < SHORTEST:
        raise BadSettings(f"the password is short: take {SHORTEST} characters or more")
    if ":" in user or not user:
        raise BadSettings(f"user {user!r}: a name without a colon")
    pair = b64encode(f"{user}:{word}".encode()).decode()
    return f"{salt}:{hashlib.sha256((salt + pair).encode()).hexdigest()}"


def _put(stack: str, user: str, value: str) -> None:
    _change(stack, lambda client, store, etag: client.put_key(
        KvsARN=store, Key=user, Value=value, IfMatch=etag
    ))  # fmt: skip


def _change(stack: str, change: Any) -> None:
    """Change the store of the stack's readers, unless somebody else changes it at that moment."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        store = _store(boto3.client("cloudformation"), stack)
        client = boto3.client("cloudfront-keyvaluestore")
        change(client, store, client.describe_key_value_store(KvsARN=store)["ETag"])
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(f"the site of {stack}: {error}") from error


def _store(client: Any, stack: str) -> str:
    outputs = client.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", ())
    found = {one["OutputKey"]: one["OutputValue"] for one in outputs}
    if "SiteUsers" not in found:
        raise BadSettings(f"the site of {stack} asks for no password: deploy SiteAccess=password")
    return str(found["SiteUsers"])
