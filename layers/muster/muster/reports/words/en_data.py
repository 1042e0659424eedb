"""English: facts about a source's data go in, what a reader must know of them comes out."""

from __future__ import annotations


def other_money(table: str, currency: str, rows: int, amount: float, own: str) -> str:
    counted = "1 row" if rows == 1 else f"{rows:,} rows"
    what = table.replace("_", " ")
    left_out = f"{counted} of {what}, {currency} {amount:,.2f}"
    return f"Money in {currency} is left out: {left_out}. Amounts are in {own}."


def days_of(platform: str, zone: str) -> str:
    return f"{platform}, days of {zone}"
