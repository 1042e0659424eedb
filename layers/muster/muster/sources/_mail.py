"""The plain text of a mail in; what its writer wrote, without what others wrote before, out."""

from __future__ import annotations

import re

# What mail programs put before the mail they answer; everything below it is somebody else's.
_BELOW = re.compile(
    r"""^[ ]*(?:
        -{2,}\s*(?:Original\ Message|Forwarded\ message|Ursprüngliche\ Nachricht
            |Message\ d'origine|Mensaje\ original)\s*-{2,}
        |On\ [^\n]{6,150}(?:\n[^\n]{1,150})?\ wrote:
        |Am\ [^\n]{6,150}(?:\n[^\n]{1,150})?\ schrieb[^\n]{0,150}:
        |Le\ [^\n]{6,150}(?:\n[^\n]{1,150})?\ a\ écrit\s?:
        |El\ [^\n]{6,150}(?:\n[^\n]{1,150})?\ escribió:
        |From:[^\n]{3,200}\n\s*(?:Sent|Date|To):[^\n]*
        |Von:[^\n]{3,200}\n\s*(?:Gesendet|Datum|An):[^\n]*
        |\#\#-[^\n]{3,200}-\#\#
        )[ ]*$""",
    re.MULTILINE | re.VERBOSE,
)
_QUOTED = re.compile(r"^ {0,3}>.*$", re.MULTILINE)


def own_words(text: str) -> str:
    """The text up to the mail it answers, without lines that quote.

    >>> own_words("It works!\\n\\nOn Mon, 3 Nov 2026 at 10:00, Desk wrote:\\n> Try again.")
    'It works!'
    """
    found = _BELOW.search(text)
    above = text[: found.start()] if found else text
    kept = _QUOTED.sub("", above).strip()
    return re.sub(r"\n{3,}", "\n\n", kept)
