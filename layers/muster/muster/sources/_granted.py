"""A request in; its answer out, or what a reader of the settings has to do about a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from muster.errors import Rejected, SourceFailed
from muster.sources._answer import Answer
from muster.sources._http import Api

Wants = Callable[[Rejected], str] | Mapping[int, str]


def granted(
    api: Api, path: str, params: Mapping[str, Any] | None, platform: str, wants: Wants
) -> Answer:  # fmt: skip
    """The answer to a GET.

    ``wants`` says what is missing, by a refusal's status or, of a 401 or 403, by the refusal
    itself; then it is a ``SourceFailed`` in these words. Other refusals are raised as they are.
    """
    try:
        return api.get(path, params)
    except Rejected as refused:
        by_status = wants if isinstance(wants, Mapping) else {401: wants, 403: wants}
        todo = by_status.get(refused.status)
        if todo is None:
            raise
        told = todo if isinstance(todo, str) else todo(refused)
        where = f"{platform} refuses {path} ({refused.status})"
        raise SourceFailed(f"{api.name}: {where}: {told}") from None
