"""A view with two years of history → the same view with the half year a reader takes in at once."""

from __future__ import annotations

from dataclasses import replace

from muster.reports.model import Band, Measure, ReportView

SHOWN = 27


def recent(view: ReportView) -> ReportView:
    """The view whose charts show the last ``SHOWN`` periods: for mail and overview."""
    headline = _recent(view.headline) if view.headline else None
    measures = tuple(map(_recent, view.measures))
    first = min((one.points[0].period_start for one in measures if one.points), default=None)
    told = [
        (event, text)
        for event, text in zip(view.events, view.event_texts, strict=False)
        if first is None or event[2] >= first
    ]
    return replace(
        view,
        headline=headline,
        measures=measures,
        events=tuple(event for event, _ in told),
        event_texts=tuple(text for _, text in told),
    )


def _recent(measure: Measure) -> Measure:
    first = max(0, len(measure.points) - SHOWN)
    bands = tuple(_shifted(band, first) for band in measure.bands if band.end > first)
    return replace(measure, points=measure.points[first:], bands=bands)


def _shifted(band: Band, first: int) -> Band:
    return replace(band, start=max(0, band.start - first), end=band.end - first)
