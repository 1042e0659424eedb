"""``make aws-local``: the repository deployed into a local AWS, the demo taken through it.

Leaves what it brought in .cache/aws-local/; KEEP=1 leaves the local AWS up until Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import sys
import time

import duckdb
from emulator import KEYS, REGION
from passage import download, glue_tables, keys
from recorder import save_mails
from stack import HOUSE
from world import CACHE, World, run, world

WORK = CACHE / "aws-local"
KEPT = """\
It stays up until Ctrl-C. In another terminal:
  export AWS_ENDPOINT_URL={url} AWS_REGION={region} {keys}
  .venv/bin/muster config history --stack {stack}
  .venv/bin/muster -C {project} config push --stack {stack}    # after a change of its muster.yaml
"""


def main() -> None:
    """Everything, in the order a person would do it."""
    began = time.monotonic()
    # However it is ended, what it started ends with it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(130))

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)

    say("starting a local AWS, and the demo's platforms")
    with world(WORK, say) as found:
        run(found, say)
        show(found)
        if os.environ.get("KEEP"):
            keep(found)


def show(found: World) -> None:
    """Save what came of it, and say where."""
    stack = found.stack
    for bucket, name in (("LakeBucket", "lake"), ("SiteBucket", "site")):
        download(stack, bucket, WORK / name)
    sent = save_mails(found.recorder, WORK / "mails")
    values = len(duckdb.sql(f"from '{WORK}/lake/tables/kpi_values/*.parquet'"))
    (page,) = sorted((WORK / "lake" / "outbox").rglob("weekly*.html"))[:1]
    lines = {
        "deploy.log": "what muster deploy checked and said",
        "mails/": f"{sent} mails as SES took them; one for your browser: {page.relative_to(WORK)}",
        "site/": f"{len(keys(stack, 'SiteBucket'))} files; open site/index.html",
        "lake/": f"{len(keys(stack, 'LakeBucket'))} files; {values} rows of kpi_values",
        "Athena's": f"{len(glue_tables(stack))} tables: {', '.join(glue_tables(stack))}",
    }
    print(f"\nIn {WORK.relative_to(HOUSE)}/ lie")
    for name, told in lines.items():
        print(f"  {name:12}{told}")


def keep(found: World) -> None:
    """Tell how to go on by hand, and wait."""
    told = KEPT.format(
        url=found.aws.url, region=REGION, stack=found.stack.name,
        keys=" ".join(f"{name}={value}" for name, value in KEYS.items()),
        project=(WORK / "project").relative_to(HOUSE),
    )  # fmt: skip
    print(f"\n{told}", flush=True)
    time.sleep(24 * 3600)


if __name__ == "__main__":
    main()
