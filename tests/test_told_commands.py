"""Every ``muster …`` that a message or a document tells somebody to type is a command there is."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from muster.command_line import app

HOUSE = Path(__file__).resolve().parents[1]
APPLICATION = get_command(app)
TOLD = re.compile(r"(?<!b\")\bmuster (?:-C \S+ )?([a-z]+)(?: ([a-z]+))?([^`\n|#;&),]*)")
TEXTS = sorted(
    path
    for pattern in ("README.md", "template.yaml", "docs/*.md", "demo/**/*.py", "layers/**/*.py",
                    "layers/**/*.json", "layers/**/*.yaml", "templates/**/*.*")
    for path in HOUSE.glob(pattern)
    if "node_modules" not in path.parts and path.suffix not in (".woff2", ".png")
)  # fmt: skip


def told(path):
    """The commands a file names: first word, second word, the rest, and the line they are in."""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not re.match(r"\s*(from muster import|>?>?>? ?import )", line):
            for found in TOLD.finditer(line):
                yield number, *found.groups(default="")


def trouble(first, second, rest):
    """What is wrong with a command, as it is told; nothing if it can be typed."""
    command = APPLICATION.commands.get(first)
    if command is None:
        return f"there is no muster {first}"
    inner = getattr(command, "commands", {})
    if inner and second and second not in inner:
        return f"there is no muster {first} {second}"
    if "{" in rest:
        return ""  # Part of it is only known when it is said.
    command = inner.get(second, command)
    known = {"-C", *(word for one in command.params for word in one.opts)}
    strange = set(re.findall(r"(?<= )--[a-z][a-z-]*", rest)) - known
    return f"muster {first} {second} takes no {', '.join(sorted(strange))}" if strange else ""


@pytest.mark.parametrize("path", [one for one in TEXTS if any(told(one))], ids=lambda p: p.name)
def test_what_one_is_told_to_type_exists(path):
    found = {f"{path.name}:{line}: {said}" for line, *words in told(path)
             if (said := trouble(*words))}  # fmt: skip
    assert not found


def test_it_would_be_noticed():
    assert "no muster repair" in trouble("repair", "", "")
    assert "no muster lake mend" in trouble("lake", "mend", "")
    assert "takes no --hard" in trouble("lake", "repair", " --hard")
    assert not trouble("report", "", " --report NAME --again")
    assert sum(len(list(told(one))) for one in TEXTS) > 150
