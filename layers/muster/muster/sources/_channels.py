"""A visit's source, medium and referrer in; the channel that brought it out.

Channels are those of ``site_traffic``. As analytics tools do: what was paid for comes before where
it came from, and a known social network or search engine before "somewhere else".
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

SOCIAL = frozenset(
    (
        "facebook", "fb", "instagram", "ig", "threads", "twitter", "x", "t.co", "linkedin",
        "lnkd.in", "reddit", "youtube", "youtu.be", "tiktok", "pinterest", "discord", "discordapp",
        "telegram", "t.me", "mastodon", "bsky", "bluesky", "snapchat", "quora", "slack",
        "whatsapp", "wechat", "weibo", "vk", "tumblr", "twitch", "ycombinator",
        "hackernews", "github", "stackoverflow", "discourse", "social",
    )
)  # fmt: skip
SEARCH = frozenset(
    (
        "google", "bing", "duckduckgo", "yahoo", "ecosia", "baidu", "yandex", "startpage",
        "qwant", "brave", "naver", "kagi", "search",
    )
)  # fmt: skip
_PAID = re.compile(r"^(.*cp[acm]|ppc|cpv|retargeting|paid.*|.*[-_ ]?paid|ads?|display|banner)$")
_SOCIAL_MEDIUM = re.compile(r"^(paid)?[-_ ]?(social.*|sm|community)$")
_SEARCH_MEDIUM = re.compile(r"^(organic|(paid[-_ ]?)?search)$")
_MAIL = re.compile(r"^(e[-_ ]?mail|mail|newsletter)$")
_NONE = ("", "(direct)", "direct", "(none)", "(not set)")


def channel(
    source: str | None = None, medium: str | None = None, referrer: str | None = None
) -> str | None:
    """The channel; ``None`` where nothing is told, which is not the same as ``direct``.

    ``source`` and ``medium`` are a campaign's ``utm_source`` and ``utm_medium``, ``referrer`` the
    address of the page before.

    >>> channel("facebook", "cpc"), channel(referrer="https://www.google.de/"), channel("direct")
    ('paid_social', 'organic_search', 'direct')
    """
    told = (source or "").strip().casefold()
    how = (medium or "").strip().casefold()
    host = host_of(referrer or "")
    if not (told or how or host):
        return None
    where = told if told not in _NONE else host
    if where in _NONE and how in _NONE:
        return "direct"
    return _channel(where, how)


def _channel(where: str, how: str) -> str:
    is_paid = bool(_PAID.match(how))
    if _is_of(where, SOCIAL) or _SOCIAL_MEDIUM.match(how):
        return "paid_social" if is_paid else "organic_social"
    if _MAIL.match(how) or _MAIL.match(where):
        return "email"
    if _is_of(where, SEARCH) or _SEARCH_MEDIUM.match(how):
        return "paid_search" if is_paid else "organic_search"
    return "other" if is_paid or how not in ("", "referral", *_NONE) else "referral"


def _is_of(where: str, sites: frozenset[str]) -> bool:
    """Whether a source or host is one of the sites: ``m.facebook.com`` is facebook's."""
    labels = where.split(".")
    is_country = len(labels) > 2 and labels[-2] in ("co", "com", "org")
    name = labels[-3 if is_country else -2] if len(labels) > 1 else where
    return not sites.isdisjoint((where, name, ".".join(labels[-2:])))


def host_of(address: str) -> str:
    """The host of an address; of one that is none, nothing."""
    try:
        return (urlsplit(address).hostname or "").casefold()
    except ValueError:
        return ""
