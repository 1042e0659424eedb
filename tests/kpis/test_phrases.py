"""Words that decide: found in every script, in capitals and small letters, as whole words only."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_lake import at, measured, message, values

from muster.kpis import phrases

CONNECTION = duckdb.connect()
WORDS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12).filter(
    lambda word: any(one.isalnum() for one in word)
)


def found(expression: str | None, text: str) -> bool:
    asked = "select regexp_matches($text, $expression)"
    return CONNECTION.execute(asked, {"text": text, "expression": expression}).fetchall()[0][0]


@given(WORDS)
def test_any_word_is_a_term_that_finds_itself(word):
    expression = phrases.terms([word])
    assert found(expression, f"so, {word}!")
    bare = word.strip("'’")  # an apostrophe is a boundary
    assert not found(expression, f"so, a{bare}a!")


@pytest.mark.parametrize(
    "term, text",
    [
        ("हिन्दी", "my हिन्दी course"),
        ("🎉", "a 🎉 party"),
        ("Bob’s", "BOB'S burgers"),
        ("Müller–Lyer", "the MÜLLER–LYER lines"),
        ("Οδός", "η ΟΔΌΣ μου"),
        ("İstanbul", "in İSTANBUL"),
        ("C++", "c++, please"),
    ],
)
def test_a_term_is_found_whatever_its_letters(term, text):
    assert found(phrases.terms([term]), text)
    said = message("m1", 0, text=text, sentiment=0.5)
    outcome = measured([said], as_of=at(days=7), kpis=["brand_sentiment"], brand_terms=[term])
    assert values(outcome, "brand_sentiment", segment=term) == {"2026-03-02": 0.5}


@pytest.mark.parametrize("text", ["sıkıntı", "SİKİNTİ"])
def test_letters_that_only_look_alike_are_others(text):
    assert not found(phrases.terms(["sikinti"]), text)


def test_thanks_that_ask_are_taken_out_wherever_they_stand():
    thrice = "Please help. Thanks in advance! Really, thank you in advance. Cheers in advance!"
    outcome = measured(
        [message("m1", 0), message("s1", 1, "staff"), message("m2", 90, text=thrice, lang="en")],
        as_of=at(days=7), kpis=["issues_opened"],
    )  # fmt: skip
    assert values(outcome, "issues_opened") == {"2026-03-02": 2}


@pytest.mark.parametrize("pattern", ["komm mit dem GERÄT", r"ticket \d+"])
def test_a_pattern_of_the_settings_is_met_in_small_letters_and_capitals(pattern):
    expression = phrases.escalation([pattern])
    assert found(expression, "Bitte KOMM mit dem gerät; TICKET 12")
    assert not found(expression, "Bitte komm; TICKET a")
    assert found(expression, "please DM Us")
