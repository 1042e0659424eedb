"""The lake and what the settings gave → every KPI's values, computed by Spark.

The same SQL, translated by :mod:`muster.kpis.dialects`. Spark computes what grows with the lake:
the steps, and what each KPI finds. Found rows, a few for each period, come back into DuckDB, which
holds them against the KPI's promises and makes the table of values of them, as it does its own.
Spark is as the environment says (``SPARK_REMOTE``, ``MASTER``, its own files): a laptop's or a
cluster's. pyspark is installed only by who uses it, and no function's layer has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import duckdb

from muster.errors import BadSettings
from muster.kpis import derived, engine, given, measuring, steps, valuing
from muster.kpis.catalogue import GRAINS
from muster.kpis.dialects import carried
from muster.records import TABLES, Column, columns
from muster.results import Kpi
from muster.store import Store

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TYPES = {
    "string": "string", "strings": "array<string>", "timestamp": "timestamp", "date": "date",
    "bool": "boolean", "int": "bigint", "float": "double", "money": "decimal(18,4)",
}  # fmt: skip
# What the answers rest on; everything else is for whoever runs Spark to say.
OPTIONS = {
    "spark.sql.cteRecursionLevelLimit": "1000",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
}
_GIVEN_TYPES = {
    "varchar": "string", "bigint": "bigint", "double": "double", "boolean": "boolean",
    "timestamp": "timestamp", "date": "date",
}  # fmt: skip
# What is read after the values are there: written to the lake, or asked for by the report.
BROUGHT = ("suspected_accounts", "listed_accounts", "waiting")
_FOUND = "period_start date, segment varchar, value double, n bigint, times bigint"


def session() -> SparkSession:
    """Spark as the environment says; ``BadSettings`` where there is none."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise BadSettings(
            "engine: spark needs pyspark and Java 17: pip install pyspark, or leave engine out"
        ) from error
    builder = SparkSession.builder.appName("muster")
    for key, value in OPTIONS.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def compute(
    connection: duckdb.DuckDBPyConnection,
    kpis: Sequence[Kpi],
    parameters: Mapping[str, Any],
    lake: Store,
    *,
    is_kept: bool,
) -> list[str]:
    """Fill ``kpi_values`` and the tables in ``BROUGHT``; a line for each KPI that fails.

    ``connection`` holds what :func:`muster.kpis.given.prepare` made; the lake receives the months
    of ``conversations`` if they are to be kept.
    """
    spark = session()
    _see_lake(spark, lake.url())
    for name, kinds in given.GIVEN.items():
        _see(spark, connection, name, kinds)
    shared = steps.load()
    told = [f"from {name}" for name in (*BROUGHT, "conversations")]
    order = steps.needed([*(kpi.sql for kpi in kpis), *told], shared)
    by_grain = steps.each_grain(order, shared)
    _keep(spark, [name for name in order if name not in by_grain], shared, parameters)
    for name in BROUGHT:
        _bring(connection, name, spark.table(name))
    if is_kept:
        _write_conversations(spark, connection, lake)
    return list(_values(spark, connection, kpis, parameters, shared, by_grain))


def _values(
    spark: SparkSession,
    connection: duckdb.DuckDBPyConnection,
    kpis: Iterable[Kpi],
    parameters: Mapping[str, Any],
    shared: Mapping[str, str],
    by_grain: Sequence[str],
) -> Iterator[str]:
    connection.execute(measuring.KPI_VALUES)
    days = valuing.Days(connection, ())

    def find(sql: str, said: Mapping[str, Any]) -> None:
        connection.execute(f"create or replace temp table found ({_FOUND})")
        for row in spark.sql(carried(sql, "spark", said)).collect():
            connection.execute("insert into found values (?, ?, ?, ?, ?)", list(row))

    for grain in GRAINS:
        connection.execute(measuring.PERIODS, {"grain": grain})
        _see(spark, connection, "periods", {**given.GIVEN["every_period"], "grain": ""})
        _keep(spark, by_grain, shared, parameters)
        asked = [kpi for kpi in kpis if grain in kpi.grains]
        yield from valuing.measure(connection, asked, grain, parameters, days, find)


def _see_lake(spark: SparkSession, lake_url: str) -> None:
    """A view per table of the lake, typed even where no file or column exists yet."""
    place = lake_url.replace("s3://", "s3a://", 1)
    for table in TABLES.values():
        wanted = (Column("source", "string", False, ""), *columns(table.row))
        found = _files(spark, f"{place}/tables/{table.name}")
        _typed(spark, found, wanted).createOrReplaceTempView(table.name)


def _files(spark: SparkSession, folder: str) -> DataFrame | None:
    """All Parquet of a table, with the columns of every file; none if there is no file."""
    from pyspark.errors import AnalysisException

    try:
        return spark.read.option("mergeSchema", "true").parquet(folder)
    except AnalysisException as error:
        if error.getCondition() in ("PATH_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA"):
            return None
        raise


def _typed(spark: SparkSession, found: DataFrame | None, wanted: Iterable[Column]) -> DataFrame:
    present = set(found.columns) if found is not None else set()
    parts = [
        f"cast({one.name if one.name in present else 'null'} as {TYPES[one.type]}) as {one.name}"
        for one in wanted
    ]
    return (spark.range(0) if found is None else found).selectExpr(*parts)


def _see(
    spark: SparkSession,
    connection: duckdb.DuckDBPyConnection,
    name: str,
    kinds: Mapping[str, str],
) -> None:
    """Let Spark see a small table of DuckDB's; columns of no kind are left out."""
    chosen = {column: kind for column, kind in kinds.items() if kind}
    rows = connection.execute(f"select {', '.join(chosen)} from {name}").fetchall()
    told = ", ".join(f"{column} {_GIVEN_TYPES[kind]}" for column, kind in chosen.items())
    spark.createDataFrame(rows, told).createOrReplaceTempView(name)


def _keep(
    spark: SparkSession,
    names: Iterable[str],
    shared: Mapping[str, str],
    parameters: Mapping[str, Any],
) -> None:
    """Compute steps once and let their rows be read by their names."""
    for name in names:
        found = spark.sql(carried(shared[name], "spark", parameters)).localCheckpoint()
        # Under new names, though the same: else Spark takes a column for the one it was made of.
        found.toDF(*found.columns).createOrReplaceTempView(name)


def _bring(connection: duckdb.DuckDBPyConnection, name: str, found: DataFrame) -> None:
    """A table of Spark's as one of DuckDB's, its instants plain UTC as in every step."""
    arrow = found.toArrow()
    connection.register("brought", arrow)
    plain = engine.plain_times(connection, "select * from brought")
    connection.execute(f"create or replace temp table {name} as {plain}")
    connection.unregister("brought")


def _write_conversations(
    spark: SparkSession,
    connection: duckdb.DuckDBPyConnection,
    lake: Store,
) -> None:
    month = "date_format(opened_at, 'yyyy-MM')"
    found = spark.sql(f"select distinct {month} as month from conversations").collect()

    def bring(name: str) -> None:
        rows = spark.sql(f"select * from conversations where {month} = '{name}'")
        _bring(connection, "conversations", rows)

    derived.write_conversations(connection, lake, (row.month for row in found if row.month), bring)
