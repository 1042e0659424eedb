"""Spark in this process, on two threads: no server, small plans for small lakes."""

from __future__ import annotations

from pyspark.sql import SparkSession

from muster.kpis import spark

OPTIONS = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.driver.host": "127.0.0.1",
    "spark.log.level": "ERROR",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def start() -> SparkSession:
    """The session that :func:`muster.kpis.spark.session` finds."""
    builder = SparkSession.builder.master("local[2]")
    for key, value in OPTIONS.items():
        builder = builder.config(key, value)
    builder.getOrCreate()
    return spark.session()
