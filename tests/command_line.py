"""The real command in a process of its own, what it said, and a small project to try it on."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import pytest

from muster import command_line, unneeded
from muster.kpis import catalogue

MINIMAL = "community: Help desk\ntimezone: Europe/Berlin\n"
MESSAGES = """\
message_id,thread_id,parent_id,author_id,author_role,created_at,direction,text,tags
1,1,,anna,member,2026-11-02T09:00:00Z,inbound,"The wifi is broken, terrible",wifi;urgent
2,1,1,desk,staff,2026-11-02T10:30:00Z,outbound,Sorry! Restart it please,
"""
Ended = subprocess.CompletedProcess[str]


def command(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "muster", "-C", str(folder), *words]


def muster(folder: Path, *words: str, typed: str = "", **environment: str) -> Ended:
    """Run it to the end; the AWS settings of this machine play no part."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        command(folder, *words), input=typed, capture_output=True, text=True,
        env={**clean, **environment}, timeout=240,
    )  # fmt: skip


def here(folder: Path, *words: str, **environment: str) -> Ended:
    """The same in this process: spares its start, where only what is said and done matters."""
    said, complained = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch.object(sys, "argv", ["muster", "-C", str(folder), *words]),
        mock.patch.object(unneeded, "hide"),  # tests need numpy
        redirect_stdout(said),
        redirect_stderr(complained),
        pytest.raises(SystemExit) as ended,
    ):
        command_line.run()
    code = int(ended.value.code or 0)
    return Ended(list(words), code, said.getvalue(), complained.getvalue())


def few(patch: pytest.MonkeyPatch, *ids: str) -> None:
    """What is measured ``here`` are these KPIs and a project's own: all take two seconds more."""
    load = catalogue.load
    ours = frozenset(one.id for one in load()) - set(ids)
    patch.setattr(
        catalogue, "load", lambda *where: tuple(it for it in load(*where) if it.id not in ours)
    )


def done(ended: Ended) -> str:
    """What it said, if it went well and nothing was complained about."""
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr
    return ended.stdout


def one_line(ended: Ended) -> str:
    """What was said about the trouble, if it was one line."""
    (line,) = ended.stderr.strip().splitlines()
    return line
