"""Every KPI, of every grain, on two lakes: Spark's values are DuckDB's (`make test-spark`).

The demo's lake, and a seeded one that has rows in every table, so that no KPI is compared on
emptiness. Rows, n and marks are the same; values within 1e-9 of each other (sums of parallel
threads differ in their last bits).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
import seeded_lake
import small_lake
import spark_engine
from equal import Told, assert_equal, assert_same_lake, by_key

from muster.clock import system_clock
from muster.kpis import catalogue, engine, given, phrases, runner
from muster.kpis.dialects import carried, pattern
from muster.kpis.spark import compute
from muster.measured import Coverage
from muster.pipeline import freshness, latest, measure
from muster.project import open_project
from muster.settings import Settings
from muster.store import FolderStore

HOUSE = Path(__file__).parents[3]
DEMO = HOUSE / ".cache" / "spark-demo"


@pytest.fixture(scope="session")
def spark():
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java 17 or newer: none is on this machine")
    session = spark_engine.start()
    yield session
    session.stop()


def test_every_kpi_of_a_seeded_lake(spark, tmp_path):
    lake = small_lake.write(tmp_path / "lake", list(seeded_lake.rows(7)))
    settings = Settings.model_validate(seeded_lake.SETTINGS)
    told = compared(lake, settings, seeded_lake.AS_OF, seeded_lake.coverage())
    ids = {kpi.id for kpi in catalogue.load()}
    silent = ids - {one.kpi for one in told.values() if one.value}
    print(f"{len(ids)} KPIs, none of them without a value that is not 0")
    assert not silent


def test_every_kpi_of_the_demo_s_lake(spark, tmp_path):
    project = open_project(demo(), clock=system_clock, environment={}, http=None)
    as_of = latest.read(project).as_of
    coverage = tuple(freshness.coverage_of(project, as_of))
    told = compared(project.lake.url(), project.settings, as_of, coverage)
    print(f"{len({one.kpi for one in told.values()})} KPIs have a value in the demo")


def test_a_project_measured_with_spark_has_the_lake_of_one_measured_with_duckdb(spark, tmp_path):
    found = []
    for name in ("duckdb", "spark"):
        folder = tmp_path / name
        small_lake.write(folder / "lake", list(seeded_lake.rows(7)))
        said = json.dumps({**seeded_lake.SETTINGS, "engine": name}, default=str)
        (folder / "muster.yaml").write_text(said, "utf-8")
        project = open_project(folder, clock=lambda: seeded_lake.AS_OF, environment={}, http=None)
        found.append((measure.measure(project), project.lake.url()))
    assert_same_lake(*found)


def test_the_recipe_of_the_documents(spark, capsys):
    (recipe,) = re.findall(
        r"^```python spark\n(.*?)^```", (HOUSE / "docs/querying.md").read_text("utf-8"), re.M | re.S
    )
    # Spark's own process stays where it was started.
    exec(recipe.replace('"lake/', f'"{demo()}/lake/'), {})
    assert "|source|count|" in capsys.readouterr().out.replace(" ", "")


def demo() -> Path:
    """The demo's project folder, made once by this version of the code."""
    if not (DEMO / "lake" / "measured").exists():
        command = [sys.executable, "-m", "muster", "demo", "--folder", str(DEMO)]
        subprocess.run(command, check=True, cwd=HOUSE, stdout=subprocess.DEVNULL)
    return DEMO


def compared(lake: str, settings: Settings, as_of: datetime, coverage: Sequence[Coverage]) -> Told:
    """DuckDB's values, once Spark's are shown to be the same."""
    kpis = [k for k in catalogue.load() if all(getattr(settings, need) for need in k.needs)]
    connection, begun = engine.connect(lake), time.perf_counter()
    outcome = runner.measure(connection, settings, kpis, as_of=as_of, coverage=coverage)
    middle = time.perf_counter()
    elsewhere = partial(compute, lake=FolderStore(Path(lake)), is_kept=False)
    other = runner.measure(
        engine.connect(lake), settings, kpis, as_of=as_of, coverage=coverage, elsewhere=elsewhere
    )
    ended = time.perf_counter()
    assert outcome.problems == other.problems == ()
    assert replace(other, values=()) == replace(outcome, values=())
    found = by_key(other.values)
    print(f"\n{len(found)} values: DuckDB {middle - begun:.0f} s, Spark {ended - middle:.0f} s")
    assert_equal(by_key(outcome.values), found)
    return found


def test_patterns_mean_the_same(spark):
    own = Settings.model_validate(seeded_lake.SETTINGS)
    told = given.parameters(own, seeded_lake.AS_OF)
    wanted = [value for name, value in told.items() if name in PATTERNS and value]
    assert len(wanted) == len(PATTERNS)
    texts = tricky_texts(4000)
    assert_met_alike(spark, texts, (*wanted, *USERS))


PATTERNS = {
    "auto_replies", "escalation", "closing_phrases", "thanks_in_advance", "pleas",
    "brand_terms", "product_terms", "own_auto_replies", "own_escalation", "own_closing_phrases",
}  # fmt: skip
# What somebody may write into the settings.
USERS = (
    r"\bthanks?\b", r"(?i)größe", r"^so.*so$", r"(?m)^so$", r"[\s,]so[\s,]", r"(?s)so.so",
    r"\W\d+", r"\B.\B", r"(?i)k", r"(?i)[a-z]s\w", r"(?i)o[^a-z]", r"(?i)o\W", r"(?i)ı",
    r"[^\w\s]{2}", r"(?P<word>so)\s+\S+", r"[]&&[so]",
    phrases.BEFORE + "so" + phrases.AFTER,
)  # fmt: skip


def assert_met_alike(spark: Any, texts: list[str], expressions: Iterable[str]) -> None:
    spark.createDataFrame([(text,) for text in texts], "text string").createOrReplaceTempView("t")
    connection = duckdb.connect()
    connection.execute("create table t as select unnest($texts) as text", {"texts": texts})
    for expression in expressions:
        asked = "select text from t where regexp_matches(text, $expression)"
        duck = connection.execute(asked, {"expression": expression}).fetchall()
        java = pattern(expression, "spark").replace("\\", "\\\\").replace("'", "\\'")
        other = spark.sql(f"select text from t where text rlike '{java}'").collect()
        differing = {text for (text,) in duck} ^ {row.text for row in other}
        assert not differing, (expression, sorted(differing)[:5])
        assert duck, f"{expression} is met by no text"


def tricky_texts(count: int) -> list[str]:
    """Distinct texts of words and signs that engines read differently."""
    chance = Random(11)
    signs = (
        " ",
        "\n",
        "\r",
        "\t",
        "\v",
        "\x85",
        "\u2028",
        "\xa0",
        ",",
        "&",
        "_",
        "",
        "٣",
        "\u0301",
    )
    words = (
        *seeded_lake.WORDS,
        "so",
        "so",
        "en so",
        "bird\n",
        "bird\nde ",
        "en thanks",
        "Bitte",
        "1",
        "42",
        "K",
        "ſo",
    )
    made = {
        "".join(
            part for _ in range(chance.randrange(1, 6))
            for part in (chance.choice(words), chance.choice(signs))
        )
        for _ in range(count)
    }  # fmt: skip
    return sorted(made)


def test_small_letters_are_the_same(spark, tmp_path):
    """Of every letter there is, alone and at a word's end."""
    letters, told = tmp_path / "letters.parquet", tmp_path / "told"
    connection = duckdb.connect()
    connection.execute(
        "create table letters as select chr(cast(code as int)) as one "
        "from (select unnest(range(1, 1114112)) "
        "as code) where code not between 55296 and 57343"
    )
    engine.copy(connection, "from letters", letters)
    sql = "select one, lower(one) as alone, lower('a' || one) as at_end from letters"
    spark.read.parquet(str(letters)).createOrReplaceTempView("letters")
    spark.sql(carried(sql, "spark", {})).write.parquet(str(told))
    both = f"select one from ({sql}) as duck join '{told}/*.parquet' as other using (one) where "
    unlike = connection.execute(
        both + "(duck.alone, duck.at_end) <> (other.alone, other.at_end)"
    ).fetchall()
    # Letters newer than an engine's edition of Unicode; Python's own is as old as Java's.
    assert [one for (one,) in unlike if unicodedata.category(one) != "Cn"] == []
