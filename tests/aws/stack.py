"""A clone → a stack in the local AWS, by ``muster deploy`` as a user in CI would call it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from emulator import Aws
from localize import Runtime

HOUSE = Path(__file__).resolve().parents[2]
NAME = "muster-local"
PROCESSOR = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
# All that a deploy reads of the repository.
OF_A_CLONE = (
    "template.yaml", "samconfig.toml", "uv.lock", "functions", "layers", "infra", "templates",
)  # fmt: skip
CHOSEN = {
    "Architecture": PROCESSOR,
    "Timezone": "Europe/Berlin",
    "AlarmMail": "alarm@nordufer.example",
    "Sender": "muster@nordufer.example",
    "Recipients": "dean@nordufer.example, rector@nordufer.example",
}
SAM = """\
#!/bin/sh
exec {python} {program} "$@"
"""


@dataclass(frozen=True)
class Tools:
    """The programs that build and deploy, and what the functions run on."""

    sam: Path
    uv: Path
    runtime: Runtime

    def environment(self, work: Path) -> dict[str, str]:
        """What a deploy finds: ``sam``, uv and the functions' Python on the path."""
        places = [work / "bin", self.uv.parent, self.runtime.python / "bin"]
        path = os.pathsep.join([*map(str, places), os.environ["PATH"]])
        runtime = {name: str(value) for name, value in vars(self.runtime).items()}
        told = {"MUSTER_REAL_SAM": str(self.sam), "MUSTER_WORK": str(work)}
        return {"PATH": path, **told, "MUSTER_RUNTIME": json.dumps(runtime)}

    def lay_out(self, work: Path) -> None:
        """Put ``sam`` where :meth:`environment` says."""
        program = work / "bin" / "sam"
        program.parent.mkdir(parents=True)
        here = Path(__file__).with_name("sam_here.py")
        program.write_text(SAM.format(python=sys.executable, program=here), "utf-8")
        program.chmod(0o755)


def clone(folder: Path) -> Path:
    """The repository as it is here, as far as a deploy reads it, and nothing built before."""
    for name in OF_A_CLONE:
        place, target = HOUSE / name, folder / name
        if place.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(place, target)
        else:
            shutil.copytree(place, target, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def words(place: Path, chosen: Mapping[str, str], *more: str) -> list[str]:
    """``muster deploy`` without anybody who could be asked."""
    given = [word for key, value in chosen.items() for word in ("--param", f"{key}={value}")]
    return ["deploy", "--stack", NAME, "--clone", str(place), *given, *more, "--yes"]


@dataclass(frozen=True)
class Stack:
    """A deployed stack; names come from what CloudFormation says of it."""

    aws: Aws
    name: str = NAME

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Every output's value, by its name."""
        return {one["OutputKey"]: one["OutputValue"] for one in self._told("Outputs")}

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Every parameter's value, by its name."""
        return {one["ParameterKey"]: one["ParameterValue"] for one in self._told("Parameters")}

    def _told(self, what: str) -> list[dict[str, str]]:
        (found,) = self.aws.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return list(found.get(what, ()))

    @cached_property
    def resources(self) -> dict[str, str]:
        """The physical name of every resource, by its name in the template."""
        return {name: physical for name, physical, _ in self._listed()}

    def of_type(self, kind: str) -> dict[str, str]:
        """The physical names of the resources of a type."""
        return {name: physical for name, physical, found in self._listed() if found == kind}

    def _listed(self) -> list[tuple[str, str, str]]:
        pages = self.aws.client("cloudformation").get_paginator("list_stack_resources")
        return [(one["LogicalResourceId"], one.get("PhysicalResourceId", ""), one["ResourceType"])
                for page in pages.paginate(StackName=self.name)
                for one in page["StackResourceSummaries"]]  # fmt: skip
