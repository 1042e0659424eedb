"""Templates are compiled once: the next process reads them, unless a source has changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from muster.reports import compiled

READ = "from muster.reports import templating; templating.environment('site').get_template('{}')"


def render(source: str) -> str:
    found = Environment(loader=DictLoader({"a.html": source}), bytecode_cache=compiled.Compiled())
    return found.get_template("a.html").render()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(compiled, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path / "cache"


def test_what_was_compiled_is_kept_and_a_changed_source_is_compiled_anew(cache: Path) -> None:
    assert render("{{ 1 + 1 }} one") == "2 one"
    (kept,) = cache.iterdir()
    first = kept.read_bytes()
    assert render("{{ 1 + 1 }} one") == "2 one"
    assert kept.read_bytes() == first
    assert render("{{ 1 + 2 }} other") == "3 other"
    assert kept.read_bytes() != first and len(list(cache.iterdir())) == 1


def test_what_was_compiled_is_used(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render("{{ 1 + 1 }}")
    monkeypatch.setattr(Environment, "compile", lambda *_: pytest.fail("compiled again"))
    assert render("{{ 1 + 1 }}") == "2"


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(cache: Path) -> None:
    cache.parent.joinpath("cache").write_text("a file where the folder should be")
    assert render("{{ 1 + 1 }}") == "2"


def test_whoever_wants_no_bytecode_gets_none(tmp_path: Path) -> None:
    code = f"from muster.reports import compiled; compiled.CACHE = __import__('pathlib').Path({str(tmp_path / 'c')!r}); {READ.format('gone.html')}"  # noqa: E501
    for value in ("1", ""):
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": value}
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)
        assert (tmp_path / "c").exists() == (not value)
