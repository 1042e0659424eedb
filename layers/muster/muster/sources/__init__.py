"""Platforms: each file here turns one platform's API into items, and its items into rows.

The contract, in prose. A platform is one module in this package, named as ``platform:`` in the
settings names it, and one recording in ``tests/recordings/``. Nothing else names it: it is found
by walking this package. Its docstring says what it reads, which credentials it needs, how to get
them, and which facts are unverified. It has:

``Options``
    a subclass of :class:`muster.settings.Source`: the platform's own settings and defaults.
``connect(options, secret, http) -> Api``
    the signed-in client, from :mod:`muster.sources._http`; ``secret`` is the token or ``None``.
``pages(api, window) -> Iterator[Page]``
    everything that is new in the window, page after page. Items are exactly as received. A page
    carries a cursor as soon as everything up to and including it may be forgotten; the last page
    always does. Reading the same window again must be harmless. A platform that forgets what it
    was asked for says so of each page (``is_last_copy``): it is stored before the next is asked.
    While a page is mapped the next is asked for, and others while a batch is stored, so nothing
    that a page holds may change afterwards; unless the platform has ``IS_METERED = True``, as each
    call costs money or a day's quota.
``rows(item, options) -> Iterator[Row | Deletion]``
    the pure mapping of one item. Raises ``Refused`` with a reason, or stumbles (``KeyError``,
    ``TypeError``, ``ValueError`` …) over a shape it does not know: the item goes to quarantine.
``check(api, options) -> str``
    one cheap call for ``muster doctor``: what the token may read, or ``SourceFailed``.
``addresses(handle, member_id, options) -> tuple[str, ...]`` (if the platform has public profiles)
    where an account's own profile is found: two that link to each other are one person's.

The caller stores raw, maps, merges, and saves the cursor last; it also turns errors of one source
into one line that names it. A platform never writes anything and never sleeps on its own.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from muster.errors import BadSettings
from muster.names import nearest

if TYPE_CHECKING:
    from muster.records import Deletion, Item, KnownMessage, Page, Review, Row, SurveyResponse
    from muster.settings import Source


@dataclass(frozen=True)
class Window:
    """What one fetch of one source is to read.

    ``cursor`` is what the last stored page left (empty at first, and for a backfill); ``since``
    and ``until`` bound ``created_at``: nothing outside is wanted; ``known`` lists messages the
    lake already holds that were created at or after an instant, oldest first, ``reviews`` and
    ``responses`` all it holds of those, without words. ``groups`` are the platform's groups that
    the settings name: who is in them goes into ``groups`` of members.
    """

    options: Any
    now: datetime
    cursor: Mapping[str, Any]
    since: datetime | None = None
    until: datetime | None = None
    known: Callable[[datetime], Iterable[KnownMessage]] = lambda _: ()
    reviews: Callable[[], Iterable[Review]] = lambda: ()
    responses: Callable[[], Iterable[SurveyResponse]] = lambda: ()
    groups: tuple[str, ...] = ()


class Platform(Protocol):
    """What a platform's module offers (see this package's docstring)."""

    Options: type[Source]

    def connect(self, options: Any, secret: str | None, http: Any) -> Any: ...
    def pages(self, api: Any, window: Window) -> Iterator[Page]: ...
    def rows(self, item: Item, options: Any) -> Iterator[Row | Deletion]: ...
    def check(self, api: Any, options: Any) -> str: ...


@cache
def platform_names() -> tuple[str, ...]:
    """Every platform there is, by walking this package."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in found if not name.startswith("_")))


def platform(name: str) -> Platform:
    """The module of one platform, imported only now; ``BadSettings`` if there is none."""
    if name not in platform_names():
        raise BadSettings(f"no platform {name!r}: {nearest(name, platform_names())}")
    return importlib.import_module(f"{__name__}.{name}")


def is_metered(module: Platform) -> bool:
    """Whether a platform's calls cost money or a day's quota: none is made ahead of storing."""
    return bool(getattr(module, "IS_METERED", False))


def said_of(name: str) -> dict[str, str]:
    """What a platform's docstring says: ``reads``, then its paragraphs by the word they begin with.

    Each is one line: ``Credentials``, ``Limits``, ``Verified``, ``Unverified``.
    """
    first, *others = (inspect.getdoc(platform(name)) or "").split("\n\n")
    found = {"reads": " ".join(first.split())}
    for paragraph in others:
        word, colon, text = " ".join(paragraph.split()).partition(": ")
        if colon and word.isalpha():
            found.setdefault(word, text)
    return found


def sentence(text: str) -> str:
    """The first sentence of a line."""
    found = re.match(r".*?[.](?= [A-Z`]|$)", text)
    return found[0] if found else text
