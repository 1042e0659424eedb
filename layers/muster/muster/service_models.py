"""botocore's descriptions of the services that functions call → the same without their prose.

Nine tenths of what a client reads before its first call is documentation, and the endpoints of
four hundred services. Made where the layer is built; :mod:`muster.services` reads it where it runs.
Every operation stays: what is not here, botocore finds among its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "service_models"
#: The services, and what their endpoints are listed under.
CALLED = {
    "s3": "s3", "ssm": "ssm", "secretsmanager": "secretsmanager", "sesv2": "email",
    "glue": "glue", "scheduler": "scheduler", "comprehend": "comprehend",
}  # fmt: skip


def main(folder: Path = FOLDER) -> None:
    """Write the descriptions for the botocore this runs with below ``folder``."""
    import botocore.session

    loader = botocore.session.get_session().get_component("data_loader")
    _write(folder / "endpoints.json", _fewer(loader.load_data("endpoints")))
    for service in CALLED:
        version = loader.determine_latest_version(service, "service-2")
        for kind in ("service-2", "endpoint-rule-set-1"):
            described = loader.load_service_model(service, kind, version)
            _write(folder / service / version / f"{kind}.json", _without_prose(described))


def _fewer(endpoints: Mapping[str, Any]) -> dict[str, Any]:
    """Every partition and region, and of the services those we call."""
    partitions = [
        {**one, "services": {name: one["services"][name] for name in _ours(one["services"])}}
        for one in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _ours(services: Iterable[str]) -> list[str]:
    return [name for name in services if name in CALLED.values()]


def _without_prose(node: Any) -> Any:
    """The same with every ``documentation`` empty: the key is asked for, and may be a member's."""
    if isinstance(node, Mapping):
        return {
            key: "" if key == "documentation" and isinstance(one, str) else _without_prose(one)
            for key, one in node.items()
        }
    return [_without_prose(one) for one in node] if isinstance(node, list) else node


def _write(path: Path, described: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(described, separators=(",", ":")), "utf-8")


if __name__ == "__main__":
    main()
