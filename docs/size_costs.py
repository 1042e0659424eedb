"""Price list and measurements → what storing and measuring cost at four sizes, for docs/scaling.md.

python docs/size_costs.py [--prices FILE] [--measured FILE] prints the part for other prices.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import month_costs

SIZES = (10_000, 1_000_000, 100_000_000, 10_000_000_000)
NIGHTS, MONTHS, SOURCES = 30.4, 24, 10
LEAST_READ = 10_000_000  # bytes that Athena charges for a statement, however little it reads
HEAD = """Made by `make docs` from `infra/prices.json` and `infra/measured.json`. **Check the prices
before you rely on them**: list prices of {region}, {as_of}, {source}; with yours,
`python docs/size_costs.py --prices FILE` prints this part. A lake of two years and ten sources,
measured every night, nothing being free. {note}
**What is in italics was not measured but drawn on in a straight line** from smaller lakes.

| a month | {heads} |
| --- |{rules}
"""


@dataclass(frozen=True)
class Size:
    """A lake of so many messages, with what was measured and what things cost."""

    messages: int
    measured: Mapping[str, Any]
    prices: Mapping[str, Any]

    @property
    def table_bytes(self) -> float:
        """Of the tables alone."""
        return float(self.messages * self.measured["bytes"]["tables_per_message"])

    @property
    def objects(self) -> float:
        """Files of messages: at least one for each month of a source."""
        return max(SOURCES * MONTHS, self.table_bytes / self.measured["sizes"]["part_bytes"])

    @property
    def million(self) -> float:
        return self.messages / 1e6

    def paid(self, what: str, amount: float) -> float:
        """What so much costs, nothing being free."""
        return float(amount * self.prices[what]["price"])


def storing(size: Size) -> str:
    """Tables, and raw answers of three months."""
    raw = size.messages / MONTHS * 3 * size.measured["bytes"]["raw_per_message"]
    gigabytes = (size.table_bytes + raw) / 1e9
    return f"{_round(gigabytes)} GB = {_dollars(size.paid('s3_gb_month', gigabytes))}"


def requests(size: Size) -> str:
    """Files that one measuring from scratch reads, a month of them."""
    read = NIGHTS * size.objects * size.measured["requests"]["measure"]["reads_per_object"]
    return f"{_round(read)} GET = {_dollars(size.paid('s3_read', read))}"


def by_function(size: Size) -> str:
    """The stack's own function, from scratch each night."""
    one = size.measured["functions"]["measure"]
    if size.messages > one["most_messages"]:
        return "does not fit"
    seconds = NIGHTS * one["gb"] * (one["seconds"] + one["seconds_per_million"] * size.million)
    return f"{_round(seconds)} GB-s = {_dollars(size.paid('lambda_gb_second', seconds))}"


def by_machine(size: Size) -> str:
    """One machine that goes on from the night before, and counts from scratch once a month."""
    one = size.measured["sizes"]["machine"]
    gigabytes = one["gb_per_million"] * size.million
    if gigabytes > one["gb"]:
        return f"does not fit: about {_round(gigabytes)} GB of memory"
    seconds = size.million * (one["first_per_million"] + NIGHTS * one["again_per_million"])
    # Half of its processors busy, and never less than a minute a night to start and stop.
    hours = max(seconds / (one["processors"] / 2), 60 * NIGHTS) / 3600
    return f"{_round(hours)} h = {_dollars(size.paid('machine_hour', hours))}"


def by_athena(size: Size) -> str:
    """Everything from scratch, each night."""
    one = size.measured["sizes"]["athena"]
    read = NIGHTS * max(one["statements"] * LEAST_READ, one["bytes_per_message"] * size.messages)
    return f"{_round(read / 1e12)} TB = {_dollars(size.paid('athena_tb', read / 1e12))}"


LINES: tuple[tuple[str, Callable[[Size], str]], ...] = (
    ("storing tables, and raw answers of three months", storing),
    ("requests of measuring", requests),
    ("measuring by the stack's function", by_function),
    ("by one machine of 16 processors and 128 GB", by_machine),
    ("by Athena, scanned", by_athena),
)


def part(listed: Path, needed: Path) -> str:
    """The generated part of docs/scaling.md."""
    prices, measured = (json.loads(path.read_text("utf-8")) for path in (listed, needed))
    told = measured["sizes"]
    sizes = [Size(messages, measured, prices["prices"]) for messages in SIZES]
    head = HEAD.format(
        **{key: prices[key] for key in ("region", "as_of", "source")}, note=told["note"],
        heads=" | ".join(f"{size:,} messages" for size in SIZES),
        rules=" --- |" * len(SIZES),
    )  # fmt: skip
    rows = [
        [what, *(_sure(line(size), size.messages <= _measured_to(line, told)) for size in sizes)]
        for what, line in LINES
    ]
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _measured_to(line: Callable[[Size], str], told: Mapping[str, Any]) -> int:
    found: int = told["athena"]["at_messages"] if line is by_athena else told["measured_to"]
    return found


def _sure(text: str, is_measured: bool) -> str:
    return text if is_measured else f"*{text}*"


def _round(amount: float) -> str:
    """Two digits that count: the rest would be pretended."""
    return f"{float(f'{amount:.2g}'):,.10g}"


def _dollars(amount: float) -> str:
    return f"{_round(amount)} $" if amount >= 0.005 else "0 $"


if __name__ == "__main__":
    month_costs.main(part, __doc__)
