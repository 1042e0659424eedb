"""muster.yaml: what is read, and that what is wrong is refused with file, line and the fix."""

from datetime import timedelta

import pytest

from muster import sources
from muster.errors import BadSettings
from muster.settings import Settings, weekdays
from muster.settings_file import json_schema, load, parse


def options(name):
    return sources.platform(name).Options


def read(text: str) -> Settings:
    return parse(text, "muster.yaml", options)


def test_a_minimal_file_gives_the_documented_defaults():
    settings = read("community: Help desk\n")
    assert settings.timezone == "UTC"
    assert settings.windows.answer == timedelta(hours=24)
    assert settings.windows.quiet == timedelta(hours=72)
    assert (settings.min_n, settings.reply_limit) == (5, 4)
    assert [report.name for report in settings.reports] == ["weekly"]


def test_a_source_gets_the_settings_class_of_its_platform():
    settings = read("community: a\nsources:\n  - {name: old, platform: file, every: 2h}\n")
    assert type(settings.sources[0]) is options("file")
    assert settings.sources[0].every == timedelta(hours=2)


def test_words_that_old_yaml_takes_for_booleans_stay_words():
    settings = read(
        "community: a\n"
        "business_hours: [{country: NO, hours: {mon: ['08:00-12:00']}}]\n"
        "sources: [{name: s, platform: file, episode_gap: off}]\n"
    )
    assert settings.business_hours[0].country == "NO"
    assert settings.sources[0].episode_gap == "off"


def test_a_source_may_take_over_what_another_says():
    """``<<`` brings the other's keys, and what it says itself stands."""
    one = "&f {name: a, platform: file, lang: de}"
    found = read(f"community: a\nsources:\n  - {one}\n  - {{<<: *f, name: b}}\n").sources
    assert [(source.name, source.lang) for source in found] == [("a", "de"), ("b", "de")]
    with pytest.raises(BadSettings, match=r"muster.yaml:4: 'name' stands here a second time"):
        read(f"community: a\nsources:\n  - {one}\n  - {{<<: *f, name: b, name: c}}\n")


def test_characters_are_read_as_json_writes_them():
    """Whoever makes the file by a program's JSON has every character beyond 16 bits in halves."""
    assert read('{"community": "\\ud83d\\ude00 desk"}').community == "😀 desk"


def test_the_longest_window_is_that_of_the_community_or_of_a_source():
    settings = read(
        "community: a\nwindows: {answer: 2h}\nsources:\n"
        "  - {name: s, platform: file, windows: {answer: 1d, quiet: 1h}}\n"
        "  - {name: t, platform: file, windows: {answer: 1h}}\n"
    )
    longest = settings.longest_windows
    assert (longest.answer, longest.quiet) == (timedelta(days=1), timedelta(hours=72))
    assert settings.sources[0].windows.resolution is None


REFUSED = {
    "unknown key, nearest named": (
        "community: a\ntimezon: UTC\n",
        "muster.yaml:2: timezon: unknown key 'timezon': did you mean 'timezone'?",
    ),
    "unknown key of a source": (
        "community: a\nsources:\n  - name: f\n    platform: file\n    tokn: env:X\n",
        "muster.yaml:5: sources[0].tokn: unknown key 'tokn': did you mean 'token'?",
    ),
    "unknown key deep inside": (
        "community: a\nwindows:\n  answr: 3h\n",
        "muster.yaml:3: windows.answr: unknown key 'answr': did you mean 'answer'?",
    ),
    "time zone": (
        "community: a\ntimezone: Europe/Berln\n",
        "muster.yaml:2: timezone: 'Europe/Berln' is no IANA time zone",
    ),
    "missing key": ("timezone: UTC\n", "'community' is missing: add it"),
    "duration without unit": (
        "community: a\nsources: [{name: f, platform: file, every: 3}]\n",
        "write a number and a unit",
    ),
    "hours": (
        "community: a\nbusiness_hours:\n  - hours: {mon-fri: ['8-12']}\n",
        "'8-12' is no range of hours: write 09:00-17:30",
    ),
    "weights of the quality index": (
        "community: a\nquality_weights: {rating: 0.6}\n",
        "muster.yaml:2: quality_weights: the weights add up to 1.3: make them add up to 1",
    ),
    "two sources of one name": (
        "community: a\nsources:\n  - {name: f, platform: file}\n  - {name: f, platform: file}\n",
        "muster.yaml:4: sources[1].name: the name 'f' is taken",
    ),
    "half a character": (
        'community: "a \\ud83d"\n',
        "muster.yaml:1: not YAML: 'a \\ud83d' cannot be read as str",
    ),
    "the same key twice": (
        "community: a\ncommunity: b\n",
        "muster.yaml:2: 'community' stands here a second time",
    ),
    "two target forms": (
        "community: a\ngoals: [{name: g, objective: o, kpi: k, by: 2026-01-01,"
        " target: {at_least: 1, at_most: 2}}]\n",
        "set exactly one of",
    ),
    "relative target without baseline": (
        "community: a\ngoals: [{name: g, objective: o, kpi: k, by: 2026-01-01,"
        " target: {increase_by: 10%}}]\n",
        "increase_by needs a baseline",
    ),
    "a path in a source's name": (
        "community: a\nsources: [{name: ../etc, platform: file}]\n",
        "sources[0].name",
    ),
    "a token written into the file": (
        "community: a\nsources: [{name: f, platform: file, token: abc}]\n",
        "sources[0].token: a secret never stands in this file: write where it is, as env:NAME",
    ),
    "a number for an id": (
        "community: a\nsources: [{name: f, platform: discord, account: 81384788765712384}]\n",
        "muster.yaml:2: sources[0].account: expected text: put a number",
    ),
    "an id of another form": (
        "community: a\nsources: [{name: f, platform: discord, account: desk}]\n",
        "sources[0].account: expected the server's id, of the form",
    ),
    "one for a list": (
        "community: a\nreports: [{recipients: anna@example.org}]\n",
        "reports[0].recipients: expected a list: [one, two]",
    ),
    "a word for keys": (
        "community: a\nwindows: 24h\n",
        "windows: expected keys with values: answer, resolution",
    ),
    "a host for an address": (
        "community: a\nsources: [{name: f, platform: discourse, base_url: f.example}]\n",
        "sources[0].base_url: write https://host",
    ),
    "no address where one is needed": (
        "community: a\nsources: [{name: f, platform: discourse}]\n",
        "sources[0]: 'base_url' is missing: add it (the forum's address",
    ),
    "tabs": (
        "community: a\n\tlake: b\n",
        "muster.yaml:2: not YAML: found character '\\t' that "
        "cannot start any token: indent with spaces, not with tabs",
    ),
    "a line that stands out": (
        "community: a\nsources:\n  - name: f\n   platform: file\n",
        "muster.yaml:4: not YAML: ",
    ),
    "a broken pattern": (
        "community: a\nescalation: {patterns: ['open (a']}\n",
        "muster.yaml:2: escalation.patterns[0]: 'open (a' is no pattern",
    ),
    "a day that does not exist": (
        "community: a\ngoals: [{name: g, objective: o, kpi: k, by: 2027-13-31,"
        " target: {at_least: 1}}]\n",
        "muster.yaml:2: goals[0].by: ",
    ),
    "an address that is none": (
        "community: a\nreports:\n  - recipients: [anna@example.org, not an address]\n",
        "muster.yaml:3: reports[0].recipients[1]: 'not an address' is no mail address",
    ),
    "no address among those who are alerted": (
        "community: a\nreports:\n  - alerts: [anna]\n",
        "muster.yaml:3: reports[0].alerts: 'anna' is no mail address",
    ),
    "a list for a number": (
        "community: a\ngoals: [{name: g, objective: o, kpi: k, by: 2027-12-31,"
        " target: {at_least: [1]}}]\n",
        "muster.yaml:2: goals[0].target.at_least: expected ",
    ),
    "a key whose list was taken out": (
        "community: a\ngoals:\n#  - name: g\n",
        "muster.yaml:2: goals: nothing stands here: write a value, or take the key out",
    ),
    "a lake nobody knows": ("community: a\nlake: gs://x/y\n", "muster.yaml:2: lake: 'gs://x/y'"),
    "a bucket misspelt": ("community: a\nlake: s3:/x/y\n", "muster.yaml:2: lake: 's3:/x/y' is no"),
    "an alias that holds itself": ("community: &a [*a]\n", "muster.yaml:1: "),
    "no YAML": ("a: [", "not YAML"),
    "an empty file": ("", "expected keys"),
}


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_what_is_wrong_is_refused_with_place_and_fix(case):
    text, expected = REFUSED[case]
    with pytest.raises(BadSettings) as refusal:
        read(text)
    assert expected in str(refusal.value)
    assert str(refusal.value).startswith("muster.yaml:")
    assert "\n" not in str(refusal.value)
    assert "abc" not in str(refusal.value)
    assert refusal.value.exit_code == 2


def test_a_bucket_is_the_same_with_a_slash_behind_it():
    """Site and outbox lie below it: s3://b/x//site would be another place."""
    assert read("community: a\nlake: s3://b/x/\n").lake == "s3://b/x"


def test_a_pattern_that_a_later_python_may_read_otherwise_is_taken_in_silence(recwarn):
    assert read("community: a\nescalation: {patterns: ['[[a]']}\n").escalation.patterns == ("[[a]",)
    assert not [one for one in recwarn if one.category is FutureWarning], "not garbage of others"


def test_an_unknown_platform_names_the_nearest_or_those_there_are():
    with pytest.raises(BadSettings, match=r"muster.yaml:2.*no platform 'discrd'.*'discord'\?"):
        read("community: a\nsources: [{name: f, platform: discrd}]\n")
    with pytest.raises(BadSettings, match=r"no platform 'qqq': known here: apple.*, zendesk"):
        read("community: a\nsources: [{name: f, platform: qqq}]\n")


def test_a_file_in_another_encoding_says_what_to_do(tmp_path):
    (tmp_path / "muster.yaml").write_text("community: a", "utf-16")
    with pytest.raises(BadSettings, match=r"cannot be read: save it as UTF-8 text$"):
        load(tmp_path / "muster.yaml", options)


def test_a_missing_file_says_how_to_write_one(tmp_path):
    with pytest.raises(BadSettings, match="muster init"):
        load(tmp_path / "muster.yaml", options)


def test_the_schema_for_editors_knows_every_platform():
    schema = json_schema({name: options(name) for name in sources.platform_names()})
    assert schema["additionalProperties"] is False
    assert "community" in schema["required"]
    assert "discourse" in str(schema["properties"]["sources"]) + str(schema["$defs"])


def test_weekday_spans_wrap_around_the_week():
    assert weekdays("mon-fri") == (0, 1, 2, 3, 4)
    assert weekdays("fri-mon") == (4, 5, 6, 0)
    assert weekdays("sun") == (6,)
