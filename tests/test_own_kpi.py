"""A ``.sql`` file in the project's own ``kpis/`` is a KPI like any other, from goal to site."""

import json

import pytest
from command_line import MESSAGES, few, here, muster
from published import newest

SETTINGS = """\
community: Help desk
timezone: Europe/Berlin
sources:
  - {name: mine, platform: file}
goals:
  - name: Fewer broken things
    objective: Be trusted
    kpi: broken_things
    target: {at_most: 5}
    by: 2027-12-31
reports:
  - name: weekly
    kpis: [broken_things, messages]
    recipients: [team@example.org]
"""
OWN = """\
-- title: Broken things
-- question: How much is broken?
-- definition: Members' messages that say so.
-- unit: count
-- better: down
-- statistic: count
-- communities: support
-- version: 1
-- table: messages
-- zero: all

select periods.period_start, 'all' as segment, count(*) as value, count(*) as n
from human_messages
join periods
    on human_messages.created_at >= periods.start_at
    and human_messages.created_at < periods.end_at
where human_messages.role = 'member' and human_messages.text like '%broken%'
group by periods.period_start
"""
AS_OF = ("--as-of", "2026-11-10")


@pytest.fixture(scope="module", autouse=True)
def beside_messages():
    with pytest.MonkeyPatch.context() as patch:
        few(patch, "messages")
        yield


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with a KPI of its own and a few messages."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "kpis").mkdir()
    (folder / "muster.yaml").write_text(SETTINGS)
    (folder / "kpis" / "broken_things.sql").write_text(OWN)
    (folder / "messages.csv").write_text(MESSAGES)
    file = str(folder / "messages.csv")
    assert muster(folder, "import", "messages", file, "--source", "mine").returncode == 0
    assert "met: Fewer broken things." in said(folder, "measure", *AS_OF)
    return folder


def said(folder, *words, code=0):
    ended = here(folder, *words)
    assert ended.returncode == code, ended.stdout + ended.stderr
    return ended.stdout


def page_of_it(project):
    return (newest(project / "site") / "kpi/broken_things.html").read_text()


def test_it_stands_wherever_a_built_in_one_does(project):
    said(project, "report")
    (mail,) = (project / "outbox").glob("*.html")
    assert "Broken things" in mail.read_text()
    assert "like &#39;%broken%&#39;" in page_of_it(project)
    kpis = json.loads((project / "site/data/kpis.json").read_text())["kpis"]
    assert next(one for one in kpis if one["kpi"] == "broken_things")["value"] == 1
    assert "broken_things\tBroken things" in said(project, "kpis", "list")
    assert "broken_things" in said(project, "goals")
    asked = "select value from kpi_values where kpi = 'broken_things' and grain = 'month'"
    assert said(project, "sql", asked).split() == ["value", "1.0"]
    told = json.loads(said(project, *WHY, "--json"))
    assert [row["message_id"] for row in told["behind"][0]["rows"]] == ["1"]


WHY = ("kpis", "show", "broken_things", "--period", "2026-W45")


def test_a_new_definition_marks_a_break_with_its_day(project):
    assert "Definition" not in said(project, *WHY)
    changed = OWN.replace("version: 1", "version: 2").replace("%broken%", "%wifi%")
    (project / "kpis" / "broken_things.sql").write_text(changed)
    said(project, "measure", "--as-of", "2026-11-12")
    told = "Definition 2 since 12 November 2026: every value shown here is computed by it"
    assert told in said(project, *WHY)
    said(project, "measure", "--as-of", "2026-11-13")
    assert said(project, *WHY).count("Definition 2 since 12 November 2026") == 1, "kept"
    said(project, "report")
    assert told in page_of_it(project)


def test_a_broken_one_is_one_line_and_the_others_stand(project):
    (project / "kpis" / "broken_things.sql").write_text(OWN.replace("count(*) as value", "nope"))
    ended = here(project, "measure", *AS_OF)
    assert ended.returncode == 1
    (line,) = ended.stderr.strip().splitlines()
    assert line.startswith("KPI broken_things: its SQL cannot be run:") and "nope" in line
    said(project, "report")
    page = (project / "site/index.html").read_text()
    assert "A measure failed: KPI broken_things" in page
    kpis = json.loads((project / "site/data/kpis.json").read_text())["kpis"]
    assert next(one for one in kpis if one["kpi"] == "messages")["value"] == 1


def test_a_header_that_is_wrong_stops_before_anything_is_measured(project):
    (project / "kpis" / "broken_things.sql").write_text(OWN.replace("-- better: down\n", ""))
    ended = muster(project, "measure", *AS_OF)
    assert ended.returncode == 2
    assert "broken_things.sql: the header lacks 'better'" in ended.stderr
