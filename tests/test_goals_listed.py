"""``muster goals`` and the refusal of sales goals, on a small lake."""

import json

import pytest
from command_line import MESSAGES, MINIMAL, few, here, one_line

SETTINGS = """\
min_n: 1
sources:
  - {name: mine, platform: file}
goals:
  - name: Sell more
    objective: Grow
    kpi: sales
    segment: organic_social
    target: {at_least: 10}
    by: 2027-12-31
  - name: Answer fast
    objective: Be trusted
    kpi: first_response_mean
    target: {at_most: 4h}
    by: 2027-12-31
"""
TRAFFIC = "date,channel,sessions,visitors,leads,purchases\n2026-11-03,{},100,90,5,{}\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    few(monkeypatch, "csat", "first_response_mean", "first_response_median", "messages", "sales")
    (tmp_path / "muster.yaml").write_text(MINIMAL + SETTINGS)
    (tmp_path / "messages.csv").write_text(MESSAGES)
    bring(tmp_path, "messages")
    return tmp_path


def bring(folder, table):
    file = str(folder / f"{table}.csv")
    ended = here(folder, "import", table, file, "--source", "mine")
    assert ended.returncode == 0, ended.stderr


def measure(folder):
    return here(folder, "measure", "--as-of", "2026-11-10")


def test_a_sales_goal_needs_influence_or_sales_of_other_channels_to_compare_with(project):
    refused = measure(project)
    assert refused.returncode == 2
    assert "muster.yaml:7: goal 'Sell more': sales also depends on site" in one_line(refused)
    (project / "site_traffic.csv").write_text(TRAFFIC.format("organic_social", 3))
    bring(project, "site_traffic")
    assert measure(project).returncode == 2, "social sales alone compare with nothing"
    (project / "site_traffic.csv").write_text(TRAFFIC.format("direct", 7))
    bring(project, "site_traffic")
    assert measure(project).returncode == 0


def test_goals_without_data_and_kpis_without_a_goal_are_listed(project):
    text = (project / "muster.yaml").read_text()
    accepted = text.replace("    segment:", "    accept_outside_influence: true\n    segment:")
    (project / "muster.yaml").write_text(accepted)
    assert measure(project).returncode == 0
    said = here(project, "goals").stdout
    assert "Goals without data: Sell more" in said
    loose = next(line for line in said.splitlines() if line.startswith("KPIs without a goal: "))
    assert "messages" in loose and "first_response_median" in loose
    assert "first_response_mean" not in loose and "csat" not in loose, "csat has no value"
    told = json.loads(here(project, "goals", "--json").stdout)
    assert told["without_data"] == ["Sell more"]
    assert "messages" in told["without_goal"]
    assert [goal["goal"] for goal in told["goals"]] == ["Sell more", "Answer fast"]
