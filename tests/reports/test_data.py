"""The site's JSON: stable names, a version, a schema that each document keeps."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date, timedelta

import pytest
from measured import campus
from sample import hostile_view, quiet_view, sample_view

from muster.reports import data, inert, schema, view

VIEWS = {
    "campus": campus, "sample": sample_view, "quiet": quiet_view, "hostile": hostile_view,
}  # fmt: skip
KIND = {"kpis.json": "kpis", "goals.json": "goals", "index.json": "index"}


def documents(one):
    views = [inert.everything(one)]
    return data.files(views) | {"index.json": data.plain(data.index(views))}


@pytest.fixture(scope="module")
def validator():
    """What holds a document against its schema; it takes seconds to import."""
    import jsonschema

    return jsonschema.Draft202012Validator


@pytest.mark.parametrize("name", VIEWS)
def test_every_document_keeps_its_published_schema(name, validator):
    published = schema.files()
    for path, document in documents(VIEWS[name]()).items():
        kind = KIND.get(path, "report")
        root = "reports/" if path.startswith("reports/") else ""
        where = document["schema"].replace("../", "") if root else document["schema"]
        assert where == f"schema/{kind}.schema.json"
        validator.check_schema(published[where])
        held = json.loads(json.dumps(document, allow_nan=False))
        validator(published[where]).validate(held)
        assert held["version"] == data.VERSION


def test_a_document_that_lost_a_field_breaks_its_schema(validator):
    for path, document in documents(sample_view()).items():
        checker = validator(schema.schema(KIND.get(path, "report")))
        for name in document:
            assert list(checker.iter_errors({k: v for k, v in document.items() if k != name}))
        assert not list(checker.iter_errors({**document, "added_later": 1}))


def test_names_of_version_1_are_never_renamed():
    report = view.to_json(sample_view())["report"]
    assert set(report) >= {
        "name", "community", "note", "title", "voice", "grain", "period_start", "period_end",
        "period_text", "as_of", "subject", "preheader", "opening", "goals", "changes", "headline",
        "measures", "waiting", "missing", "freshness", "events", "how_to_read", "site_url",
        "unsubscribe_url",
    }  # fmt: skip
    assert set(report["measures"][0]) >= {
        "kpi", "title", "question", "definition", "sql", "version", "unit", "better", "grain",
        "value", "value_text", "n", "n_text", "is_too_few", "comparisons", "tone", "reading", "why",
        "points", "bands", "target", "target_text", "segments", "segment", "target_label",
    }  # fmt: skip
    assert set(report["measures"][0]["points"][0]) >= {
        "period_start", "value", "n", "tone", "label", "value_text",
    }  # fmt: skip
    assert set(report["goals"][0]) >= {
        "name", "objective", "kpi", "status", "status_text", "value_text", "target_text",
        "expected_text", "by_text", "owner", "reason", "value_at", "target_at", "expected_at",
    }  # fmt: skip


def test_goals_without_data_and_measures_without_a_goal_are_listed():
    told = data.files([sample_view()])["goals.json"]
    assert told["without_data"] == ["Satisfied students"]
    assert "messages" in told["without_goal"] and "csat" not in told["without_goal"]


def test_dates_are_iso_and_what_is_no_number_is_null():
    broken = replace(sample_view().measures[0], value=math.nan)
    report = view.to_json(replace(sample_view(), measures=(broken,)))["report"]
    assert report["period_start"] == "2026-11-16"
    assert report["as_of"] == "2026-11-23T05:00:00+00:00"
    assert report["measures"][0]["value"] is None


def test_hostile_text_is_one_visible_line_and_leads_nowhere():
    report = view.to_json(hostile_view())["report"]
    assert "\u202e" not in json.dumps(report, ensure_ascii=False)
    assert "\\u0000" not in json.dumps(report)
    assert all(not issue["url"] or issue["url"].startswith("http") for issue in report["waiting"])


def test_the_index_names_every_report_newest_first():
    main = sample_view()
    chief = replace(main, name="chief", voice="executive")
    last_week = data.issue(replace(main, period_start=main.period_start - timedelta(weeks=1)))
    files = data.files([main, chief])
    index = data.index([main, chief], past=[last_week, data.issue(main)])
    listed = [report.json for report in index.reports]
    assert listed == [
        "reports/2026-W47.json", "reports/2026-W47-chief.json", "reports/2026-W46.json",
    ]  # fmt: skip
    assert files["reports/2026-W47-chief.json"]["report"]["voice"] == "executive"


def test_kpis_of_all_reports_are_listed_once():
    first, second = sample_view(), replace(sample_view(), name="second")
    kpis = data.files([first, second])["kpis.json"]["kpis"]
    assert len(kpis) == len(first.measures)


@pytest.mark.parametrize(
    ("grain", "name"),
    [("week", "2026-W53"), ("month", "2026-12"), ("quarter", "2026-Q4"), ("year", "2026"),
     ("day", "2026-12-28")],
)  # fmt: skip
def test_periods_have_names_that_sort(grain, name):
    assert data.period_id(grain, date(2026, 12, 28)) == name
