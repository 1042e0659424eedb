"""A folder and what was said → where any of the planted secrets stands, however it is wrapped."""

from __future__ import annotations

import gzip
import io
from base64 import b64encode
from collections.abc import Iterable, Iterator
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq


def shapes(canary: str) -> Iterator[bytes]:
    """How a secret may stand somewhere: as it is, in a URL, in Base64 at any offset, reversed."""
    raw = canary.encode()
    yield raw
    yield quote(canary, safe="").encode()
    yield raw[::-1]
    yield raw.hex().encode()
    for offset in range(3):
        whole = b64encode(b"\0" * offset + raw)
        yield whole[4 if offset else 0 : -4]


def found_in(data: bytes, canaries: Iterable[str]) -> list[str]:
    """The canaries that stand in bytes, or in what the bytes unfold to."""
    parts = [data, *unfolded(data)]
    return [
        one for one in canaries if any(shape in part for shape in shapes(one) for part in parts)
    ]


def unfolded(data: bytes) -> Iterator[bytes]:
    """What is packed in bytes: gzip, zstd, the cells of a Parquet, the parts of a mail."""
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    elif data[:4] == b"\x28\xb5\x2f\xfd":
        with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as packed:
            yield packed.read()
    elif data[:4] == b"PAR1":
        table = pq.read_table(io.BytesIO(data))
        yield repr(table.to_pylist()).encode() + repr(table.schema.metadata).encode()
    elif b"MIME-Version:" in data[:4_000]:
        for part in message_from_bytes(data, policy=policy.default).walk():
            yield str(part.items()).encode()
            if not part.is_multipart():
                yield part.get_payload(decode=True) or b""


def hunted(folder: Path, said: Iterable[str], canaries: Iterable[str]) -> list[str]:
    """``FILE: CANARY`` for each place; what lies in ``.secrets`` is meant to be there."""
    known = tuple(canaries)
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    written = (path for path in files if ".secrets" not in path.parts)
    in_files = [f"{path}: {one}" for path in written
                for one in {*found_in(path.name.encode(), known),
                            *found_in(path.read_bytes(), known)}]  # fmt: skip
    return in_files + [f"said: {one}: {text[:300]}" for text in said
                       for one in found_in(text.encode("utf-8", "replace"), known)]  # fmt: skip
