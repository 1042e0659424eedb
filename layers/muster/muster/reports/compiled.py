"""A template → its bytecode: from where the layer was built, or kept as Python keeps modules'.

Compiling the two of a mail took a function 40 ms of every start. Jinja compares a digest of the
source: a template of a community's own, or a changed one of ours, is compiled anew.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

PACKAGE = Path(__file__).resolve().parents[1]
FOLDER = PACKAGE / "templates" / "compiled"
CACHE = PACKAGE / "__pycache__" / "templates"


class Compiled(BytecodeCache):
    """What was compiled before; a function cannot write beside its code, and adds nothing."""

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        return f"{Path(filename or '').parent.name}-{name}"

    def load_bytecode(self, bucket: Bucket) -> None:
        for path in (FOLDER / bucket.key, CACHE / f"{bucket.key}.pyc"):
            if bucket.code is None and path.is_file():
                bucket.bytecode_from_string(path.read_bytes())

    def dump_bytecode(self, bucket: Bucket) -> None:
        if sys.dont_write_bytecode or FOLDER.is_dir():
            return
        with suppress(OSError):
            CACHE.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=CACHE, delete=False) as file:
                file.write(bucket.bytecode_to_string())
            Path(file.name).replace(CACHE / f"{bucket.key}.pyc")  # others may write it now too
