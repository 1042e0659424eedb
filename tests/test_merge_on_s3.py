"""Writers at once on a real S3 service, killed at random: nothing is lost, nothing doubled.

``make test-merge`` lets eight of them merge 10,000 batches; here it is what a default suite bears.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from s3_servers import binary, client, seaweed

AT_ONCE = Path(__file__).parent / "real" / "merge" / "at_once.py"
BATCHES = int(os.environ.get("MUSTER_BATCHES", "24"))
WRITERS = 8 if "MUSTER_BATCHES" in os.environ else 3


@pytest.mark.skipif(not binary("weed"), reason="no weed here: the dev dependencies bring it")
@pytest.mark.timeout(7200)
def test_writers_killed_at_random_lose_and_double_nothing(tmp_path: Path) -> None:
    with seaweed(tmp_path) as server:
        client(server.url).create_bucket(Bucket="lake")
        kills = max(3, BATCHES // 50)
        ended = subprocess.run(
            [sys.executable, str(AT_ONCE), "lake", *map(str, (WRITERS, BATCHES, kills))],
            env={**os.environ, **server.environment}, capture_output=True, text=True,
        )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    print(ended.stderr, ended.stdout)
    told = json.loads(ended.stdout)
    wrong = ("lost", "doubled", "foreign", "older_than_the_latest", "doubled_meanwhile")
    assert {name: told[name] for name in wrong} == dict.fromkeys(wrong, 0)
    assert told["kills"] == kills
    assert told["rows"] > 4 * BATCHES
