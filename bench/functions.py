"""Each function called once on a bucket, on the demo's community → requests and processor time.

python bench/functions.py [--write infra/measured.json]
Its rows are what infra/measured.json says of a call; docs/costs.md rests on that. ``--write`` puts
them there: the mean of its calls (of fetches and measurings, those that go on), rounded up.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import re
import resource
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

HOUSE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HOUSE), str(HOUSE / "tests")]

from function_calls import Cloud, aws  # noqa: E402
from s3_servers import client, moto  # noqa: E402

import demo  # noqa: E402

SOURCES = ("forum", "x", "bluesky")
READER = "team@nordufer.example"


class Counted(logging.Handler):
    """What the S3 server logs, as reads (GET) and writes (PUT, LIST, DELETE)."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        asked = re.search(r"(GET|PUT|POST|DELETE|HEAD) (\S+)", record.getMessage())
        if asked:
            is_read = asked[1] in ("GET", "HEAD") and "list-type" not in asked[2]
            self.found["reads" if is_read else "writes"] += 1


@contextmanager
def community() -> Iterator[tuple[Cloud, Counted]]:
    """The demo's platforms, a bucket with its settings, and who counts the bucket's requests."""
    counted = Counted()
    log = logging.getLogger("werkzeug")
    log.setLevel(logging.INFO)
    log.addHandler(counted)
    log.propagate = False
    with (
        demo.start(datetime.now(UTC), are_limited=False) as server,
        moto() as s3,
        tempfile.TemporaryDirectory() as folder,
    ):
        server.write_project(Path(folder))
        for bucket in ("lake", "site"):
            client(s3.url).create_bucket(Bucket=bucket)
        aws(s3, "glue").create_database(DatabaseInput={"Name": "muster"})
        places = {"MUSTER_LAKE": "s3://lake", "MUSTER_SITE": "s3://site"}
        places |= {"MUSTER_SETTINGS": "config", "MUSTER_CATALOGUE": "muster"}
        cloud = Cloud({**os.environ, **s3.environment, **places, **demo.TOKENS}, s3.url)
        cloud.put("config/muster.yaml", (Path(folder) / "muster.yaml").read_text("utf-8"))
        yield cloud, counted


Rows = dict[str, list[tuple[int, int, float]]]


def main() -> None:
    """Measure, and write it down if that is asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="like infra/measured.json")
    asked = parser.parse_args()
    rows = measured()
    if asked.write:
        write(asked.write, rows)


def measured() -> Rows:
    """The whole way, fetches and measuring twice: a first time, and when there is little new."""
    rows: Rows = defaultdict(list)
    calls = [("plan", {})]
    calls += [("fetch", {"source": one, "turn": 1}) for one in (*SOURCES, *SOURCES)]
    calls += [("measure", {}), ("measure", {}), ("report", {"report": "weekly"})]
    calls += [("report", {"report": "weekly", "recipient": READER})]
    print("| call | reads | writes | processor seconds | items |\n| --- | --- | --- | --- | --- |")
    with community() as (cloud, counted):
        for name, event in calls:
            counted.found.clear()
            before = spent()
            result = cloud.call(name, {"run": "bench", **event}).get("result", {})
            told = f"{name} {' '.join(map(str, event.values()))}".strip()
            found = counted.found
            print(f"| {told} | {found['reads']} | {found['writes']} | {spent() - before:.2f} "
                  f"| {result.get('items', '')} |", flush=True)  # fmt: skip
            rows[name].append((found["reads"], found["writes"], spent() - before))
    rows["fetch"], rows["measure"] = rows["fetch"][len(SOURCES) :], rows["measure"][1:]
    return rows


def write(path: Path, rows: Rows) -> None:
    """What a call needs, into the file; what comes from elsewhere in it stays as it is."""
    told = json.loads(path.read_text("utf-8"))
    told["as_of"] = f"{datetime.now(UTC):%F}"
    for name, found in rows.items():
        reads, writes, seconds = (fmean(column) for column in zip(*found, strict=True))
        told["functions"][name]["seconds"] = math.ceil(seconds * 2) / 2
        known = told["requests"][name]
        known["writes"] = math.ceil(writes)
        # DuckDB reads a lake in ranges: that grows with its objects, and is told by object.
        known["reads"] = 0 if "reads_per_object" in known else math.ceil(reads)
    path.write_text(_in_lines(told) + "\n", "utf-8")


def _in_lines(value: object, depth: int = 1) -> str:
    """JSON as the file has it: what holds no further object in one line."""
    if not isinstance(value, dict) or depth > 1 and not any(
        isinstance(one, dict) for one in value.values()
    ):  # fmt: skip
        return json.dumps(value, ensure_ascii=False)
    space = "  " * depth
    lines = [f'{space}"{key}": {_in_lines(one, depth + 1)}' for key, one in value.items()]
    return "{\n" + ",\n".join(lines) + "\n" + space[2:] + "}"


def spent() -> float:
    """Processor seconds of every call so far, the process's start included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
