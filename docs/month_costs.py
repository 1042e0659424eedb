"""Price list and measurements → docs/costs.md: what three communities pay a month.

python docs/month_costs.py [--prices FILE] [--measured FILE] prints the page for other prices.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from muster.account import costs
from muster.settings import Settings, Source

COMMUNITIES = ((3, 10_000), (10, 1_000_000), (30, 100_000_000))
HEAD = """# What a month costs

Made by `make docs` from `infra/prices.json` and `infra/measured.json` ({measured}).

**Check the prices before you rely on them**: list prices of {region}, {as_of}, {source}. {note}
With yours: `python docs/month_costs.py --prices FILE` prints this page, and `muster deploy --prices
FILE` the costs of your settings; a file is like `infra/prices.json`.

{how}

Assumed: every source is fetched each hour; one weekly report goes to five readers; the lake holds
two years, so a 24th of its messages came in this month; raw answers are kept for 90 days, replaced
versions of files for 30. Lambda's processor is taken to be as fast as the one measured on, one
second for one second. What is free is free once an account: where others of yours use it up
(alarms, metrics, three dashboards), the last line counts.

| | {heads} |
| --- |{rules}
"""
TAIL = """
Not in it: questions to Athena (5 dollars for each terabyte read; a question about the big lake's
messages reads some gigabytes, and one of more than 10 GB is stopped), readers of the site (ten
million requests a month are free), tax, and what a platform itself takes for being read (X does).

**A lake of more than about {most:,} messages does not fit the function `measure`**: a million
messages take about {per:.0f} seconds of processor time (1.1 GB of memory at 0.9 million messages,
3.3 GB at 6.6 million); a call has 15 minutes and, as the template gives it, 3 GB. The third column
leaves its measuring out: it is done every night on a machine of one's own with the same lake
(`muster measure` with `lake: s3://…`).
"""


def page(listed: Path, needed: Path) -> str:
    """The document of a price list and of what was measured."""
    prices = json.loads(listed.read_text("utf-8"))
    measured = json.loads(needed.read_text("utf-8"))
    known = costs.price_list(listed)
    months = [_month(known, needed, *community) for community in COMMUNITIES]
    names = [f"{sources} sources, {messages:,} messages" for sources, messages in COMMUNITIES]
    head = HEAD.format(
        region=prices["region"], as_of=prices["as_of"], measured=measured["as_of"],
        source=prices["source"], note=prices["note"], how=measured["note"], heads=" | ".join(names),
        rules=" --- |" * len(names),
    )  # fmt: skip
    rows = "".join(_row(what, months) for what in months[0])
    free = " | ".join(f"**{sum(one.paid for one in month.values()):,.2f}**" for month in months)
    listed = " | ".join(f"{sum(one.listed for one in month.values()):,.2f}" for month in months)
    ends = f"| **dollars to pay** | {free} |\n| at list price, nothing free | {listed} |\n"
    measure = measured["functions"]["measure"]
    told = TAIL.format(most=measure["most_messages"], per=measure["seconds_per_million"])
    return head + rows + ends + told


def _month(
    prices: costs.PriceList, measured: Path, sources: int, messages: int
) -> dict[str, costs.Cost]:
    settings = Settings.model_validate(
        {"community": "?", "reports": [{"recipients": [f"r{n}@example.org" for n in range(5)]}]}
    )
    named = tuple(Source(name=f"s{number}", platform="?") for number in range(sources))
    settings = settings.model_copy(update={"sources": named})
    lines = costs.month(settings, prices, measured, messages)
    return {line.what: line for line in sorted(lines, key=lambda line: line.what)}


def _row(what: str, months: list[dict[str, costs.Cost]]) -> str:
    cells = [f"{month[what].amount:,.6g} = {month[what].paid:,.2f}" for month in months]
    return f"| {months[0][what].unit} | {' | '.join(cells)} |\n"


def main(told: Callable[[Path, Path], str], about: str | None) -> None:
    """Print what is told of the prices and measurements that the command line names."""
    infra = Path(__file__).resolve().parents[1] / "infra"
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--prices", type=Path, default=infra / "prices.json")
    parser.add_argument("--measured", type=Path, default=infra / "measured.json")
    asked = parser.parse_args()
    print(told(asked.prices, asked.measured), end="")


if __name__ == "__main__":
    main(page, __doc__)
