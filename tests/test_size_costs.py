"""The price sheet by sizes: each figure worked out a second time, and what is guessed is marked."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "docs"))
import size_costs

HOUSE = Path(__file__).resolve().parents[1]
PRICES, MEASURED = HOUSE / "infra" / "prices.json", HOUSE / "infra" / "measured.json"


def cells(prices: Path = PRICES, measured: Path = MEASURED) -> dict[str, list[str]]:
    lines = size_costs.part(prices, measured).splitlines()
    rows = [one.strip("| ").split(" | ") for one in lines if re.match(r"\| (?!---)", one)]
    return {row[0]: row[1:] for row in rows}


def dollars(cell: str) -> float:
    found = re.search(r"= ([\d.,]+) \$", cell)
    assert found, cell
    return float(found[1].replace(",", ""))


def test_what_a_hundred_million_messages_cost_worked_out_by_hand(tmp_path):
    prices = json.loads(PRICES.read_text())
    for name, price in {"s3_gb_month": 0.02, "machine_hour": 1.0, "athena_tb": 5.0}.items():
        prices["prices"][name]["price"] = price
    measured = json.loads(MEASURED.read_text())
    measured["bytes"] |= {"tables_per_message": 100, "raw_per_message": 80}
    measured["sizes"]["machine"] |= {"first_per_million": 30, "again_per_million": 5}
    measured["sizes"]["athena"] = {"statements": 400, "bytes_per_message": 2000, "at_messages": 1}
    mine, theirs = tmp_path / "prices.json", tmp_path / "measured.json"
    mine.write_text(json.dumps(prices))
    theirs.write_text(json.dumps(measured))
    told = cells(mine, theirs)
    # 10 GB of tables, and 100 million ÷ 24 months × 3 × 80 bytes = 1 GB of raw: 11 GB at 2 cents.
    assert told["storing tables, and raw answers of three months"][2] == "*11 GB = 0.22 $*"
    # 3,000 s once and 30.4 nights of 500 s, on 8 of 16 processors: 0.63 hours at a dollar.
    assert told["by one machine of 16 processors and 128 GB"][2] == "*0.63 h = 0.63 $*"
    # 200 GB a night, 30.4 nights: 6.08 TB at 5 dollars.
    assert told["by Athena, scanned"][2] == "*6.1 TB = 30 $*"
    # And 10,000 messages cost what 400 statements of 10 MB cost.
    assert told["by Athena, scanned"][0] == "*0.12 TB = 0.61 $*"


def test_the_sheet_grows_with_the_lake_and_marks_what_nobody_measured():
    most = json.loads(MEASURED.read_text())["sizes"]["measured_to"]
    for name, row in cells().items():
        if name == "a month":
            assert [int(one.split()[0].replace(",", "")) for one in row] == list(size_costs.SIZES)
            continue
        assert len(row) == 4
        for size, cell in zip(size_costs.SIZES, row, strict=True):
            assert cell.startswith("*") or size <= most, (name, cell)
        sums = [dollars(cell) for cell in row if "$" in cell]
        assert sums == sorted(sums), name
    assert all(cell.startswith("*") for row in cells().values() for cell in row[2:] if "=" in cell)


@pytest.mark.parametrize("messages", [6_000_000, 100_000_000])
def test_what_does_not_fit_the_function_has_no_price(messages):
    measured, prices = json.loads(MEASURED.read_text()), json.loads(PRICES.read_text())
    size = size_costs.Size(messages, measured, prices["prices"])
    assert size_costs.by_function(size) == "does not fit"
    assert "$" in size_costs.by_machine(size)
