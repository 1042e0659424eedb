"""An object's key → the content type that a browser is told of it."""

from __future__ import annotations

_KINDS = {
    "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8", "json": "application/json", "svg": "image/svg+xml",
    "csv": "text/csv; charset=utf-8", "txt": "text/plain; charset=utf-8", "woff2": "font/woff2",
    "eml": "message/rfc822", "gz": "application/gzip",
    "parquet": "application/vnd.apache.parquet",
}  # fmt: skip


def of(key: str) -> str:
    """Its type by its ending: without one, a browser saves a page instead of showing it."""
    return _KINDS.get(key.rpartition(".")[2], "application/octet-stream")
