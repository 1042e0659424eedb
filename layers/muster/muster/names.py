"""What may be called what: names that stand in the keys of the lake, and names that are unknown."""

from __future__ import annotations

from collections.abc import Collection

SOURCE_NAME = r"[a-z0-9][a-z0-9_-]{0,62}"


def nearest(word: str, known: Collection[str], where: str = "") -> str:
    """What was meant by a word that is none of the known, and where they are told; else which."""
    from difflib import get_close_matches  # only who is mistaken needs it

    near = get_close_matches(word, known, 1, 0.5)
    meant = f"did you mean {near[0]!r}?" if near else ""
    return " ".join(filter(None, (meant, where))) or f"known here: {', '.join(known)}"
