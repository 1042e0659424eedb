"""Every KPI, of every grain, on Trino: DuckDB's values (`make test-trino`).

Against the server that TRINO_URL or TRINO_HOME names; else only the driver, on a loopback server
that speaks Trino's protocol and has DuckDB behind it.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import loopback_trino
import pytest
import seeded_lake
import small_lake
import trino_engine
from equal import assert_equal, by_key

from muster.kpis import catalogue, engine, runner, warehouse
from muster.settings import Settings
from muster.store import FolderStore

FEW = {"messages", "issues_opened", "first_response_median", "revenue", "csat"}


@contextmanager
def a_server(name: str):
    if name == "loopback":
        with loopback_trino.serving() as url:
            yield url
        return
    with trino_engine.server() as url:
        if url is None:
            pytest.skip("no Trino: TRINO_URL names a server, TRINO_HOME a folder to start one from")
        yield url


@pytest.mark.parametrize("name", ["loopback", "Trino"])
def test_values_are_duckdb_s(name, tmp_path):
    with a_server(name) as url:
        settings = Settings.model_validate({**seeded_lake.SETTINGS, **PLAIN[name]})
        kpis = [one for one in catalogue.load() if name == "Trino" or one.id in FEW]
        lake = small_lake.write(tmp_path / "lake", list(seeded_lake.rows(7)))
        there = trino_engine.Trino(url)
        there.lay(lake)

        def elsewhere(connection, wanted, parameters):
            store = FolderStore(Path(lake))
            return warehouse.compute(connection, wanted, parameters, store, there, is_kept=False)

        mine, theirs = (
            runner.measure(engine.connect(lake), settings, kpis, as_of=seeded_lake.AS_OF,
                           coverage=seeded_lake.coverage(), elsewhere=one)
            for one in (None, elsewhere)
        )  # fmt: skip
    assert theirs.problems == mine.problems == ()
    assert_equal(by_key(mine.values), by_key(theirs.values))
    print(f"\n{len(mine.values)} values of {len(kpis)} KPIs on {name}")


# A pattern that looks behind itself is Joni's, and DuckDB has none such.
ESCALATION = {"tags": ["desk"], "patterns": ["KOMM vorbei", "zimmer [0-9]+"]}
PLAIN = {"loopback": {"escalation": ESCALATION}, "Trino": {}}
