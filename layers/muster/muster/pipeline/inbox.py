"""A file dropped into the bucket → its rows in the lake, and a receipt that says what became of it.

A file lies under ``inbox/<table>/<source>/`` or, if its rows name their source, under
``inbox/<table>/``. Its receipt has the same name under ``receipts/``, with ``.json`` added.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from errno import EFBIG, ENOSPC
from pathlib import Path, PurePosixPath
from typing import Any

from muster import scratch
from muster.errors import BadImport, Conflict
from muster.pipeline.importing import import_file
from muster.pipeline.subscriptions import RETURNED
from muster.project import Project
from muster.reports.inert import slug

INBOX, RECEIPTS = "inbox/", "receipts/"


def receive(project: Project, key: str) -> dict[str, Any]:
    """Import the file and take it out of the inbox; one that cannot be taken stays, and is told.

    The same file announced twice is taken once; another that came in its place meanwhile stays, as
    it is announced, too. Returns the outcome, and 1 or 0 ``problems``.
    """
    etag = None
    with scratch.folder() as folder:
        file = folder / f"file{PurePosixPath(key).suffix[:20]}"
        try:
            etag = project.lake.download(key, file)
            if etag is None:
                return {"outcome": "not there", "problems": 0}
            taken = _taken(project, key, file)
        except OSError as error:
            taken = _too_large(key, error)
        told = {"file": key, "at": project.clock().isoformat(), **taken}
    project.lake.put(_receipt(key), json.dumps(told, indent=1, default=str).encode())
    if told["outcome"] == "imported":
        with suppress(Conflict):
            project.lake.delete(key, if_match=etag)
    return {"outcome": told["outcome"], "problems": int(told["outcome"] == "refused")}


def _taken(project: Project, key: str, file: Path) -> dict[str, Any]:
    try:
        table, source = _address(key)
        return {"outcome": "imported", **asdict(import_file(project, table, file, source))}
    except BadImport as error:
        return {"outcome": "refused", "reason": str(error).replace(str(file), key)}


def _too_large(key: str, error: OSError) -> dict[str, Any]:
    """A file that does not fit on a function's disk is told; what else goes wrong is raised."""
    if error.errno not in (ENOSPC, EFBIG):
        raise error
    why = f"{key} does not fit on the function's disk: run muster import on a computer"
    return {"outcome": "refused", "reason": why}


def _address(key: str) -> tuple[str, str | None]:
    """The table and the source of a file, by where it lies."""
    parts = key.removeprefix(INBOX).split("/")
    if len(parts) not in (2, 3):
        raise BadImport(f"{key}: put it under inbox/TABLE/SOURCE/ or inbox/TABLE/")
    return parts[0], parts[1] if len(parts) == 3 else None


def _receipt(key: str) -> str:
    return f"{RECEIPTS}{key.removeprefix(INBOX)}.json"


def came_back(project: Project, detail: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what SES says of a mail that bounced, was complained of, or was refused.

    ``detail`` is that of SES's event; it is kept as ``outbox/returned/<SES message id>.json``.
    Returns what happened, and 1 ``failed``.
    """
    kind = str(detail["eventType"]).lower()
    found = detail.get(kind) or {}
    people = found.get("bouncedRecipients") or found.get("complainedRecipients") or ()
    told = {
        "kind": kind,
        "why": found.get("bounceType") or found.get("complaintFeedbackType") or found.get("reason"),
        "recipients": [one["emailAddress"] for one in people] or detail["mail"]["destination"],
        "message": detail["mail"]["messageId"],
        "at": found.get("timestamp") or detail["mail"]["timestamp"],
    }
    key = f"{RETURNED}{slug(told['message'])}.json"
    project.outbox.put(key, json.dumps(told, indent=1).encode())
    return {"outcome": kind, "failed": 1}
