"""The SQL by which bench/lakes.py invents rows: texts, threads, messages, and the small tables.

Chance is a hash of a row's number, a salt and the seed, so that threads of any count agree.
"""

from __future__ import annotations

LAST = "timestamp '2026-11-02'"


def _u(*what: str) -> str:
    """A number in [0, 1) that these expressions alone decide."""
    return f"((hash({', '.join(what)}, $seed) >> 11) / 9007199254740992.0)"


def _bell(*what: str) -> str:
    """About normal, standard deviation 1."""
    return "2 * (" + " + ".join(_u(*what, f"'{n}'") for n in range(3)) + " - 1.5)"


WORDS = """
create table words as
select range as n, ['the', 'to', 'my', 'is', 'and', 'it', 'a', 'not', 'in', 'for'][1 + range % 10]
    || case when range < 10 then '' else substr(md5(cast(range as varchar)), 1, 2 + range % 7) end
    as word
from range(6000)
"""
# A pool that is larger than what a compressor remembers.
TEXTS = f"""
create table texts as
with numbered as (
    select t.range as n, w.range as place, 3 + cast(30 * {_u("'l'", "t.range")} as bigint) as count
    from range($texts) as t, range(33) as w
),
chosen as (
    select n, place, cast(6000 * power({_u("'w'", "n", "place")}, 3) as bigint) as word
    from numbered where place < count
)
select chosen.n, string_agg(words.word, ' ' order by place) as text
from chosen join words on words.n = chosen.word
group by chosen.n
"""


def opened() -> str:
    """One row per thread of a slice: source, opener, how many messages it will have."""
    return f"""
create or replace temp table opened as
with numbered as (
    select range as thread, {_u("'s'", "range")} as dice from range($low, $high)
),
sourced as (
    select *, case when dice < 0.5 then 'forum' when dice < 0.85 then 'microblog' else 'chat' end
        as source
    from numbered
)
select
    thread, source,
    $start + interval 1 second * ($span * (thread + {_u("'o'", "thread")})
        / cast($threads as double)) as opened_at,
    1 + least(40, cast(floor(-4.4 * ln(1 - {_u("'k'", "thread")})) as bigint)) as messages,
    cast(floor($accounts * power({_u("'a'", "thread")}, 2.5)) as bigint) as opener,
    {_u("'f'", "thread")} < 0.03 as is_ours,
    source = 'microblog' and {_u("'d'", "thread")} < 0.3 as is_ambient,
    ['wifi', 'mail', 'printing', 'ideas', 'exams', 'vpn']
        [1 + cast(hash('c', thread, $seed) % 6 as int)] as channel,
    source = 'forum' and {_u("'z'", "thread")} < 0.3 as is_solved,
    source = 'forum' and {_u("'x'", "thread")} < 0.08 as is_closed
from sourced
"""


def written() -> str:
    """One row per message of the slice; waits are lognormal, a few very long, a month at most."""
    return f"""
with
spread as (
    select opened.*, unnest(range(messages)) as place from opened
),
diced as (
    select *,
        {_u("'r'", "thread", "place")} as role_dice,
        case when place = 0 then 0 else
            least(30 * 86400, 2400 * exp(1.5 * ({_bell("'g'", "thread", "place")}))
                * case when {_u("'h'", "thread", "place")} < 0.02 then 150 else 1 end)
        end as gap,
        cast(hash('t', thread, place, $seed) % $texts as bigint) as text_number
    from spread
),
timed as (
    select *,
        opened_at + interval 1 second * sum(gap) over (partition by thread order by place)
            as created_at,
        case
            when place = 0 then is_ours
            when is_ambient then role_dice < 0.12
            else role_dice < 0.45
        end as is_staff
    from diced
)
select
    source, thread, place, channel,
    date_trunc(case when source = 'microblog' then 'second' else 'millisecond' end, created_at)
        as created_at,
    case
        when is_staff then 's' || hash('p', thread, place // 4, $seed) % 60
        when place = 0 or role_dice < 0.8 then 'm' || opener
        else 'm' || cast(floor($accounts * power({_u("'b'", "thread", "place")}, 2.5)) as bigint)
    end as author,
    is_staff,
    is_ambient,
    case
        when {_u("'q'", "thread", "place")} < 0.01 then null
        when place > 1 and not is_staff and role_dice > 0.7 then
            ['Thanks, works now', 'thank you so much!', 'perfect, that did it', 'got it, cheers']
                [1 + cast(text_number % 4 as int)]
        else substr(texts.text, 1, 280)
            || case when is_staff and role_dice < 0.03 then '. Please open a ticket for that'
                when not is_staff and text_number % 50 = 0 then ' since eduroam is down'
                when not is_staff and text_number % 60 = 1 then ' says Nordufer IT'
                else '' end
            || case when place = 0 then '?' else '' end
    end as text,
    {_u("'n'", "thread", "place")} as mood,
    is_solved and place = greatest(1, messages // 2) and messages > 1 as is_solution
from timed
join texts on texts.n = timed.text_number
"""


# Who is one person on several platforms is known from the start: every such link made later has all
# counted again that the person wrote, wherever it is.
ACCOUNTS = """
select source, who, n,
    case when n % 20 = 0 then $start
        else $start + interval 1 second * ($span * (n % 9973) / 9973.0) end as joined_at
from (values ('forum'), ('microblog'), ('chat')) as sources(source), (
    select 's' || range as who, -1 as n from range(60)
    union all select 'm' || range, range from range($accounts)
) as people
"""

_SEEN = f"least({LAST}, created_at + interval 10 minute)"
_DAYS = (
    "from range(timestamp '2024-11-04', timestamp '2026-11-02', interval 1 day) as days(midnight)"
)
_DAY_NUMBER = "date_diff('day', date '2024-11-04', cast(midnight as date))"
_DAY = {"observed_at": "midnight + interval 1 day", "date": "cast(midnight as date)"}
#: Table → where its rows come from, and the columns that are not left at their default.
SMALL: dict[str, tuple[str, dict[str, str]]] = {
    "messages": (
        f"from said where created_at < {LAST}",
        {
            "source": "source",
            "message_id": "thread || '.' || place",
            "thread_id": "thread || '.0'",
            "parent_id": "case when place > 0 and source <> 'chat' then thread || '.' || "
            "case when place % 3 = 0 then 0 else place - 1 end end",
            "author_id": "author",
            "author_role": "case when is_staff then 'staff' else 'member' end",
            "created_at": "created_at",
            "deleted_at": f"case when text is null then {_SEEN} end",
            "kind": "case when place = 0 then 'post' else 'reply' end",
            "direction": "case when is_staff then 'outbound' when is_ambient then 'ambient' "
            "else 'inbound' end",
            "channel": "channel",
            "tags": "case when thread % 3 = 0 then ['help', channel] else [] end",
            "url": "'https://' || source || '.example/t/' || thread || '/' || place",
            "lang": "case when source = 'microblog' then 'en' end",
            "text": "text",
            "is_solution": "is_solution",
            "likes": "cast(floor(20 * power(mood, 4)) as bigint)",
            "sentiment": "case when text is not null and not is_staff and mood < 0.9 "
            "then round(1.6 * mood / 0.9 - 0.7, 4) end",
            "observed_at": _SEEN,
        },
    ),
    "threads": (
        "from begun where source = 'forum'",
        {
            "source": "source",
            "thread_id": "thread || '.0'",
            "title": "'Question ' || thread",
            "url": "'https://forum.example/t/' || thread",
            "channel": "channel",
            "created_at": "opened_at",
            "closed_at": f"case when is_closed and opened_at < {LAST} - interval 9 day "
            "then opened_at + interval 9 day end",
            "observed_at": f"least({LAST}, opened_at + interval 10 minute)",
        },
    ),
    "members": (
        "from accounts",
        {
            "source": "source",
            "member_id": "who",
            "handle": "who || '_' || source",
            "role": "case when n < 0 then 'staff' else 'member' end",
            "joined_at": "joined_at",
            "person_id": "case when n % 20 = 0 then 'p' || n end",
            "observed_at": "joined_at",
        },
    ),
    "audience": (
        _DAYS,
        {
            **_DAY,
            "source": "'microblog'",
            "account": "'NorduferIT'",
            "metric": "'followers'",
            "segment": "'all'",
            "measured_on": "cast(midnight as date)",
            "value": f"10000 + {_DAY_NUMBER} * 3",
        },
    ),
    "ad_spend": (
        _DAYS,
        {
            **_DAY,
            "source": "'meta'",
            "campaign_id": "'c1'",
            "segment": "'all'",
            "currency": "'EUR'",
            "spend": "50",
            "impressions": "9000",
            "clicks": "80",
            "follows": "9",
        },
    ),
    "site_traffic": (
        _DAYS + ", (values ('organic_social'), ('paid_social'), ('direct')) as c(name)",
        {
            **_DAY,
            "source": "'site'",
            "channel": "name",
            "segment": "'all'",
            "sessions": "400",
            "visitors": "300",
            "abandoned_sessions": "9",
            "leads": "12",
            "add_to_carts": "30",
            "purchases": "20",
            "revenue": "900",
            "currency": "'EUR'",
        },
    ),
    "reviews": (
        _DAYS,
        {
            "source": "'reviews'",
            "review_id": "strftime(midnight, 'r%Y%m%d')",
            "rating": f"1 + {_DAY_NUMBER} % 5",
            "rating_max": "5",
            "created_at": "midnight",
            "observed_at": "midnight",
        },
    ),
    "survey_responses": (
        _DAYS + ", range(8) as again(k)",
        {
            "source": "'surveys'",
            "response_id": "strftime(midnight, 'q%Y%m%d') || k",
            "survey": "['csat', 'nps', 'product', 'employee'][1 + k % 4]",
            "score": f"1 + ({_DAY_NUMBER} + k) % 5",
            "score_max": "5",
            "created_at": "midnight + interval 1 hour * k",
            "observed_at": "midnight + interval 1 hour * k",
        },
    ),
    "orders": (
        _DAYS + ", range(20) as again(k)",
        {
            "source": "'shop'",
            "order_id": "strftime(midnight, 'o%Y%m%d') || k",
            "customer_id": f"'c' || ({_DAY_NUMBER} * 7 + k * k) % 3000",
            "created_at": "midnight + interval 1 hour * k",
            "revenue": "40 + k",
            "cost": "20",
            "currency": "'EUR'",
            "promised_at": "midnight + interval 5 day",
            "delivered_at": f"case when midnight < {LAST} - interval 8 day "
            "then midnight + interval 1 hour * (50 + 3 * k) end",
            "observed_at": "midnight + interval 1 hour * k",
        },
    ),
    "figures": (
        _DAYS + ", (values ('profit', 9000.0), ('employees', 12.0)) as f(name, amount)",
        {
            **_DAY,
            "source": "'books'",
            "name": "name",
            "value": "amount",
            "unit": "case when name = 'profit' then 'EUR' else 'people' end",
        },
    ),
}
