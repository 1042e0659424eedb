"""A report's view goes in, its short form for a chat comes out: the mail's own words.

Nothing that a stranger wrote is in it: a title with ``@everyone`` would call everybody.
"""

from __future__ import annotations

from muster.reports import inert, wording, words
from muster.reports.model import GoalLine, ReportView


def short(view: ReportView) -> tuple[str, tuple[str, ...]]:
    """The subject, and lines in the order of how much they matter."""
    view = inert.everything(view)
    say = words.load(view.language)
    head = f"{view.community} · {view.period_text}"
    lines = [*([view.note] if view.note else []), head, *view.opening]
    for change in view.changes:
        sign = wording.sign_of_change(change, say)
        lines.append(f"{sign.shape} {sign.word} – {change.title}: {change.text}.")
    lines += [_goal(goal, say) for goal in view.goals if goal.status in wording.BEHIND]
    # The link comes first of what could be left out where a channel takes little.
    link = [f"{say.OPEN_SITE}: {view.site_url}"] if view.site_url else []
    keep = len(lines) - len(view.changes) - sum(one.status in wording.BEHIND for one in view.goals)
    return view.subject, (*lines[:keep], *link, *lines[keep:])


def _goal(goal: GoalLine, say: words.Words) -> str:
    """The value beside its target; or why there is no verdict."""
    sign = wording.sign(goal.status, goal.status_text)
    told = f"{goal.value_text}, {say.OF_TARGET} {goal.target_text} {goal.by_text}"
    why = goal.reason if goal.status == "no_data" else told
    return f"{sign.shape} {sign.word} – {goal.name}: {why}"
