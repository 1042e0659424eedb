"""The measures of the sample report: better, worse, changed, routine, early, without data."""

from __future__ import annotations

import math
from datetime import date, timedelta

from muster.reports.model import Band, Comparison, Measure, Point, Segment
from muster.reports.numbers import Style, change_text, direction, limit_texts, value_text

WEEK = date(2026, 11, 16)


def wave(mean: float, swing: float, shift_at: int = 99, shift: float = 0.0) -> list[float]:
    """Twenty-seven weekly values that wander by ``swing`` and may shift at a week."""
    return [
        mean
        + swing * (math.sin(week * 2.3) + 0.6 * math.sin(week * 0.9 + mean))
        + (shift if week >= shift_at else 0.0)
        for week in range(27)
    ]


def measure(
    kpi: str,
    title: str,
    style: Style,
    better: str,
    series: list[float | None],
    tone: str = "routine",
    why: str = "",
    marks: tuple[int, ...] = (),
    step: int = 0,
    lowest: float | None = 0.0,
    highest: float | None = None,
    n: int = 212,
    target: float | None = None,
    target_text: str = "",
    segment: str = "all",
    segments: tuple[Segment, ...] = (),
) -> Measure:
    """One measure whose texts follow from its numbers."""
    value, before = series[-1], series[-2]
    change = None if value is None or before is None else value - before
    bands = tuple(band(series, a, b, style, lowest, highest) for a, b in spans(step, len(series)))
    reading = {
        "better": "Better",
        "worse": "Worse",
        "changed": "Changed",
        "routine": "Routine",
        "early": "Too early to tell",
        "none": "No data",
    }[tone]
    return Measure(
        kpi=kpi,
        title=title,
        question=f"How is {title.lower()} doing?",
        definition=f"{title}, counted as the catalogue says.",
        sql=f"select * from {kpi}\n",
        version=1,
        unit=style.unit,
        better=better,
        grain="week",
        value=value,
        value_text=value_text(value, style),
        n=n,
        n_text=f"of {n} cases" if style.unit == "ratio" else f"from {n} cases",
        is_too_few=n < 5,
        comparisons=comparisons(value, change, series, style),
        tone=tone,
        reading=reading,
        why=why,
        points=tuple(
            point(i, v, style, tone if i in marks else "routine", n) for i, v in enumerate(series)
        ),
        bands=() if tone in ("early", "none") else bands,
        target=target,
        target_text=target_text,
        segments=segments,
        segment=segment,
    )


def comparisons(value, change, series, style) -> tuple[Comparison, ...]:
    """Against last week, the quarter so far, and the same week a year before."""
    known = [number for number in series[-8:] if number is not None]
    mean = sum(known) / len(known) if known else None
    to_mean = None if value is None or mean is None else value - mean
    return (
        Comparison(
            "last week",
            value_text(series[-2], style),
            change_text(change, style),
            direction(change, style),
        ),
        Comparison(
            "the quarter so far",
            value_text(mean, style),
            change_text(to_mean, style),
            direction(to_mean, style),
        ),
        Comparison("a year before", "–", "–", "none"),
    )


def spans(step: int, length: int) -> list[tuple[int, int]]:
    return [(0, step), (step, length)] if step else [(0, length)]


def band(series, start, end, style, lowest, highest) -> Band:
    """Mean ± 2.66 × mean moving range, clipped."""
    known = [value for value in series[start:end] if value is not None]
    mean = sum(known) / max(1, len(known))
    moves = [abs(b - a) for a, b in zip(known, known[1:], strict=False)]
    spread = 2.66 * sum(moves) / max(1, len(moves))
    lower = max(mean - spread, lowest if lowest is not None else -math.inf)
    upper = min(mean + spread, highest if highest is not None else math.inf)
    low, high = limit_texts(lower, upper, style)
    return Band(
        start, end, mean, lower, upper, end - start >= 26, value_text(mean, style), low, high
    )


def point(index: int, value: float | None, style: Style, tone: str, n: int) -> Point:
    start = WEEK - timedelta(weeks=26 - index)
    return Point(start, value, n, tone, f"{start.day} {start:%b}", value_text(value, style))


def sample_measures() -> tuple[Measure, ...]:
    """Twelve measures: better, worse, changed, routine, early, without data, and of a segment."""
    span, ratio, count, money = (
        Style("seconds"),
        Style("ratio", decimals=1),
        Style("count"),
        Style("money", decimals=2),
    )
    score = Style("score", decimals=2)
    faster = wave(19_000, 2_200, 19, -7_500)
    fewer = wave(0.41, 0.012, 26, -0.085)
    gaps: list[float | None] = [*wave(0.93, 0.02)]
    gaps[4] = gaps[11] = None
    rounded = [float(round(value)) for value in wave(311, 38)]
    return (
        measure(
            "first_response_median",
            "First response, median",
            span,
            "down",
            faster,
            "better",
            "8 weeks in a row below the earlier average of 5 h 19 min; routine was 3 h 20 min "
            "to 7 h 18 min",
            tuple(range(19, 27)),
            19,
            n=412,
            target=14_400,
            target_text="at most 4 h – met",
            segments=(
                Segment("inbound", 10_110, "2 h 48 min", 371),
                Segment("outreach", 1_920, "32 min", 41),
            ),
        ),
        measure(
            "first_response_off_hours_mean",
            "First response at night, mean",
            span,
            "down",
            wave(26_000, 3_400),
            n=98,
            target=14_400,
            target_text="at most 4 h – at risk",
        ),
        measure(
            "response_rate",
            "Answered within 24 h",
            ratio,
            "up",
            wave(0.825, 0.03),
            highest=1.0,
            n=401,
            target=0.9,
            target_text="at least 90% – off track",
        ),
        measure(
            "unanswered_issues",
            "Unanswered issues",
            count,
            "down",
            [float(round(v)) for v in wave(12, 4)],
            n=11,
        ),
        measure(
            "new_member_retention",
            "New members who came back",
            ratio,
            "up",
            fewer,
            "worse",
            "outside the routine range of 36.1% to 45.4%",
            (26,),
            highest=1.0,
            n=87,
            target=0.4,
            target_text="at least 40% – at risk",
        ),
        measure(
            "sentiment_mean",
            "Sentiment, mean",
            score,
            "up",
            wave(0.18, 0.03),
            lowest=-1.0,
            highest=1.0,
            n=1830,
        ),
        measure(
            "messages",
            "Messages by members",
            count,
            "none",
            [float(round(v)) for v in wave(4_180, 210, 25, 900)],
            "changed",
            "outside the routine range of 3,481 to 5,012",
            (25, 26),
            n=5_051,
        ),
        measure(
            "reply_limit_kept",
            "Solved within 4 replies",
            ratio,
            "up",
            gaps,
            highest=1.0,
            n=3,
            target=0.9,
            target_text="at least 90% – met",
        ),
        measure(
            "active_members",
            "Active members",
            count,
            "up",
            rounded,
            n=311,
            target=300,
            target_text="at least 300 – met",
        ),
        measure(
            "followers",
            "Followers: campus-bluesky",
            count,
            "up",
            [*([None] * 23), 8_120.0, 8_164.0, 8_171.0, 8_190.0],
            "early",
            "4 of the 6 weeks needed",
            n=1,
            segment="campus-bluesky",
        ),
        measure("cost_per_sale", "Cost per sale", money, "down", wave(12.3, 1.1), n=44),
        measure(
            "csat",
            "Satisfied after support",
            ratio,
            "up",
            [None] * 27,
            "none",
            "no source has delivered survey_responses yet",
            n=0,
            highest=1.0,
        ),
    )
