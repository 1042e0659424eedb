"""A mail's text: what its writer wrote, nothing of the mail it answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.sources._mail import own_words


@pytest.mark.parametrize(
    "below",
    [
        "On Mon, 3 Nov 2026 at 10:00, Desk <desk@example.org> wrote:\n> Try again.",
        "On Mon, 3 Nov 2026 at 10:00, The Long Named Desk\n<desk@example.org> wrote:\nTry again.",
        "Am 03.11.2026 um 10:00 schrieb Desk:\n> Noch einmal.",
        "Le lun. 3 nov. 2026 à 10:00, Desk a écrit :\n> Encore.",
        "-----Original Message-----\nFrom: Desk\nTry again.",
        "From: Desk <desk@example.org>\nSent: Monday, 3 November 2026 10:00\nTry again.",
        "##- Please type your reply above this line -##\nTry again.",
        "> Try again.\n> Please.",
    ],
)
def test_ends_where_the_mail_before_begins(below: str) -> None:
    assert own_words(f"It works!\n\nThanks\n\n{below}") == "It works!\n\nThanks"


@pytest.mark.parametrize(
    "text",
    ["On Monday it works", "From: here to there", "I wrote:", "a > b", "On and on\n\nShe wrote:",
     "Am I right?\nYes", "-- original", "To: all\nFrom: me"],
)  # fmt: skip
def test_leaves_what_only_looks_so(text: str) -> None:
    assert own_words(text) == text


@given(st.text())
def test_only_ever_takes_away(text: str) -> None:
    assert len(own_words(text)) <= len(text)


@pytest.mark.parametrize("line", ["On ", "From:\n", "On a day, she wrote\n", "-" * 40 + "\n"])
def test_a_megabyte_of_what_looks_like_a_mail_is_read(line: str) -> None:
    assert own_words(line * (1_000_000 // len(line)))
