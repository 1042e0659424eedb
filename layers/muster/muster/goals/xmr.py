"""A series goes in, its XmR chart comes out: natural process limits, signals, baselines.

Individuals and moving ranges after Wheeler ("Understanding Variation") as the NHS's "Making Data
Count" uses them, read the way a weekly reader meets the points, one after another:

* **Limits** are mean ± 2.66 × mean moving range of the first points of a baseline: provisional
  with every point that comes, locked at 26. They are shown clipped to what is possible, but
  judged unclipped: half of the way to a clipped limit is no unusual place to be.
* **Signals**: *outside* a limit (exactly on it is inside); *run*: eight or more in a row on one
  side of the mean (exactly on it breaks the run); *near_limit*: three of four in a row nearer to
  the same limit than to the mean; those three or four are marked.
* **Maturity** is that of a baseline: below 6 points neither limits nor signals, below 12 only
  *outside*, then all.
* **A run starts a new baseline** at its first point, as soon as it is seen. The baseline before
  it ends there; its limits stay as locked, else they rest on its own points. The points of the
  run stay judged against the baseline they left (they are what ended it); those after it belong
  to the new one. A later point never undoes a baseline. A run from a baseline's very first point
  starts nothing new. Fewer than 6 points between two baselines are the way from one to the next:
  the run that ends them is no second signal.

Periods without a value are skipped: neighbours are the values that exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum, inf
from typing import Literal

from muster.results import Limits, Reading

EARLIEST, ALL_RULES, LOCKED, RUN, FACTOR = 6, 12, 26, 8, 2.66
# Sums of decimal fractions are not exact; what differs by less lies on the line.
_NOISE = 1e-9


@dataclass(frozen=True)
class _Baseline:
    """Positions ``start`` … ``end`` (exclusive) of the points that exist; ``run_end`` closes the
    run of eight that ended it, so it judges the points up to there."""

    start: int
    end: int
    run_end: int
    mean: float
    spread: float
    noise: float
    is_locked: bool

    @property
    def points(self) -> int:
        return self.end - self.start

    def side(self, value: float) -> int:
        """+1 above the mean, -1 below, 0 on it."""
        return _sign(value - self.mean, self.noise)

    def outside(self, value: float) -> bool:
        return abs(value - self.mean) > self.spread + self.noise

    def near_limit(self, value: float) -> bool:
        """Nearer to the limit on its side than to the mean."""
        return self.spread > 0 and abs(value - self.mean) > self.spread / 2 + self.noise


def read(values: Sequence[float | None], lowest: float | None, highest: float | None) -> Reading:
    """Read a series of whole periods, oldest first, as an XmR chart.

    ``lowest`` and ``highest`` are the bounds of what is possible (None: unbounded).
    """
    at = [index for index, value in enumerate(values) if value is not None]
    points = [value for value in values if value is not None]
    baselines = tuple(_baselines(points))
    rules: list[tuple[str, ...]] = [()] * len(values)
    sides = [0] * len(values)
    # Backwards, so that a baseline has the last word on the run that ended it.
    for baseline in reversed(baselines):
        for position, found in _judged(points, baseline):
            rules[at[position]] = found
            sides[at[position]] = baseline.side(points[position])
    limits = tuple(
        _limits(baseline, at, len(values), lowest, highest)
        for baseline in baselines
        if baseline.points >= EARLIEST
    )
    return Reading(limits, tuple(rules), tuple(sides), _maturity(baselines))


def _baselines(points: Sequence[float]) -> Iterator[_Baseline]:
    """As a reader saw them arrive: each begins with the run that ended the one before."""
    start, seen, everything = 0, 1, len(points)
    while start < everything:
        first, end, seen = _first_run(points, start, seen) or (everything, everything, everything)
        yield _baseline(points, start, first, end)
        start = first


def _baseline(points: Sequence[float], start: int, end: int, run_end: int) -> _Baseline:
    """The mean and limits of a baseline from its first points, 26 at most."""
    is_locked = run_end - start >= LOCKED
    base = points[start : start + LOCKED if is_locked else end]
    mean = fsum(base) / len(base)
    ranges = [abs(after - before) for before, after in zip(base, base[1:], strict=False)]
    spread = FACTOR * fsum(ranges) / len(ranges) if ranges else 0.0
    noise = _NOISE * max(map(abs, base))
    return _Baseline(start, end, run_end, mean, spread, noise, is_locked)


def _first_run(
    points: Sequence[float], start: int, seen_before: int
) -> tuple[int, int, int] | None:
    """Where the first run that leaves the baseline begins and ends, and with how many points
    seen it shows, from ``seen_before`` on."""
    for seen in range(max(start + ALL_RULES, seen_before), len(points) + 1):
        now = _baseline(points, start, seen, seen)
        # Once locked the mean stands still: only a run that ends here can be new.
        since = start if seen <= start + LOCKED else seen - RUN
        for first, end in _runs(points[since:seen], now):
            if since + first > start:
                return since + first, since + end, seen
    return None


def _runs(points: Sequence[float], baseline: _Baseline) -> Iterator[tuple[int, int]]:
    """First and end of every stretch of eight or more points on one side of the mean."""
    first, side = 0, 0
    for position, value in enumerate([*points, baseline.mean]):
        here = baseline.side(value)
        if here != side or here == 0:
            if side and position - first >= RUN:
                yield first, position
            first, side = position, here


def _judged(points: Sequence[float], baseline: _Baseline) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Every point the baseline judges, with the rules it meets."""
    judged = points[baseline.start : baseline.run_end]
    is_passage = baseline.start > 0 and baseline.points < EARLIEST
    ended = range(baseline.points, baseline.points if is_passage else len(judged))
    in_run = {at for run in _runs(judged, baseline) for at in range(*run)} | set(ended)
    near = set(_near_limit(judged, baseline))
    for at, value in enumerate(judged):
        met = {"outside": baseline.outside(value), "run": at in in_run, "near_limit": at in near}
        if baseline.points < ALL_RULES:
            met |= {"run": at in ended, "near_limit": False}
        if baseline.points < EARLIEST:
            met["outside"] = False
        yield baseline.start + at, tuple(rule for rule, is_met in met.items() if is_met)


def _near_limit(points: Sequence[float], baseline: _Baseline) -> Iterator[int]:
    """The points that make three of four in a row nearer to the same limit than to the mean."""
    for first in range(len(points) - 3):
        window = range(first, first + 4)
        for side in (1, -1):
            near = [
                at
                for at in window
                if baseline.side(points[at]) == side and baseline.near_limit(points[at])
            ]
            if len(near) >= 3:
                yield from near


def _limits(
    baseline: _Baseline, at: Sequence[int], length: int, lowest: float | None, highest: float | None
) -> Limits:
    """The limits as shown: on the series' own indices, clipped to what is possible."""
    start = at[baseline.start] if baseline.start else 0
    end = at[baseline.end] if baseline.end < len(at) else length
    lower = max(baseline.mean - baseline.spread, -inf if lowest is None else lowest)
    upper = min(baseline.mean + baseline.spread, inf if highest is None else highest)
    return Limits(start, end, baseline.mean, lower, upper, baseline.is_locked)


def _maturity(baselines: Sequence[_Baseline]) -> Literal["early", "limits", "full"]:
    points = baselines[-1].points if baselines else 0
    if points < EARLIEST:
        return "early"
    return "limits" if points < ALL_RULES else "full"


def _sign(difference: float, noise: float) -> int:
    if abs(difference) <= noise:
        return 0
    return 1 if difference > 0 else -1
