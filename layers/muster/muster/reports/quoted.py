"""What people said in a period goes in, a report's best answers and complaints come out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from muster.reports.model import Complaint, Praise
from muster.reports.words import Words
from muster.results import Answer, UnhappyThread, Voices, WaitingIssue

WAITING_SHOWN, OLD_SHOWN = 6, 50
Issues = Sequence[WaitingIssue]


def of_period(voices: Iterable[Voices], grain: str, start: date) -> Voices:
    """What was said in that period; nothing if another one was measured."""
    same = (one for one in voices if (one.grain, one.period_start) == (grain, start))
    return next(same, Voices(grain, start))


def waiting(issues: Iterable[WaitingIssue], in_all: int) -> tuple[Issues, Issues]:
    """Who waits longest, and apart those who have waited so long that they would fill the list
    for good; of few all are in the list."""
    longest = sorted(issues, key=lambda issue: (-issue.waited_seconds, issue.message_id))
    if in_all <= WAITING_SHOWN:
        return longest, ()
    lately = [issue for issue in longest if not issue.is_old]
    old = [issue for issue in longest if issue.is_old]
    return lately[:WAITING_SHOWN], old[:OLD_SHOWN]


def praise(answers: Iterable[Answer], say: Words) -> tuple[Praise, ...]:
    """Each answer with who gave it, and how it was received."""
    kept = (one for one in answers if one.quote)  # none is left of an erased member
    return tuple(Praise(one.title, one.url, one.quote, _received(one, say)) for one in kept)


def _received(one: Answer, say: Words) -> str:
    parts = [say("answer_by", author=one.author) if one.author else ""]
    parts.append(one.source)
    parts.append(str(say.ACCEPTED) if one.is_accepted else "")
    parts.append(say("liked", n=one.likes) if one.likes else "")
    return " · ".join(part for part in parts if part)


def complaints(threads: Iterable[UnhappyThread], say: Words) -> tuple[Complaint, ...]:
    """Each thread with where it is, and how many messages were unhappy."""
    return tuple(
        Complaint(one.title, one.url, one.quote,
                  f"{one.source} · {say('unhappy_messages', n=one.messages)}")
        for one in threads
        if one.quote
    )  # fmt: skip
