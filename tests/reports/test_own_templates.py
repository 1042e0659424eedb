"""A community's own templates stand in for ours; where one does not fit, its line is told."""

from __future__ import annotations

import pytest

from muster.errors import BadSettings
from muster.reports import templating


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<p>\n{{ view.nope }}", ":2: 'str object' has no attribute 'nope': mend it"),
        ("{% if %}", ":1: Expected an expression, got 'end of statement block': mend it"),
        ("{{ view + 1 }}", ":1: can only concatenate str"),
        ('{% include "none.html" %}', ":1: 'none.html' not found"),
    ],
)
def test_a_template_that_does_not_fit_is_told_with_its_line(tmp_path, text, said):
    own = tmp_path / "site" / "gone.html"
    own.parent.mkdir()
    own.write_text(text)
    with templating.own(tmp_path), pytest.raises(BadSettings) as told:
        templating.filled("site", "gone.html", {"view": "a view"})
    assert str(told.value).startswith(f"{own}{said}")


def test_a_mistake_of_ours_is_no_fault_of_theirs(tmp_path):
    with templating.own(tmp_path), pytest.raises(Exception, match="'view' is undefined"):
        templating.filled("email", "report.txt", {})
