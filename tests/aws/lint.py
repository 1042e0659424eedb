"""The template → what SAM makes of it, checked where cfn-lint looks away inside SAM's own types.

Also what no linter sees: that each handler's file is there, and each state machine's steps are.
Run by ``make lint-aws`` with the tools' own Python.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

HOUSE = Path(__file__).resolve().parents[2]
ARTEFACT = "s3://artefacts/built.zip"


class NoManagedPolicies:
    """The template names no managed policy, so none is looked up."""

    def load(self) -> dict[str, str]:
        return {}


def main() -> None:
    template = yaml_parse((HOUSE / "template.yaml").read_text("utf-8"))
    wrong = [*missing_files(template), *dangling_steps(template), *unknown_zones(template)]
    wrong += lint(plain_of(template))
    print("\n".join(wrong) or "template.yaml and what SAM makes of it are clean")
    sys.exit(bool(wrong))


def of_type(template: dict[str, Any], kind: str) -> dict[str, Any]:
    """The properties of every resource of a kind, by its name."""
    found = template["Resources"].items()
    return {name: one["Properties"] for name, one in found if one["Type"] == kind}


def missing_files(template: dict[str, Any]) -> list[str]:
    """Handlers and layers that point nowhere."""
    common = template["Globals"]["Function"]
    wrong = []
    for name, one in of_type(template, "AWS::Serverless::Function").items():
        module, _, function = one.get("Handler", common["Handler"]).rpartition(".")
        file = HOUSE / one["CodeUri"] / f"{module}.py"
        if not file.is_file() or f"def {function}(event, context)" not in file.read_text("utf-8"):
            wrong.append(f"{name}: no {function}(event, context) in {file}")
    for name, one in of_type(template, "AWS::Serverless::LayerVersion").items():
        makefile = HOUSE / one["ContentUri"] / "Makefile"
        if not makefile.is_file() or f"\nbuild-{name}:" not in makefile.read_text("utf-8"):
            wrong.append(f"{name}: no target build-{name} in {makefile}")
    return wrong


def dangling_steps(template: dict[str, Any]) -> list[str]:
    """Steps that are named but not there, and names the template does not fill in."""
    wrong = []
    for name, one in of_type(template, "AWS::Serverless::StateMachine").items():
        text = (HOUSE / one["DefinitionUri"]).read_text("utf-8")
        wrong += [f"{name}: no step {step!r}" for step in _dangling(json.loads(text))]
        unfilled = set(re.findall(r"\$\{(\w+)\}", text)) ^ set(one["DefinitionSubstitutions"])
        wrong += [f"{name}: {key} is only on one side" for key in sorted(unfilled)]
    return wrong


def _dangling(machine: dict[str, Any]) -> list[str]:
    steps = machine["States"]
    named = [machine["StartAt"]]
    for step in steps.values():
        branches = [step, *step.get("Choices", ()), *step.get("Catch", ())]
        named += [one[key] for one in branches for key in ("Next", "Default") if key in one]
    inner = [step["ItemProcessor"] for step in steps.values() if "ItemProcessor" in step]
    return [step for step in named if step not in steps] + [
        found for one in inner for found in _dangling(one)
    ]


def unknown_zones(template: dict[str, Any]) -> list[str]:
    """A default time zone that Scheduler would refuse."""
    zone = template["Parameters"]["Timezone"]["Default"]
    return [] if zone in available_timezones() else [f"Timezone: {zone!r} is no time zone"]


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


def lint(plain: dict[str, Any]) -> list[str]:
    """What cfn-lint says of a template without SAM's types."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.json"
        path.write_text(json.dumps(plain, default=str), "utf-8")
        tool = Path(sys.executable).parent / "cfn-lint"
        command = [str(tool), "--regions", "eu-central-1", "--", str(path)]
        ended = subprocess.run(command, capture_output=True, text=True)
    return (ended.stdout + ended.stderr).strip().splitlines() if ended.returncode else []


if __name__ == "__main__":
    main()
