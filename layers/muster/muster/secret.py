"""A secret's reference in the settings → the secret; it never reaches logs, lake, mail or repo."""

from __future__ import annotations

from collections.abc import Mapping

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


def _from_environment(name: str, environment: Mapping[str, str]) -> str:
    if not environment.get(name):
        raise SourceFailed(f"the environment variable {name} is empty: set it to the token")
    return environment[name]


def _from_cloud(kind: str, name: str) -> str:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        if kind == "ssm":
            answer = boto3.client("ssm").get_parameter(Name=name, WithDecryption=True)
            return str(answer["Parameter"]["Value"])
        return str(boto3.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
    except (BotoCoreError, ClientError) as error:
        raise SourceFailed(f"{kind}:{name} cannot be read: {error}. Put it there first") from error
