"""A simulated lake → nine support KPIs of each week by hand in Polars, by all rulings it exercises.

Written from what is decided (docs/counting.md, docs/people.md), not from Muster's SQL, and as fast
as Polars goes: each source by itself, its messages read once, sorted once by conversation and time,
then steps over whole columns in that order and one grouping by episode.
It knows bots and staff by the platform or the settings, suspected bots, persons, deleted messages,
announcements and what hangs below them, thanks (also "in advance", with a "please", or of who opens
a topic), escalations by words, episodes by resolution, quiet hours and gap, closed topics, accepted
solutions, inbound and outreach issues, and local weeks, the running one too.
It does not know, since the simulated lake has none of it, direct messages, threads whose opening
message is missing, lines of a chat that are yet to be joined, thanks in other languages, tags,
`solved_at`, days from and until when a setting holds, groups and roles of a platform, automatic
replies, patterns and windows of the settings' or of a source's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import polars as pl
from lakes import END, SETTINGS, START

from muster.kpis.phrases import CLOSING, ESCALATION, PLEAS

SECOND = 1_000_000  # times are whole microseconds: numbers are the cheapest to compare
AS_OF = int(END.timestamp()) * SECOND
WINDOWS = SETTINGS.windows
QUIET = WINDOWS.quiet // timedelta(microseconds=1)
ANSWER, RESOLUTION = (
    one // timedelta(milliseconds=1) for one in (WINDOWS.answer, WINDOWS.resolution)
)
PHRASES = "|".join(CLOSING["en"]).replace("'", "['’]?").replace(" ", r"\s+")
THANKS = rf"(?i)\b(?:{PHRASES})\b"
IN_ADVANCE = r"(?i)\b(?:thanks|thank you|thx|cheers) (?:so much |very much |a lot )?in advance\b"
PLEASE = rf"(?i)\b(?:{'|'.join(PLEAS)})\b"
MORE_THAN_TWELVE = r"^\s*(?:\S+\s+){12}\S"
ELSEWHERE = rf"(?i)\b(?:{'|'.join(ESCALATION)})\b"
NEVER = 1 << 62
text, at, row, thread = pl.col("text"), pl.col("at"), pl.col("row"), pl.col("thread")
is_staff, is_ask, start = pl.col("is_staff"), pl.col("is_ask"), pl.col("start")
is_member = ~is_staff & ~pl.col("is_bot")


@dataclass(frozen=True)
class Source:
    """What is known of one source besides its messages."""

    name: str
    gap: int
    bots: list[str]
    staff: list[str]
    never_bots: list[str]
    persons: pl.DataFrame  # account → person, of those with several accounts here
    topics: pl.DataFrame  # thread → when it was closed


def whole(lake: Path, memory: str) -> list[dict[str, object]]:
    """A row for each week: its Monday and the nine, null where there is nothing to tell."""
    members = pl.scan_parquet(f"{lake}/tables/members/**/*.parquet", hive_partitioning=True)
    named = pl.col("handle").is_in([one.account for one in (*SETTINGS.bots, *SETTINGS.staff)])
    told = pl.col("person_id").is_not_null() | pl.col("is_bot") | (pl.col("role") == "staff")
    wanted = ("source", "member_id", "handle", "person_id", "is_bot", "role")
    people = members.filter(told | named).select(wanted).collect(engine="streaming")
    found = [_issues(lake, _source(lake, one.name, people)) for one in SETTINGS.sources]
    return _weekly(pl.concat(found)).to_dicts()


def _source(lake: Path, name: str, people: pl.DataFrame) -> Source:
    here = people.filter(pl.col("source") == name)
    gap = SETTINGS.source(name).episode_gap
    staff = _named(SETTINGS.staff, name, here)
    several = here.filter(pl.col("person_id").is_not_null(), pl.len().over("person_id") > 1)
    return Source(
        name,
        gap=NEVER if gap == "off" else gap // timedelta(microseconds=1),
        bots=[*_named(SETTINGS.bots, name, here), *here.filter("is_bot")["member_id"]],
        staff=staff,
        never_bots=[*staff, *here.filter(pl.col("role") == "staff")["member_id"]],
        persons=several.select(author_id="member_id", person="person_id"),
        topics=_topics(lake, name),
    )


def _named(listed: tuple, source: str, here: pl.DataFrame) -> list[str]:
    """Ids of the accounts that the settings name, by id or handle."""
    names = [one.account for one in listed if one.source in (None, source)]
    return [*names, *here.filter(pl.col("handle").is_in(names))["member_id"]]


def _topics(lake: Path, source: str) -> pl.DataFrame:
    if not (lake / f"tables/threads/source={source}").exists():
        return pl.DataFrame(schema={"thread_id": pl.String, "closed": pl.Int64})
    found = pl.scan_parquet(_files(lake, "threads", source), hive_partitioning=False)
    return found.select("thread_id", closed=pl.col("closed_at").to_physical()).collect()


def _files(lake: Path, table: str, source: str) -> str:
    return f"{lake}/tables/{table}/source={source}/**/*.parquet"


def _issues(lake: Path, source: Source) -> pl.DataFrame:
    """A row for each issue of a source: when it was opened, answered, sent elsewhere, resolved."""
    written, threads = _numbered(_read(lake, source), source.topics)
    bots = _suspected(written, source).implode()
    written = written.with_columns(is_bot=pl.col("is_bot") | pl.col("author_id").is_in(bots))
    placed = _placed(written, threads)
    lost = placed.filter("is_root", ~pl.col("is_there"), is_member)["conversation"].implode()
    counts = ~pl.col("is_bot") | pl.col("is_solution")  # whoever wrote what is accepted
    counted = placed.filter("is_there", counts).with_columns(
        is_lost=pl.col("conversation").is_in(lost)
    )
    told = _told(counted.sort("conversation", "at", "message_id"), source, threads)
    return _resolved(told)


def _read(lake: Path, source: Source) -> pl.DataFrame:
    """The one reading: texts become what they say."""
    author, role = pl.col("author_id"), pl.col("author_role")
    is_bot = (role == "bot") | author.is_in(source.bots)
    is_ours = ~is_bot & ((role == "staff") | author.is_in(source.staff))
    is_suspicious = ~is_bot & ~is_ours & (pl.col("kind") != "repost")
    short = _only(text, ~is_ours & ~text.str.contains("?", literal=True))
    short = _only(short, ~short.str.contains(MORE_THAN_TWELVE))
    thanks = _only(short, short.str.contains(THANKS))
    return (
        pl.scan_parquet(_files(lake, "messages", source.name), hive_partitioning=False)
        .filter(pl.col("created_at") < END)
        .select(
            "thread_id", "message_id", "parent_id", "author_id", "is_solution",
            at=pl.col("created_at").to_physical(),
            is_there=pl.col("deleted_at").is_null(),
            is_inbound=pl.col("direction") == "inbound",
            is_bot=is_bot, is_staff=is_ours, is_suspicious=is_suspicious,
            copied=pl.when(is_suspicious & (text.str.len_chars() >= 30)).then(text.hash()),
            is_elsewhere=_only(text, is_ours).str.contains(ELSEWHERE),
            is_thanks=thanks.str.replace_all(IN_ADVANCE, " ").str.contains(THANKS),
            is_please=thanks.str.contains(PLEASE),
        )
        .collect(engine="streaming")
    )  # fmt: skip


def _only(said: pl.Expr, where: pl.Expr) -> pl.Expr:
    """The text there, elsewhere an empty one, which costs an expression nothing."""
    return pl.when(where).then(said).otherwise(pl.lit(""))


def _numbered(written: pl.DataFrame, topics: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Messages with their thread's number, and a row for each thread in the order of numbers.

    An object is sorted by thread: only the first message of a run is looked up by its text.
    """
    written = written.with_columns(run=pl.col("thread_id").rle_id())
    runs = written.filter(pl.col("run").diff().fill_null(1) > 0).select("thread_id")
    threads = runs.unique().with_row_index("thread")
    numbers = runs.join(threads, on="thread_id", how="left", maintain_order="left")["thread"]
    numbers = numbers.gather(written["run"])
    written = written.with_columns(
        thread=numbers,
        conversation=numbers,
        is_root=pl.col("message_id") == pl.col("thread_id"),
    )
    told = topics.with_columns(is_topic=True)
    threads = threads.join(told, on="thread_id", how="left", maintain_order="left")
    return written.drop("run", "thread_id"), threads


def _suspected(written: pl.DataFrame, source: Source) -> pl.Series:
    """Accounts that write as no person does; what was deleted is evidence too."""
    told = written.filter("is_suspicious").select("author_id", "copied", slot=at // (600 * SECOND))
    day = (pl.col("slot") // 144).alias("day")
    busy = told.group_by("author_id", day).len().filter(pl.col("len") >= 8)
    told = told.join(busy, on="author_id", how="semi")
    bursts = told.group_by("author_id", "slot").len().filter(pl.col("len") >= 100)
    copies = told.drop_nulls("copied").group_by("author_id", day, "copied").len()
    found = {*bursts["author_id"], *copies.filter(pl.col("len") >= 8)["author_id"]}
    is_found = pl.col("author_id").is_in(list(found))
    ours = written.filter(is_staff & is_found)["author_id"] if found else ()
    return pl.Series(sorted(found - {*source.never_bots, *ours}), dtype=pl.String)


def _placed(written: pl.DataFrame, threads: pl.DataFrame) -> pl.DataFrame:
    """Messages with their conversation: the thread, or what hangs below an announcement."""
    ours = written.filter("is_root", "is_staff")["thread"].implode()
    is_ours = threads.select(thread.is_in(ours)).to_series()
    rows = is_ours.gather(written["thread"]).arg_true()
    roots = _roots(written[rows], len(threads))
    below = [written[name].scatter(rows, roots[name]) for name in ("conversation", "is_root")]
    return written.with_columns(below)


def _roots(below: pl.DataFrame, free: int) -> pl.DataFrame:
    """The number of each message's conversation: that of the topmost member's above it, or it."""
    rows = pl.int_range(pl.len(), dtype=pl.UInt32)
    parents = below.select(parent_id="message_id", up=rows)
    above = below.join(parents, on="parent_id", how="left", maintain_order="left")["up"]
    top = below.select(pl.when(is_member).then(rows)).to_series()
    while above.null_count() < len(above):  # twice as far each time
        further = top.gather(above)
        top = further.zip_with(further.is_not_null(), top)
        above = above.gather(above)
    return below.select(
        conversation=pl.coalesce(top + free, "conversation"), is_root=(top == rows).fill_null(True)
    )


def _told(counted: pl.DataFrame, source: Source, threads: pl.DataFrame) -> pl.DataFrame:
    """What counts, in order, with its episode."""
    if len(source.persons):
        counted = counted.join(source.persons, on="author_id", how="left", maintain_order="left")
    else:
        counted = counted.with_columns(person=pl.lit(None, pl.String))
    told = counted.with_columns(
        row=pl.int_range(pl.len(), dtype=pl.Int32),
        person=pl.coalesce("person", "author_id"),
        is_new=(pl.col("conversation") != pl.col("conversation").shift()).fill_null(True),
        is_topic=threads["is_topic"].gather(counted["thread"]).fill_null(False)
        & (pl.col("conversation") == thread),
        closed=threads["closed"].gather(counted["thread"]),
    )
    asks = pl.col("is_root") & (pl.col("is_please") | pl.col("is_topic"))
    told = told.with_columns(
        start=pl.when("is_new").then(row).forward_fill(),
        is_ask=is_member & (~pl.col("is_thanks") | asks),
        is_solved=_at_last("is_solution"),
    )
    return _followed(_opened(told, source.gap))


def _at_last(event: str) -> pl.Expr:
    """At the last message of an instant: what happens at it comes after all messages of it."""
    begins = pl.col("is_new") | (at != at.shift())
    since = pl.when(begins).then(row).forward_fill()
    return (pl.when(event).then(row).forward_fill() >= since) & begins.shift(-1, fill_value=True)


def _last(flag: str | pl.Expr, before: int = 1) -> pl.Expr:
    """The row of the last before this one in its conversation, else the one before its start."""
    rows = pl.when(flag).then(row).forward_fill()
    return pl.max_horizontal(rows.shift(before), start - 1)


def _opened(told: pl.DataFrame, gap: int) -> pl.DataFrame:
    """Which messages open an episode.

    An escalation bars assumed resolution until the next explicit one or gap, unless the quiet hours
    were over before it.
    """
    told = _silences(told, gap)
    asked, late, answered = (pl.col(name) for name in ("asked", "late", "answered"))
    is_first = is_ask & (asked < start) & ~(pl.col("is_lost") & (answered >= start))
    told = told.with_columns(
        hard=_last(is_first | pl.col("is_over") | pl.col("is_silent")),
        barred=_last(pl.col("is_elsewhere") & (late <= asked)),
    )
    told = told.with_columns(
        is_open=is_first
        | pl.col("is_over")
        | (is_ask & (late > asked) & (pl.col("barred") <= pl.col("hard")))
    )
    could = _last(pl.col("is_open") | pl.col("is_silent"))
    is_open = pl.col("is_open") | (pl.col("is_silent") & (answered > could))
    return told.with_columns(is_open=is_open)


def _silences(told: pl.DataFrame, gap: int) -> pl.DataFrame:
    """What lies between a message and those before it: silence, a resolution, quiet hours."""
    told = told.with_columns(
        heard=_last(~pl.col("is_bot")), talked=_last(is_staff | is_ask), asked=_last("is_ask"),
        answered=_last("is_staff"), solved=_last("is_solved"),
    )  # fmt: skip
    asked, talked, heard, solved = (pl.col(name) for name in ("asked", "talked", "heard", "solved"))
    asked_at = pl.when(asked >= start).then(at.gather(asked)).otherwise(-NEVER)
    solved_at = pl.when(solved >= start).then(at.gather(solved))
    is_over = [(one >= asked_at) & (one < at) for one in (solved_at, pl.col("closed"))]
    is_late = (is_staff | is_ask) & (talked >= start) & is_staff.gather(talked)
    told = told.with_columns(
        is_silent=is_ask & (heard >= start) & (at - at.gather(heard) >= gap),
        is_over=is_ask & pl.any_horizontal(is_over).fill_null(False),
        is_late=is_late & (at - at.gather(talked) > QUIET),
    )
    return told.with_columns(late=_last("is_late", before=0))


def _followed(told: pl.DataFrame) -> pl.DataFrame:
    """Each message with its episode, and whether it answers the opener or leaves a silence."""
    edge = pl.col("is_open") | pl.col("is_new")
    told = told.with_columns(
        episode=edge.cum_sum() - 1,
        opener=pl.when(edge).then(row).forward_fill(),
        next=pl.when(is_staff | is_ask).then(row).backward_fill().shift(-1),
    )
    person, opener, next_ = pl.col("person"), pl.col("opener"), pl.col("next")
    is_answer = is_staff & (at > at.gather(opener)) & (person != person.gather(opener))
    stays = (pl.col("episode").gather(next_) == pl.col("episode")) & (
        at.gather(next_) - at <= QUIET
    )
    return told.with_columns(is_answer=is_answer, is_left=is_staff & ~stays.fill_null(False))


def _resolved(told: pl.DataFrame) -> pl.DataFrame:
    """A row for each issue."""
    found = _episodes(told)
    is_next = pl.col("conversation") == pl.col("conversation").shift(-1)
    until = pl.when(is_next).then(pl.col("opened").shift(-1)).otherwise(NEVER)
    closed = pl.when(pl.col("closed").is_between("opened", until, closed="left")).then("closed")
    elsewhere = pl.col("escalated").fill_null(NEVER)
    quiet = pl.when(pl.col("quiet") < AS_OF, elsewhere > pl.col("quiet")).then("quiet")
    found = found.with_columns(
        resolved=pl.min_horizontal("solved", quiet, pl.when(closed < AS_OF).then(closed))
    )
    later = told.filter(is_staff, at > found["resolved"].gather(told["episode"]))
    late = later.group_by("episode").agg(late=pl.len())
    is_issue = pl.col("is_inbound") | pl.col("answered").is_not_null()
    return (
        found.filter(pl.col("is_open"), is_issue)
        .join(late, on="episode", how="left")
        .select(
            "opened", "answered", "escalated", "resolved", "is_inbound",
            touches=pl.col("staff") - pl.col("late").fill_null(0),
        )
    )  # fmt: skip


def _episodes(told: pl.DataFrame) -> pl.DataFrame:
    return told.group_by("episode", maintain_order=True).agg(
        pl.col("is_open", "is_inbound", "conversation", "closed").first(),
        opened=at.first(),
        answered=pl.when("is_answer").then(at).min(),
        escalated=pl.when("is_elsewhere").then(at).min(),
        solved=pl.when("is_solved").then(at).min(),
        quiet=pl.when("is_left").then(at).min() + QUIET,
        staff=is_staff.sum(),
    )


def _weekly(issues: pl.DataFrame) -> pl.DataFrame:
    """All weeks of the community's calendar, the running one too."""
    local = [one.astimezone(SETTINGS.zone) for one in (START, END)]
    monday = local[0].date() - timedelta(days=local[0].weekday())
    weeks = pl.select(week=pl.date_range(monday, local[1].date(), "1w")).with_row_index("number")
    starts = weeks["week"].cast(pl.Datetime("us")).dt.replace_time_zone(SETTINGS.timezone)
    starts = starts.to_physical()
    issues = issues.with_columns(
        number=starts.search_sorted(issues["opened"], side="right") - 1,
        ended=starts.search_sorted(issues["resolved"].fill_null(AS_OF), side="right") - 1,
        wait=_milliseconds("answered", "resolved"),
        span=_milliseconds("resolved", "escalated"),
        age=_milliseconds(),
    )
    for part in (_plain(issues), _one_touch(issues), _quantiles(issues)):
        weeks = weeks.join(part, on="number", how="left", maintain_order="left")
    return weeks.with_columns(pl.col("issues_opened").fill_null(0)).drop("number")


def _milliseconds(*until: str) -> pl.Expr:
    """From the opening until the first that is known, else the end, as calendars of such count."""
    return pl.coalesce(*until, AS_OF) // 1000 - pl.col("opened") // 1000


def _plain(issues: pl.DataFrame) -> pl.DataFrame:
    is_answered, is_resolved = (pl.col(n).is_not_null() for n in ("answered", "resolved"))
    wait, span, age = pl.col("wait"), pl.col("span"), pl.col("age")
    return issues.group_by("number").agg(
        issues_opened=pl.len(),
        first_response_mean=wait.filter(is_answered).mean() / 1000,
        response_rate=(is_answered & (wait <= ANSWER))
        .filter("is_inbound", age > ANSWER).mean(),
        escalation_rate=pl.col("escalated").is_not_null().filter(is_answered).mean(),
        resolution_rate=(is_resolved & (span <= RESOLUTION)).filter(age > RESOLUTION).mean(),
    )  # fmt: skip


def _one_touch(issues: pl.DataFrame) -> pl.DataFrame:
    resolved = issues.filter(pl.col("resolved").is_not_null())
    share = (pl.col("touches") == 1).mean()
    return resolved.group_by(number="ended").agg(one_touch_resolution=share)


def _quantiles(issues: pl.DataFrame) -> pl.DataFrame:
    first, span = _reached("wait", "answered"), _reached("span", "resolved")
    return issues.group_by("number").agg(
        first_response_median=first(0.5), first_response_p90=first(0.1),
        time_to_resolution_median=span(0.5),
    )  # fmt: skip


def _reached(clock: str, event: str) -> Callable[[float], pl.Expr]:
    """Kaplan and Meier: the first time at which at most a share still waits, in seconds.

    In one number, an event comes before the censored of its instant.
    """
    queue = (pl.col(clock) * 2 + pl.col(event).is_null()).sort()
    at_risk = pl.len() - pl.int_range(pl.len())
    stays = pl.when(queue % 2 == 0).then((1 - 1 / at_risk).log()).otherwise(0.0).cum_sum()
    return lambda share: queue.filter(stays <= math.log(share + 1e-9)).first() // 2 / 1000
