"""The rows one KPI yielded → the promises they break: those of every KPI, and its header's own."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from muster.results import Kpi


def broken(connection: duckdb.DuckDBPyConnection, kpi: Kpi) -> Iterator[str]:
    """A sentence for each promise that a row of the table ``found`` breaks, with its period."""
    rules = _rules(kpi)
    firsts = ", ".join(
        f"min(case when not coalesce(({rule}), false) then period_start end)"
        for rule in rules.values()
    )
    row = connection.execute(f"select {firsts} from found").fetchall()[0]
    for said, period in zip(rules, row, strict=True):
        if period is not None:
            yield f"{said} (period of {period})"


def _rules(kpi: Kpi) -> dict[str, str]:
    """What is said when it breaks → what must hold for each row."""
    rules = {
        "a segment has two values in one period": "times = 1",
        "a row has no segment": "segment is not null",
        "n is missing or below 0": "n >= 0",
        "a value is no finite number": "isfinite(value)",
    }
    if kpi.lowest is not None:
        rules[f"a value is below {kpi.lowest:g}"] = f"value >= {kpi.lowest} - 1e-9"
    if kpi.highest is not None:
        rules[f"a value is above {kpi.highest:g}"] = f"value <= {kpi.highest} + 1e-9"
    return rules | {f"the assertion '{rule}' does not hold": rule for rule in kpi.assertions}
