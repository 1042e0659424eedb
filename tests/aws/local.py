"""``make aws-local``: the repository deployed into a local AWS, the demo taken through it.

Leaves what it brought in .cache/aws-local/; KEEP=1 leaves the local AWS up until Ctrl-C.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from emulator import Aws, free_port, running
from localize import Runtime
from passage import download, fire, glue_tables, keys, put_settings
from recorder import Recorder, recording, save_mails
from stack import HOUSE, Stack, Tools, deploy

sys.path.insert(0, str(HOUSE))
import demo  # noqa: E402

CACHE = HOUSE / ".cache"
WORK = CACHE / "aws-local"


def tools() -> Tools:
    """The programs that the Makefile has put into .cache."""
    python = Path((CACHE / "aws-runtime" / "python").read_text().strip())
    uv = shutil.which("uv") or str(CACHE / "uv" / "bin" / "uv")
    packages = next((CACHE / "aws-runtime").glob("lib/python3.*/site-packages"))
    runtime = Runtime(python.parents[1], packages, "3.13")
    return Tools(CACHE / "aws" / "bin" / "sam", Path(uv), runtime)


@contextmanager
def local_aws(work: Path) -> Iterator[tuple[Aws, Recorder]]:
    """A fresh local AWS that keeps what it has under ``work``, and what its functions call."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    program, port = CACHE / "aws-emulator" / "bin" / "ministack", free_port()
    with (
        recording(f"http://127.0.0.1:{port}") as recorder,
        running(program, work, port, functions_call=recorder.url) as aws,
    ):
        yield aws, recorder


def main() -> None:
    """Everything, in the order a person would do it."""
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)

    with local_aws(WORK) as (aws, recorder), demo.start() as platforms:
        say(f"a local AWS answers at {aws.url}")
        built = tools().built(WORK / "built")
        say("built by sam build")
        stack = deploy(aws, tools(), built, WORK)
        say(f"deployed: {len(stack.resources)} resources")
        platforms.write_project(WORK / "project")
        text = (WORK / "project" / "muster.yaml").read_text("utf-8")
        put_settings(stack, text, platforms.tokens)
        for machine in stack.of_type("AWS::StepFunctions::StateMachine"):
            found = fire(stack, machine)
            say(f"{machine}: {found.status} {found.error} {found.cause}")
        show(stack, recorder)
        if os.environ.get("KEEP"):
            say(f"still up: AWS_ENDPOINT_URL={aws.url}; Ctrl-C ends it")
            wait_for_ctrl_c()


def show(stack: Stack, recorder: Recorder) -> None:
    """Save what came of it, and say where."""
    for bucket, name in (("LakeBucket", "lake"), ("SiteBucket", "site")):
        download(stack, bucket, WORK / name)
    sent = save_mails(recorder, WORK / "mails")
    values = duckdb.sql(f"from '{WORK}/lake/tables/kpi_values/*.parquet'")
    written = len(list((WORK / "lake" / "outbox").glob("*.eml")))
    lines = {
        "mails": f"{sent} sent by SES: mails/; {written} written: lake/outbox/",
        "site": f"{len(keys(stack, 'SiteBucket'))} files: site/index.html",
        "lake": f"{len(keys(stack, 'LakeBucket'))} files: lake/",
        "kpi_values": f"{len(values)} rows: lake/tables/kpi_values/",
        "tables": ", ".join(glue_tables(stack)) or "none: the template defines no Glue table",
    }
    print(f"\nIn {WORK.relative_to(HOUSE)}/ lie")
    for name, told in lines.items():
        print(f"  {name:12}{told}")


def wait_for_ctrl_c() -> None:
    """Until somebody has seen enough."""
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
