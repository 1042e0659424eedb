"""Results of the verbs → what the CLI says of them, for a person or as JSON."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from muster import scratch
from muster.reports.words import load
from muster.terminal import say, say_json, warn


def fetched(results: Sequence[Any], as_json: bool) -> None:
    """Each source: what came, what is new, what went wrong."""
    if as_json:
        say_json([asdict(one) for one in results])
        return
    for one in results:
        if one.items or not one.error:
            say(_brought(one))
        if one.error:
            warn(f"{one.source}: {one.error}")


def _brought(one: Any) -> str:
    changed = ", ".join(f"{count:,} {table}" for table, count in one.changed.items() if count)
    end = " before it failed" if one.error else ""
    note = f"; {one.quarantined:,} in quarantine" if one.quarantined else ""
    if one.unscored:
        note += (
            f"; {one.unscored:,} texts without a score ({one.trouble}): muster replay scores them"
        )
    return f"{one.source}: {one.items:,} items, {changed or 'nothing new'}{end}{note}"


def summary(measured: Any) -> dict[str, Any]:
    """A measurement in a few facts."""
    return {
        "as_of": measured.as_of,
        "kpis": len(measured.kpis),
        "values": len(measured.values),
        "goals": [asdict(goal) for goal in measured.goals],
        "problems": measured.problems,
        "suspected": asdict(measured.suspected),
        "other_money": [asdict(one) for one in measured.other_money],
    }


def measured(result: Any, as_json: bool) -> None:
    """How much was measured, and every goal's verdict."""
    if as_json:
        say_json(summary(result))
        return
    say(f"{len(result.kpis)} KPIs, {len(result.values):,} values as of {result.as_of:%F %R}")
    for goal in result.goals:
        say(f"{goal.status}: {goal.goal}. {goal.reason}")
    if result.suspected.accounts:
        facts = {"n": result.suspected.accounts, "messages": result.suspected.messages}
        say(load()("suspected", **facts))
    for problem in result.problems:
        warn(problem)


def reported(results: Sequence[Any], as_json: bool) -> None:
    """Each report: its subject, and where it lies."""
    if as_json:
        say_json([asdict(one) for one in results])
        return
    for one in results:
        say(f"{one.report}: {one.subject}\n  {one.outcome} → {one.path}")
        if one.error:
            warn(f"{one.report}: {one.error}")


def whole_way(done: Mapping[str, Any], as_json: bool) -> None:
    """What ``run`` has done, stage after stage."""
    if as_json and done:
        say_json({name: _plainly(name, result) for name, result in done.items()})
        return
    for name, result in done.items():
        {"fetched": fetched, "measured": measured, "reported": reported}[name](result, False)


def _plainly(name: str, result: Any) -> Any:
    return summary(result) if name == "measured" else [asdict(one) for one in result]


def alerted(results: Sequence[Any], as_json: bool, is_wanted: bool = True) -> None:
    """Each alert: to whom, its subject, what became of it."""
    if as_json:
        say_json([asdict(one) for one in results])
        return
    if not is_wanted:
        say("no report asks for alerts: write alerts: all under one in muster.yaml")
    elif not results:
        say("nothing new that could not wait")
    for one in results:
        say(f"{one.report} → {one.recipient}: {one.subject}\n  {one.outcome}")
        if one.error:
            warn(f"{one.report}: {one.error}")


def previewed(pages: Mapping[str, str], as_json: bool) -> None:
    """Each report's mail as a file to look at, opened in a browser on a terminal."""
    with scratch.roomy():
        folder = scratch.shown_folder()
        files = {name: folder / f"{name}.html" for name in pages}
        for name, file in files.items():
            file.write_text(pages[name], encoding="utf-8")
    if as_json:
        say_json([{"report": name, "path": str(file)} for name, file in files.items()])
        return
    for name, file in files.items():
        say(f"{name} → {file}")
        if sys.stdout.isatty():
            webbrowser.open(file.as_uri())


def findings(results: Sequence[Any], as_json: bool) -> None:
    """Each thing looked at: well or not, and how to mend it."""
    if as_json:
        say_json([asdict(one) for one in results])
        return
    for one in results:
        say(f"{'ok  ' if one.is_well else 'BAD '} {one.what}: {one.says}")
