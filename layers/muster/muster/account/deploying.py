"""A clone and a plan → a stack, by ``sam build`` and ``sam deploy``."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from muster.account.aws import client
from muster.account.checks import Plan
from muster.errors import AccountRefused, BadSettings

BUILT = Path(".aws-sam") / "build"


def clone(folder: Path | None) -> Path:
    """The clone that holds ``template.yaml``: ``folder``, this one, or where this code lies."""
    places = [folder] if folder else [Path(), Path(__file__).resolve().parents[4]]
    for place in places:
        if (place / "template.yaml").is_file():
            return place
    raise BadSettings(
        f"{places[0].absolute()} holds no template.yaml: clone Muster's repository, and run this "
        "in it or name it with --clone"
    )


def build(place: Path, plan: Plan) -> Path:
    """Build functions and layers; returns the folder they are in."""
    processor = plan.values.get("Architecture", "arm64")
    _sam(place, ["build"], {"ARCH": processor})
    return place / BUILT


def deploy(place: Path, plan: Plan) -> None:
    """Deploy what was built; parameters that are not named keep their values."""
    where = client("cloudformation").meta.region_name  # SAM does not look at AWS_REGION
    words = ["deploy", "--stack-name", plan.stack, "--region", where, "--no-confirm-changeset",
             "--no-fail-on-empty-changeset"]  # fmt: skip
    if plan.parameters:
        words += ["--parameter-overrides", *(_pair(*one) for one in plan.parameters.items())]
    _sam(place, words, {})


def _pair(key: str, value: str) -> str:
    """A parameter as SAM reads it: unquoted it would stop at a space, and take no empty one."""
    is_plain = re.fullmatch(r"[^\s\"\\]+", value)
    quoted = '"' + value.replace('"', '\\"') + '"'
    return f"{key}={value if is_plain else quoted}"


def _sam(place: Path, words: Sequence[str], more: dict[str, str]) -> None:
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", **more}
    ended = subprocess.run(["sam", *words], cwd=place, env=environment, check=False)
    if ended.returncode:
        raise AccountRefused(f"sam {words[0]} ended with {ended.returncode}: see above")
