"""What a report must say of the data: an ad account's zone, and money in other currencies."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from muster.clock import fixed_clock
from muster.errors import BadSettings, StoreRefused
from muster.pipeline import definitions, latest, measure
from muster.pipeline.importing import import_file
from muster.project import open_project
from muster.results import OtherMoney

SETTINGS = """\
community: Shop
sources: [{name: ads, platform: file, timezone: America/New_York}]
"""
SPEND = """\
campaign_id,date,currency,spend
c1,2026-03-02,EUR,5
c1,2026-03-03,USD,7.25
"""


def test_zone_and_other_money_of_a_source_reach_the_measurement(tmp_path):
    (tmp_path / "muster.yaml").write_text(SETTINGS)
    clock = fixed_clock(datetime(2026, 3, 9, tzinfo=UTC))
    project = open_project(tmp_path, clock=clock, environment={}, http=None)
    file = tmp_path / "spend.csv"
    file.write_text(SPEND)
    import_file(project, "ad_spend", file, "ads")
    measure.measure(project)
    kept = latest.read(project)
    assert [one.timezone for one in kept.sources] == ["America/New_York"]
    assert kept.other_money == (OtherMoney("ad_spend", "USD", 1, 7.25),)


def test_a_measurement_that_cannot_be_read_says_how_it_is_made_anew(tmp_path):
    """A version before or after this one may have kept other fields."""
    (tmp_path / "muster.yaml").write_text(SETTINGS)
    clock = fixed_clock(datetime(2026, 3, 9, tzinfo=UTC))
    project = open_project(tmp_path, clock=clock, environment={}, http=None)
    for kept in (b"{}", b"no JSON", b'{"as_of": 7}'):
        project.lake.put(latest.KEY, kept)
        with pytest.raises(BadSettings, match=r"latest\.json is damaged, .*: run muster measure"):
            latest.read(project)
    measure.measure(project)
    assert latest.read(project).as_of == clock()
    project.lake.put(definitions.KEY, b"no JSON")
    with pytest.raises(StoreRefused, match=r"definitions\.json is damaged.*: bring an earlier"):
        measure.measure(project)
