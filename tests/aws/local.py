"""``make aws-local``: the repository deployed into a local AWS, the demo taken through it.

Leaves what it brought in .cache/aws-local/; KEEP=1 leaves the local AWS up until Ctrl-C.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

import duckdb
from passage import download, glue_tables, keys
from recorder import save_mails
from stack import HOUSE
from world import CACHE, World, run, world

WORK = CACHE / "aws-local"


def main() -> None:
    """Everything, in the order a person would do it."""
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)

    with world(WORK, say) as found:
        run(found, say)
        show(found)
        if os.environ.get("KEEP"):
            say(f"still up: AWS_ENDPOINT_URL={found.aws.url}; Ctrl-C ends it")
            with suppress(KeyboardInterrupt):
                time.sleep(24 * 3600)


def show(found: World) -> None:
    """Save what came of it, and say where."""
    stack = found.stack
    for bucket, name in (("LakeBucket", "lake"), ("SiteBucket", "site")):
        download(stack, bucket, WORK / name)
    sent = save_mails(found.recorder, WORK / "mails")
    written = len(list((WORK / "lake" / "outbox").glob("*.eml")))
    values = len(duckdb.sql(f"from '{WORK}/lake/tables/kpi_values/*.parquet'"))
    lines = {
        "mails": f"{sent} sent by SES: mails/; {written} written: lake/outbox/",
        "site": f"{len(keys(stack, 'SiteBucket'))} files: site/index.html",
        "lake": f"{len(keys(stack, 'LakeBucket'))} files: lake/",
        "kpi_values": f"{values} rows: lake/tables/kpi_values/",
        "tables": ", ".join(glue_tables(stack)) or "none: the template defines no Glue table",
    }
    print(f"\nIn {WORK.relative_to(HOUSE)}/ lie")
    for name, told in lines.items():
        print(f"  {name:12}{told}")


if __name__ == "__main__":
    main()
