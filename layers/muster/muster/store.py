"""Keys to bytes, in a folder or in S3: get, list, and puts that fail if somebody wrote first."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from muster import content_types, services
from muster.digests import Digests
from muster.errors import Conflict, StoreRefused, Unavailable
from muster.folders import HIDDEN, files_below, refused

CHUNK, MORE_READS = 1024 * 1024, 3
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")
_LOST = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_REFUSED = {
    "AccessDenied", "NoSuchBucket", "InvalidAccessKeyId", "SignatureDoesNotMatch",
    "AllAccessDisabled", "ExpiredToken", "InvalidToken", "PermanentRedirect",
    "InvalidBucketName", "NotImplemented", "401", "403",
}  # fmt: skip
_MISSING = {"NoSuchKey", "404", "NotFound"}


@dataclass(frozen=True)
class Stored:
    """An object's bytes and the ETag to put against."""

    data: bytes
    etag: str


@dataclass(frozen=True)
class Entry:
    """One object of a listing."""

    key: str
    size: int
    etag: str


class Store(Protocol):
    """What Muster asks of a place to keep things; ETags are opaque and change with the content."""

    def get(self, key: str) -> Stored | None:
        """The object, or ``None`` if there is none."""

    def download(self, key: str, path: Path) -> str | None:
        """The object as a file, however large it is; its ETag, or ``None`` if there is none."""

    def put(
        self, key: str, data: bytes, *, if_match: str | None = None, if_new: bool = False
    ) -> str:
        """Write whole or not at all and return the ETag; ``Conflict`` if the condition fails."""

    def delete(self, key: str, *, if_match: str | None = None) -> None:
        """Remove the object; no error if it is not there, ``Conflict`` if it changed."""

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every object whose key starts with ``prefix``, sorted by key."""

    def forget_versions(self) -> None:
        """Remove for good every earlier version that the store has kept of any object."""

    def url(self, key: str = "") -> str:
        """What a Parquet reader can glob: an absolute path or ``s3://bucket/prefix/key``."""

    def urls(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Where a Parquet reader finds each of these objects."""


def open_store(location: str, *, base: Path) -> Store:
    """A folder, relative to ``base``, or ``s3://bucket/prefix``; nothing is made or asked yet."""
    if location.startswith("s3://"):
        return S3Store.at(location)
    if "://" in location:
        raise StoreRefused(f"lake {location!r}: write a folder or s3://bucket/prefix")
    return FolderStore((base / Path(location).expanduser()).absolute())


def checked(key: str) -> str:
    """The key itself, if it can mean one object only, in a folder as in S3."""
    parts = key.split("/")
    if _CONTROL.search(key) or {"", ".", "..", HIDDEN} & set(parts):
        raise StoreRefused(f"key {key[:200]!r} is refused: write plain/names/with/slashes")
    return key


@dataclass(frozen=True)
class FolderStore:
    """Keys are files below ``root``; safe for any number of threads and processes of one machine.

    Locks and unfinished writes lie in a hidden folder that no listing or glob of a table shows.
    A lock is one of 256, by hash of the key: none is ever held while another is taken. The kernel
    frees it when its process dies, and the next writer under it overwrites what was unfinished.
    """

    root: Path

    def get(self, key: str) -> Stored | None:
        path = self._path(key)
        try:
            data = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            if path.is_symlink():  # what it leads to is away, and must not be written anew
                raise refused(self.url(key), error) from error
            return None
        except OSError as error:
            raise refused(self.url(key), error) from error
        return Stored(data, _etag(data))

    def download(self, key: str, path: Path) -> str | None:
        try:
            shutil.copyfile(self._path(key), path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise refused(self.url(key), error) from error
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def put(
        self, key: str, data: bytes, *, if_match: str | None = None, if_new: bool = False
    ) -> str:
        path = self._path(key)
        try:
            with self._locked(_etag(key.encode())[:2]) as unfinished:
                self._compare(key, if_match, if_new)
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(unfinished, data)
                unfinished.replace(path)
        except OSError as error:
            raise refused(self.url(key), error) from error
        return _etag(data)

    def delete(self, key: str, *, if_match: str | None = None) -> None:
        path = self._path(key)
        try:
            with self._locked(_etag(key.encode())[:2]):
                if path.is_file():
                    self._compare(key, if_match, False)
                    path.unlink()
        except OSError as error:
            raise refused(self.url(key), error) from error

    def list(self, prefix: str = "") -> Iterator[Entry]:
        folder = self.root / prefix.rpartition("/")[0] if "/" in prefix else self.root
        if prefix:
            checked(prefix.rstrip("/") or "/")
        memory = Digests(self.root / HIDDEN / "digests.json", prefix)
        try:
            found = (path.relative_to(self.root).as_posix() for path in files_below(folder))
            keys = sorted(key for key in found if key.startswith(prefix))
            yield from (Entry(*found) for found in memory.of(self.root, keys))
        except OSError as error:
            raise refused(error.filename or self.url(prefix), error) from error

    def forget_versions(self) -> None:
        """A folder keeps none, but what a killed writer left unfinished goes."""
        for left in (self.root / HIDDEN).glob("*.unfinished"):
            with self._locked(left.stem):
                left.unlink(missing_ok=True)

    def url(self, key: str = "") -> str:
        return (self.root / key).as_posix() if key else self.root.as_posix()

    def urls(self, keys: Iterable[str]) -> tuple[str, ...]:
        return tuple(map(self.url, keys))

    def _path(self, key: str) -> Path:
        return self.root / checked(key)

    @contextmanager
    def _locked(self, stripe: str) -> Iterator[Path]:
        hidden = self.root / HIDDEN
        hidden.mkdir(parents=True, exist_ok=True)
        with (hidden / f"{stripe}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield hidden / f"{stripe}.unfinished"

    def _compare(self, key: str, if_match: str | None, if_new: bool) -> None:
        if if_match is None and not if_new:
            return
        present = self.get(key)
        if if_new and present is not None:
            raise Conflict(f"{self.url(key)} exists already: read it and merge again")
        if if_match is not None and (present is None or present.etag != if_match):
            raise Conflict(f"{self.url(key)} changed since it was read: read it and merge again")


def _etag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write(path: Path, data: bytes) -> None:
    try:
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            # Without it a power cut may keep the later cursor and lose the earlier rows.
            os.fsync(file.fileno())
    except OSError:  # a full disk: what is no object takes no room there
        path.unlink(missing_ok=True)
        raise


@dataclass(frozen=True)
class S3Store:
    """Keys are objects below ``prefix`` of one bucket; ``client`` is a botocore S3 client."""

    client: Any
    bucket: str
    prefix: str = ""
    page_size: int = 1000

    @classmethod
    def at(cls, location: str) -> S3Store:
        """``s3://bucket/prefix``; endpoint, region and credentials come from the environment."""
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        if not bucket:
            raise StoreRefused(f"lake {location!r} names no bucket: write s3://bucket/prefix")
        within = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        return cls(services.s3(), bucket, within)

    def get(self, key: str) -> Stored | None:
        return self._read(key, lambda found: Stored(found["Body"].read(), found["ETag"]))

    def download(self, key: str, path: Path) -> str | None:
        def keep(found: Any) -> str:
            with path.open("wb") as file:
                file.writelines(found["Body"].iter_chunks(CHUNK))
            return str(found["ETag"])

        etag: str | None = self._read(key, keep)
        return etag

    def _read(self, key: str, take: Callable[[Any], Any], left: int = MORE_READS) -> Any:
        """What is made of an object, if there is one; a body that is cut is asked for again.

        The client itself tries again only until an answer begins.
        """
        from botocore.exceptions import HTTPClientError, IncompleteReadError

        with self._said_plainly(key):
            found = self._asked(key)
            try:
                return take(found) if found else None
            except (HTTPClientError, IncompleteReadError):
                if not left:
                    raise
        return self._read(key, take, left - 1)

    def _asked(self, key: str) -> Any:
        try:
            return self.client.get_object(Bucket=self.bucket, Key=self._key(key))
        except self.client.exceptions.ClientError as error:
            if _code(error) in _MISSING:
                return None
            raise

    def put(
        self, key: str, data: bytes, *, if_match: str | None = None, if_new: bool = False
    ) -> str:
        condition = {"IfNoneMatch": "*"} if if_new else {}
        if if_match is not None:
            condition = {"IfMatch": if_match}
        try:
            with self._said_plainly(key, conditional=bool(condition)):
                answer = self.client.put_object(
                    Bucket=self.bucket,
                    Key=self._key(key),
                    Body=data,
                    # A service may store what came without looking; with it, only what was sent.
                    ContentMD5=b64encode(
                        hashlib.md5(data, usedforsecurity=False).digest()
                    ).decode(),
                    ContentType=content_types.of(key),
                    **condition,
                )
                return str(answer["ETag"])
        except (Conflict, Unavailable) as error:
            there = self._after(error, key)
            if there is None or there.data != data:
                raise
            return there.etag

    def delete(self, key: str, *, if_match: str | None = None) -> None:
        condition = {} if if_match is None else {"IfMatch": if_match}
        try:
            with self._said_plainly(key):
                self._delete(key, condition)
        except (Conflict, Unavailable) as error:
            if self._after(error, key) is not None:
                raise

    def _delete(self, key: str, condition: dict[str, str]) -> None:
        try:
            self.client.delete_object(Bucket=self.bucket, Key=self._key(key), **condition)
        except self.client.exceptions.ClientError as error:
            if _code(error) not in _MISSING or _code(error) == "NoSuchBucket":
                raise

    def _after(self, error: Conflict | Unavailable, key: str) -> Stored | None:
        """What is there after a call that may have been done all the same, its answer lost; then
        the client's next try is in its own way. Raises a conflict that was met at the first."""
        told = getattr(error.__cause__, "response", None) or {}
        if isinstance(error, Conflict) and not told["ResponseMetadata"].get("RetryAttempts"):
            raise error
        return self.get(key)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        with self._said_plainly(prefix):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket,
                Prefix=self.prefix + prefix,
                PaginationConfig={"PageSize": self.page_size},
            )
            objects = [found for page in pages for found in page.get("Contents", ())]
        # Not every service sorts by key, and some list folders as objects that are none of ours.
        for found in sorted(objects, key=lambda found: found["Key"]):
            if not found["Key"].endswith("/"):
                key = found["Key"].removeprefix(self.prefix)
                yield Entry(key, found["Size"], found["ETag"])

    def forget_versions(self) -> None:
        with self._said_plainly(self.prefix):
            pages = self.client.get_paginator("list_object_versions").paginate(
                Bucket=self.bucket, Prefix=self.prefix
            )
            earlier = [one for page in pages for one in page.get("Versions", ())]
            for one in earlier:
                if not one["IsLatest"]:
                    self.client.delete_object(
                        Bucket=self.bucket, Key=one["Key"], VersionId=one["VersionId"]
                    )

    def url(self, key: str = "") -> str:
        return f"s3://{self.bucket}/{self.prefix}{key}".rstrip("/")

    def urls(self, keys: Iterable[str]) -> tuple[str, ...]:
        return tuple(map(self.url, keys))

    def _key(self, key: str) -> str:
        return self.prefix + checked(key)

    @contextmanager
    def _said_plainly(self, key: str, conditional: bool = False) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        try:
            yield
        except ClientError as error:
            raise self._named(key, error, conditional) from error
        except NoCredentialsError as error:
            raise StoreRefused(
                f"{self.url()}: no AWS credentials found: set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            ) from error
        except BotoCoreError as error:
            raise Unavailable(f"{self.url(key)}: {error}: the same call may work later") from error

    def _named(self, key: str, error: Any, conditional: bool) -> Exception:
        code = _code(error)
        # A conditional put on an object that is gone is answered with 404.
        if code in _LOST or (conditional and code in _MISSING):
            return Conflict(f"{self.url(key)} changed since it was read: read it and merge again")
        if code in _REFUSED:
            return StoreRefused(
                f"{self.url(key)}: {code}: check that bucket {self.bucket!r} exists in this region "
                "and that the credentials may get, list, put and delete in it"
            )
        return Unavailable(f"{self.url(key)}: {error}: the same call may work later")


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
