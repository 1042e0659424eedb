"""Muster: from platform APIs to Parquet, KPIs, goals and a report that says what really changed."""

__version__ = "0.1.0"
