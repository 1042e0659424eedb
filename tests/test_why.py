"""``muster kpis show ID --period P`` as a user meets it: the value, and every row it counts."""

import csv
import io
import json

import pytest
from command_line import MESSAGES, MINIMAL, here, one_line

TYPES = """\
sources:
  - {name: mine, platform: file}
"""
MORE = """\
3,3,,ben,member,2026-11-04T23:30:00Z,inbound,=Printer is on fire,
4,3,3,desk,staff,2026-11-05T00:30:00Z,outbound,Put it out please,
5,5,,eve,member,2026-11-09T09:00:00Z,inbound,Anybody there?,
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A project with three questions in two weeks, measured."""
    folder = tmp_path_factory.mktemp("why")
    (folder / "muster.yaml").write_text(MINIMAL + TYPES)
    (folder / "messages.csv").write_text(MESSAGES + MORE)
    for words in (("import", "messages", "messages.csv", "--source", "mine"), ("measure",)):
        words = tuple(str(folder / word) if word.endswith(".csv") else word for word in words)
        ended = here(folder, *words)
        assert ended.returncode == 0, ended.stderr
    return folder


def why(folder, kpi, period, *words):
    ended = here(folder, "kpis", "show", kpi, "--period", period, *words)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_value_is_told_with_formula_sql_and_rows(measured):
    said = why(measured, "first_response_mean", "2026-W45")
    assert "Formula: value = avg(wait_seconds); n = count(*)" in said
    assert "where is_answered" in said
    assert "Week 45: 2–8 November 2026, all: 1 h 15 min (4500 seconds), n = 2" in said
    assert "2 of opened_issues\n" in said
    lines = said.splitlines()
    rows = [line.split("\t") for line in lines if line.startswith("mine")]
    assert [row[1] for row in rows] == ["1", "3"], "the longest wait first"
    assert "2026-11-05 00:30" in rows[1], "local time of Berlin"


@pytest.mark.parametrize(
    ("kpi", "ids"), [("first_response_median", ["5", "1", "3"]), ("unanswered_issues", ["5"])]
)
def test_who_waits_is_named_and_the_longest_wait_comes_first(measured, kpi, ids):
    lines = why(measured, kpi, "2026").splitlines()
    assert [line.split("\t")[1] for line in lines if line.startswith("mine")] == ids
    assert not any(line.startswith("Formula: value = t") for line in lines), "it says nothing"


def test_json_and_csv_tell_every_row(measured):
    told = json.loads(why(measured, "first_response_mean", "2026-11", "--json"))
    assert (told["value"], told["n"], told["grain"]) == (4500, 2, "month")
    (part,) = told["behind"]
    assert part["contributions"] == ["wait_seconds"]
    assert [row["wait_seconds"] for row in part["rows"]] == [5400, 3600]
    text = why(measured, "messages", "2026", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["message_id"] for row in rows] == ["1", "3", "5"]
    assert {row["table"] for row in rows} == {"counted_messages"}


def test_a_count_of_nothing_is_told_as_nothing(measured):
    said = why(measured, "first_response_mean", "2026-W46")
    assert "all: no value" in said
    assert "0 of opened_issues" in said


@pytest.mark.parametrize(
    ("kpi", "words", "told"),
    [
        ("messages", ("2026-W60",), "no period: write 2026-W47"),
        ("stickiness", ("2026-W45",), "no values by week: it has month, quarter, year"),
        ("mesages", ("2026",), "no KPI 'mesages': did you mean 'messages'?"),
        ("mentions", ("2026",), "mentions has no values: muster.yaml has no brand_terms"),
        ("NPS", ("2026",), "no KPI 'NPS': did you mean 'nps'?"),
    ],
)
def test_what_cannot_be_told_is_one_line(measured, kpi, words, told):
    ended = here(measured, "kpis", "show", kpi, "--period", *words)
    assert ended.returncode == 2
    assert told in one_line(ended)


def test_a_lake_that_changed_since_says_so(measured):
    late = measured / "late.csv"
    head = MESSAGES.splitlines()[0]
    late.write_text(f"{head}\n9,9,,zoe,member,2026-11-03T09:00:00Z,inbound,And I?,\n")
    assert here(measured, "import", "messages", str(late), "--source", "mine").returncode == 0
    said = why(measured, "messages", "2026-W45")
    assert "n = 3; the lake has changed since it was measured: it was 2" in said
