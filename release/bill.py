"""What is shipped → a software bill of materials in CycloneDX 1.6, the same bytes each time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from release.shipped import Shipped, beside, packages

SPEC = "1.6"


def bill(version: str, made_at: datetime) -> str:
    """The bill of Muster's release of that version, as JSON; ``made_at`` is its commit's time."""
    parts = [*packages(), *beside()]
    root = {"type": "application", "name": "muster", "version": version,
            "bom-ref": f"pkg:pypi/muster@{version}", "purl": f"pkg:pypi/muster@{version}",
            "licenses": [{"license": {"id": "Apache-2.0"}}]}  # fmt: skip
    told = {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "version": 1,
        "metadata": {"timestamp": made_at.isoformat(), "component": root},
        "components": [_component(part) for part in parts],
        "dependencies": _dependencies(root["bom-ref"], parts),  # type: ignore[arg-type]
    }
    # Named by what it says: whoever makes the same bill gives it the same name.
    told["serialNumber"] = f"urn:uuid:{uuid5(NAMESPACE_URL, json.dumps(told, sort_keys=True))}"
    return json.dumps(told, indent=1, sort_keys=True) + "\n"


def _component(part: Shipped) -> Mapping[str, Any]:
    found: dict[str, Any] = {
        "type": "library" if part.purl.startswith(("pkg:pypi", "pkg:npm")) else "data",
        "name": part.name, "version": part.version, "bom-ref": part.purl, "purl": part.purl,
        "licenses": [{"expression": part.licence}],
        "properties": [{"name": "muster:where", "value": where} for where in part.where],
    }  # fmt: skip
    if part.what:
        found["description"] = part.what
    if part.hashes:  # of its files, one of which a machine installs; CycloneDX knows no "one of"
        found["externalReferences"] = [
            {"type": "distribution", "url": part.purl,
             "hashes": [{"alg": "SHA-256", "content": each.removeprefix("sha256:")}]}
            for each in part.hashes
        ]  # fmt: skip
    return found


def _dependencies(root: str, parts: list[Shipped]) -> list[Mapping[str, Any]]:
    refs = {part.name: part.purl for part in parts}
    needed = {name for part in parts for name in part.needs}
    first = sorted(ref for name, ref in refs.items() if name not in needed)
    told = [{"ref": root, "dependsOn": first}]
    return told + [
        {"ref": part.purl, "dependsOn": sorted(refs[name] for name in part.needs if name in refs)}
        for part in parts
    ]
