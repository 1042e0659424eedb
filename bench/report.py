"""From a cold process to a finished report (nine charts, mail and site): milliseconds and MB.

Each line is also a multiple of starting Python alone, so that machines can be compared.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUNS = 7
PEAK = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
VIEW = f"""
import sys
sys.path[:0] = [{str(ROOT / "tests" / "reports")!r}]
from dataclasses import replace
from sample import sample_view
view = replace(sample_view(), measures=sample_view().measures[:9])
"""
MAIL = """
from datetime import UTC, datetime
from muster.reports import email
email.render(view, sender="a@example.org", recipient="b@example.org", message_id="1@example.org",
             date=datetime(2026, 11, 23, tzinfo=UTC)).as_bytes()
"""
SITE = """
from muster.reports import site
site.render([view])
"""
STAGES = {
    "python alone": "",
    "a view": VIEW,
    "the site": VIEW + SITE,
    "the mail": VIEW + MAIL,
    "mail and site": VIEW + MAIL + SITE,
}


def cold(code: str) -> tuple[float, float]:
    """(milliseconds, peak MB) of a new process that runs the code."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code + PEAK], check=True, capture_output=True, text=True
    )
    return (time.perf_counter() - start) * 1_000, float(done.stdout)


def main() -> None:
    base = 0.0
    for name, code in STAGES.items():
        runs = [cold(code) for _ in range(RUNS)]
        spent = min(run[0] for run in runs)
        base = base or spent
        print(
            f"{name:14} {spent:6.0f} ms  {spent / base:5.1f} ×  {max(r[1] for r in runs):5.0f} MB"
        )


if __name__ == "__main__":
    main()
