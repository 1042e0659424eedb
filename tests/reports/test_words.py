"""Words: one file a language, complete, with numbers and plurals that read aloud."""

import re
import string
from dataclasses import replace
from datetime import date, datetime

import pytest
from measured import build, values
from measured import kpi as made

from muster.errors import BadSettings
from muster.kpis import catalogue
from muster.reports import chart, dates, numbers, opening, words
from muster.reports.numbers import Style
from muster.reports.words import Words
from muster.results import OtherMoney
from muster.settings import Report, Settings

EN, DE = words.load("en"), words.load("de")
OTHERS = sorted(set(words.languages()) - {"en"})


def leaves(table, name="") -> dict[str, str]:
    """Every text of a language by its name; regions and KPIs have tests of their own."""
    found = {}
    for key, value in table.items():
        if name or key not in ("kpis", "region"):
            parts = dict(enumerate(value)) if isinstance(value, list) else value
            is_text = isinstance(parts, str)
            found |= {f"{name}{key}": parts} if is_text else leaves(parts, f"{name}{key}.")
    return found


def places(text: str) -> set[str]:
    """The facts a text has places for, those inside other places too."""
    names = set()
    for _, name, inside, _ in string.Formatter().parse(text):
        names |= ({name} if name is not None else set()) | (places(inside) if inside else set())
    return names


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_says_everything_and_tells_the_same_facts(language):
    english, other = leaves(EN.texts), leaves(words.load(language).texts)
    assert other.keys() == english.keys()
    counted = {"n", "grain", "unit"}  # a language may need more or fewer forms
    for name, text in english.items():
        assert places(other[name]) - counted == places(text) - counted, name


@pytest.mark.parametrize("language", OTHERS)
def test_every_kpi_is_told_in_every_language_by_its_present_version(language):
    say = words.load(language)
    for kpi in catalogue.load():
        told = say.kpi(kpi)
        assert told.title != kpi.title or told.question != kpi.question, kpi.id
        assert told.question != kpi.question, kpi.id
        assert told.definition != kpi.definition, kpi.id
    assert say.texts["kpis"].keys() == {kpi.id for kpi in catalogue.load()}


def test_a_definition_of_another_version_is_not_told():
    (kpi,) = (one for one in catalogue.load() if one.id == "likes")
    table = {"kpis": {"likes": {"title": "T", "question": "Q", "definition": "D"}}}
    say = Words("xx", table, int)
    assert say.kpi(kpi).title == "T"
    table["kpis"]["likes"]["version"] = kpi.version + 1
    assert say.kpi(kpi) == kpi


def test_an_unknown_language_is_refused_with_the_known_ones():
    with pytest.raises(BadSettings, match="'xx'.*de.*en"):
        words.load("xx")


@pytest.mark.parametrize("language", ["en", "en-US", "en-DE", "de", "de-AT", "de-CH"])
def test_every_text_of_a_region_replaces_one_of_its_language(language):
    say = words.load(language)
    assert leaves(say.texts).keys() == leaves(EN.texts).keys()


def test_a_number_picks_its_form_in_languages_with_three():
    rule = words.c2py("n == 1 ? 0 : n % 10 >= 2 && n % 10 <= 4 ? 1 : 2")
    say = Words("pl", {"THOUSANDS": "\u00a0", "goals": "{n} {n:cel|cele|celów}"}, rule)
    said = [say("goals", n=count) for count in (1, 3, 5, 1_003)]
    assert said == ["1 cel", "3 cele", "5 celów", "1\u00a0003 cele"]


def test_what_a_stranger_wrote_is_no_place_for_facts():
    said = EN("look_first", title="{n.__class__} {0}", why="a|b=c")
    assert said == "Look first at {n.__class__} {0}: a|b=c."


@pytest.mark.parametrize(
    ("grain", "first", "english", "german", "american"),
    [
        ("week", (2026, 11, 16), "Week 47: 16–22 November 2026",
         "KW 47: 16.–22. November 2026", "Week 47: November 16–22, 2026"),
        ("week", (2026, 9, 28), "Week 40: 28 September – 4 October 2026",
         "KW 40: 28. September – 4. Oktober 2026", "Week 40: September 28 – October 4, 2026"),
        ("week", (2026, 12, 28), "Week 53: 28 December 2026 – 3 January 2027",
         "KW 53: 28. Dezember 2026 – 3. Januar 2027",
         "Week 53: December 28, 2026 – January 3, 2027"),
        ("month", (2026, 11, 1), "November 2026", "November 2026",
         "November 2026"),
        ("quarter", (2026, 10, 1), "quarter 4 of 2026", "4. Quartal 2026",
         "quarter 4 of 2026"),
        ("year", (2026, 1, 1), "2026", "2026", "2026"),
    ],
)  # fmt: skip
def test_periods_read_as_people_say_them(grain, first, english, german, american):
    period = (grain, date(*first))
    assert dates.period_text(*period, EN) == english
    assert dates.period_text(*period, DE) == german
    assert dates.period_text(*period, words.load("en-US")) == american


def test_moments_and_numbers_are_written_as_the_region_does():
    at = datetime(2026, 3, 6, 5, 40)
    assert dates.moment_text(at, EN) == "6 Mar 2026, 05:40"
    assert dates.moment_text(at, DE) == "6. März 2026, 05:40 Uhr"
    assert dates.day_text(date(2027, 1, 2), words.load("de-AT")) == "2. Jänner 2027"
    texts = {}
    for language in ("en", "en-US", "en-DE", "de", "de-CH"):
        money = Style("money", "EUR", 2, words.load(language))
        share = Style("ratio", "", 1, words.load(language))
        texts[language] = f"{numbers.value_text(1234.5, money)} {numbers.value_text(0.825, share)}"
    assert texts == {
        "en": "€1,234.50 82.5%", "en-US": "€1,234.50 82.5%", "en-DE": "1.234,50 € 82,5 %",
        "de": "1.234,50 € 82,5 %", "de-CH": "€ 1’234.50 82.5 %",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "CHF 7.00"), ("en-US", "CHF 7.00"), ("en-DE", "7,00 CHF"), ("de", "7,00 CHF"),
     ("de-CH", "CHF 7.00"), ("de-AT", "CHF 7,00")],
)  # fmt: skip
def test_a_currency_without_a_sign_is_told_apart_from_its_amount(language, told):
    style = Style("money", "CHF", 2, words.load(language))
    assert numbers.value_text(7, style) == told
    francs = (OtherMoney("orders", "CHF", 1, 7),)
    settings = Settings(community="C", language=language)
    assert told in build((), (), settings, other_money=francs).missing[0]


@pytest.mark.parametrize("language", words.languages())
def test_one_period_is_not_told_as_several(language):
    say = words.load(language)
    one, two = (chart.describe(shown, say) for shown in _of(language, [3], [3, 4]))
    assert "1 " not in one and "2 " in two
    assert "1" not in say("numbers_of", n=1) and "2" in say("numbers_of", n=2)


def _of(language, *series):
    """A measure for each series."""
    members, report = made("members"), Report(language=language)
    for one in series:
        (measure,) = build((members,), values("members", one), report=report).measures
        yield replace(measure, bands=())


@pytest.mark.parametrize(
    ("counts", "english", "german"),
    [
        (
            {"met": 2, "on_track": 1, "at_risk": 1, "off_track": 1, "no_data": 1},
            "Of 6 goals 2 are met, 1 on track, 1 at risk, 1 off track and 1 without a verdict.",
            "Von 6 Zielen sind 2 erreicht, 1 auf Kurs, 1 gefährdet, 1 nicht auf Kurs und "
            "1 ohne Urteil.",
        ),
        ({"met": 1, "at_risk": 2}, "Of 3 goals 1 is met and 2 at risk.",
         "Von 3 Zielen ist 1 erreicht und 2 gefährdet."),
        ({"on_track": 4}, "The 4 goals are all on track.", "Die 4 Ziele sind alle auf Kurs."),
        ({"off_track": 1}, "The goal is off track.", "Das Ziel ist nicht auf Kurs."),
        ({}, "No goals are set.", "Es sind keine Ziele gesetzt."),
    ],
)  # fmt: skip
def test_goals_in_one_sentence(counts, english, german):
    assert opening.goals_sentence(counts, EN) == english
    assert opening.goals_sentence(counts, DE) == german


def test_one_and_many():
    assert EN("waiting", n=1, longest="2 h") == "1 issue waits for an answer now, for 2 h so far."
    assert EN("waiting", n=7, longest="2 h") == (
        "7 issues wait for an answer now, the longest for 2 h."
    )
    assert DE("waiting", n=1, longest="2 h") == (
        "1 Anliegen wartet gerade auf Antwort, bisher 2 h."
    )
    assert EN("quarantined", name="forum", n=1) == (
        "forum: 1 item could not be read and waits in quarantine."
    )
    assert EN("rest", n=1) == "1 moved within its usual range and needs no explanation."


def test_names_of_texts_are_written_as_the_templates_ask_for_them():
    pattern = re.compile(r"[A-Z_]+|[a-z_]+|(SYMBOLS|BEFORE|READINGS|TONES|STATUSES)\.\w+")
    assert all(pattern.match(name) for name in leaves(EN.texts))
