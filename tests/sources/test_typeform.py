"""Typeform: which answer is the score, how good the best one would be, and what is left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from real import absent, bodies, objects
from recorded import Recorded, items_of

from muster.errors import Refused, SourceFailed
from muster.records import Item, KnownMessage, SurveyResponse
from muster.sources import Window, typeform
from muster.sources._http import Http
from muster.sources._typeform_rows import scales

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def options(**form: Any) -> typeform.Options:
    told = {"survey": "csat", **form}
    return typeform.Options(name="surveys", platform="typeform", forms={"f": told})


def question(kind: str, **properties: Any) -> dict[str, Any]:
    return {"id": "q", "ref": "stars", "type": kind, "properties": properties}


def answer(kind: str, **value: Any) -> dict[str, Any]:
    return {"field": {"id": "q", "ref": "stars", "type": kind}, **value}


def scored(field: dict[str, Any], *answers: Any, hidden: Any = None, **form: Any) -> Any:
    best = scales({"fields": [field]})
    body = {"token": "t", "submitted_at": "2026-11-02T09:00:00Z", "answers": list(answers)}
    context = {"form": "f", "scales": best, "hidden": hidden or {}}
    return next(typeform.rows(Item("response", body, NOW, context), options(**form)), None)


@pytest.mark.parametrize(
    ("field", "given", "score", "best"),
    [
        (question("opinion_scale", steps=11), {"number": 10}, 10, 10),
        (question("opinion_scale", steps=5, start_at_one=True), {"number": 5}, 5, 5),
        (question("opinion_scale", steps=5), {"number": 4}, 4, 4),
        (question("opinion_scale"), {"number": 10}, 10, 10),
        (question("rating", steps=7), {"number": 7}, 7, 7),
        (question("rating"), {"number": 3}, 3, 5),
        (question("nps"), {"number": 0}, 0, 10),
        (question("yes_no"), {"boolean": False}, 0, 1),
    ],
)
def test_the_best_score_is_read_from_the_forms_scale(
    field: Any, given: Any, score: float, best: float
) -> None:
    row = scored(field, answer(field["type"], **given))
    assert (row.score, row.score_max) == (score, best)


def test_a_plain_number_counts_only_where_the_settings_name_it_and_its_best() -> None:
    number, given = question("number"), answer("number", number=7)
    assert scored(number, given) is None
    assert scored(number, given, score="stars", best=10).score_max == 10
    with pytest.raises(Refused, match="set best"):
        scored(number, given, score="stars")


def test_a_question_left_out_is_no_answer() -> None:
    assert scored(question("rating")) is None


def test_comment_account_and_conversation_are_what_the_settings_name() -> None:
    texts = [
        {"field": {"id": kind, "type": kind}, "text": f"a {kind}"}
        for kind in ("short_text", "long_text")
    ]
    given = [answer("rating", number=5), *texts]
    hidden = {"user": "u7", "ticket": "35"}
    plain = scored(question("rating"), *given, hidden=hidden)
    assert (plain.comment, plain.respondent_id, plain.thread_id) == ("a long_text", None, None)
    named = {"comment": "short_text", "respondent": "user", "thread": "ticket"}
    row = scored(question("rating"), *given, hidden=hidden, **named)
    assert (row.comment, row.respondent_id, row.thread_id) == ("a short_text", "u7", "35")


def test_an_answer_of_a_form_that_is_not_read_any_more_is_refused_with_the_reason() -> None:
    item = Item("response", {}, NOW, {"form": "gone", "scales": {}, "hidden": {}})
    with pytest.raises(Refused, match="no longer"):
        list(typeform.rows(item, options()))


def test_nothing_that_names_a_person_is_stored() -> None:
    one = Recorded("typeform")
    stored = repr(items_of(one.pages(one.wire())))
    for private in ("example.org", "network_id", "discord", "user_agent"):
        assert private not in stored


def test_doctor_asks_for_the_forms() -> None:
    one = Recorded("typeform")
    with pytest.raises(SourceFailed, match="set forms"):
        typeform.check(one.api(one.wire()), typeform.Options(name="surveys", platform="typeform"))


def test_what_was_deleted_keeps_its_score_and_when_it_went() -> None:
    one = Recorded("typeform")
    rows, _ = one.rows(items_of(one.pages(one.wire())))
    gone = {key[1]: row for key, row in rows.items() if row["deleted_at"]}
    assert {name: row["score"] for name, row in gone.items()} == {"gone": 3, "old": 10}
    assert all(row["deleted_at"] == NOW and row["comment"] is None for row in gone.values())


@pytest.mark.parametrize(
    ("total", "tokens", "missing"),
    [
        (1, ["kept"], {"gone"}),
        (0, [], {"kept", "gone"}),
        (2, ["kept", "another"], set()),  # it did not look for them
        (1, [], set()),  # it lists fewer than it counts
    ],
)
def test_an_answer_is_missing_only_where_the_form_surely_looked_for_it(
    total: int, tokens: list[str], missing: set[str]
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        items = [{"token": token} for token in tokens]
        return httpx.Response(200, json={"total_items": total, "items": items})

    api = typeform.connect(options(), "tfp_x", Http(httpx.MockTransport(answer)))
    assert typeform._missing(api, ["f"], ["kept", "gone"]) == missing


@pytest.mark.parametrize(("status", "gone"), [(200, set()), (404, {"kept"})])
def test_a_form_that_is_not_read_any_more_takes_no_answer_along(status: int, gone: Any) -> None:
    """Only its settings are gone, unless Typeform says that the form is."""

    def answer(request: httpx.Request) -> httpx.Response:
        is_old = request.url.path == "/forms/old/responses"
        items = [{"token": "kept"}] if is_old else []
        told = {"fields": [], "total_items": len(items), "items": items}
        return httpx.Response(status if is_old else 200, json=told)

    known = SurveyResponse(
        response_id="kept", survey="csat", score=5, score_max=5, created_at=NOW - timedelta(days=1)
    )
    api = typeform.connect(options(), "tfp_x", Http(httpx.MockTransport(answer), lambda: NOW))
    cursor = {"forms": {"old": {"mark": "2026-11-19T12:00:00+00:00"}}}
    window = Window(options(), NOW, cursor, responses=lambda: [known])
    found = items_of(typeform.pages(api, window))
    assert {one.context["response_id"] for one in found if one.context} == gone


def test_every_answer_is_looked_up_each_thirty_days() -> None:
    known = KnownMessage("r", "r", NOW - timedelta(days=120, hours=1))
    assert typeform._is_due(known, NOW - timedelta(days=1), NOW)
    assert not typeform._is_due(known, NOW, NOW + timedelta(days=1))


@absent
def test_every_recorded_answer_is_a_row_or_has_no_score() -> None:
    told = [body for _, body in bodies("typeform")]
    real = [
        one for body in told for one in objects(body, lambda one: {"token", "answers"} <= {*one})
    ]
    if not real:
        pytest.skip("no recorded answers of Typeform")
    forms = [one for body in told for one in objects(body, lambda one: "fields" in one)]
    best = {name: score for form in forms for name, score in scales(form).items()}
    for one in real:
        context = {"form": "f", "scales": best, "hidden": {}}
        for row in typeform.rows(Item("response", one, NOW, context), options()):
            assert row.response_id == one["token"]
            assert row.created_at == datetime.fromisoformat(one["submitted_at"])
            assert 0 <= row.score <= row.score_max
