"""A commit → dist/: the wheel, the archive to deploy from, the bill of materials, checksums.

``make release``. Everything is built twice, in two folders, and must be equal to the byte.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from release.bill import bill

HOUSE = Path(__file__).resolve().parents[1]
SUMS = "SHA256SUMS"


def main() -> None:
    """Build, compare, put into dist/; exit 1 and say what differs if anything does."""
    if _git("status", "--porcelain"):
        sys.exit("a release is of a commit, and something here is in none: git status")
    with tempfile.TemporaryDirectory() as once, tempfile.TemporaryDirectory() as again:
        first, second = built(Path(once)), built(Path(again) / "in another place")
        different = sorted(
            name for name in {*first, *second} if first.get(name) != second.get(name)
        )
        if different:
            sys.exit(f"built twice, these differ: {', '.join(different)}")
    folder = HOUSE / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in first.items():
        (folder / name).write_bytes(content)
        print(f"{len(content):>9,} bytes  dist/{name}")
    print("built twice, equal to the byte; check with: cd dist && sha256sum -c SHA256SUMS")


def built(folder: Path, commit: str = "HEAD") -> dict[str, bytes]:
    """A release of a commit, by file name; ``folder`` is worked in."""
    made_at = int(_git("show", "-s", "--format=%ct", commit))
    source, out = folder / "source", folder / "out"
    with tarfile.open(fileobj=BytesIO(_git("archive", "--format=tar", commit))) as archive:
        archive.extractall(source, filter="data")
    # The build's own tools are those of uv.lock, installed here with their hashes checked.
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(out.absolute())],
        cwd=source, check=True, capture_output=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(made_at)},
    )  # fmt: skip
    version = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    found = {path.name: path.read_bytes() for path in sorted(out.iterdir())}
    found[f"muster-{version}.cdx.json"] = bill(
        version, datetime.fromtimestamp(made_at, UTC)
    ).encode()
    found[SUMS] = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in found.items()
    ).encode()
    return found


def _git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=HOUSE, check=True, capture_output=True).stdout


if __name__ == "__main__":
    main()
