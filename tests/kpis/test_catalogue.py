"""Headers: what they say reaches the catalogue, and what is wrong in them is named."""

from __future__ import annotations

import pytest

from muster.errors import BadKpi
from muster.kpis import catalogue, steps

GOOD = """\
-- title: Shouting
-- question: How loud is it?
-- definition: Messages in capitals,
--   by members.
-- unit: count
-- better: down
-- statistic: count
-- communities: support, product
-- version: 2
-- table: messages

-- Comments below the header are free.
select 1
"""


def load(tmp_path, text: str, name: str = "shouting.sql"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return {kpi.id: kpi for kpi in catalogue.load(tmp_path)}


def test_a_users_file_joins_the_catalogue_and_may_replace_a_kpi_of_ours(tmp_path):
    built_in = {kpi.id for kpi in catalogue.load()}
    load(tmp_path, GOOD, "messages.sql")
    found = load(tmp_path, GOOD)
    assert set(found) == built_in | {"shouting"}
    assert found["shouting"].definition == "Messages in capitals, by members."
    assert (found["shouting"].version, found["shouting"].grains) == (2, catalogue.GRAINS)
    assert found["messages"].title == "Shouting"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("-- unit: count", "-- unti: count", r"shouting.sql:5: unknown header key 'unti'.*'unit'"),
        ("-- unit: count", "-- unit: pounds", r"shouting.sql:5: unit: 'pounds' is none of seconds"),
        ("-- version: 2\n", "", r"shouting.sql: the header lacks 'version'"),
        ("-- version: 2", "-- version: two", r"shouting.sql:9: version: 'two' is no version"),
        ("-- table: messages", "-- table: tweets", r"'tweets' is none of messages"),
        ("-- title: Shouting", "-- title:", r"shouting.sql:1: title: write a sentence"),
        ("statistic: count", "statistic: mean\n-- zero: all", r"only a count can be 0"),
        ("-- table: messages", "-- table: messages\n-- needs: brand_term", r"'brand_term' is none"),
        ("-- table: messages", "-- table: messages\n-- lowest: low", r"'low' is no number"),
        (
            "-- table: messages",
            "-- table: messages\n-- settles: quiet",
            r"'quiet' is none of answer",
        ),
        ("-- better: down", "-- better down", r"shouting.sql:6: unknown header key"),
    ],
)
def test_a_wrong_header_is_refused_by_file_line_and_fix(tmp_path, old, new, said):
    with pytest.raises(BadKpi, match=said):
        load(tmp_path, GOOD.replace(old, new))


@pytest.mark.parametrize("text", ["\ufeff" + GOOD, GOOD.rstrip() + ";\n", GOOD + " ; \n\n"])
def test_a_file_as_editors_and_shells_write_it_is_read(tmp_path, text):
    assert load(tmp_path, text)["shouting"].sql.lstrip("\ufeff") == GOOD


def test_a_file_whose_name_is_no_id_is_refused(tmp_path):
    with pytest.raises(BadKpi, match="named by its id"):
        load(tmp_path, GOOD, "Loud Messages.sql")


@pytest.mark.parametrize("kpi", catalogue.load(), ids=lambda kpi: kpi.id)
def test_every_header_keeps_its_promises_to_reports(kpi):
    assert kpi.title[0].isupper() and not kpi.title.endswith(".")
    assert kpi.question.endswith("?")
    assert kpi.definition.endswith(".")
    if kpi.unit == "ratio":
        assert kpi.statistic in ("ratio", "mean")
        assert (kpi.lowest, kpi.highest) == (0, 1) or kpi.id in BEYOND_THE_WHOLE
    if kpi.unit in ("seconds", "count"):
        assert kpi.lowest == 0 or kpi.id in MAY_FALL


# Else a routine range would begin at −2 unanswered issues, a trend lead to −13 members.
MAY_FALL = {"followers_gained", "targeted_subscribers_gained"}
# A change may be negative or more than double, a loss too; not only members see or like a post;
# a session may end in two purchases.
BEYOND_THE_WHOLE = {
    "announcement_reach", "conversion_rate", "engagement_rate", "follower_growth",
    "profit_margin", "revenue_growth",
}  # fmt: skip


def test_goals_on_sales_ask_for_influence_on_the_shop():
    asking = {kpi.id: kpi.influence for kpi in catalogue.load() if kpi.influence}
    shop = ("site", "catalogue", "sales")
    assert asking == dict.fromkeys(("cost_per_sale", "revenue", "sales"), shop)


STATEMENTS = {f"shared/{name}": sql for name, sql in steps.load().items()} | {
    kpi.id: kpi.sql for kpi in catalogue.load()
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_statements_keep_to_the_portable_subset(name):
    """No macro, ASOF join, QUALIFY, list lambda or star trick that other engines lack."""
    from sqlglot import exp, parse_one

    tree = parse_one(STATEMENTS[name], read="duckdb")
    assert not list(tree.find_all(exp.Lambda, exp.Qualify))
    assert not [star for star in tree.find_all(exp.Star) if star.args.get("except_")]
    assert not [join for join in tree.find_all(exp.Join) if join.args.get("method")]


@pytest.mark.parametrize("name", STATEMENTS)
def test_statements_read_only_steps_and_tables_that_exist(name):
    from muster.kpis.given import GIVEN
    from muster.records import TABLES

    known = {*TABLES, *steps.load(), *GIVEN, "periods"}
    assert steps.reads(STATEMENTS[name]) <= known
