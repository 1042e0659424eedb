"""What ``sam build`` made → the same, run by Lambda's own Python client instead of a stand-in.

The local AWS would run a function in its own interpreter, among its own packages, with layers
beside the code. So each function is deployed as a custom runtime whose ``bootstrap`` gives it what
it has on Lambda: code at /var/task and layers at /opt, both read-only, boto3 and the runtime client
at /var/runtime, nothing of this machine's packages, a /tmp of 512 MB, and no more memory to write
into than the function has.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FUNCTION = "AWS::Serverless::Function"
# What the local AWS refuses; docs/aws.md says how each is checked instead.
NOT_THERE = {"AWS::Athena::NamedQuery"}
UNSHARE = "unshare --mount" if os.geteuid() == 0 else "unshare --mount --map-root-user"
BOOTSTRAP = """\
#!/bin/bash
set -e
echo "$AWS_ACCESS_KEY_ID $AWS_LAMBDA_FUNCTION_NAME" >> {callers}
export CODE="$LAMBDA_TASK_ROOT"
exec {unshare} bash -ec '
mount -t tmpfs none /var
mkdir /var/task /var/lang /var/runtime /var/none
mount --bind "$CODE" /var/task
mount --bind {runtime} /var/runtime
mount --bind {python} /var/lang
mount --bind /var/none /var/lang/lib/python{version}/site-packages
{layers}
for place in task runtime lang; do mount -o remount,ro,bind /var/$place; done
mount -o remount,ro /var
mount -t tmpfs -o size=512m none /tmp
export LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime TMPDIR=/tmp HOME=/nonexistent
export PYTHONPATH=/var/task:/opt/python:/var/runtime PATH=/var/lang/bin:/usr/bin:/bin
export http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 no_proxy=127.0.0.1,localhost
cd /var/task
ulimit -d $((AWS_LAMBDA_FUNCTION_MEMORY_SIZE * 1024))
[ -z "$STARTED" ] || echo "$EPOCHREALTIME" >&"$STARTED"
exec /var/lang/bin/python{version} -m awslambdaric "$_HANDLER"'
"""


@dataclass(frozen=True)
class Runtime:
    """What Lambda brings: a Python's own folder, and the packages of the runtime client."""

    python: Path
    packages: Path
    version: str


def localize(built: Path, target: Path, runtime: Runtime, callers: Path) -> Path:
    """The template of a copy of ``built`` whose functions run as on Lambda.

    ``callers`` is the file where each started function writes its key and its name.
    """
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(built, target, copy_function=os.link)
    template = target / "template.yaml"
    found = yaml.safe_load(template.read_text("utf-8"))
    resources = {
        name: one for name, one in found["Resources"].items() if one["Type"] not in NOT_THERE
    }
    found["Resources"] = resources
    for one in resources.values():
        for key in ("CodeUri", "ContentUri", "DefinitionUri"):
            if key in one.get("Properties", {}):
                one["Properties"][key] = str(_found(one["Properties"][key], target, built))
    for name, one in resources.items():
        if one["Type"] == FUNCTION:
            folders = [
                Path(resources[layer["Ref"]]["Properties"]["ContentUri"])
                for layer in one["Properties"].get("Layers", ())
            ]
            _through_the_client(one, target / name, folders, runtime, callers)
    template.unlink()  # it is the built one, under two names
    template.write_text(yaml.safe_dump(found, sort_keys=False), "utf-8")
    return template


def _found(place: str, copied: Path, built: Path) -> Path:
    """A built artefact in its copy, what SAM left where it was in its own place."""
    return copied / place if (copied / place).exists() else (built / place).resolve()


def _through_the_client(
    function: dict[str, Any], code: Path, layers: list[Path], runtime: Runtime, callers: Path
) -> None:
    """Give a function a copy of its code with a ``bootstrap``, as a custom runtime has one."""
    if Path(function["Properties"]["CodeUri"]) != code:
        compiled = shutil.ignore_patterns("__pycache__")
        shutil.copytree(function["Properties"]["CodeUri"], code, ignore=compiled)
    text = BOOTSTRAP.format(
        callers=callers, unshare=UNSHARE, runtime=runtime.packages, python=runtime.python,
        version=runtime.version, layers=_mount(layers),
    )  # fmt: skip
    (code / "bootstrap").write_text(text, "utf-8")
    (code / "bootstrap").chmod(0o755)
    function["Properties"].update(CodeUri=str(code), Runtime="provided.al2023")
    function.pop("Metadata", None)


def _mount(folders: list[Path]) -> str:
    """Layers as Lambda lays them: one over the other, the last on top."""
    if not folders:
        return "mount --bind /var/none /opt"
    if len(folders) == 1:
        return f"mount --bind {folders[0]} /opt; mount -o remount,ro,bind /opt"
    lower = ":".join(map(str, reversed(folders)))
    return f"mount -t overlay -o ro,lowerdir={lower} overlay /opt"
