"""The repository → a stack in the local AWS: built, deployed, looked into and deleted with SAM."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml
from emulator import Aws
from localize import Runtime, localize

HOUSE = Path(__file__).resolve().parents[2]
NAME = "muster-local"
PROCESSOR = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")


@dataclass(frozen=True)
class Tools:
    """The programs that build and deploy, and what the functions run on."""

    sam: Path
    uv: Path
    runtime: Runtime

    def built(self, folder: Path) -> Path:
        """What ``sam build`` makes of the repository, for this machine's processor."""
        path = os.pathsep.join([str(self.uv.parent), str(self.runtime.python / "bin"), PATH])
        environment = {**os.environ, "ARCH": PROCESSOR, "SAM_CLI_TELEMETRY": "0", "PATH": path}
        _run([str(self.sam), "build", "--build-dir", str(folder)], environment)
        return folder


@dataclass(frozen=True)
class Stack:
    """A deployed stack; names come from what CloudFormation says of it."""

    aws: Aws
    name: str = NAME

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Every output's value, by its name."""
        (found,) = self.aws.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}

    @cached_property
    def resources(self) -> dict[str, str]:
        """The physical name of every resource, by its name in the template."""
        pages = self.aws.client("cloudformation").get_paginator("list_stack_resources")
        found = [one for page in pages.paginate(StackName=self.name)
                 for one in page["StackResourceSummaries"]]  # fmt: skip
        return {one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in found}

    def of_type(self, kind: str) -> dict[str, str]:
        """The physical names of the resources of a type."""
        pages = self.aws.client("cloudformation").get_paginator("list_stack_resources")
        return {one["LogicalResourceId"]: one["PhysicalResourceId"]
                for page in pages.paginate(StackName=self.name)
                for one in page["StackResourceSummaries"]
                if one["ResourceType"] == kind}  # fmt: skip


PATH = os.environ["PATH"]
CHOSEN = {
    "Architecture": PROCESSOR,
    "Timezone": "Europe/Berlin",
    "AlarmMail": "alarm@nordufer.example",
    "Sender": "muster@nordufer.example",
}


def parameters(template: Path, chosen: Mapping[str, str]) -> list[str]:
    """Those of the chosen values that the template asks for, as ``sam deploy`` takes them."""
    known = yaml.safe_load(template.read_text("utf-8"))["Parameters"]
    missing = {name for name, one in known.items() if "Default" not in one} - set(chosen)
    if missing:
        raise RuntimeError(f"tests/aws/stack.py chooses no value for {', '.join(sorted(missing))}")
    return [f"{name}={value}" for name, value in chosen.items() if name in known]


def deploy(
    aws: Aws, tools: Tools, built: Path, work: Path, chosen: Mapping[str, str] | None = None
) -> Stack:
    """Deploy what was built, or update the stack to it."""
    # A folder for each deploy: functions of the one before may still run from theirs.
    folder = work / f"deployed-{len(list(work.glob('deployed-*'))) + 1}"
    template = localize(built, folder, tools.runtime, work / "callers.txt")
    values = parameters(template, {**CHOSEN, **(chosen or {})})
    command = [
        str(tools.sam), "deploy", "--template-file", str(template), "--stack-name", NAME,
        "--resolve-s3", "--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM",
        "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar",
        "--region", aws.environment["AWS_REGION"], "--parameter-overrides", *values,
    ]  # fmt: skip
    _run(command, aws.environment)
    return Stack(aws)


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    ended = subprocess.run(
        command, cwd=HOUSE, env=dict(environment), capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command[:2])}: {ended.stdout[-6000:]}{ended.stderr[-6000:]}")
