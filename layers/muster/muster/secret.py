"""A secret's reference in the settings → the secret; it never reaches logs, lake, mail or repo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from secrets import token_urlsafe

from muster import services
from muster.errors import SourceFailed


def reveal(reference: str | None, environment: Mapping[str, str]) -> str | None:
    """``env:NAME``, ``ssm:/path`` or ``secretsmanager:name`` → the secret; none for no reference.

    Raises ``SourceFailed`` naming the reference (never the secret) and what to do.
    """
    if reference is None:
        return None
    kind, _, name = reference.partition(":")
    if kind == "env":
        return _from_environment(name, environment)
    return _from_cloud(kind, name)


def made(reference: str, environment: Mapping[str, str]) -> str:
    """The secret of a reference; one in SSM that is not there yet is made up and put there.

    Whoever comes second finds what the first one put: SSM does not overwrite it.
    """
    kind, _, name = reference.partition(":")
    if kind == "ssm":
        _make_up(name)
    return reveal(reference, environment) or ""


def _from_environment(name: str, environment: Mapping[str, str]) -> str:
    if not environment.get(name):
        raise SourceFailed(f"the environment variable {name} is empty: set it to the token")
    return environment[name]


def _make_up(name: str) -> None:
    with _told(f"ssm:{name}"):
        parameters = services.client("ssm")
        try:
            parameters.get_parameter(Name=name)
        except parameters.exceptions.ParameterNotFound:
            new = token_urlsafe(32)
            with suppress(parameters.exceptions.ParameterAlreadyExists):
                parameters.put_parameter(Name=name, Value=new, Type="SecureString", Overwrite=False)


def _from_cloud(kind: str, name: str) -> str:
    with _told(f"{kind}:{name}"):
        if kind == "ssm":
            answer = services.client("ssm").get_parameter(Name=name, WithDecryption=True)
            return str(answer["Parameter"]["Value"])
        return str(
            services.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
        )


@contextmanager
def _told(reference: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise SourceFailed(f"{reference} cannot be read: {error}. Put it there first") from error
