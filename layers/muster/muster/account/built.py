"""The folder ``sam build`` wrote → how much every function weighs with its layers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from muster.errors import AccountRefused

LIMIT = 250 * 1024 * 1024  # unzipped, the function with all of its layers: AWS's rule


class _Template(yaml.SafeLoader):
    """CloudFormation's short forms as what they hold: ``!Ref Library`` is ``Library``."""


def _held(loader: Any, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


_Template.add_multi_constructor("!", _held)


def check_sizes(built: Path) -> dict[str, int]:
    """Bytes per function; ``AccountRefused`` if AWS would refuse one."""
    found = dict(_sizes(built))
    for name, size in found.items():
        if size > LIMIT:
            raise AccountRefused(
                f"{name} weighs {size >> 20} MB with its layers, and Lambda takes 250 MB: look "
                "for what is new in layers/*/requirements.txt"
            )
    return found


def _sizes(built: Path) -> Iterator[tuple[str, int]]:
    template = (built / "template.yaml").read_text(encoding="utf-8")
    resources = yaml.load(template, Loader=_Template)["Resources"]
    weights = {
        name: _weight(built / one["Properties"][key])
        for name, one in resources.items()
        for key in ("ContentUri", "CodeUri")
        if isinstance(one.get("Properties", {}).get(key), str)
    }
    for name, one in resources.items():
        if one["Type"] == "AWS::Serverless::Function":
            layers = [_named(layer) for layer in one["Properties"].get("Layers", ())]
            yield name, sum(weights.get(part, 0) for part in [name, *layers])


def _named(reference: Any) -> str:
    """A layer's name, in the short form or as SAM writes it out."""
    return str(reference["Ref"] if isinstance(reference, dict) else reference)


def _weight(folder: Path) -> int:
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
