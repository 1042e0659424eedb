"""The settings of a project folder ⇄ those of a stack; nobody's change is lost unasked.

A store is rooted at the stack's own settings: ``s3://LAKE/config``.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from muster.errors import BadSettings, Conflict
from muster.project import SETTINGS_FILE
from muster.settings import Settings
from muster.store import Store

MEMORY = ".muster/config.json"
_log = logging.getLogger(__name__)
# Nothing else of a folder leaves it, and nothing else of a bucket is written into one.
OURS = re.compile(r"muster\.yaml|kpis/\w+\.sql|templates/(email|site)/[\w-]+\.(html|txt|css|js)")


@dataclass(frozen=True)
class Known:
    """A file as it was when folder and bucket last agreed: the object's ETag, the bytes' digest."""

    etag: str
    digest: str


@dataclass(frozen=True)
class Moved:
    """What a push or pull did; ``kept`` are files that stay as they are here, not yet pushed."""

    written: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def local(folder: Path) -> dict[str, bytes]:
    """The files that make a community's settings: ``muster.yaml``, its own KPIs and templates."""
    own = [*(folder / "kpis").rglob("*"), *(folder / "templates").rglob("*")]
    names = {one.relative_to(folder).as_posix(): one for one in own if one.is_file()}
    picked = {SETTINGS_FILE: folder / SETTINGS_FILE, **dict(sorted(names.items()))}
    return {
        key: path.read_bytes() for key, path in picked.items() if _is_ours(key) and path.is_file()
    }


def _is_ours(key: str) -> bool:
    return bool(OURS.fullmatch(key))


def push(folder: Path, lake: Store, *, force: bool = False) -> Moved:
    """Bring the folder's files into the lake.

    ``BadSettings`` if somebody else changed one of them since the last push or pull from here,
    before anything is written; ``force`` writes over it (the bucket keeps the old version). A file
    that is gone here is deleted there only if it was in step with here before.
    """
    files, memory = local(folder), _remembered(folder, lake)
    there = {entry.key: entry.etag for entry in lake.list()}
    gone = [key for key in memory if key not in files and key in there]
    foreign = [key for key in files if _is_foreign(key, files[key], there, memory, lake)]
    foreign += [key for key in gone if there[key] != memory[key].etag]
    if foreign and not force:
        raise BadSettings(_somebody_else(foreign, lake, "muster config pull", "push"))
    changed = [key for key in files if not _is_in_step(key, files[key], there, memory, lake)]
    try:
        for key in sorted(changed, key=_settings_last):
            _put(lake, key, files[key], there, force)
        for key in gone:
            lake.delete(key, if_match=None if force else there[key])
    except Conflict as error:
        raise BadSettings(_somebody_else([key], lake, "muster config pull", "push")) from error
    finally:
        _remember(folder, lake, files, memory)
    return Moved(tuple(changed), tuple(gone))


def _put(lake: Store, key: str, data: bytes, there: Mapping[str, str], force: bool) -> None:
    if force:
        lake.put(key, data)
    elif key in there:
        lake.put(key, data, if_match=there[key])
    else:
        lake.put(key, data, if_new=True)


def _is_foreign(
    key: str, data: bytes, there: Mapping[str, str], memory: Mapping[str, Known], lake: Store
) -> bool:
    """Whether the object is not as we last saw it, and not what we want to put either."""
    known = memory[key].etag if key in memory else None
    return there.get(key) != known and _content(lake, key) != data


def _is_in_step(
    key: str, data: bytes, there: Mapping[str, str], memory: Mapping[str, Known], lake: Store
) -> bool:
    if key in memory and there.get(key) == memory[key].etag:
        return memory[key].digest == _digest(data)
    return _content(lake, key) == data


def pull(folder: Path, lake: Store, *, force: bool = False) -> Moved:
    """Bring the lake's files into the folder; what was only changed here is kept as it is.

    ``BadSettings`` if a file was changed here and there, before anything is written; ``force``
    takes the lake's.
    """
    files, memory = local(folder), _remembered(folder, lake)
    there = dict(_objects(lake))
    if SETTINGS_FILE not in there:
        where = lake.url(SETTINGS_FILE)
        raise BadSettings(f"{where}: not found. Put yours there: muster config push")
    changed_here = {key for key in files.keys() | memory.keys() if _changed(key, files, memory)}
    changed_there = {key for key in there.keys() | memory.keys() if _changed(key, there, memory)}
    differs = {key for key in files.keys() | there.keys() if files.get(key) != there.get(key)}
    both = sorted(changed_here & changed_there & differs)
    if both and not force:
        raise BadSettings(_somebody_else(both, lake, "move yours aside", "pull"))
    kept = sorted(() if force else changed_here & differs)
    taken = sorted(differs - set(kept))
    for key in taken:
        _take(folder / key, there.get(key))
    _remember(folder, lake, local(folder), memory)
    deleted = [key for key in taken if key not in there]
    return Moved(tuple(key for key in taken if key in there), tuple(deleted), tuple(kept))


def unpushed(folder: Path, lake: Store, then: Mapping[str, bytes]) -> list[str]:
    """Files changed here since the last push or pull that are neither as there nor as ``then``."""
    files, memory, there = local(folder), _remembered(folder, lake), dict(_objects(lake))
    changed = [key for key in files if _changed(key, files, memory)]
    return [key for key in changed if files[key] not in (there.get(key), then.get(key))]


def adopt(folder: Path, lake: Store, wanted: Mapping[str, bytes]) -> Moved:
    """Make the folder hold these files; the lake counts as seen, so that a push may follow."""
    there, here = dict(_objects(lake)), local(folder)
    differs = sorted(key for key in here.keys() | wanted.keys() if here.get(key) != wanted.get(key))
    for key in differs:
        _take(folder / key, wanted.get(key))
    _remember(folder, lake, there, {})
    written = tuple(key for key in differs if key in wanted)
    return Moved(written, tuple(key for key in differs if key not in wanted))


def _take(path: Path, data: bytes | None) -> None:
    try:
        if data is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise BadSettings(
            f"{path} cannot be written: {error.strerror}: mend that, then run it again"
        ) from error


def _objects(lake: Store) -> Iterator[tuple[str, bytes]]:
    for entry in lake.list():
        key, stored = entry.key, lake.get(entry.key)
        if stored is not None and _is_ours(key):
            yield key, stored.data


def _changed(key: str, files: Mapping[str, bytes], memory: Mapping[str, Known]) -> bool:
    known = memory[key].digest if key in memory else None
    return (_digest(files[key]) if key in files else None) != known


def _content(lake: Store, key: str) -> bytes | None:
    stored = lake.get(key)
    return stored.data if stored else None


def _settings_last(key: str) -> bool:
    """A goal must not name a KPI that is not there yet."""
    return key == SETTINGS_FILE


def _somebody_else(keys: Iterable[str], lake: Store, instead: str, verb: str) -> str:
    names = ", ".join(keys)
    return (
        f"{names}: somebody else changed it in {lake.url()} since your last push or pull; "
        f"nothing was written. First {instead}, or overwrite: muster config {verb} --force"
    )


def _remembered(folder: Path, lake: Store) -> dict[str, Known]:
    """What folder and lake last agreed on; if nobody can tell, nothing."""
    try:
        told = _agreements(folder).get(lake.url(), {})
        return {key: Known(**known) for key, known in told.items()}
    except (TypeError, AttributeError):
        return {}


def _agreements(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / MEMORY).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}


def _remember(
    folder: Path, lake: Store, files: Mapping[str, bytes], before: Mapping[str, Known]
) -> None:
    """Note every file that is now the same here and there; of the others what was noted before."""
    agreed = {}
    for entry in lake.list():
        key = entry.key
        if key in files and _content(lake, key) == files[key]:
            agreed[key] = Known(entry.etag, _digest(files[key]))
        elif key in before and before[key].etag == entry.etag:
            agreed[key] = before[key]
    told = {key: vars(known) for key, known in sorted(agreed.items())}
    _keep(folder / MEMORY, json.dumps({**_agreements(folder), lake.url(): told}, indent=1))


def _keep(path: Path, text: str) -> None:
    """Write it; the settings are moved by now, so a folder nobody may write into is only told."""
    unfinished = path.with_suffix(".unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        why = f"{path} cannot be written: {error.strerror}"
        _log.warning(
            "%s: what was moved is moved; the next push from here may ask for --force", why
        )


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def unreadable_secrets(settings: Settings, stack: str) -> tuple[str, ...]:
    """References that a function of the stack cannot follow, each with what to do."""
    smtp = [("smtp.password", settings.smtp.password)] if settings.smtp else []
    named = [(f"source {one.name}: token", one.token) for one in settings.sources]
    named += [(f"report {one.name}: chat", chat) for one in settings.reports for chat in one.chat]
    return tuple(
        f"{what} {reference}: functions of the stack read only ssm:/{stack}/…: muster secret set"
        for what, reference in [*named, *smtp]
        if reference and not reference.startswith(f"ssm:/{stack}/")
    )
