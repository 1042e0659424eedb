"""Where a buyer came from: paid before where, social before elsewhere, and nothing told is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.sources._channels import channel

CHANNELS = {
    "organic_social", "paid_social", "organic_search", "paid_search", "direct", "referral",
    "email", "other",
}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "medium", "referrer", "found"),
    [
        ("discord", None, None, "organic_social"),
        ("Facebook", "CPC", None, "paid_social"),
        ("fb", "paid-social", None, "paid_social"),
        ("newsletter", "email", None, "email"),
        ("google", "organic", None, "organic_search"),
        ("google", "cpc", None, "paid_search"),
        ("(direct)", "(none)", None, "direct"),
        ("partner.example.org", "referral", None, "referral"),
        ("partner", "affiliate", None, "other"),
        ("someone", "cpm", None, "other"),
        (None, "social", None, "organic_social"),
        (None, None, "https://l.facebook.com/l.php?u=x", "organic_social"),
        (None, None, "https://www.google.co.uk/search", "organic_search"),
        (None, None, "https://t.co/abc", "organic_social"),
        (None, None, "https://blog.example.org/", "referral"),
        (None, None, None, None),
        ("", " ", "", None),
    ],
)
def test_channel(source: str, medium: str, referrer: str, found: str | None) -> None:
    assert channel(source, medium, referrer) == found


@pytest.mark.parametrize("host", ["next.example.org", "x.example.org", "boxofads.com"])
def test_a_name_that_only_holds_a_networks_is_another(host: str) -> None:
    assert channel(referrer=f"https://{host}/") == "referral"


@given(st.text(), st.text(), st.text() | st.just("http://[half"))
def test_whatever_is_told_has_a_channel_or_none(source: str, medium: str, referrer: str) -> None:
    assert channel(source, medium, referrer) in {None, *CHANNELS}
