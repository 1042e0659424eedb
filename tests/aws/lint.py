"""The template → what SAM makes of it, checked where linters look away too; says what is wrong.

Run by ``make lint-aws`` with the tools' own Python. ``lint.py TEMPLATE``, for another template.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import jsonata
from complete import incomplete
from machines import expressions, wrong_machine
from policies import policies
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform
from schedule_times import wrong_schedules

HOUSE = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent
POLICY_TOOLS = HOUSE / ".cache" / "aws-policies" / "bin"
ARTEFACT = "s3://artefacts/built.zip"
ENCRYPTED = {"SqsManagedSseEnabled", "KmsMasterKeyId"}


class NoManagedPolicies:
    """The template names no managed policy, so none is looked up."""

    def load(self) -> dict[str, str]:
        return {}


def main() -> None:
    """Say what is wrong, a line each, and fail if anything is."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else HOUSE / "template.yaml"
    template = yaml_parse(path.read_text("utf-8"))
    wrong = [*missing_files(template), *wrong_machines(template), *unknown_zones(template)]
    wrong += [*wrong_schedules(template["Resources"]), *open_queues(template)]
    plain = plain_of(template)
    wrong += [*incomplete(plain), *tools(plain)]
    print("\n".join(wrong) or f"{path.name} and what SAM makes of it are clean")
    sys.exit(bool(wrong))


def of_type(template: dict[str, Any], kind: str) -> dict[str, Any]:
    """The properties of every resource of a kind, by its name."""
    found = template["Resources"].items()
    return {name: one.get("Properties", {}) for name, one in found if one["Type"] == kind}


def missing_files(template: dict[str, Any]) -> Iterator[str]:
    """Handlers and layers that point nowhere."""
    common = template["Globals"]["Function"]
    for name, one in of_type(template, "AWS::Serverless::Function").items():
        module, _, function = one.get("Handler", common["Handler"]).rpartition(".")
        file = HOUSE / one["CodeUri"] / f"{module}.py"
        if not file.is_file() or f"def {function}(event, context)" not in file.read_text("utf-8"):
            yield f"{name}: no {function}(event, context) in {one['CodeUri']}/{module}.py"
    for name, one in of_type(template, "AWS::Serverless::LayerVersion").items():
        makefile = HOUSE / one["ContentUri"] / "Makefile"
        if not makefile.is_file() or f"\nbuild-{name}:" not in makefile.read_text("utf-8"):
            yield f"{name}: no target build-{name} in {one['ContentUri']}/Makefile"


def wrong_machines(template: dict[str, Any]) -> Iterator[str]:
    """What is wrong in a definition, and names that the template does not fill in."""
    code = (HOUSE / "layers/muster/muster/errors.py").read_text("utf-8")
    errors = set(re.findall(r"^class (\w+)\(", code, re.MULTILINE))
    for name, one in of_type(template, "AWS::Serverless::StateMachine").items():
        text = (HOUSE / one["DefinitionUri"]).read_text("utf-8")
        machine = json.loads(text)
        yield from (f"{name}: {said}" for said in wrong_machine(machine, errors))
        yield from (f"{name}: {said}" for said in _unreadable(machine))
        unfilled = set(re.findall(r"\$\{(\w+)\}", text)) ^ set(one["DefinitionSubstitutions"])
        yield from (f"{name}: {key} is only on one side" for key in sorted(unfilled))


def _unreadable(machine: dict[str, Any]) -> Iterator[str]:
    for one in expressions(machine):
        try:
            jsonata.Jsonata(one)
        except jsonata.JException as error:
            yield f"{one!r} is no JSONata: {error}"


def unknown_zones(template: dict[str, Any]) -> list[str]:
    """A default time zone that Scheduler would refuse."""
    zone = template["Parameters"]["Timezone"]["Default"]
    return [] if zone in available_timezones() else [f"Timezone: {zone!r} is no time zone"]


def open_queues(template: dict[str, Any]) -> Iterator[str]:
    """Queues without encryption: checkov does not know the key that SQS keeps itself."""
    for name, one in of_type(template, "AWS::SQS::Queue").items():
        if not ENCRYPTED & set(one):
            yield f"{name}: messages are not encrypted: SqsManagedSseEnabled: true"


def plain_of(template: dict[str, Any]) -> dict[str, Any]:
    """The template as CloudFormation sees it, with artefacts where ``sam deploy`` puts them."""
    for one in of_type(template, "AWS::Serverless::Function").values():
        one["CodeUri"] = ARTEFACT
    for one in of_type(template, "AWS::Serverless::LayerVersion").values():
        one["ContentUri"] = ARTEFACT
    for one in of_type(template, "AWS::Serverless::StateMachine").values():
        one["Definition"] = json.loads((HOUSE / one.pop("DefinitionUri")).read_text("utf-8"))
    found: dict[str, Any] = transform(template, {}, NoManagedPolicies())
    return found


def tools(plain: dict[str, Any]) -> Iterator[str]:
    """What cfn-lint, checkov and parliament say of a template without SAM's types."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.json"
        path.write_text(json.dumps(plain, default=str), "utf-8")
        yield from _said(TOOLS / "cfn-lint", "--regions", "eu-central-1", "--", str(path))
        yield from _said(
            POLICY_TOOLS / "checkov", "-f", str(path), "--framework", "cloudformation",
            "--config-file", str(HOUSE / "infra" / "checkov.yaml"),
        )  # fmt: skip
        found = Path(folder) / "policies"
        found.mkdir()
        for name, policy in policies(plain):
            (found / f"{name}.json").write_text(json.dumps(policy), "utf-8")
        yield from _said(POLICY_TOOLS / "parliament", "--directory", str(found))


def _said(*command: object) -> list[str]:
    """What a tool complains about, each line once; it says so by its exit code."""
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
    ended = subprocess.run(
        [str(one) for one in command],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, env=quiet,
    )  # fmt: skip
    said = (ended.stdout or ended.stderr).strip().splitlines() if ended.returncode else []
    return list(dict.fromkeys(line[:300] for line in said))


if __name__ == "__main__":
    main()
