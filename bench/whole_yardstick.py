"""A simulated lake → nine support KPIs of each week by hand in Polars, by all rulings it exercises.

Written from what is decided (docs/counting.md, docs/people.md), not from Muster's SQL, and as fast
as Polars goes: each source by itself, its messages read once and narrowly, texts that repeat made
numbers, sorted once by conversation and time, then steps over whole columns in that order: the row
of the last staff before, of the next resolution after. No window, no grouping by thread or episode.
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
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import polars as pl
from lakes import END, SETTINGS, START

from muster.kpis.phrases import CLOSING, ESCALATION, PLEAS

SECOND = 1_000_000  # times are whole microseconds: numbers are the cheapest to compare
AS_OF = int(END.timestamp()) * SECOND
QUIET = SETTINGS.windows.quiet // timedelta(microseconds=1)
ANSWER = SETTINGS.windows.answer // timedelta(milliseconds=1)
RESOLUTION = SETTINGS.windows.resolution // timedelta(milliseconds=1)
PHRASES = "|".join(CLOSING["en"]).replace("'", "['’]?").replace(" ", r"\s+")
THANKS = rf"(?i)\b(?:{PHRASES})\b"
IN_ADVANCE = r"(?i)\b(?:thanks|thank you|thx|cheers) (?:so much |very much |a lot )?in advance\b"
PLEASE = rf"(?i)\b(?:{'|'.join(PLEAS)})\b"
NO_THANKS = r"[？؟]|^\s*(?:\S+\s+){12}\S"  # a question, or more than twelve words
ELSEWHERE = rf"(?i)\b(?:{'|'.join(ESCALATION)})\b"
FAR = 1 << 62
text, at, row, start, end = (pl.col(name) for name in ("text", "at", "row", "start", "end"))
thread, author, conversation = (pl.col(name) for name in ("thread", "author", "conversation"))
is_staff, is_bot, is_ask = (pl.col(name) for name in ("is_staff", "is_bot", "is_ask"))
is_over, is_silent, is_open = (pl.col(name) for name in ("is_over", "is_silent", "is_open"))
is_member = ~is_staff & ~is_bot


@dataclass(frozen=True)
class Source:
    """One source, and those on it of whom more is known than that they are."""

    lake: Path
    name: str
    people: pl.DataFrame
    threads: pl.Series  # a text has its number as long as a series of its kind is held
    accounts: pl.Series

    @property
    def gap(self) -> int:
        """The silence that begins an episode."""
        found = SETTINGS.source(self.name).episode_gap
        return FAR if found == "off" else found // timedelta(microseconds=1)

    def listed(self, entries: tuple, told: str) -> list[str]:
        """Accounts that the settings name, by id or handle, or of whom this is told."""
        names = [one.account for one in entries if one.source in (None, self.name)]
        found = self.people.filter(pl.col(told) | pl.col("handle").is_in(names))
        return [*names, *found["member_id"]]

    def files(self, table: str) -> str:
        """Where its rows are."""
        return f"{self.lake}/tables/{table}/source={self.name}/**/*.parquet"


def whole(lake: Path, memory: str) -> list[dict[str, object]]:
    """A row for each week: its Monday and the nine, null where there is nothing to tell."""
    members = pl.scan_parquet(f"{lake}/tables/members/**/*.parquet", hive_partitioning=True)
    named = pl.col("handle").is_in([one.account for one in (*SETTINGS.bots, *SETTINGS.staff)])
    was_staff = pl.col("role") == "staff"
    known = members.filter(named | pl.col("is_bot") | pl.col("person_id").is_not_null() | was_staff)
    wanted = ("source", "member_id", "handle", "person_id", "is_bot")
    people = known.select(*wanted, was_staff=was_staff, neither=False).collect(engine="streaming")
    found = []
    for one in SETTINGS.sources:
        numbers = (pl.Series([""], dtype=pl.Categorical(pl.Categories.random())) for _ in "12")
        here = people.filter(pl.col("source") == one.name)
        found.append(_issues(Source(lake, one.name, here, *numbers)))
    return _weekly(pl.concat(found)).to_dicts()


def _issues(source: Source) -> pl.DataFrame:
    """A row for each issue of a source: when it was opened, answered, sent elsewhere, resolved."""
    written, topics = _read(source), _topics(source)
    written = written.with_columns(is_bot=is_bot | author.is_in(_suspected(written, source)))
    free = 1 + max(one["thread"].max() or 0 for one in (written, topics))
    counted = _counted(_placed(written, free), topics)
    closed = pl.repeat(None, free, dtype=pl.Int64, eager=True)
    closed = closed.scatter(topics["thread"], topics["closed"])
    told = counted.with_columns(
        author=_persons(counted["author"], source), closed=closed.gather(counted["thread"])
    )
    return _resolved(_followed(_opened(told, source.gap)))


def _read(source: Source) -> pl.DataFrame:
    """The one reading: texts become what they say."""
    role, name = pl.col("author_role"), pl.col("author_id")
    bots = (role == "bot") | name.is_in(source.listed(SETTINGS.bots, "is_bot"))
    staff = ~bots & ((role == "staff") | name.is_in(source.listed(SETTINGS.staff, "neither")))
    ours, theirs, thanks = pl.col("ours"), pl.col("theirs"), pl.col("thanks")
    return (
        pl.scan_parquet(source.files("messages"), hive_partitioning=False)
        .filter(pl.col("created_at") < END)
        .with_columns(is_bot=bots, is_staff=staff)
        .with_columns(ours=_only(text, is_staff), theirs=_only(text, is_member))
        .with_columns(thanks=_only(theirs, ~theirs.str.contains("?", literal=True)))
        .with_columns(thanks=_only(thanks, thanks.str.contains(THANKS)))
        .select(
            "message_id", "parent_id", "is_solution", "is_bot", "is_staff",
            thread=pl.col("thread_id").cast(source.threads.dtype).to_physical(),
            author=name.cast(source.accounts.dtype).to_physical(),
            at=pl.col("created_at").to_physical(),
            is_root=pl.col("message_id") == pl.col("thread_id"),
            is_there=pl.col("deleted_at").is_null(),
            is_inbound=pl.col("direction") == "inbound",
            is_elsewhere=ours.str.contains(ELSEWHERE),
            thanks=pl.when(thanks != "", ~thanks.str.contains(NO_THANKS)).then(thanks),
            is_evidence=is_member & (pl.col("kind") != "repost"),
            copied=pl.when(theirs.str.len_chars() >= 30).then(theirs.hash()),
        )
        .collect(engine="streaming")
    )  # fmt: skip


def _only(said: pl.Expr, where: pl.Expr) -> pl.Expr:
    """The text there, elsewhere an empty one, which costs an expression next to nothing."""
    return pl.when(where).then(said).otherwise(pl.lit(""))


def _topics(source: Source) -> pl.DataFrame:
    """What the platform says of whole threads."""
    if not (source.lake / f"tables/threads/source={source.name}").exists():
        return pl.DataFrame(schema={"thread": pl.UInt32, "closed": pl.Int64})
    found = pl.scan_parquet(source.files("threads"), hive_partitioning=False)
    number = pl.col("thread_id").cast(source.threads.dtype).to_physical()
    return found.select(thread=number, closed=pl.col("closed_at").to_physical()).collect()


def _suspected(written: pl.DataFrame, source: Source) -> pl.Series:
    """Accounts that write as no person does; what was deleted is evidence too."""
    told = written.filter("is_evidence").select("author", "copied", slot=at // (600 * SECOND))
    days = (author.cast(pl.Int64) * 2**16 + pl.col("slot") // 144).alias("day")
    busy = told.select(days.sort()).filter(pl.col("day") == pl.col("day").shift(7)).unique()
    told = told.with_columns(days).filter(pl.col("day").is_in(busy["day"].implode()))
    bursts = told.group_by("author", "slot").len().filter(pl.col("len") >= 100)
    copies = told.drop_nulls("copied").group_by("author", "day", "copied").len()
    found = pl.concat([bursts["author"], copies.filter(pl.col("len") >= 8)["author"]]).unique()
    never = pl.Series(source.listed(SETTINGS.staff, "was_staff"), dtype=pl.String)
    ours = written.filter(is_staff & author.is_in(found.implode()))["author"]
    either = pl.concat([ours, never.cast(source.accounts.dtype).to_physical()])
    return found.filter(~found.is_in(either.implode())).implode()


def _persons(accounts: pl.Series, source: Source) -> pl.Series:
    """Persons by one of their accounts: who has one on this source answers nobody else's."""
    told = source.people.drop_nulls("person_id").filter(pl.len().over("person_id") > 1)
    number = pl.col("member_id").cast(source.accounts.dtype).to_physical()
    names = told.select("person_id", number=number)
    names = names.with_columns(first=pl.col("number").first().over("person_id"))
    return accounts.replace(names["number"], names["first"]) if len(names) else accounts


def _placed(written: pl.DataFrame, free: int) -> pl.DataFrame:
    """Messages with their conversation: the thread, or what hangs below an announcement."""
    written = written.with_columns(conversation=thread)
    ours = pl.repeat(False, free, eager=True)  # noqa: FBT003
    ours = ours.scatter(written.filter("is_root", "is_staff")["thread"], True)  # noqa: FBT003
    rows = ours.gather(written["thread"]).arg_true()
    roots = _roots(written[rows], free)
    below = [written[name].scatter(rows, roots[name]) for name in roots.columns]
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


def _counted(placed: pl.DataFrame, topics: pl.DataFrame) -> pl.DataFrame:
    """What counts, in order: nothing deleted, no bot's, but whoever wrote what was accepted."""
    lost = placed.filter("is_root", ~pl.col("is_there"), is_member)["conversation"].implode()
    said = placed["thanks"].is_not_null().arg_true()
    thanks, is_topic = pl.col("thanks"), thread.is_in(topics["thread"].implode())
    asks = thanks.str.contains(PLEASE) | (is_topic & (thread == conversation))
    asking = pl.when(thanks.str.contains(IN_ADVANCE)).then(thanks.str.replace_all(IN_ADVANCE, " "))
    is_thanks = placed[said].select(
        asking.str.contains(THANKS).fill_null(value=True) & ~(pl.col("is_root") & asks)
    )
    is_ask = placed.select(is_member).to_series()
    is_ask = is_ask.scatter(said, ~is_thanks.to_series() & is_ask.gather(said))
    kept = placed.select(
        "conversation", "at", "message_id", "thread", "author", "is_staff", "is_bot", "is_inbound",
        "is_elsewhere", "is_solution", "is_there",
        is_ask=is_ask, is_lost=conversation.is_in(lost),
    ).filter("is_there", ~is_bot | pl.col("is_solution"))  # fmt: skip
    # A stable sort is quick where most is in order: objects are sorted by thread and time.
    return kept.sort("conversation", "at", "message_id", maintain_order=True).drop("message_id")


def _opened(told: pl.DataFrame, gap: int) -> pl.DataFrame:
    """Which messages open an episode.

    An escalation bars assumed resolution until the next explicit one or gap, unless the quiet hours
    were over before it.
    """
    told = _silences(told, gap)
    asked, late, answered = (pl.col(name) for name in ("asked", "late", "answered"))
    is_first = is_ask & (asked < start) & ~(pl.col("is_lost") & (answered >= start))
    told = told.with_columns(
        hard=_last(is_first | is_over | is_silent),
        barred=_last(pl.col("is_elsewhere") & (late <= asked)),
    )
    is_unbarred = (late > asked) & (pl.col("barred") <= pl.col("hard"))
    told = told.with_columns(is_open=is_first | is_over | (is_ask & is_unbarred))
    could = _last(is_open | is_silent)
    return told.with_columns(is_open=is_open | (is_silent & (answered > could)))


def _silences(told: pl.DataFrame, gap: int) -> pl.DataFrame:
    """What lies between a message and those before it: silence, a resolution, quiet hours."""
    told = _numbered(told).with_columns(
        heard=_last(~is_bot), talked=_last(is_staff | is_ask), asked=_last("is_ask"),
        answered=_last("is_staff"), solved=_last("is_solved"),
    )  # fmt: skip
    heard, talked, asked, solved = (pl.col(one) for one in ("heard", "talked", "asked", "solved"))
    asked_at = pl.when(asked >= start).then(at.gather(asked)).otherwise(-FAR)
    solved_at = pl.when(solved >= start).then(at.gather(solved))
    over = [(one >= asked_at) & (one < at) for one in (solved_at, pl.col("closed"))]
    is_late = (is_staff | is_ask) & (talked >= start) & is_staff.gather(talked)
    told = told.with_columns(
        is_silent=is_ask & (heard >= start) & (at - at.gather(heard) >= gap),
        is_over=is_ask & pl.any_horizontal(over).fill_null(False),
        is_late=is_late & (at - at.gather(talked) > QUIET),
    )
    return told.with_columns(late=_last("is_late", before=0))


def _numbered(told: pl.DataFrame) -> pl.DataFrame:
    """Rows' numbers, the first of each conversation, and solutions at the end of their instant.

    What happens at an instant comes after all messages of it.
    """
    is_new = conversation != conversation.shift(fill_value=FAR >> 31)
    told = told.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int32))
    told = told.with_columns(
        start=pl.when(is_new).then(row).forward_fill(), begins=is_new | (at != at.shift())
    )
    since = pl.when("begins").then(row).forward_fill()
    is_solved = pl.when("is_solution").then(row).forward_fill() >= since
    return told.with_columns(
        is_solved=is_solved.fill_null(False) & pl.col("begins").shift(-1, fill_value=True)
    )


def _last(flag: str | pl.Expr, before: int = 1) -> pl.Expr:
    """The row of the last before this one in its conversation, else the one before its start."""
    return pl.max_horizontal(pl.when(flag).then(row).forward_fill().shift(before), start - 1)


def _next(flag: str | pl.Expr, after: int = 0) -> pl.Expr:
    """The next row, this one or one after it, wherever it is."""
    return pl.when(flag).then(row).backward_fill().shift(-after)


def _followed(told: pl.DataFrame) -> pl.DataFrame:
    """With the rows that come next, which may lie beyond the end of the episode."""
    edge = is_open | (row == start)
    told = told.with_columns(
        opener=pl.when(edge).then(row).forward_fill(),
        end=_next(edge, after=1).fill_null(pl.len().cast(pl.Int32)),
        talk=_next(is_staff | is_ask, after=1),
        second=_next("is_staff", after=1),
    )
    opener, talk = pl.col("opener"), pl.col("talk")
    is_answer = is_staff & (at > at.gather(opener)) & (author != author.gather(opener))
    is_left = is_staff & ~((talk < end) & (at.gather(talk) - at <= QUIET)).fill_null(False)
    return told.with_columns(
        answered=_next(is_answer), escalated=_next("is_elsewhere"), solved=_next("is_solved"),
        left=_next(is_left), first=_next("is_staff"),
    )  # fmt: skip


def _resolved(told: pl.DataFrame) -> pl.DataFrame:
    """A row for each issue, with the times of what happened in it."""
    found = told.filter("is_open")
    found = found.with_columns(second=told["second"].gather(found["first"]))
    rows = ("answered", "escalated", "solved", "left", "first", "second")
    found = found.with_columns(
        pl.when(pl.col(name) < end).then(told["at"].gather(found[name])).alias(name)
        for name in rows
    )
    until = pl.when(start == start.shift(-1)).then(at.shift(-1)).otherwise(FAR)
    closed = pl.col("closed").is_between(at, until, closed="left") & (pl.col("closed") < AS_OF)
    quiet, escalated = pl.col("left") + QUIET, pl.col("escalated").fill_null(FAR)
    assumed = pl.when(quiet < AS_OF, escalated > quiet).then(quiet)
    resolved = pl.min_horizontal("solved", assumed, pl.when(closed).then("closed"))
    later = (pl.col("second") <= resolved).fill_null(value=False)
    return found.with_columns(resolved=resolved).select(
        "answered", "escalated", "resolved", "is_inbound", opened=at,
        is_one_touch=(pl.col("first") <= resolved) & ~later,
    ).filter(pl.col("is_inbound") | pl.col("answered").is_not_null())  # fmt: skip


def _weekly(issues: pl.DataFrame) -> pl.DataFrame:
    """All weeks of the community's calendar, the running one too."""
    first, last = (one.astimezone(SETTINGS.zone).date() for one in (START, END))
    mondays = pl.date_range(first - timedelta(days=first.weekday()), last, "1w")
    weeks = pl.select(week=mondays).with_row_index("number")
    local = weeks["week"].cast(pl.Datetime("us")).dt.replace_time_zone(SETTINGS.timezone)
    starts = local.to_physical()
    issues = issues.with_columns(
        number=starts.search_sorted(issues["opened"], side="right") - 1,
        ended=starts.search_sorted(issues["resolved"].fill_null(AS_OF), side="right") - 1,
        wait=_milliseconds("answered", "resolved"),
        span=_milliseconds("resolved", "escalated"),
        age=_milliseconds(),
    )
    for part in (_plain(issues), _one_touch(issues), *_quantiles(issues)):
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
    share = pl.col("is_one_touch").fill_null(False).mean()
    return resolved.group_by(number="ended").agg(one_touch_resolution=share)


def _quantiles(issues: pl.DataFrame) -> list[pl.DataFrame]:
    first = _surviving(issues, "wait", "answered")
    span = _surviving(issues, "span", "resolved")
    return [
        _reached(first, "first_response_median", 0.5),
        _reached(first, "first_response_p90", 0.1),
        _reached(span, "time_to_resolution_median", 0.5),
    ]


def _surviving(issues: pl.DataFrame, clock: str, event: str) -> pl.DataFrame:
    """Kaplan and Meier: after each, the logarithm of the share that still waits.

    One number is week, time, and that an event comes before the censored of its instant.
    """
    key = pl.col("number").cast(pl.Int64) * 2**48 + pl.col(clock) * 2 + pl.col(event).is_null()
    queue = issues.select(key=key.sort()).with_columns(number=pl.col("key") // 2**48)
    place, number = pl.int_range(pl.len()), pl.col("number")
    last = pl.when(number != number.shift(-1, fill_value=-1)).then(place).backward_fill()
    stays = (1 - 1 / (last - place + 1)).log().clip(-700)
    queue = queue.with_columns(
        sum=pl.when(pl.col("key") % 2 == 0).then(stays).otherwise(0).cum_sum()
    )
    before = pl.when(number != number.shift(fill_value=-1)).then(pl.col("sum").shift(fill_value=0))
    return queue.select("number", "key", stays=pl.col("sum") - before.forward_fill())


def _reached(queue: pl.DataFrame, name: str, share: float) -> pl.DataFrame:
    """The first time, in seconds, at which at most the share still waits, as rounding leaves it."""
    reached = queue.filter(pl.col("stays") <= math.log(share + 1e-9)).group_by("number")
    return reached.agg((pl.col("key").first() % 2**48 // 2 / 1000).alias(name))
