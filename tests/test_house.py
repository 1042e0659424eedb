"""The house rules a script can see: one-way imports, short files, documents that are current."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from muster import errors
from muster.kpis import catalogue

HOUSE = Path(__file__).resolve().parents[1]
CODE = sorted(
    path
    for folder in ("layers", "demo", "bench", "docs", "release", "tests", "templates")
    for path in (HOUSE / folder).rglob("*")
    if path.suffix in (".py", ".sql", ".js", ".css", ".html")
    and "golden" not in path.parts
)  # fmt: skip
LONGEST = 400


def test_imports_run_one_way():
    ended = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=HOUSE, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout


def test_no_file_is_longer_than_one_can_take_in():
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in CODE}
    too_long = {str(path): count for path, count in lengths.items() if count > LONGEST}
    assert len(lengths) > 100
    assert not too_long


def test_no_two_test_files_share_a_name():
    """pytest imports them by name alone, and stops all tests where two have one."""
    names = [path.name for path in (HOUSE / "tests").rglob("test_*.py")]
    assert len(names) > 100
    assert sorted(set(names)) == sorted(names)


def test_every_module_says_what_goes_in_and_what_comes_out():
    modules = [path for path in CODE if path.suffix == ".py" and "tests" not in path.parts]
    silent = [path for path in modules if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert not silent


def test_no_stage_is_imported_with_both_heavy_libraries():
    code = """
import sys
import muster.{stage}
heavy = {{'pyarrow', 'duckdb'}} & set(sys.modules)
print(*sorted(heavy))
"""
    allowed = {
        "lake.merge": "pyarrow",
        "kpis.runner": "duckdb",
        "reports.view": "",
        "pipeline.collect": "pyarrow",
        "pipeline.publish": "",
        "command_line": "",
    }
    for stage, expected in allowed.items():
        ended = subprocess.run(
            [sys.executable, "-c", code.format(stage=stage)], capture_output=True, text=True
        )
        assert ended.stdout.split() == expected.split(), (stage, ended.stderr)


def test_a_mail_waits_for_nothing_that_only_site_and_fetch_need():
    code = "import sys, muster.pipeline.reporting; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    others = re.compile(r"muster\.(records|kpis|lake|sources\.\w+|reports\.(site|pages))")
    assert "muster.reports.email" in ended.stdout
    assert not others.findall(ended.stdout)


def test_generated_documents_are_current():
    ended = subprocess.run(
        [sys.executable, HOUSE / "docs" / "generate.py", "--check"], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def raised_errors():
    """Every error of the tree that is raised as itself."""
    found = [one for _, one in inspect.getmembers(errors, inspect.isclass)]
    return [one.__name__ for one in found if not one.__subclasses__() or one is errors.SourceFailed]


@pytest.mark.parametrize("name", raised_errors())
def test_every_error_has_an_entry_in_the_runbook(name):
    runbook = (HOUSE / "docs" / "runbook.md").read_text("utf-8")
    assert re.search(rf"^## {name}$", runbook, re.MULTILINE)
    assert name in (errors.__doc__ or ""), "and its place in the tree that is drawn"


def test_every_kpi_file_and_platform_is_found_without_a_registry():
    """Adding one touches one file: no other file of the library names a KPI."""
    kpis = [path.stem for path in (HOUSE / "layers/muster/muster/kpis").glob("*.sql")]
    library = [p for p in (HOUSE / "layers").rglob("*.py") if "__pycache__" not in p.parts]
    words = set(re.findall(r"[\"'](\w+)[\"']", "".join(p.read_text("utf-8") for p in library)))
    named = {kpi for kpi in kpis if kpi in words} - SHARED_WORDS
    assert len(kpis) >= 29
    assert not named


# Words of the lake's own tables, metrics, kinds of survey and of community, which KPIs happen to
# share; and the first goal that `muster init` proposes stands in its template's text, no word.
SHARED_WORDS = {
    "messages", "followers", "mentions", "csat", "nps",
    "leads", "revenue", "sales",
}  # fmt: skip


def test_every_key_of_a_kpi_s_header_is_explained():
    explained = (HOUSE / "docs" / "kpis.md").read_text("utf-8")
    for key in catalogue._KEYS:
        assert f"`{key}`" in explained
