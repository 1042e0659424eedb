"""Real recorded API traffic of ``../shared/data`` → exchanges, bodies, objects; none if absent.

A platform's test names the archives known today; whatever is dropped beside them under the
platform's own name (``reddit-2027.tar.xz``, or a folder ``reddit/`` of cassettes) is found too.
Read are vcr cassettes (YAML, JSON), betamax cassettes, nock fixtures (octokit), exchanges of
``servers/`` and plain JSON bodies.
"""

from __future__ import annotations

import base64
import gzip
import json
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
FOLDERS = ("recordings", "servers", "shapes")
absent = pytest.mark.skipif(not (DATA / "recordings").is_dir(), reason="../shared/data is absent")
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Exchange:
    """One recorded answer: ``body`` is JSON where it is JSON, else text; ``where`` names it."""

    method: str
    url: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)
    where: str = ""

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))


def exchanges(platform: str, *archives: str, host: str = "", status: int | None = 200,
              ) -> list[Exchange]:  # fmt: skip
    """Every recorded exchange of the archives and of what is named after the platform.

    ``host`` is a part of the host's name; ``status`` ``None`` takes refusals too.
    """
    return [
        one
        for name, raw in files(platform, *archives)
        for one in _exchanges(name, raw)
        if host in one.host and status in (None, one.status)
    ]


def bodies(platform: str, *archives: str) -> list[tuple[str, Any]]:
    """Every JSON body with where it was found: of exchanges, and files that are one."""
    found: list[tuple[str, Any]] = []
    for name, raw in files(platform, *archives):
        exchanged = _exchanges(name, raw)
        found += [(one.where, one.body) for one in exchanged if not isinstance(one.body, str)]
        if not exchanged and name.endswith(".json"):
            found.append((name, json.loads(raw)))
    return found


def objects(body: Any, is_one: Callable[[Mapping[str, Any]], bool]) -> Iterator[dict[str, Any]]:
    """Every object anywhere in a body that is one; none is looked for inside of those."""
    if isinstance(body, dict) and is_one(body):
        yield body
        return
    inner = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    for value in inner:
        yield from objects(value, is_one)


def files(platform: str, *archives: str) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file that may hold recorded answers."""
    for folder in FOLDERS:
        for path in sorted((DATA / folder).glob("*")) if (DATA / folder).is_dir() else ():
            if path.name.lower().startswith((platform.lower(), *(a.lower() for a in archives))):
                yield from _inside(str(path))


@cache
def _inside(path: str) -> tuple[tuple[str, bytes], ...]:
    return tuple(_read(Path(path)))


def _read(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file():
                yield f"{path.name}/{file.relative_to(path)}", file.read_bytes()
    elif path.name.endswith((".tar.xz", ".tar.gz", ".tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isfile() else None
                if file and member.name.endswith((".json", ".yaml", ".yml", ".xml")):
                    yield f"{path.name}:{member.name}", file.read()
    else:
        yield path.name, path.read_bytes()


def _exchanges(name: str, raw: bytes) -> list[Exchange]:
    """The exchanges a file holds, whatever recorded it."""
    try:
        told = json.loads(raw) if name.endswith(".json") else None
        told = yaml.load(raw, _YAML) if name.endswith((".yaml", ".yml")) else told
    except (ValueError, yaml.YAMLError):
        return []
    return [one for found in _recorded(told) if (one := _exchange(found, name))]


def _recorded(told: Any) -> Iterable[Any]:
    if isinstance(told, list):
        return told if all(isinstance(one, dict) and "scope" in one for one in told) else ()
    if not isinstance(told, dict):
        return ()
    if "request" in told and "response" in told:
        return (told,)
    return told.get("interactions") or told.get("http_interactions") or ()


def _exchange(found: Mapping[str, Any], name: str) -> Exchange | None:
    if "scope" in found:  # nock
        headers = found.get("responseHeaders") or found.get("rawHeaders") or {}
        url = f"{found['scope']}{found['path']}"
        return Exchange(found.get("method", "GET").upper(), url, int(found["status"]),
                        _headers(headers), found.get("response"), name)  # fmt: skip
    asked, told = found.get("request"), found.get("response")
    if not (isinstance(asked, dict) and isinstance(told, dict)):
        return None
    status = told.get("status")
    status = status.get("code") if isinstance(status, dict) else status
    url = asked.get("uri") or asked.get("url") or asked.get("path") or ""
    return Exchange(str(asked.get("method", "GET")).upper(), str(url), int(status or 0),
                    _headers(told.get("headers") or {}), _body(told.get("body")), name)  # fmt: skip


def _headers(told: Any) -> dict[str, str]:
    if isinstance(told, list) and told and isinstance(told[0], list):  # pairs
        told = dict(told)
    elif isinstance(told, list):  # name, value, name, value
        told = dict(zip(told[::2], told[1::2], strict=False))
    flat = {key: value[0] if isinstance(value, list) and value else value
            for key, value in told.items()}  # fmt: skip
    return {str(key).lower(): str(value) for key, value in flat.items()}


def _body(told: Any) -> Any:
    """The JSON or text of a recorded body, in whichever of the wrappings it is."""
    if isinstance(told, dict) and "base64_string" in told:
        told = base64.b64decode(told["base64_string"])
    elif isinstance(told, dict) and "string" in told:
        told = told["string"]
    elif told is None or isinstance(told, dict | list):
        return told
    raw = told.encode() if isinstance(told, str) else bytes(told)
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error):
            return ""
    text = raw.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text


def within(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every JSON object in a value, however deep."""
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from within(one)
