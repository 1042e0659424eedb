"""A folder with a site → a web server on this machine's loopback; hidden files stay hidden."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from muster.errors import BadSettings


class _Pages(SimpleHTTPRequestHandler):
    """Files of the site; no listings, nothing whose name begins with a dot."""

    def send_head(self) -> Any:
        """The file asked for, unless it is hidden."""
        if "/." in self.path:
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

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
