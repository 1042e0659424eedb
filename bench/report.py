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
SPENT = """
import resource
used = resource.getrusage(resource.RUSAGE_SELF)
print(1000 * (used.ru_utime + used.ru_stime), used.ru_maxrss / 1024)
"""
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


def cold(code: str) -> tuple[float, float, float]:
    """(milliseconds by the wall, by the processor, peak MB) of a new process that runs the code."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code + SPENT], check=True, capture_output=True, text=True
    )
    wall = (time.perf_counter() - start) * 1_000
    busy, peak = map(float, done.stdout.split())
    return wall, busy, peak


def main() -> None:
    base = 0.0
    print(f"{'':14} {'wall':>6}     {'cpu':>6}     {'of python':>9}     peak")
    for name, code in STAGES.items():
        runs = [cold(code) for _ in range(RUNS)]
        wall, busy, peak = (min(run[part] for run in runs) for part in range(3))
        base = base or busy
        print(f"{name:14} {wall:6.0f} ms  {busy:6.0f} ms  {busy / base:9.1f} ×  {peak:4.0f} MB")


if __name__ == "__main__":
    main()
