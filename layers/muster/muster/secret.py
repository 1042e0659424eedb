"""A secret's reference in the settings → the secret; it never reaches logs, lake, mail or repo."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe
from tempfile import mkstemp
from typing import Any

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


KEPT = ".secrets"  # beside muster.yaml: what replaced the secret of an environment variable


@dataclass(frozen=True)
class Held:
    """A secret that its platform replaces now and then: read anew, and kept before its first use.

    In the cloud the new one takes the old one's place. An environment variable cannot be set for
    the next run: what replaces it goes into a private file in ``folder`` and counts as long as
    the variable still holds what it replaced, so that a new sign-in is never overruled.
    """

    reference: str | None
    environment: Mapping[str, str] = field(repr=False)
    folder: Path

    def read(self) -> str | None:
        """The secret as it is now; raises as :func:`reveal` does."""
        found = reveal(self.reference, self.environment)
        if found is None or not self._is_variable:
            return found
        return self._kept(found) or found

    def keep(self, secret: str) -> None:
        """Put ``secret`` in the place of the old one; ``SourceFailed`` if that cannot be done."""
        kind, _, name = (self.reference or "").partition(":")
        if self._is_variable:
            self._keep_beside(name, secret)
        elif kind == "ssm":
            with _told(f"ssm:{name}", "cannot be replaced"):
                services.client("ssm").put_parameter(
                    Name=name, Value=secret, Type="SecureString", Overwrite=True
                )
        elif kind == "secretsmanager":
            with _told(f"secretsmanager:{name}", "cannot be replaced"):
                services.client("secretsmanager").put_secret_value(
                    SecretId=name, SecretString=secret
                )

    @property
    def _is_variable(self) -> bool:
        return (self.reference or "").startswith("env:")

    @property
    def _path(self) -> Path:
        return self.folder / KEPT / f"{(self.reference or '').partition(':')[2]}.json"

    def _kept(self, replaced: str) -> str | None:
        """What replaced this very secret, if anything did."""
        try:
            kept = json.loads(self._path.read_text("utf-8"))
            return str(kept["secret"]) if kept["replaces"] == _print(replaced) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _keep_beside(self, name: str, secret: str) -> None:
        text = json.dumps({"replaces": _print(self.environment[name]), "secret": secret})
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._path.parent / ".gitignore").write_text("*\n", "utf-8")
            descriptor, unfinished = mkstemp(dir=self._path.parent)  # for nobody else to read
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(
                    descriptor
                )  # the old one is used up: a power cut must not lose the new one
            Path(unfinished).replace(self._path)
        except OSError as error:
            raise SourceFailed(
                f"what replaces the secret of {name} cannot be kept in {self._path}: "
                f"{error.strerror}: mend that, then sign in anew, as the old one is used up"
            ) from error


def _print(secret: str) -> str:
    """What tells one secret from another without being one."""
    return hashlib.sha256(secret.encode()).hexdigest()


def made(reference: str, environment: Mapping[str, str]) -> str:
    """The secret of a reference; one in SSM that is not there yet is made up and put there.

    Whoever comes second finds what the first one put: SSM does not overwrite it.
    """
    kind, _, name = reference.partition(":")
    if kind == "ssm":
        return _found_or_made_up(name)
    return reveal(reference, environment) or ""


def _from_environment(name: str, environment: Mapping[str, str]) -> str:
    if not environment.get(name):
        raise SourceFailed(f"the environment variable {name} is empty: set it to the token")
    return environment[name]


def _found_or_made_up(name: str) -> str:
    with _told(f"ssm:{name}"):
        parameters = services.client("ssm")
        try:
            return _parameter(name)
        except parameters.exceptions.ParameterNotFound:
            new = token_urlsafe(32)
            with suppress(parameters.exceptions.ParameterAlreadyExists):
                parameters.put_parameter(Name=name, Value=new, Type="SecureString", Overwrite=False)
        return _parameter(name)


def _parameter(name: str) -> str:
    answer = services.client("ssm").get_parameter(Name=name, WithDecryption=True)
    return str(answer["Parameter"]["Value"])


def _from_cloud(kind: str, name: str) -> str:
    with _told(f"{kind}:{name}"):
        if kind == "ssm":
            return _parameter(name)
        found = services.client("secretsmanager").get_secret_value(SecretId=name)
    if "SecretString" not in found:
        raise SourceFailed(f"{kind}:{name} holds bytes: put it there as text")
    return str(found["SecretString"])


@contextmanager
def _told(reference: str, trouble: str = "cannot be read") -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        said = str(error).rstrip(" .:")
        raise SourceFailed(f"{reference} {trouble}: {said}. {_todo(error, trouble)}") from error


def _todo(error: Any, trouble: str) -> str:
    if trouble != "cannot be read":
        return "Allow that, then sign in anew"
    code = getattr(error, "response", {}).get("Error", {}).get("Code")
    if code in ("ParameterNotFound", "ResourceNotFoundException"):
        return "Put it there first, or look whether AWS_REGION is the region it is in"
    return "Sign in as somebody who may read it, and set AWS_REGION to the region it is in"
