"""Whoever writes an unknown name is told what was meant, and not what was surely not meant."""

from __future__ import annotations

import pytest

from muster.errors import BadSettings
from muster.kpis import catalogue
from muster.names import nearest
from muster.reports import view
from muster.settings import Report


def test_a_name_that_is_nearly_right_is_told_in_full() -> None:
    assert nearest("tokn", ["token", "every"]) == "did you mean 'token'?"
    told = nearest("first_respons_median", ["first_response_median"], "`muster kpis list`")
    assert told == "did you mean 'first_response_median'? `muster kpis list`"


def test_a_name_like_no_other_is_not_guessed() -> None:
    assert nearest("zzz", ["token", "every"]) == "known here: token, every"
    assert nearest("zzz", ["token"], "see muster.yaml") == "see muster.yaml"
    with pytest.raises(BadSettings, match="there is no KPI 'zzz': `muster kpis list` shows"):
        view.check([Report(kpis=("zzz",))], catalogue.load())
