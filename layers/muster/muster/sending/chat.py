"""A short text and a channel's secret URL → posted once by ``apprise``, which speaks to them all.

Slack, Teams, Discord, Telegram, Mattermost, Matrix and some hundred others have a URL there. The
URL is a secret: whoever has it may post. It stands in no error and in no log line of ours.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any

from muster.errors import MaybeSent, RateLimited, Unavailable, Undeliverable

PAUSE = 60.0
_STATUS = re.compile(r"error=(\d{3})")


def post(url: str, title: str, lines: Sequence[str]) -> str:
    """Post the title and as many lines as the channel takes; returns what took it (Slack).

    Raises ``Undeliverable`` if the channel refuses it, ``Retry`` if it surely did not get it,
    ``MaybeSent`` if nobody can say.
    """
    from apprise import LogCapture

    channel = _channel(url)
    with LogCapture(level=logging.WARNING) as said:
        is_done = channel.notify(title=title, body=_fitted(title, lines, channel.body_maxlen))
        if not is_done:
            raise _named(str(channel.service_name), said.getvalue())
    return str(channel.service_name)


def check(url: str) -> str:
    """What a URL leads to, without posting; ``Undeliverable`` if nothing can be reached by it."""
    return str(_channel(url).service_name)


def _channel(url: str) -> Any:
    import apprise  # slow to import, and not wanted by whoever posts nowhere

    # Its own lines may hold the whole URL. While it posts, post alone reads them.
    log = logging.getLogger("apprise")
    log.propagate = False
    log.setLevel(logging.CRITICAL + 1)
    found = apprise.Apprise.instantiate(url.strip())
    if found is None:
        raise Undeliverable(
            "the secret is no address of a chat that apprise knows: write it as its documentation "
            "does, for example slack://TOKEN_A/TOKEN_B/TOKEN_C/#channel"
        )
    return found


def _fitted(title: str, lines: Sequence[str], most: int) -> str:
    """The lines that fit; some channels count the title among them."""
    kept: list[str] = []
    left = most - len(title) - 40
    for line in lines:
        if len(line) + 1 > left:
            break
        kept.append(line)
        left -= len(line) + 1
    return "\n".join(kept) or title


def _named(service: str, said: str) -> Exception:
    """Trouble as one of our errors; nothing of apprise's own words, which may hold secrets."""
    status = next((int(found) for found in _STATUS.findall(said)), 0)
    if status == 429:
        return RateLimited(f"{service} takes no more messages now", PAUSE)
    if status >= 500:
        return Unavailable(f"{service} does not take messages now: {status}")
    if status:
        return Undeliverable(
            f"{service} refuses the message: {status}: make the channel's address anew and put it "
            "where the settings say"
        )
    return MaybeSent(f"{service} did not answer")
