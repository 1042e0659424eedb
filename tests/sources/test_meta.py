"""Meta's Graph API: pages, ids, limits, and tokens that must not get out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from muster.sources import _meta as meta
from muster.sources._answer import Answer
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = meta.MetaSource(name="page", platform="facebook")
NEXT = "https://graph.facebook.com/v26.0/1/feed?access_token=SECRET&limit=25&"


def answer(body: Any, **headers: str) -> Answer:
    return Answer(body, 200, headers, NOW)


def graph(answers: Any) -> meta.Graph:
    return meta.Graph(OPTIONS, "token", Http(transport=httpx.MockTransport(answers)), None)


@pytest.mark.parametrize(
    ("paging", "asked"),
    [
        ({"next": NEXT + "after=QVF", "cursors": {"after": "QVF"}}, {"after": "QVF"}),
        ({"next": NEXT + "until=17&__paging_token=a%3A"}, {"until": "17", "__paging_token": "a:"}),
        ({"cursors": {"before": "x", "after": "QVF"}}, {}),
        ({"next": NEXT}, {}),
        ({"next": None}, {}),
        (None, {}),
    ],
)  # fmt: skip
def test_the_next_page_is_asked_for_without_the_token_in_its_address(
    paging: Any, asked: dict[str, str]
) -> None:
    items, token = meta.listed(answer({"data": [1], "paging": paging}))
    assert items == [1] and meta.after(token) == asked
    assert "SECRET" not in str(token)


def test_addresses_that_hold_the_token_are_in_no_item() -> None:
    told = {"id": "1", "replies": {"data": [{"id": "2", "paging": {"next": NEXT}}],
                                   "paging": {"next": NEXT}}}  # fmt: skip
    assert meta.bare(told) == {"id": "1", "replies": {"data": [{"id": "2"}]}}


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_whatever_ids_are_gone_the_others_are_found(ids: set[int], gone: set[int]) -> None:
    asked: list[int] = []

    def answers(request: httpx.Request) -> httpx.Response:
        wanted = request.url.params["ids"].split(",")
        asked.append(len(wanted))
        if any(int(one) in gone for one in wanted):
            return httpx.Response(400, json={"error": {"code": 100, "error_subcode": 33}})
        return httpx.Response(200, json={one: {"id": one} for one in wanted})

    found, refused = meta.by_ids(graph(answers), [str(one) for one in sorted(ids)], {})
    assert set(found) == {str(one) for one in ids - gone}
    assert set(refused) == {str(one) for one in ids & gone}
    assert all(meta.is_missing(why) for why in refused.values())
    assert len(asked) <= 1 + 10 * len(ids & gone)


shares = st.floats(0, 200) | st.integers(-5, 200) | st.text(max_size=5) | st.none() | st.booleans()
usages = st.dictionaries(
    st.sampled_from(["call_count", "total_time", "estimated_time_to_regain_access", "odd"]), shares
)


@example({"call_count": 1, "estimated_time_to_regain_access": -5}, {}, "")
@given(usages, st.dictionaries(st.text(max_size=3), st.lists(usages) | usages | shares), st.text())
def test_whatever_the_limits_headers_say_a_pause_is_a_pause(
    used: Any, business: Any, broken: str
) -> None:
    told = answer(
        {}, **{"x-app-usage": json.dumps(used), "x-ad-account-usage": broken,
               "x-business-use-case-usage": json.dumps(business)}
    )  # fmt: skip
    assert meta._pause_of(told) in (None, meta.SLOWLY)
    limited = Answer({"error": {"code": 4}}, 400, told.headers, NOW)
    wait = meta._wait_of("page")(limited)
    assert wait is not None and wait > 0


def test_a_page_s_token_does_not_tell_its_permissions() -> None:
    api = graph(lambda _: httpx.Response(400, json={"error": {"code": 100, "message": "no"}}))
    assert meta.permitted(api, "ads_read") == "; a page's token does not tell its permissions"


@pytest.mark.parametrize("code", [1, 2])
def test_what_passes_is_asked_for_again(code: int) -> None:
    told = Answer({"error": {"code": code, "is_transient": True}}, 400, {}, NOW)
    assert meta._wait_of("page")(told) == 0.0
