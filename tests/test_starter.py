"""``muster init``: each type of community begins with measures and goals that hold together."""

import json
from datetime import date
from pathlib import Path

import pytest

from muster import starter
from muster.errors import BadSettings
from muster.goals import goals
from muster.kpis import catalogue
from muster.kpis.catalogue import COMMUNITIES
from muster.project import credentials_of, options_of, platform_names, read_settings
from muster.reports import view
from muster.settings import Source

RECORDINGS = Path(__file__).parent / "recordings"
KPIS = {kpi.id: kpi for kpi in catalogue.load()}
TODAY = date(2026, 11, 26)
GIVEN = {
    "community": "Help: desk",
    "platform": "discourse",
    "base_url": "https://f.example",
    "lake": "./lake",
}


def begun(folder, **more):
    """The settings of a project begun with these answers."""
    starter.write(folder, starter.complete({**GIVEN, **more}, TODAY, None))
    return read_settings(folder)


@pytest.mark.parametrize("kind", COMMUNITIES)
def test_each_type_begins_with_measures_and_goals_that_can_be_judged(tmp_path, kind):
    settings = begun(tmp_path, type=kind)
    (report,) = settings.reports
    assert len(report.kpis) >= 8 and len(settings.goals) >= 2
    assert all(kind in KPIS[kpi].communities for kpi in report.kpis)
    goals.check(settings.goals, KPIS.values())
    view.check(settings.reports, KPIS.values())
    served = [goal.kpi for goal in settings.goals]
    assert set(report.kpis[: len(served)]) == set(served), "those of goals come first"
    missing = {
        kpi for kpi in report.kpis if not all(map(settings.__getattribute__, KPIS[kpi].needs))
    }
    assert not missing, "each can have a value with what init asks"


def test_the_types_begin_differently_and_support_is_the_default(tmp_path):
    lists = {kind: begun(tmp_path / kind, type=kind).reports[0].kpis for kind in COMMUNITIES}
    assert len(set(lists.values())) == len(COMMUNITIES)
    assert begun(tmp_path / "none").reports[0].kpis == lists["support"]


def test_an_audience_begins_without_shares_of_members_since_it_knows_those_who_wrote_only(tmp_path):
    named = set(begun(tmp_path, type="audience").reports[0].kpis)
    assert not named & {"announcement_reach", "contributors_share"}


def test_a_relative_goal_starts_from_the_weeks_before(tmp_path):
    goal = next(g for g in begun(tmp_path, type="sales").goals if g.target.form == "increase_by")
    assert (goal.baseline.from_, goal.baseline.to) == (date(2026, 8, 27), date(2026, 11, 25))
    assert goal.by == date(2027, 12, 31)


def test_an_unknown_type_names_those_there_are(tmp_path):
    with pytest.raises(BadSettings, match="no type of community: choose from support, product"):
        begun(tmp_path, type="suport")
    assert not (tmp_path / "muster.yaml").exists()


def test_what_is_wrong_is_told_of_no_file_that_is_not_there(tmp_path):
    with pytest.raises(BadSettings, match="^nothing was written: timezone: 'Berlin' is no IANA"):
        begun(tmp_path, timezone="Berlin")
    assert not (tmp_path / "muster.yaml").exists()


def test_init_asks_for_the_type(tmp_path):
    asked = []

    def ask(question):
        asked.append(question)
        answer = next((word for word in ("sales", "discourse") if word in question), "")
        return answer or ("Shop" if "called" in question else "")

    answers = starter.complete({"lake": "./lake"}, TODAY, ask)
    assert (answers["community"], answers["type"]) == ("Shop", "sales")
    assert any("support, product, employee, audience, sales" in one for one in asked)


def test_an_answer_that_cannot_be_taken_is_asked_for_again_with_the_reason(tmp_path):
    said = {
        "called": ["", "Shop"], "What is it for": [""], "Which platform": ["discrd", "discord"],
        "server": ["", "my server", "81384788765712384"], "Address of": ["discord.example", ""],
        "Where is it": ["s3cr3t-token", "env:DISCORD"], "Time zone": ["Berlin", "Europe/Berlin"],
        "weekly report": ["me", "me@example.org"],
    }  # fmt: skip
    asked = []

    def ask(question):
        asked.append(question)
        word = next(word for word in said if word in question)
        return said[word].pop(0)

    starter.write(tmp_path, {**starter.complete({"lake": "./lake"}, TODAY, ask)})
    (source,) = read_settings(tmp_path).sources
    assert not any(said.values()) and source.account == "81384788765712384"
    assert (source.token, source.base_url) == ("env:DISCORD", None)
    reasons = [one.splitlines()[0] for one in asked if "\n" in one]
    assert "no platform 'discrd': did you mean 'discord'?" in reasons
    assert any("a secret never stands in this file" in reason for reason in reasons)
    assert "s3cr3t" not in str(reasons)


def test_who_cannot_answer_is_not_asked_for_ever(tmp_path):
    with pytest.raises(BadSettings, match="no platform 'x y'"):
        starter.write(tmp_path, starter.complete({"lake": "."}, TODAY, lambda question: "x y"))


def test_a_starting_goal_that_says_too_little_is_refused(tmp_path):
    text = (
        (catalogue.BUILT_IN / "csat.sql")
        .read_text()
        .replace("-- version", "-- goal: Be good | at_least 3\n-- version")
    )
    (tmp_path / "own.sql").write_text(text)
    with pytest.raises(Exception, match="goal: write: name | objective"):
        catalogue.load(tmp_path)


def test_what_starts_with_a_kpi_is_a_community_of_it():
    assert all(set(kpi.starter) <= set(kpi.communities) for kpi in KPIS.values())


@pytest.mark.parametrize("platform", platform_names())
def test_every_platform_can_be_the_first_source(tmp_path, platform):
    """Asked for what it needs in its own words; the file tells its secret and its own settings."""
    path, asked = RECORDINGS / f"{platform}.json", []
    told = json.loads(path.read_text("utf-8"))["options"] if path.exists() else {}
    given = {"community": "Desk", "platform": platform, "type": "support", "timezone": "UTC"}

    def answer(question):
        asked.append(question)
        return told.get("account" if len(asked) == 1 else "base_url", "") if len(asked) < 3 else ""

    missing = {"community": None, **{key: given[key] for key in given if key != "community"}}
    answers = starter.complete(missing, TODAY, lambda q: answer(q) if "called" not in q else "Desk")
    text = starter.write(tmp_path, {**answers, "lake": "./lake"}).read_text("utf-8")
    (source,) = read_settings(tmp_path).sources
    assert source.account == told.get("account")
    field = options_of(platform).model_fields["account"]
    if field.is_required():
        assert asked[0] == f"{field.description} (required)"
    assert credentials_of(platform) in asked[2]
    own = set(options_of(platform).model_fields) - {*answers, "name", "since", *dir(Source)}
    assert all(f"# {name}:" in text or name in Source.model_fields for name in own)


def test_what_to_do_next_is_an_import_where_only_files_feed_the_source():
    told = starter.next_step({"platform": "file", "name": "desk"}, "muster -C here")
    assert told.startswith("muster -C here import messages FILE --source desk ")
    assert starter.next_step(GIVEN, "muster").endswith("then muster run")
