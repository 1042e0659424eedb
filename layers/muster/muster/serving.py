"""A folder with a site → a web server on this machine's loopback, as closed as the one in AWS."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from muster.errors import BadSettings
from muster.reports import addresses, pages

#: What the distribution in AWS says of every file too (``SiteHeaders`` in template.yaml).
HEADERS = {
    "Content-Security-Policy": f"{pages.policy(pages.ASKING)}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class _Pages(SimpleHTTPRequestHandler):
    """Files of the site; no listings, nothing whose name begins with a dot."""

    extensions_map = {  # noqa: RUF012 - http.server's own way to say it
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".woff2": "font/woff2",
        ".gz": "application/gzip",
    }

    def send_head(self) -> Any:
        """The file asked for, unless it is hidden."""
        if "/." in unquote(self.path):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def end_headers(self) -> None:
        """Headers of every answer."""
        kept = "max-age=31536000, immutable" if self.path.startswith("/assets/") else "no-cache"
        for name, value in {**HEADERS, "Cache-Control": kept}.items():
            self.send_header(name, value)
        super().end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The site's own page where there is nothing (any more)."""
        gone = Path(self.directory) / addresses.GONE
        if code != HTTPStatus.NOT_FOUND or not gone.is_file():
            super().send_error(code, message, explain)
            return
        page = gone.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page)

    def list_directory(self, path: Any) -> None:
        """A folder without a page is nothing to show."""
        self.send_error(HTTPStatus.NOT_FOUND)


def server(place: str, port: int) -> ThreadingHTTPServer:
    """A server of the site at ``place`` (a folder); ``BadSettings`` if it cannot be shown."""
    if "://" in place:
        raise BadSettings(
            f"the site lies in {place}: serve shows only one on this machine; "
            f"copy it (aws s3 sync {place} site) or open its web address"
        )
    if not (Path(place) / "index.html").exists():
        raise BadSettings(f"{place} holds no site yet: run muster report first")
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(_Pages, directory=place))
    except OSError as error:
        raise BadSettings(f"port {port} is taken ({error.strerror}): say --port 0") from error
