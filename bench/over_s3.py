"""The same questions to the same lake in a folder and in a bucket on loopback → the ratio.

python bench/over_s3.py [--rows N]
A real S3 service (SeaweedFS) serves the bucket, so that what is measured is DuckDB's way over HTTP
and not a network: processor time of DuckDB's own process, the best of three.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import merge as merging

from muster.kpis import engine
from muster.lake.merge import merge
from muster.store import FolderStore

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import s3_servers

QUESTIONS = {
    "opening": "select 1",
    "counting": "select count(*) from messages",
    "one month": "select count(*), sum(likes) from messages where created_at >= '2025-12-01'",
    "by week": "select date_trunc('week', created_at), count(*), count(distinct author_id) "
    "from messages group by all",
    "all texts": "select count(*) from messages where text ilike '%w1f%'",
}


def seconds(url: str, sql: str, environment: dict[str, str]) -> float:
    """Processor time of a fresh connection and one question."""
    found = []
    for _ in range(3):
        started = time.process_time()
        connection = engine.connect(url, environment=environment)
        connection.execute(sql).fetchall()
        connection.close()
        found.append(time.process_time() - started)
    return min(found)


def measure(rows: int) -> None:
    """Each question, there and here."""
    with tempfile.TemporaryDirectory() as folder, s3_servers.seaweed(Path(folder)) as server:
        local = FolderStore(Path(folder) / "lake")
        merge(local, "bench", merging.messages(rows, 360, 150))
        s3 = s3_servers.client(server.url)
        s3.create_bucket(Bucket="lake")
        for entry in local.list():
            s3.upload_file(str(local.root / entry.key), "lake", entry.key)
        for name, sql in QUESTIONS.items():
            here = seconds(local.url(), sql, {})
            there = seconds("s3://lake", sql, server.environment)
            told = {"question": name, "rows": rows, "folder": round(here, 3), "s3": round(there, 3)}
            print(json.dumps(told | {"ratio": round(there / here, 1)}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    measure(parser.parse_args().rows)
