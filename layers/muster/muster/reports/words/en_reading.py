"""English: a report's grain goes in, how its charts and goals are to be read comes out."""

from __future__ import annotations


def how_to_read(grain: str) -> tuple[str, ...]:
    return (
        f"The shaded band is the routine range: the average ± 2.66 × the average change from "
        f"{grain} to {grain}. Limits are provisional until they rest on 26 {grain}s.",
        f"Only points outside it, 8 {grain}s in a row on one side of the average, or 3 of 4 "
        f"{grain}s nearer to the same limit than to the average are marked; after 8 in a row the "
        "band starts anew. Everything else is routine variation.",
        "Waiting times count issues that are still open, so the latest values can still move; "
        "changes of percentages are in percentage points.",
        "A goal's pace is the straight line from its baseline to its target on the due date; at "
        "risk is behind it by up to a quarter of the way, or still arriving in time by its trend.",
        "An issue that staff answered last and nobody reopened counts as resolved after its quiet "
        "hours.",
    )
