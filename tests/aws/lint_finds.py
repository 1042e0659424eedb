"""``make lint-aws`` on a broken template: every mistake is named, by the tool it is there for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
LINT = [str(HOUSE / ".cache" / "aws" / "bin" / "python"), str(HOUSE / "tests" / "aws" / "lint.py")]
# What is written instead of what, and what must be said about it.
MISTAKES = {
    "a wrong hour": ("cron(30 3 ", "cron(30 33 ", "hours '33' is not between 0 and 23"),
    "a zone that is none": ("Default: UTC", "Default: Mars", "'Mars' is no time zone"),
    "a folder that is not there": ("functions/plan", "functions/plam", "functions/plam/app.py"),
    "a name not filled in": ("FetchArn: ", "FetchArm: ", "FetchArm is only on one side"),
    "a queue in the open": (", SqsManagedSseEnabled: true", "", "messages are not encrypted"),
    "an old runtime": ("Runtime: python3.13", "Runtime: python3.12", "runs on python3.12, not"),
    "a log for ever": ("{RetentionInDays: !Ref LogDays}", "{LogGroupClass: STANDARD}", "kept for"),
    "calls without TLS": ('Transport: "false"', 'Transport: "true"', "LakeBucket: answers without"),
    "no old versions": (
        "&versioned {Status: Enabled",
        "&versioned {Status: Suspended",
        "versioned",
    ),
    "cfn-lint: a wrong key": ("MinValue: 1", "MinVale: 1", "'MinVale' was unexpected"),
    "parliament: a wrong action": ("s3:DeleteObject", "s3:DeleteObjekt", "s3:DeleteObjekt"),
    "checkov: a public bucket": ("BlockPublicAcls: true", "BlockPublicAcls: false", "CKV_AWS_53"),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is said of a template with all the mistakes at once."""
    text = (HOUSE / "template.yaml").read_text("utf-8")
    for right, wrong, _ in MISTAKES.values():
        assert right in text, right
        text = text.replace(right, wrong, 1)
    path = tmp_path_factory.mktemp("broken") / "template.yaml"
    path.write_text(text, "utf-8")
    ended = subprocess.run([*LINT, str(path)], capture_output=True, text=True)
    assert ended.returncode == 1, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named(said: str, mistake: str) -> None:
    assert MISTAKES[mistake][2] in said
