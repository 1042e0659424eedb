"""What speaks for two accounts being one person: exact evidence, and what is only a hint."""

from __future__ import annotations

import pytest

from muster.lake import likeness
from muster.lake.likeness import Profile, evidence, is_exact
from muster.lake.persons import Rules

RULES = Rules({"x": "x", "x2": "x"})


def forum(member_id="1", **more):
    return Profile("forum", member_id, **more)


def x(member_id="9", source="x", **more):
    return Profile(source, member_id, **more)


def kinds(*profiles):
    """The evidence of the only pair there is, or nothing."""
    found = evidence(profiles, RULES)
    assert len(found) < 2
    return next(iter(found.values()), ())


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (x(), x(source="x2"), likeness.SAME_ACCOUNT),
        (forum(email_hash="ab" * 32), x(email_hash="ab" * 32), likeness.SAME_ADDRESS),
        (
            forum(links=("http://www.X.com/anna/?s=1",), addresses=("https://f.example/u/anna",)),
            x(links=("https://f.example/u/anna",), addresses=("https://x.com/anna",)),
            likeness.LINKED,
        ),
        (forum(links=("x.com/anna",)), x(addresses=("https://x.com/anna",)), likeness.CLAIMED),
        (forum(handle="Anna.S"), x(handle="@anna.s"), likeness.SAME_HANDLE),
        (forum(handle="anna"), x(handle="anna.bsky.social"), likeness.SAME_HANDLE),
        (forum(display_name="Anna  Berg"), x(display_name="anna berg"), likeness.SAME_NAME),
        (forum(handle="anna_berg7"), x(display_name="Änna Berg"), likeness.SIMILAR),
    ],
)
def test_each_kind_of_evidence(one, other, expected):
    found = kinds(one, other)
    assert found[0] == expected
    assert is_exact(found) == (expected in likeness.EXACT)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (forum(handle="anna"), x(handle="anne")),
        (forum(display_name="Anna"), x(display_name="Anna")),  # a first name alone is nobody's
        (forum(handle="ann1"), x(display_name="Ann")),  # too short to be alike
        (forum(), x()),
        (forum(links=("https://x.com/anna2",)), x(addresses=("https://x.com/anna",))),
        (x("1", handle="anna"), x("2", source="x2", handle="anna")),  # two names on one platform
    ],
)
def test_no_evidence(one, other):
    assert kinds(one, other) == ()


def test_a_name_that_two_share_on_one_platform_tells_nothing():
    crowd = [forum("1", display_name="Anna Berg"), forum("2", display_name="Anna Berg")]
    assert evidence([*crowd, x(display_name="Anna Berg")], RULES) == {}


def test_all_that_speaks_for_a_pair_is_told_the_strongest_first():
    one = forum(handle="anna", display_name="Anna Berg", links=("https://x.com/anna",))
    other = x(handle="anna", display_name="Anna Berg", addresses=("https://x.com/anna",))
    found = kinds(one, other)
    assert found[:3] == (likeness.CLAIMED, likeness.SAME_HANDLE, likeness.SAME_NAME)
