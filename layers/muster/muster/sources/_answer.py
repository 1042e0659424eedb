"""One HTTP answer in; its JSON, the wait it asks for, and the reason of a refusal out."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from muster import as_json
from muster.errors import Unavailable

_WAITABLE = (429, 503)
_RESETS = ("x-rate-limit-reset", "x-ratelimit-reset", "ratelimit-reset")
LARGEST = 256 * 1024 * 1024  # of a file once unpacked
# Encodings of host names: they take seconds for a page that is not meant as one.
_NO_TEXT = ("idna", "punycode")
_EPOCHS_FROM = 1_000_000_000  # a reset above this is an instant, below it is seconds left


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: parsed JSON (``None`` where there is none), and when it was received."""

    body: Any
    status: int
    headers: Mapping[str, str] = field(repr=False)
    seen_at: datetime


WaitOf = Callable[[Answer], float | None]


def asked_wait(answer: Answer) -> float | None:
    """Seconds a 429 or 503 asks to wait by ``Retry-After`` or a reset header; ``None``: it doesn't.

    A platform with a hint of its own passes another such function as ``wait_of``. It is asked of
    every answer, and whatever it gives a number for is repeated after that wait.
    """
    if answer.status not in _WAITABLE:
        return None
    if asked := answer.headers.get("retry-after"):
        return _seconds(asked, answer.seen_at)
    resets = (answer.headers[name] for name in _RESETS if name in answer.headers)
    return next((_seconds(reset, answer.seen_at) for reset in resets), None)


def ahead(answer: Answer) -> timedelta:
    """How far our clock is ahead of the platform's, by its answer's ``Date``; 0 if it has none.

    What a cache hands out bears the date of long ago, and says by ``Age`` that it does.
    """
    try:
        told = parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return timedelta()
    if "age" in answer.headers:
        return timedelta()
    return answer.seen_at - (told if told.tzinfo else told.replace(tzinfo=UTC))


def _seconds(text: str, now: datetime) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return _until_date(text, now)
    left = number - now.timestamp() if number >= _EPOCHS_FROM else number
    return max(left, 0.0) if left < float("inf") else None


def _until_date(text: str, now: datetime) -> float | None:
    """Seconds until an HTTP date or, at Mastodon, an ISO 8601 one."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            at = read(text)
        except ValueError:
            continue
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max((at - now).total_seconds(), 0.0)
    return None


Read = Callable[[str, bytes], tuple[Any, str]]  # content type and bytes → the body, or a flaw


def json_body(kind: str, raw: bytes) -> tuple[Any, str]:
    """The JSON of an answer and ``""``, or ``None`` and what is wrong with it."""
    if kind and "json" not in kind.lower():
        return None, f"{_plain(kind)} instead of JSON"
    try:
        return as_json.loads(raw), ""
    except (ValueError, RecursionError):
        return None, "cut or broken JSON"


def xml_body(kind: str, raw: bytes) -> tuple[Any, str]:
    """The text of an XML document that is whole, and ``""``; it is neither kept parsed nor
    expanded: entities of its own are refused.
    """
    from xml.etree import ElementTree

    if b"<!ENTITY" in raw:
        return None, "XML that defines entities"
    if "html" in kind.lower():
        return None, f"{_plain(kind)} instead of XML"
    try:
        ElementTree.fromstring(raw)
        return _text(kind, raw), ""
    except (ElementTree.ParseError, ValueError, LookupError):
        return None, "cut or broken XML"


def text_body(kind: str, raw: bytes) -> tuple[Any, str]:
    """The text of an answer that is no page for people, unpacked if it is gzipped; CSV reports."""
    import zlib

    if "html" in kind.lower():
        return None, f"{_plain(kind)} instead of a file"
    try:
        raw = _unpacked(raw) if raw[:2] == b"\x1f\x8b" else raw
        if len(raw) > LARGEST:
            return None, f"a file that unpacks to more than {LARGEST:,} bytes"
        return _text(kind, raw), ""
    except (OSError, EOFError, zlib.error, ValueError, LookupError):
        return None, "a cut or broken file"


def _unpacked(raw: bytes) -> bytes:
    """What was gzipped, as far as it may go."""
    import gzip
    from io import BytesIO

    with gzip.GzipFile(fileobj=BytesIO(raw)) as packed:
        return packed.read(LARGEST + 1)


def _plain(kind: str) -> str:
    return repr(kind.partition(";")[0][:60])


def _text(kind: str, raw: bytes) -> str:
    """The bytes as text: by their mark, else as the content type says, else UTF-8."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"),
                       (b"\xfe\xff", "utf-16")):  # fmt: skip
        if raw.startswith(mark):
            return raw.decode(name)
    head = raw[:200].decode("ascii", "replace")
    told = re.search(r"charset=[\"']?([\w-]+)", kind) or re.search(
        r"^<\?xml[^>]*encoding=[\"']([\w-]+)", head
    )
    name = codecs.lookup(told[1] if told else "utf-8").name
    if name in _NO_TEXT:
        raise LookupError(name)
    return raw.decode(name)


_LINK = re.compile(r"<([^>]*)>([^<]*)")


def links(answer: Answer) -> dict[str, str]:
    """The addresses of a ``Link`` header by their ``rel``, as they are written there."""
    found = {}
    for url, more in _LINK.findall(answer.headers.get("link", "")):
        for rel in re.findall(r"rel=\"?([^\";,]+)", more):
            found.update(dict.fromkeys(rel.split(), url))
    return found


def parted(address: object) -> SplitResult:
    """The address of a next page, as a platform tells it, in parts; of none, empty ones.

    ``Unavailable`` where it is no address: what comes after it would be passed over.
    """
    try:
        return urlsplit(str(address or ""))
    except ValueError as error:
        raise Unavailable(f"its next page is at no address: {plain(str(address))}") from error


def next_link(answer: Answer, base_url: str = "") -> str | None:
    """Path and query of the next page by the ``Link`` header, whatever host it names.

    Hand it to ``Api.get`` as it is: it goes to our own host, which may stand behind another name.
    Where ``base_url`` has a path of its own, the path below that.
    """
    url = links(answer).get("next")
    if not url:
        return None
    parts = parted(url)
    path = parts.path.removeprefix(urlsplit(base_url).path.rstrip("/"))
    return path + (f"?{parts.query}" if parts.query else "")


_SAID = (
    "message", "detail", "error_description", "error_message", "description", "errors", "error",
    "title",
)  # fmt: skip


def reason(body: Any) -> str:
    """What the platform itself says of a refusal, as one short line."""
    for key in _SAID:
        said = body.get(key) if isinstance(body, Mapping) else None
        said = said[0] if isinstance(said, list) and said else said
        if isinstance(said, Mapping):
            said = said.get("message") or said.get("detail")
        if isinstance(said, str):
            return plain(said)
    return ""


def plain(said: str, longest: int = 200) -> str:
    """What a stranger says, as one short line that forges no other and drives no terminal."""
    line = " ".join(said.split())[:longest]
    return " ".join("".join(c if c.isprintable() else " " for c in line).split())
