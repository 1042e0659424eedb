"""HubSpot: whose day a lead is of, which contacts are leads, and searches that go on."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from real import absent, bodies, objects
from recorded import Recorded, items_of, last_cursor

from muster.errors import Refused, SourceFailed
from muster.records import Item
from muster.sources import Window, hubspot
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = hubspot.Options(name="crm", platform="hubspot", timezone="Europe/Berlin")


def contact(number: int, at: datetime, source: Any = "SOCIAL_MEDIA", stage: str = "lead") -> Any:
    told = {"createdate": at.isoformat(), "hs_analytics_source": source, "lifecyclestage": stage}
    return {"id": str(number), "properties": told, "createdAt": at.isoformat()}


class Server:
    """Contacts that can be searched as HubSpot does, so many a page and a search."""

    def __init__(self, contacts: list[Any], page: int = 3) -> None:
        self.contacts = sorted(contacts, key=lambda one: one["properties"]["createdate"])
        self.page = page
        self.asked: list[Any] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        self.asked.append(asked)
        found = [one for one in self.contacts if self._fits(one, asked)]
        at = int(asked["after"])
        assert at + self.page <= hubspot.MOST, "HubSpot answers with 400 from here on"
        more = {"paging": {"next": {"after": str(at + self.page)}}}
        body = {"total": len(found), "results": found[at : at + self.page]}
        return httpx.Response(200, json={**body, **(more if at + self.page < len(found) else {})})

    def _fits(self, one: Any, asked: Any) -> bool:
        at = datetime.fromisoformat(one["properties"]["createdate"]).timestamp() * 1000
        filters = [told for group in asked["filterGroups"] for told in group["filters"]]
        bounds = {told["operator"]: int(told["value"]) for told in filters}
        return bounds.get("GTE", 0) <= at < bounds.get("LT", 2**60)


def fetch(server: Server, cursor: Any = None, now: datetime = NOW, **window: Any) -> Any:
    http = Http(httpx.MockTransport(server), clock=lambda: now)
    api = hubspot.connect(OPTIONS, "pat-invented", http)
    return list(hubspot.pages(api, Window(OPTIONS, now, cursor or {}, **window)))


def leads(items: list[Item], options: hubspot.Options = OPTIONS) -> dict[tuple[date, str], int]:
    """Leads by day and channel, where there are some; what came later counts."""
    rows = [row for item in items if item.stream == "day" for row in hubspot.rows(item, options)]
    return {key: n for key, n in {(one.date, one.channel): one.leads for one in rows}.items() if n}


def test_a_lead_is_of_the_local_day_and_of_its_channel() -> None:
    late = datetime(2026, 11, 17, 23, 30, tzinfo=UTC)  # half past midnight in Berlin
    items = items_of(fetch(Server([contact(1, late), contact(2, late, "PAID_SEARCH")])))
    day = date(2026, 11, 18)
    assert leads(items) == {(day, "organic_social"): 1, (day, "paid_search"): 1}


@pytest.mark.parametrize("source", ["OFFLINE", "", None])
def test_what_was_imported_did_not_come_to_us(source: Any) -> None:
    assert leads(items_of(fetch(Server([contact(1, NOW, source)])))) == {}


def test_an_unknown_source_is_another_channel() -> None:
    assert [*leads(items_of(fetch(Server([contact(1, NOW, "A_NEW_ONE")]))))] == [
        (NOW.date(), "other")
    ]


def test_only_stages_that_the_settings_name_count() -> None:
    items = items_of(fetch(Server([contact(1, NOW), contact(2, NOW, stage="subscriber")])))
    only = OPTIONS.model_copy(update={"stages": ("lead",)})
    assert [*leads(items).values()] == [2]
    assert [*leads(items, only).values()] == [1]


instants = st.datetimes(datetime(2026, 11, 1), datetime(2026, 11, 20, 11), timezones=st.just(UTC))


@given(st.lists(instants, max_size=30), st.integers(1, 7), st.data())
def test_each_contact_counts_once_whatever_the_pages_and_wherever_it_stopped(
    times: list[datetime], page: int, data: st.DataObject
) -> None:
    contacts = [contact(number, at) for number, at in enumerate(times)]
    zone = Recorded("hubspot").options.timezone
    local = Counter(at.astimezone(hubspot.ZoneInfo(zone)).date() for at in times)
    whole = {(day, "organic_social"): count for day, count in local.items()}
    pages = fetch(Server(contacts, page))
    assert leads(items_of(pages)) == whole
    stopped = data.draw(st.integers(1, len(pages)))
    after = fetch(Server(contacts, page), last_cursor(pages[:stopped]))
    assert leads(items_of(pages[:stopped]) + items_of(after)) == whole


def test_a_search_that_ends_begins_anew_where_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubspot, "MOST", 10)
    monkeypatch.setattr(hubspot, "LIMIT", 3)
    times = [NOW - timedelta(hours=one) for one in range(1, 30)]
    server = Server([contact(number, at) for number, at in enumerate(times)])
    assert sum(leads(items_of(fetch(server))).values()) == 29
    assert len({json.dumps(one["filterGroups"]) for one in server.asked}) > 2


def test_more_at_one_instant_than_can_be_listed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubspot, "MOST", 10)
    monkeypatch.setattr(hubspot, "LIMIT", 3)
    server = Server([contact(number, NOW - timedelta(hours=1)) for number in range(40)])
    with pytest.raises(SourceFailed, match="import"):
        fetch(server, since=NOW - timedelta(days=1))


def test_a_deleted_contact_is_taken_from_its_day_and_thirty_days_are_counted_again() -> None:
    old, new = contact(1, NOW - timedelta(days=20)), contact(2, NOW - timedelta(days=1))
    pages = fetch(Server([old, new]))
    cursor = last_cursor(pages)
    again = fetch(Server([new]), cursor, NOW + timedelta(days=1))
    assert leads(items_of(pages) + items_of(again)) == {((NOW.date() - DAY), "organic_social"): 1}
    server = Server([new])
    fetch(server, cursor, NOW + timedelta(hours=1))
    since = int(server.asked[0]["filterGroups"][0]["filters"][0]["value"]) / 1000
    assert NOW - datetime.fromtimestamp(since, UTC) < timedelta(days=3)


DAY = timedelta(days=1)


def test_one_that_cannot_be_read_costs_only_itself() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        odd = contact(3, NOW, source={"an": "object"})
        return httpx.Response(200, json={"results": [None, {"id": "1"}, contact(2, NOW), odd, 7]})

    items = items_of(fetch(answer))  # type: ignore[arg-type]
    assert [*leads(items).values()] == [1]
    bad = [item.body for item in items if item.stream == "unreadable"]
    assert [bad[0], bad[1], bad[3]] == [None, {"id": "1"}, 7]


def test_a_window_counts_whole_days_only() -> None:
    since, until = NOW - timedelta(days=3), NOW - timedelta(days=1)
    every = [contact(day, NOW - timedelta(days=day, hours=2)) for day in range(6)]
    days = [item.context for item in items_of(fetch(Server(every), since=since, until=until))]
    assert [told["day"] for told in days if told] == ["2026-11-17", "2026-11-18"]


@pytest.mark.parametrize(
    ("policy", "wait"),
    [("SECONDLY", 1), ("TEN_SECONDLY_ROLLING", 10), ("SOMETHING", 10)],
)
def test_a_limit_is_waited_for_as_long_as_it_takes(policy: str, wait: float) -> None:
    slept: list[float] = []
    server, calls = Server([]), []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        body = {"policyName": policy}
        return httpx.Response(429, json=body) if len(calls) == 1 else server(request)

    http = Http(httpx.MockTransport(answer), clock=lambda: NOW, sleep=slept.append)
    hubspot.check(hubspot.connect(OPTIONS, "pat-invented", http), OPTIONS)
    assert slept == [wait]


def test_a_version_by_date_has_another_path() -> None:
    assert hubspot._path(OPTIONS) == "/crm/v3/objects/contacts/search"
    dated = OPTIONS.model_copy(update={"api_version": "2026-03"})
    assert hubspot._path(dated) == "/crm/objects/2026-03/contacts/search"


def test_no_name_and_no_address_is_asked_for() -> None:
    assert set(hubspot.PROPERTIES) == {"createdate", "hs_analytics_source", "lifecyclestage"}


def test_a_contact_without_time_is_refused_with_its_reason() -> None:
    with pytest.raises(Refused, match="createdate"):
        list(hubspot.rows(Item("unreadable", {}, NOW), OPTIONS))


def test_days_before_since_are_never_asked_for() -> None:
    options = OPTIONS.model_copy(update={"since": date(2026, 11, 15)})
    server, start = Server([contact(1, NOW)]), datetime(2026, 11, 14, 23, tzinfo=UTC)
    api = hubspot.connect(options, "pat-x", Http(httpx.MockTransport(server), clock=lambda: NOW))
    window = Window(options, NOW, {"through": NOW.isoformat()}, since=start)
    list(hubspot.pages(api, window))
    assert (
        int(server.asked[0]["filterGroups"][0]["filters"][0]["value"]) / 1000 == start.timestamp()
    )


@absent
def test_every_recorded_contact_is_of_a_day() -> None:
    real = [
        one
        for _, body in bodies("hubspot")
        for one in objects(body, lambda one: "createdate" in (one.get("properties") or ()))
    ]
    if not real:
        pytest.skip("no recorded contacts of HubSpot")
    days = hubspot.Days(hubspot.ZoneInfo("UTC"), None)
    assert all(days.add(one) for one in real)
    assert sum(map(len, days.found.values())) == len({one["id"] for one in real})
