"""5,000 real support tweets of 76 brands: every conversation against a computation in plain Python.

Threads are walked from parents, episodes told message by message (tests/kpis/story.py), words that
decide are looked up by Python's own expressions: nothing of the SQL is used twice.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from muster.clock import fixed_clock
from muster.kpis import engine, given, phrases, steps
from muster.pipeline.importing import import_file
from muster.project import Project, open_project

sys.path.insert(0, str(Path(__file__).parent / "kpis"))

from story import Said, tell  # noqa: E402

TWCS = Path(__file__).resolve().parents[2] / "shared" / "data" / "conversations" / "twcs_5k.csv"
AS_OF = datetime(2017, 12, 20, tzinfo=UTC)
HOUR = 3600
TWEETS = """
select message_id, parent_id, author_id, created_at, text,
    coalesce(nullif(lang, 'und'), 'en') as lang
"""
MEASURED = """
select root_id, episode, opened_at, first_response_at, escalated_at, resolved_at, staff_messages,
    case when is_answered then wait_seconds end as response_seconds
from conversations
left join (
    select source, root_id, episode, is_answered, wait_seconds from issues
) as clocks using (source, root_id, episode)
"""
pytestmark = pytest.mark.skipif(not TWCS.exists(), reason="../shared/data is absent")


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("twcs")
    found = project(folder, "community: All\n")
    import_file(found, "messages", TWCS, form="twcs")
    return found.lake.url()


def project(folder: Path, text: str) -> Project:
    (folder / "muster.yaml").write_text(text)
    return open_project(folder, clock=fixed_clock(AS_OF), environment={}, http=None)


@pytest.mark.parametrize("gap", [None, 24 * HOUR])
def test_every_conversation_has_the_clocks_a_walk_gives_it(lake, tmp_path, gap):
    connection = engine.connect(lake)
    tweets = _rows(connection, f"{TWEETS} from messages")
    names = [row["source"] for row in _rows(connection, "select distinct source from messages")]
    own = f"{{platform: file, episode_gap: {f'{gap}s' if gap else 'off'}, name: "
    sources = "".join(f"  - {own}{name}}}\n" for name in names)
    settings = project(tmp_path, f"community: All\nsources:\n{sources}").settings
    given.prepare(connection, settings, AS_OF, (), ())
    shared = steps.load()
    for name in steps.needed(["from conversations join issues"], shared):
        steps.run(connection, name, shared[name], given.parameters(settings, AS_OF))
    bots = {
        row["member_id"] for row in _rows(connection, "select member_id from suspected_accounts")
    }
    found = {(row["root_id"], row["episode"]): row for row in _rows(connection, MEASURED)}
    expected = dict(_walked({row["message_id"]: row for row in tweets}, bots, gap))
    assert len(expected) > 1000 and set(found) == set(expected)
    for key, clocks in expected.items():
        assert {name: found[key][name] for name in clocks} == clocks, key


def _rows(connection: Any, sql: str) -> list[dict[str, Any]]:
    answer = connection.execute(sql)
    names = [column[0] for column in answer.description]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


Tweets = Mapping[str, Mapping[str, Any]]


def _walked(
    tweets: Tweets, bots: set[str], gap: int | None
) -> Iterator[tuple[tuple[str, int], dict[str, Any]]]:
    """(root, episode) → its clocks."""
    roots: dict[str, str] = {}
    told: dict[str, list[Any]] = defaultdict(list)
    for tweet in tweets:
        told[_root(tweet, tweets, roots)].append(tweets[tweet])
    for root, said in told.items():
        said.sort(key=lambda row: (row["created_at"], row["message_id"]))
        human = [_said(row, root) for row in said if row["author_id"] not in bots]
        for number, one in enumerate(tell(human, [], gap, 72 * HOUR, _seconds(AS_OF)), 1):
            answered = one.first_response_at
            yield (
                (root, number),
                {
                    "opened_at": _moment(one.opened_at),
                    "first_response_at": _moment(answered),
                    "escalated_at": _moment(one.escalated_at),
                    "resolved_at": _moment(one.resolved_at),
                    "staff_messages": len(one.staff_at),
                    "response_seconds": None if answered is None else answered - one.opened_at,
                },
            )


def _root(tweet: str, tweets: Tweets, roots: dict[str, str]) -> str:
    """The tweet a conversation hangs from: the topmost one, or a reply to a brand's own post."""
    chain = [tweet]
    while chain[-1] not in roots and tweets[chain[-1]]["parent_id"] in tweets:
        chain.append(tweets[chain[-1]]["parent_id"])
    for one in reversed(chain):
        if one not in roots:
            above = roots.get(tweets[one]["parent_id"])
            is_reply = above is not None and _is_staff(tweets[above]) and not _is_staff(tweets[one])
            roots[one] = one if above is None or is_reply else above
    return roots[tweet]


def _is_staff(tweet: Mapping[str, Any]) -> bool:
    return not tweet["author_id"].isdigit()


def _said(tweet: Mapping[str, Any], root: str) -> Said:
    at, text, is_staff = _seconds(tweet["created_at"]), tweet["text"], _is_staff(tweet)
    is_asking = tweet["message_id"] == root and _meets(phrases.PLEAS, text)
    is_closing = not is_staff and not is_asking and _closes(text, tweet["lang"].split("-")[0])
    is_away = is_staff and _meets(phrases.ESCALATION, text)
    return Said(at, "staff" if is_staff else "member", is_closing, is_away)


def _closes(text: str, language: str) -> bool:
    bare = text
    for asking in phrases.ADVANCE:
        bare = re.sub(rf"(?<!\w){asking.replace(' ', '[ ]')}(?!\w)", " ", bare, flags=re.IGNORECASE)
    words = (
        re.escape(phrase).replace("'", "['’]?") for phrase in phrases.CLOSING.get(language, ())
    )
    return not re.search("[?？؟]", text) and len(text.split()) <= 12 and _meets(words, bare)


def _meets(expressions: Any, text: str) -> bool:
    spaced = (expression.replace("\\ ", r"\s+").replace(" ", r"\s+") for expression in expressions)
    either = "|".join(one.replace(r"\s+?", r"\s*") for one in spaced)
    return bool(either) and bool(re.search(rf"(?<!\w)(?:{either})(?!\w)", text, re.IGNORECASE))


def _seconds(at: datetime) -> int:
    return int(at.replace(tzinfo=UTC).timestamp())


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
