"""What the CLI says of a fetch: success on stdout, trouble on stderr, and never both as one."""

from __future__ import annotations

import pytest

from muster import telling
from muster.pipeline.collect import Fetched


@pytest.mark.parametrize(
    ("result", "out", "err"),
    [
        (Fetched("forum", 3, {"messages": 2}), "forum: 3 items, 2 messages\n", ""),
        (Fetched("forum"), "forum: 0 items, nothing new\n", ""),
        (Fetched("forum", error="no route"), "", "forum: no route\n"),
        (
            Fetched("forum", 3, {"messages": 2}, 1, error="no route"),
            "forum: 3 items, 2 messages before it failed; 1 in quarantine\n",
            "forum: no route\n",
        ),
    ],
)
def test_a_source_that_failed_does_not_read_like_success(capsys, result, out, err):
    telling.fetched([result], as_json=False)
    assert capsys.readouterr() == (out, err)
