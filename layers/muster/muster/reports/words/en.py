"""English: every string of mail and site."""

from __future__ import annotations

# Numbers
NO_VALUE = "–"
NO_CHANGE = "no change"
MINUS = "\u2212"
DECIMAL, THOUSANDS = ".", ","
POINTS = "points"
SPANS = ("s", "min", "h", "d")
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹"}
