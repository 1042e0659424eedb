"""The same Parquet and the same SQL, translated → the values that Spark computes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
from pyspark.sql import DataFrame, SparkSession

from muster.kpis import engine, given, measuring, steps, valuing
from muster.kpis.catalogue import GRAINS
from muster.kpis.dialects import carried
from muster.measured import KpiValue
from muster.records import TABLES, Column, columns
from muster.results import Kpi

TYPES = {
    "string": "string", "strings": "array<string>", "timestamp": "timestamp", "date": "date",
    "bool": "boolean", "int": "bigint", "float": "double", "money": "decimal(18,4)",
}  # fmt: skip
# One thread for each of two cores, no server, small plans for small lakes; the rest as Spark is.
OPTIONS = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.driver.host": "127.0.0.1",
    "spark.log.level": "ERROR",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.cteRecursionLevelLimit": "1000",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def start() -> SparkSession:
    """Spark in this process, on two threads."""
    builder = SparkSession.builder.master("local[2]").appName("muster")
    for key, value in OPTIONS.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def see_lake(spark: SparkSession, lake: str) -> None:
    """A view per table of the lake, typed even where no file or column exists yet."""
    for table in TABLES.values():
        folder = Path(lake) / "tables" / table.name
        wanted = (Column("source", "string", False, ""), *columns(table.row))
        files = list(folder.rglob("*.parquet"))
        found = spark.read.parquet(str(folder)) if files else None
        _typed(spark, found, wanted).createOrReplaceTempView(table.name)


def _typed(spark: SparkSession, found: DataFrame | None, wanted: Iterable[Column]) -> DataFrame:
    present = set(found.columns) if found is not None else set()
    parts = [
        f"cast({one.name if one.name in present else 'null'} as {TYPES[one.type]}) as {one.name}"
        for one in wanted
    ]
    if found is not None:
        return found.selectExpr(*parts)
    return spark.range(0).selectExpr(*parts)


def see_given(spark: SparkSession, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """A view per small table that the settings gave the run, by way of Parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, kinds in given.GIVEN.items():
        marked = ", ".join(
            f"cast({column} as timestamptz) as {column}" if kind == "timestamp" else column
            for column, kind in kinds.items()
        )
        path = folder / f"{name}.parquet"
        engine.copy(connection, f"select {marked} from {name}", path)
        spark.read.parquet(str(path)).createOrReplaceTempView(name)


def values(
    spark: SparkSession, kpis: Iterable[Kpi], parameters: Mapping[str, Any]
) -> Iterator[KpiValue]:
    """Every KPI of every grain, over views made by ``see_lake`` and ``see_given``."""
    wanted, shared = tuple(kpis), steps.load()
    order = steps.needed((kpi.sql for kpi in wanted), shared)
    by_grain = steps.each_grain(order, shared)
    for name in order:
        if name not in by_grain:
            keep(spark, name, shared[name], parameters)
    for grain in GRAINS:
        keep(spark, "periods", PERIODS, {"grain": grain})
        for name in by_grain:
            keep(spark, name, shared[name], parameters)
        asked = [kpi for kpi in wanted if grain in kpi.grains]
        _tell(spark, asked, parameters)
        facts = {"grain": grain, "min_n": parameters["min_n"]}
        for row in spark.sql(carried(INSERTED, "spark", facts)).collect():
            yield KpiValue(**dict(zip(NAMES, row, strict=True)))


PERIODS = "select " + measuring.PERIODS.split("select")[1]
INSERTED = valuing.INSERT.replace("insert into kpi_values", "")
TOLD_VALUES = "kpi string, period_start date, segment string, value double, n bigint"
KINDS = {"varchar": "string", "bigint": "bigint", "boolean": "boolean", "timestamp": "timestamp"}
NAMES = tuple(column.name for column in columns(KpiValue)[:-1])


def keep(spark: SparkSession, name: str, sql: str, parameters: Mapping[str, Any]) -> None:
    """Compute a step once and let its rows be read by its name."""
    found = spark.sql(carried(sql, "spark", parameters))
    found.localCheckpoint().createOrReplaceTempView(name)


def _tell(spark: SparkSession, kpis: Iterable[Kpi], parameters: Mapping[str, Any]) -> None:
    """Views of what each KPI finds (``told_values``) and what its header says (``told_kpis``)."""
    told = spark.createDataFrame([], TOLD_VALUES)
    rows = []
    for kpi in kpis:
        found = spark.sql(carried(valuing.FOUND.format(sql=kpi.sql), "spark", parameters))
        chosen = found.selectExpr(f"'{kpi.id}' as kpi", "period_start", "segment", "value", "n")
        told = told.union(chosen)
        rows.append(valuing.facts(kpi, parameters, False))
    told.localCheckpoint().createOrReplaceTempView("told_values")
    kinds = (f"{name} {KINDS[kind]}" for name, kind in valuing.TOLD_KPIS.items())
    spark.createDataFrame(rows, ", ".join(kinds)).createOrReplaceTempView("told_kpis")
