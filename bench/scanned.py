"""A simulated lake → how many statements Athena takes to measure it, and the bytes it charges for.

python bench/scanned.py [--messages N]
Athena is played by the tests' loopback server; what is charged is worked out as Athena's price list
says: the compressed bytes of the columns that a statement names, of all tables that it reads.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import athena_server
import lakes
import s3_servers

from muster import services
from muster.kpis import athena, catalogue, engine, runner, warehouse
from muster.pipeline.athena import sync, table
from muster.records import TABLES, columns
from muster.store import FolderStore, open_store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=60_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, s3_servers.moto() as server:
        os.environ.update(server.environment)
        print(json.dumps(measured(Path(folder), asked.messages, server.url)))


def measured(folder: Path, messages: int, url: str) -> dict[str, float]:
    """Statements, and bytes per message, of one measuring from scratch."""
    made_here = FolderStore(folder / "lake")
    with lakes.Made(folder / "made.duckdb", messages, 1) as made:
        for one in TABLES.values():
            lakes.export(made, made_here, one, lakes.END)
    s3 = s3_servers.client(url)
    s3.create_bucket(Bucket="lake")
    found = [entry.key for entry in made_here.list()]
    for key in found:
        s3.upload_file(str(made_here.root / key), "lake", key)
    glue = services.client("glue")
    glue.create_database(DatabaseInput={"Name": "muster"})
    sources = sorted({key.split("source=")[1].split("/")[0] for key in found})
    sync(glue, "muster", [table(name, columns(one.row), "s3://lake", sources)
                          for name, one in TABLES.items()])  # fmt: skip
    lake = open_store("s3://lake", base=folder)
    reader = engine.without_views("s3://lake", os.environ)
    with athena_server.athena(reader, glue, "muster", "s3://lake/athena/") as (address, _):
        client = services.client("athena", endpoint_url=address)
        there = athena.Athena(client, "muster", "muster", lake)

        def elsewhere(connection, wanted, parameters):  # type: ignore[no-untyped-def]
            return warehouse.compute(connection, wanted, parameters, lake, there, is_kept=False)

        outcome = runner.measure(
            engine.connect("s3://lake"), lakes.SETTINGS, catalogue.load(), as_of=lakes.END,
            coverage=(), elsewhere=elsewhere,
        )  # fmt: skip
    assert not outcome.problems, outcome.problems
    return {
        "messages": messages, "statements": there.statements, "mb": round(there.scanned / 1e6, 1),
        "bytes_per_message": round(there.scanned / messages),
    }  # fmt: skip


if __name__ == "__main__":
    main()
