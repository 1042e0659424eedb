"""The tables of the lake → the same tables in a Glue database, for Athena; nothing to crawl.

Partitions are projected: Athena works out where they lie from the names of the sources and the
months, so that a new month or part is there as soon as it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from muster.measured import DERIVED, derived_columns
from muster.project import Project, all_sources
from muster.records import TABLES, Column, columns

_TYPES = {
    "string": "string", "strings": "array<string>", "timestamp": "timestamp", "date": "date",
    "bool": "boolean", "int": "bigint", "float": "double", "money": "decimal(18,4)",
}  # fmt: skip
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
_FIRST_MONTH = "2000-01"
_OURS = {"Name", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor"}


def lake_tables(project: Project) -> tuple[dict[str, Any], ...]:
    """Every table of the lake as Glue takes it; a file that lacks a new column reads as nulls."""
    lake, sources = project.lake.url(), list(all_sources(project))
    found = {name: columns(one.row) for name, one in TABLES.items()}
    found |= {name: derived_columns(name) for name in DERIVED}
    return tuple(table(name, told, lake, sources) for name, told in sorted(found.items()))


def table(
    name: str, told: Iterable[Column], lake_url: str, sources: Iterable[str]
) -> dict[str, Any]:
    """A table as Glue takes it, with its columns and, where its files lie so, its partitions."""
    keys = _partitions(name)
    place = f"{lake_url}/tables/{name}/"
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "parquet", **_projection(keys, place, sources)},
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
        "StorageDescriptor": {
            "Columns": [
                {"Name": column.name, "Type": _TYPES[column.type], "Comment": column.meaning}
                for column in told
            ],
            "Location": place,
            "InputFormat": f"{_PARQUET}.MapredParquetInputFormat",
            "OutputFormat": f"{_PARQUET}.MapredParquetOutputFormat",
            "SerdeInfo": {"SerializationLibrary": f"{_PARQUET}.serde.ParquetHiveSerDe"},
        },
    }


def _partitions(name: str) -> list[str]:
    if name == "conversations":
        return ["month"]
    if name not in TABLES:
        return []
    return ["source", "month"] if TABLES[name].month else ["source"]


def _projection(keys: list[str], place: str, sources: Iterable[str]) -> dict[str, str]:
    if not keys:
        return {}
    template = place + "".join(f"{key}=${{{key}}}/" for key in keys)
    found = {"projection.enabled": "true", "storage.location.template": template}
    if "source" in keys:
        found |= {
            "projection.source.type": "enum",
            "projection.source.values": ",".join(sorted(sources)) or "none",
        }
    if "month" in keys:
        found |= {
            "projection.month.type": "date",
            "projection.month.format": "yyyy-MM",
            "projection.month.range": f"{_FIRST_MONTH},NOW+1MONTHS",
            "projection.month.interval": "1",
            "projection.month.interval.unit": "MONTHS",
        }
    return found


def sync_lake(project: Project, client: Any, database: str) -> tuple[str, ...]:
    """Bring a Glue database up to the lake; the names of the tables that changed."""
    return sync(client, database, lake_tables(project))


def sync(client: Any, database: str, wanted: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Make and change what differs; the names of the tables that did. ``client`` is boto3's Glue.

    Tables of the database that are not wanted are somebody else's and stay.
    """
    pages = client.get_paginator("get_tables").paginate(DatabaseName=database)
    there = {one["Name"]: one for page in pages for one in page["TableList"]}
    changed = [one for one in wanted if not _is_same(there.get(one["Name"]), one)]
    for one in changed:
        write = client.update_table if one["Name"] in there else client.create_table
        write(DatabaseName=database, TableInput=one)
    return tuple(one["Name"] for one in changed)


def _is_same(there: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    """Whether all that is wanted is there; Glue adds facts of its own."""
    return there is not None and all(_holds(there.get(key), wanted[key]) for key in _OURS)


def _holds(there: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return all(_holds((there or {}).get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        there = there or []
        return len(there) == len(wanted) and all(map(_holds, there, wanted))
    return bool(there == wanted)
