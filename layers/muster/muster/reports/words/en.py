"""English: every string of mail and site; functions where number or order of words matter."""

from __future__ import annotations

from datetime import date, datetime

from muster.reports.words.en_data import days_of as days_of
from muster.reports.words.en_data import other_money as other_money
from muster.reports.words.en_reading import how_to_read as how_to_read

# Numbers
NO_VALUE = "–"
NO_CHANGE = "no change"
MINUS = "\u2212"
DECIMAL, THOUSANDS = ".", ","
POINTS = "points"
SPANS = ("s", "min", "h", "d")
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹"}

# Dates
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
NEVER = "never"


def day_text(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def short_day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1][:3]}"


def moment_text(moment: datetime) -> str:
    return f"{short_day(moment)} {moment.year}, {moment:%H:%M}"


def days_text(first: date, last: date) -> str:
    """16–22 November 2026; 28 September – 4 October 2026."""
    if first == last:
        return day_text(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{day_text(last)}"
    start = day_text(first) if first.year != last.year else day_text(first).rsplit(" ", 1)[0]
    return f"{start} – {day_text(last)}"


def period_text(grain: str, first: date, last: date) -> str:
    if grain == "week":
        return f"Week {first.isocalendar().week}: {days_text(first, last)}"
    return period_name(grain, first)


def period_name(grain: str, first: date) -> str:
    """How a sentence calls a period: week 47, November 2026, quarter 4 of 2026."""
    if grain == "week":
        return f"week {first.isocalendar().week}"
    if grain == "month":
        return f"{MONTHS[first.month - 1]} {first.year}"
    if grain == "quarter":
        return f"quarter {(first.month + 2) // 3} of {first.year}"
    return str(first.year) if grain == "year" else day_text(first)


def point_label(grain: str, first: date) -> str:
    """The label of a point on a chart's axis."""
    if grain == "month":
        return f"{MONTHS[first.month - 1][:3]} {first.year}"
    if grain == "quarter":
        return f"Q{(first.month + 2) // 3} {first.year}"
    return str(first.year) if grain == "year" else short_day(first)


def nearly(text: str, is_more: bool) -> str:
    """A number that reads like the one it is compared with, but is not."""
    return f"a little {'more' if is_more else 'less'} than {text}"


# Measures
TITLE = "Community health"
READINGS = {
    "better": "Better", "worse": "Worse", "changed": "Changed", "routine": "Routine",
    "early": "Too early to tell", "none": "No data",
}  # fmt: skip
BEFORE = {
    "day": "day before", "week": "last week", "month": "last month", "quarter": "last quarter",
    "year": "last year",
}  # fmt: skip
QUARTER_SO_FAR = "quarter so far"
YEAR_BEFORE = "a year before"
# Words for below and above, by unit: a duration is short, anything else is low.
LEVELS = {"seconds": ("short", "long", "shorter", "longer")}
LEVEL = ("low", "high", "lower", "higher")


def many(count: int, one: str, more: str = "") -> str:
    """1 goal, 2 goals."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def listed(names: list[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def n_text(n: int, statistic: str, table: str) -> str:
    """What a value rests on, in words; nothing for a plain count."""
    if table == "audience":
        return f"from {many(n, 'account')}"
    if statistic == "ratio":
        return f"of {many(n, 'case')}"
    return f"from {many(n, 'case')}" if statistic in ("mean", "quantile") else ""


def outside(low: str, high: str) -> str:
    return f"outside the routine range of {low} to {high}"


def run(count: int, grain: str, side: int, mean: str, is_left: bool = False) -> str:
    """``is_left``: the average is that of a level which the run has left for good."""
    where = "above" if side > 0 else "below"
    average = f"the {'earlier ' if is_left else ''}average of {mean}"
    average = average if mean else "the average until then"
    return f"{many(count, grain)} in a row {where} {average}"


def near_limit(grain: str, side: int) -> str:
    limit = "upper" if side > 0 else "lower"
    return f"3 of the last 4 {grain}s nearer to the {limit} limit than to the average"


def routine_was(low: str, high: str) -> str:
    return f"routine {low} to {high}"


def new_level(low: str, high: str) -> str:
    return f"a new level, routinely {low} to {high}"


def meanwhile(names: list[str], count: int, grain: str) -> str:
    """The events beside a signal: what else happened, not why."""
    when = f"the same {grain}" if count == 1 else f"these {many(count, grain)}"
    return f"in {when}: {listed(names)}"


def event_text(name: str, first: date, last: date) -> str:
    return f"{name}, {days_text(first, last)}"


def new_definition(version: int, day: date) -> str:
    return (
        f"Definition {version} since {day_text(day)}: every value shown here is computed by it; "
        "reports before that day tell another definition's numbers."
    )


def within(low: str, high: str) -> str:
    return f"within the routine range of {low} to {high}"


def young(count: int, grain: str) -> str:
    return f"the range rests on {many(count, grain)} only"


def early(count: int, grain: str, needed: int) -> str:
    return f"{many(count, grain)} so far; a routine range needs {needed}"


def too_few(n: int, needed: int) -> str:
    return f"rests on {many(n, 'case')} only, fewer than {needed}: too few to read"


def settled(period: str, span: str) -> str:
    """Which period a measure is of whose newer values still move."""
    return f"{period}, the last whose {span} are over"


def never_measured(table: str) -> str:
    return f"nothing to measure in {table} yet"


def last_measured(period: str) -> str:
    return f"nothing to measure in this period; the last value is of {period}"


# Goals
STATUSES = {
    "met": "Met", "on_track": "On track", "at_risk": "At risk", "off_track": "Off track",
    "no_data": "No data",
}  # fmt: skip
TARGETS = {
    "at_least": "at least {}", "increase_by": "at least {}", "at_most": "at most {}",
    "decrease_by": "at most {}", "reach": "{}",
}  # fmt: skip
BY = "by {}"
TARGET_WITH_STATUS = "{} – {}"


def goal_met(value: str, target: str) -> str:
    return f"{value} meets the target ({target})."


def goal_on_track(expected: str) -> str:
    return f"The straight pace asks for {expected} by now."


def goal_behind(expected: str, trend: str) -> str:
    return f"The straight pace asks for {expected} by now; {trend}."


def goal_missed(value: str, target: str, day: str) -> str:
    return f"{value} when it was due on {day}; the target ({target}) was not reached."


def trend_arrives(day: str, is_late: bool) -> str:
    return f"at the present trend it arrives {'only ' if is_late else ''}on {day}"


def trend_misses(projected: str, day: str) -> str:
    return f"the present trend leads to {projected} by {day}"


TREND_MEETS = "the present trend still meets the target"
NO_TREND = "there are too few values for a trend"

# Subject, preheader, opening
SIGNAL_PREFIX = {"better": "Better", "worse": "Worse", "changed": "Changed"}
BETTER_BUT_OFF_TRACK = "Off track, but better"


def signal_phrase(title: str, rule: str, side: int, unit: str, value: str, span: str) -> str:
    """The main thing in a subject: First response shorter for 8 weeks (3 h 8 min)."""
    low, high, lower, higher = LEVELS.get(unit, LEVEL)
    if rule == "outside":
        return f"{title} unusually {high if side > 0 else low} ({value})"
    return f"{title} {higher if side > 0 else lower} {span} ({value})"


def for_periods(count: int, grain: str) -> str:
    return f"for {many(count, grain)}"


def in_most_periods(grain: str) -> str:
    return f"in 3 of 4 {grain}s"


def routine_period(grain: str) -> str:
    return f"A routine {grain}"


def too_early_period(grain: str) -> str:
    return f"First {grain}s: too early to tell"


NO_SOURCE_READ = "No source could be read"


def goals_clause(total: int, at_risk: int, off_track: int, without: int) -> str:
    """2 of 6 goals at risk."""
    of = f"of {many(total, 'goal')}"
    if at_risk and off_track:
        return f"{at_risk + off_track} {of} behind"
    if at_risk or off_track:
        return f"{at_risk or off_track} {of} {'at risk' if at_risk else 'off track'}"
    if without:
        return f"{without} {of} without data"
    return "the goal is on track" if total == 1 else f"all {total} goals on track"


def subject(main: str, goals: str, period: str) -> str:
    # ASCII only: Python folds a header's other characters so that mail programs show two blanks.
    return f"{main}; {goals} ({period})" if goals else f"{main} ({period})"


def signals_sentence(total: int, counts: dict[str, int]) -> str:
    """3 of 12 measures changed beyond routine variation: 1 better, 2 worse."""
    kinds = {
        "better": "better", "worse": "worse", "changed": "without a good or bad direction",
    }  # fmt: skip
    parts = [f"{counts[kind]} {text}" for kind, text in kinds.items() if counts.get(kind)]
    changed = sum(counts.get(kind, 0) for kind in kinds)
    if not changed:
        return ""
    return (
        f"{changed} of {many(total, 'measure')} changed beyond routine variation: {listed(parts)}."
    )


def rest_sentence(routine: int, has_signals: bool, grain: str) -> str:
    if has_signals:
        verb = "needs" if routine == 1 else "need"
        moved = f"{routine} moved within their usual range and {verb} no explanation."
        return moved.replace("their", "its") if routine == 1 else moved
    if not routine:
        return f"Too early to tell: no measure has the 6 {grain}s yet that a routine range needs."
    return f"A routine {grain}: {many(routine, 'measure')} moved within the usual range."


def unread_sentence(routine: int, grain: str) -> str:
    if routine:
        return f"{NO_SOURCE_READ} of late, so this {grain} may only look like a routine one."
    return f"{NO_SOURCE_READ}, so nothing can be told of this {grain} yet."


def goals_sentence(counts: dict[str, int]) -> str:
    """Of 6 goals 2 are met, 1 on track, 2 at risk and 1 off track."""
    names = {
        "met": "met", "on_track": "on track", "at_risk": "at risk", "off_track": "off track",
        "no_data": "without data",
    }  # fmt: skip
    parts = [(counts[key], text) for key, text in names.items() if counts.get(key)]
    total = sum(count for count, _ in parts)
    if total == 1:
        return f"The goal is {parts[0][1]}."
    if len(parts) == 1:
        return f"All {total} goals are {parts[0][1]}."
    first, *others = parts
    verb = "is" if first[0] == 1 else "are"
    rest = [f"{count} {text}" for count, text in others]
    return f"Of {total} goals {listed([f'{first[0]} {verb} {first[1]}', *rest])}."


NO_GOALS = "No goals are set."


def look_first(title: str, why: str) -> str:
    return f"Look first at {title}: {why}."


def waiting_sentence(count: int, longest: str) -> str:
    if count == 1:
        return f"1 issue waits for an answer now, for {longest} so far."
    return f"{count:,} issues wait for an answer now, the longest for {longest}."


def stale_sentence(count: int) -> str:
    verb = "is" if count == 1 else "are"
    return f"{many(count, 'source')} {verb} out of date, so numbers may be incomplete."


NOTHING_TO_DO = "Nothing needs your attention."

# What is missing


def kpi_without_data(title: str, why: str) -> str:
    return f"{title} has no data: {why}."


def goal_without_data(name: str, why: str) -> str:
    return f"Goal “{name}” has no data: {why}"


def without_goal(titles: list[str]) -> str:
    what = "A measure that serves no goal" if len(titles) == 1 else "Measures that serve no goal"
    return f"{what}: {'; '.join(titles)}."


def few_cases(title: str, n: int, needed: int) -> str:
    return f"{title} rests on {many(n, 'case')} only, fewer than {needed}: read it with care."


def stale(name: str, since: str, error: str) -> str:
    if since == NEVER:
        said = f"{name} has never been fetched"
    else:
        said = f"{name} has brought nothing new since {since}"
    return f"{said}: {error}." if error else f"{said}."


def quarantined(name: str, count: int) -> str:
    verb = "waits" if count == 1 else "wait"
    return f"{name}: {many(count, 'item')} could not be read and {verb} in quarantine."


def suspected(accounts: int, messages: int) -> str:
    were = "was" if messages == 1 else "were"
    return (
        f"Suspected bots: {many(accounts, 'account')}, {many(messages, 'message')} {were} left out "
        "of every count."
    )


def failed(problem: str) -> str:
    return f"A measure failed: {problem}"


def undelivered(recipient: str, reason: str) -> str:
    return f"The last report to {recipient} was not delivered: {reason.rstrip('.')}."


UNTITLED = "Untitled"
