"""Parts of the view go in, the lines both mail and site show of them come out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from muster.reports import dates, words
from muster.reports.model import Change, GoalLine, Measure, ReportView
from muster.reports.plot import placed
from muster.reports.words import Words

#: Goals whose reason is told; the others speak for themselves.
BEHIND = frozenset({"at_risk", "off_track", "no_data"})
UNREAD = frozenset({"early", "none"})
#: A shape for every tone and every goal status: meaning never rests on colour alone.
SHAPES = MappingProxyType(
    {
        "better": "●", "worse": "◆", "changed": "■", "routine": "○", "early": "…", "none": "–",
        "met": "●", "on_track": "●", "at_risk": "◇", "off_track": "◆", "no_data": "–",
    }
)  # fmt: skip
#: The colour class each tone and status is shown in.
COLOURS = MappingProxyType(
    {
        "better": "better", "worse": "worse", "changed": "changed",
        "met": "better", "on_track": "better", "at_risk": "worse", "off_track": "worse",
    }
)  # fmt: skip
Objectives = tuple[tuple[str, tuple[GoalLine, ...]], ...]


@dataclass(frozen=True)
class Sign:
    """How a tone or a status is shown: a shape, a word, the class that colours both."""

    shape: str
    word: str
    colour: str


def sign(tone: str, word: str) -> Sign:
    """The sign of a tone (better, worse …) or of a goal's status (met, at_risk …)."""
    return Sign(SHAPES[tone], word, COLOURS.get(tone, "plain"))


def sign_of_change(change: Change, say: Words) -> Sign:
    return sign(change.tone, say.TONES[change.tone])


def objectives(goals: Iterable[GoalLine]) -> Objectives:
    """Goals under the objective they serve, each objective once, in the order given."""
    served: dict[str, list[GoalLine]] = {}
    for goal in goals:
        served.setdefault(goal.objective, []).append(goal)
    return tuple((objective, tuple(lines)) for objective, lines in served.items())


def aside(measure: Measure, say: Words) -> str:
    """What stands beside a reading: why there is none, else of which period the value is if not
    of the report's, what it rests on, the target."""
    return _beside(measure, say, measure.why if measure.tone in UNREAD else measure.period_text)


def in_full(measure: Measure, say: Words) -> str:
    """Beside a card's chart: why it reads as it does, what the value rests on, the target."""
    return _beside(measure, say, measure.why)


def rests_on(measure: Measure, say: Words) -> str:
    """What the value rests on, and the target; nothing where a plain count has none."""
    return _beside(measure, say, "")


def _beside(measure: Measure, say: Words, first: str) -> str:
    # Of too few cases, why tells how many.
    rests_on = "" if measure.is_too_few else measure.n_text
    target = f"{say.TARGET} {measure.target_text}" if measure.target_text else ""
    return " · ".join(text for text in (first, rests_on, target) if text)


def compared(measure: Measure, say: Words) -> tuple[tuple[str, str], ...]:
    """(change, what on) of every comparison that can be made: ("+3 min", "on last week")."""
    return tuple(
        (one.change_text, say.ON.format(one.name))
        for one in measure.comparisons
        if one.direction != "none"
    )


def kpi_title(measure: Measure) -> str:
    """The title of the measure's KPI, whichever segment it is of."""
    return measure.title.removesuffix(f": {measure.segment_name or measure.segment}")


def is_drawn(measure: Measure) -> bool:
    """Whether there is a line to draw: a single dot on an empty plate tells nothing."""
    return sum(point.value is not None for point in measure.points) > 1


def routine(measure: Measure, say: Words) -> str:
    """The routine range of the latest stretch in words, or nothing."""
    if not measure.bands:
        return ""
    last = measure.bands[-1]
    return str(say.ROUTINE_RANGE.format(last.lower_text, last.upper_text))


def band(measure: Measure, say: Words) -> str:
    """Routine range and average of the latest stretch as a sentence, or nothing."""
    if not measure.bands:
        return ""
    last = measure.bands[-1]
    return str(say.BAND.format(last.lower_text, last.upper_text, last.mean_text))


def marked(measure: Measure, view: ReportView, say: Words) -> str:
    """What is marked on the measure's chart, with its days; nothing without any."""
    texts = dict(zip(view.events, view.event_texts, strict=False))
    on_it = [text for event, text in texts.items() if placed(measure.points, (event,))]
    return say.MARKED.format("; ".join(on_it)) if on_it else ""


def measures_by_kpi(views: Sequence[ReportView]) -> dict[str, tuple[Measure, ...]]:
    """Every measure of the reports once, under its KPI, in the order of appearance; one of other
    periods than the first report's says which."""
    found: dict[str, dict[str, Measure]] = {}
    for view in views:
        for measure in (*view.measures, *([view.headline] if view.headline else [])):
            told = _dated(measure, view) if view.grain != views[0].grain else measure
            found.setdefault(measure.kpi, {}).setdefault(measure.segment, told)
    return {kpi: tuple(segments.values()) for kpi, segments in found.items()}


def _dated(measure: Measure, view: ReportView) -> Measure:
    if measure.period_text or not measure.points:
        return measure
    last = measure.points[-1].period_start
    period = dates.period_name(measure.grain, last, words.load(view.language))
    return replace(measure, period_text=period)
