"""Real support conversations, imported and measured, against a direct computation in Python."""

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from muster.clock import fixed_clock
from muster.kpis import engine
from muster.pipeline import measure
from muster.pipeline.importing import import_file
from muster.project import open_project

TWCS = Path(__file__).resolve().parents[2] / "shared" / "data" / "conversations" / "twcs_5k.csv"
SETTINGS = """\
community: Support on Twitter
sources:
  - {{name: {brand}, platform: file, episode_gap: 24h, lang: en}}
"""
AS_OF = datetime(2017, 12, 20, tzinfo=UTC)
MESSAGES = """
select thread_id, message_id, author_id, author_role, created_at from messages
order by created_at, message_id
"""
MEASURED = "select root_id, episode, opened_at, first_response_at from conversations"


def project(folder, text):
    """A project of that settings text, at an instant after the last tweet."""
    folder.mkdir()
    (folder / "muster.yaml").write_text(text)
    return open_project(folder, clock=fixed_clock(AS_OF), environment={}, http=None)


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """All brands in one lake."""
    found = project(tmp_path_factory.mktemp("twcs") / "all", "community: All\n")
    import_file(found, "messages", TWCS, form="twcs")
    return found


@pytest.mark.skipif(not TWCS.exists(), reason="../shared/data is absent")
@pytest.mark.parametrize("brand", ["amazonhelp", "applesupport"])
def test_response_times_equal_a_direct_computation(everything, tmp_path, brand):
    own = project(tmp_path / brand, SETTINGS.format(brand=brand))
    rows = f"select * exclude (source, observed_at) from messages where source = '{brand}'"
    exported = tmp_path / "one.parquet"
    exported.write_bytes(engine.ask_parquet(everything.lake.url(), rows))
    import_file(own, "messages", exported, brand)
    measured = measure.measure(own)
    assert not measured.problems
    lake = own.lake.url()
    expected = first_responses(engine.ask(lake, MESSAGES).rows)
    found = {
        row[0]: row[2:]
        for row in engine.ask(lake, MEASURED).rows
        if row[1] == 1 and row[0] in expected
    }
    assert len(found) > 50
    assert found == expected


def first_responses(rows):
    """Root → (opened, first later word of staff) of threads that a member opened, that have one
    member only, and that no silence of a day divides: there the definition needs no more."""
    threads = defaultdict(list)
    for row in rows:
        threads[row[0]].append(row)
    return {
        said[0][1]: (said[0][4], next((m[4] for m in said if is_answer(m, said[0])), None))
        for said in threads.values()
        if is_plain(said)
    }


def is_plain(said):
    members = {m[2] for m in said if m[3] == "member"}
    gaps = [(b[4] - a[4]).total_seconds() for a, b in zip(said, said[1:], strict=False)]
    return said[0][3] == "member" and len(members) == 1 and max(gaps, default=0) < 86_400


def is_answer(message, opener):
    return message[3] == "staff" and message[4] > opener[4]
