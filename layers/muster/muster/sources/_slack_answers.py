"""Answers of Slack in; its refusals as errors, the waits it asks for and its lists' entries out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from muster.errors import Rejected, SourceFailed
from muster.sources._answer import Answer, WaitOf, asked_wait
from muster.sources._http import Api
from muster.sources._paging import Step, walk
from muster.sources._tokens import lacking

PER_PAGE = 200
WHERE = "https://api.slack.com/apps → OAuth & Permissions, reinstall the app"
_STATUS = {
    "channel_not_found": 404, "message_not_found": 404, "thread_not_found": 404,
    "user_not_found": 404, "users_not_found": 404, "invalid_cursor": 400,
    "not_authed": 401, "invalid_auth": 401, "token_expired": 401, "token_revoked": 401,
    "account_inactive": 401,
}  # fmt: skip


def error_of(body: Any) -> str:
    """What Slack calls a refusal; empty where it is none."""
    return str(body.get("error") or "") if isinstance(body, Mapping) else ""


def wait_of(name: str) -> WaitOf:
    """Slack refuses with a 200 that says ``ok: false``."""

    def wait(answer: Answer) -> float | None:
        error = error_of(answer.body)
        if error == "ratelimited":
            return asked_wait(Answer(answer.body, 429, answer.headers, answer.seen_at)) or 60.0
        if answer.status == 200 and error and answer.body.get("ok") is False:
            raise _refusal(name, error, answer.body)
        return asked_wait(answer)

    return wait


def _refusal(name: str, error: str, body: Mapping[str, Any]) -> SourceFailed:
    if error == "missing_scope":
        return lacking(name, [str(body.get("needed"))], (), WHERE)
    if error == "not_in_channel":
        return SourceFailed(f"{name}: Slack's app is not in that channel: invite it (/invite @app)")
    said = f"{name}: Slack refuses ({error[:80]})"
    hint = ": check the source's token" if _STATUS.get(error) == 401 else ""
    return Rejected(said + hint, _STATUS.get(error, 400), body)


def listed(api: Api, method: str, key: str, **asked: Any) -> Iterator[tuple[Answer, Any]]:
    """The entries of a list, page after page."""
    for step in _paged(api, method, key, **asked):
        yield from ((step.answer, one) for one in step.items)


def _paged(api: Api, method: str, key: str, **asked: Any) -> Iterator[Step[str]]:

    def ask(token: str | None) -> Answer:
        return api.get(method, {**asked, "limit": PER_PAGE, "cursor": token})

    return walk(ask, lambda answer: entries(answer, key))


def entries(answer: Answer, key: str) -> tuple[Sequence[Any], str | None]:
    """The entries of a page, and the cursor of the next."""
    token = (answer.body.get("response_metadata") or {}).get("next_cursor")
    return answer.body.get(key) or (), token or None
