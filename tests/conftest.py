"""What every suite may use: golden files, compared as text and renewed by one command."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.retries import standard
from hypothesis import HealthCheck, settings
from thorough import tries
from xdist import plugin as xdist

# Where this is set, as in many containers, each program that a test starts compiles all its
# libraries anew: that was three fifths of the time of a ``muster sql``.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Programs are killed here, but no machine is: what is written is there without waiting for a disk.
os.fsync = lambda _: None  # type: ignore[assignment]

# No test depends on how fast the machine is.
settings.register_profile(
    "muster",
    deadline=None,
    max_examples=tries(50, 200),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("muster")

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--renew", action="store_true", help="write the golden files anew")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are processors, as many tests wait for programs and servers."""
    return xdist.pytest_xdist_auto_num_workers(config) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First what runs whole programs (files at the top), so that no worker is alone at the end."""
    items.sort(key=lambda item: len(item.path.parts))


@pytest.fixture
def aws_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process has an account and a region; where they are asked, the test says."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "muster-test")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "eu-central-1")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What botocore tries again in this process, it tries again without a pause."""
    monkeypatch.setattr(standard.ExponentialBackoff, "delay_amount", lambda *_: 0.0)


@pytest.fixture
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str, str], None]:
    """Compares a text with the golden file of that name, or writes it under ``--renew``."""

    def compare(name: str, actual: str) -> None:
        file = GOLDEN / name
        if request.config.getoption("--renew"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(actual, encoding="utf-8", newline="")
        expected = file.read_bytes().decode() if file.exists() else ""
        if actual != expected:
            found = tmp_path / Path(name).name
            found.write_text(actual, encoding="utf-8", newline="")
            pytest.fail(f"{file} differs from {found}; look, then renew all: make renew")

    return compare
