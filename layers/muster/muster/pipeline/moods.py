"""A project and the name of a source → who scores its texts, and what that costs beforehand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from muster.project import Project
from muster.sentiment import Mood, Scorer, comprehend, vader
from muster.settings import Sentiment
from muster.store import Store

#: What a paid scorer may take beyond the end of the reading, in a function that must checkpoint.
GRACE = timedelta(seconds=8)


def scorer_of(project: Project, name: str) -> Sentiment:
    """Who scores a source: its own setting, else the community's."""
    source = project.settings.source(name)
    return (source and source.sentiment) or project.settings.sentiment


def is_paid(project: Project, names: Sequence[str] = ()) -> bool:
    """Whether any of these sources, or of all, is scored for money."""
    sources = names or [one.name for one in project.settings.sources]
    return any(scorer_of(project, name) == "comprehend" for name in sources)


def mood(project: Project, name: str, *, again: bool = False) -> Mood:
    """The reading of one source's texts, for one run."""
    chosen = scorer_of(project, name)
    lang = source.lang if (source := project.settings.source(name)) else None
    if chosen == "comprehend":
        calls = comprehend.Comprehend(comprehend.connect, _is_late(project))
        return Mood(calls.scorer(), lang, again, lambda: calls.trouble)
    scorer = vader() if chosen == "vader" else Scorer()
    return Mood(scorer, lang, again)


def _is_late(project: Project) -> Callable[[], bool]:
    deadline = getattr(project.http, "deadline", None)
    return lambda: deadline is not None and project.clock() > deadline + GRACE


@dataclass
class Cost:
    """What scoring would be paid for: distinct texts and dollars by the list price."""

    texts: int = 0
    dollars: float = 0.0
    _seen: set[int] = field(default_factory=set, repr=False)

    def scorer(self) -> Scorer:
        """One that scores nothing and counts what it is asked."""
        return Scorer(comprehend.LANGUAGES, self._count)

    def _count(self, lang: str, texts: Sequence[str]) -> list[None]:
        for text in texts:
            if (seen := hash((lang, text))) not in self._seen:
                self._seen.add(seen)
                self.texts += 1
                self.dollars += comprehend.dollars(len(text))
        return [None] * len(texts)

    def sentence(self) -> str:
        """The cost for a person."""
        return (
            f"Comprehend would score {self.texts:,} texts for about ${self.dollars:,.2f} "
            f"(list price of {comprehend.PRICED_ON}, us-east-1)"
        )


def price_list() -> str:
    """What a thousand new texts cost, for a person."""
    short, long = (1_000 * comprehend.dollars(length) for length in (300, 1_000))
    return (
        f"Comprehend scores new and changed texts: ${short:.2f} a thousand of up to "
        f"300 characters, ${long:.2f} of 1,000 (list price of {comprehend.PRICED_ON}, us-east-1)"
    )


@dataclass(frozen=True)
class Untouched:
    """A store that can be read like the one behind it, and takes no writes."""

    behind: Store

    def put(self, key: str, data: bytes, **_: Any) -> str:
        return ""

    def delete(self, key: str, **_: Any) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)
