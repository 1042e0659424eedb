"""DuckDB for the browser, from its npm package → the site, where the page “Ask the data" runs it.

It is brought once and not with each publication: 8 MB, which never change. Without it the page
says how to bring it. The package's digest is pinned: what readers run is what we tested.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from base64 import b64encode
from pathlib import Path

from muster import scratch
from muster.errors import BadSettings
from muster.reports import addresses
from muster.store import Store

VERSION = "1.32.0"
PACKAGE = f"@duckdb/duckdb-wasm@{VERSION}"
SHA512 = "IewXTNYEjsZCPE9weUWgtjGxUlMRo7qhX0GF6tq/KjK8bnY+RAl4cyUdYUfcdzbyb4b9ZxPC+FOsCcxgaKFWMg=="
#: What of the package the page runs, and what it is called on the site.
FILES = {
    "package/dist/duckdb-browser-eh.worker.js": "worker.js.gz",
    "package/dist/duckdb-eh.wasm": "duckdb.wasm.gz",
}
ONES_OWN = f"get it with `npm pack {PACKAGE}` on another machine and name it with --package FILE"


def bring(site: Store, package: bytes) -> int:
    """Put the database onto the site, packed; how many MB of it a reader loads."""
    if b64encode(hashlib.sha512(package).digest()).decode() != SHA512:
        raise BadSettings(f"this is not {PACKAGE}: its SHA-512 is another one; {ONES_OWN}")
    size = 0
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        for name, on_site in FILES.items():
            member = archive.extractfile(name)
            assert member is not None  # the digest says so
            packed = gzip.compress(member.read(), 6, mtime=0)
            site.put(addresses.ENGINE + on_site, packed)
            size += len(packed)
    megabytes = max(1, round(size / 1e6))
    facts = json.dumps({"version": VERSION, "megabytes": megabytes})
    site.put(addresses.ENGINE_FACTS, facts.encode())  # last: now it is whole
    return megabytes


def package(file: Path | None = None) -> bytes:
    """The package: a file, else from the registry that this machine's npm is set to ask."""
    if file is not None:
        try:
            return file.read_bytes()
        except OSError as error:
            raise BadSettings(f"{file} cannot be read: {error.strerror}") from error
    npm = shutil.which("npm")
    if npm is None:
        raise BadSettings(f"npm brings {PACKAGE}, and is not here: install Node.js, or {ONES_OWN}")
    with scratch.folder() as folder:
        asked = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", ".", PACKAGE]
        ended = subprocess.run(asked, capture_output=True, text=True, cwd=folder)
        found = next(folder.glob("*.tgz"), None)
        if ended.returncode or found is None:
            *_, why = ("no reason given", *ended.stderr.strip().splitlines())
            raise BadSettings(f"npm did not bring {PACKAGE} ({why}): {ONES_OWN}")
        return found.read_bytes()
