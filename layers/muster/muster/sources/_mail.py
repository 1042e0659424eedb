"""The plain text of a mail in; what its writer wrote, without what others wrote before, out."""

from __future__ import annotations

import re

# What mail programs put before the mail they answer; everything below it is somebody else's.
_RULE = re.compile(
    r"-{2,}\s*(original message|forwarded message|ursprüngliche nachricht|message d'origine"
    r"|mensaje original)\s*-{2,}|##-.{3,200}-##",
    re.IGNORECASE,
)
_OPENS = ("On ", "Am ", "Le ", "El ")
_CLOSES = re.compile(r".{0,200}(?: wrote| schrieb.{0,150}| a écrit| escribió) ?:$")
_FROM, _MORE = ("From:", "Von:", "De :"), ("Sent:", "Date:", "To:", "Gesendet:", "Datum:", "An:")
_LONGEST = 300  # letters of a line that may announce a mail


def own_words(text: str) -> str:
    """The text up to the mail it answers, without lines that quote.

    >>> own_words("It works!\\n\\nOn Mon, 3 Nov 2026 at 10:00, Desk wrote:\\n> Try again.")
    'It works!'
    """
    lines = [line.strip() for line in text.split("\n")]
    end = next((at for at in range(len(lines)) if _is_next_mail(lines, at)), len(lines))
    kept = "\n".join(line for line in lines[:end] if not line.startswith(">"))
    return re.sub(r"\n{3,}", "\n\n", kept).strip()


def _is_next_mail(lines: list[str], at: int) -> bool:
    """Whether the mail that is answered begins with this line; its date may take two."""
    line, below = lines[at], lines[at + 1] if at + 1 < len(lines) else ""
    if len(line) > _LONGEST:
        return False
    if line.startswith(_OPENS):
        return bool(_CLOSES.match(line) or (below and _CLOSES.match(below[:_LONGEST])))
    return bool(_RULE.fullmatch(line)) or (line.startswith(_FROM) and below.startswith(_MORE))
