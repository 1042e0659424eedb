"""A site's files → its newest publication as a reader finds it: pages by their plain names."""

from __future__ import annotations

import html.parser
import posixpath
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from muster.reports import addresses

LINK = re.compile(rb'(?:href|src)="([^"#]+)(?:#[^"]*)?"')


def whole(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The overview, everything of the publication it leads to, and what lies beside them."""
    version = addresses.version_of(files[addresses.OVERVIEW].decode())
    inner = {path.removeprefix(version): held for path, held in files.items() if version in path}
    return {**files, **inner}


def newest(site: Path) -> Path:
    """The folder of the publication that a folder's overview leads to."""
    return site / addresses.version_of((site / addresses.OVERVIEW).read_text())


def target(page: str, link: str) -> str:
    """The path that a relative link of a page means; nothing for one that leads away."""
    if ":" in link or link.startswith("/"):
        return link.lstrip("/") if ":" not in link else ""
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), link))


def links(page: str, html: bytes) -> set[str]:
    """Every file of the site that a page names, but the way back to the newest overview."""
    found = {target(page, link.decode()) for link in LINK.findall(html)}
    return found - {"", addresses.OVERVIEW}


def crawled(
    get: Callable[[str], bytes | None], start: str = addresses.OVERVIEW
) -> dict[str, bytes]:
    """Everything that can be reached from a page, by path; ``LookupError`` names a dead link."""
    found: dict[str, bytes] = {}
    open_ends = [(start, "")]
    while open_ends:
        path, whence = open_ends.pop()
        if path in found:
            continue
        held = get(path)
        if held is None:
            raise LookupError(f"{whence} → {path}")
        found[path] = held
        if path.endswith(".html"):
            open_ends += [(link, path) for link in sorted(links(path, held))]
    return found


class Parsed(html.parser.HTMLParser):
    """Tags and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
