"""GitHub: its recorded answers and webhook examples through the mapping."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from real import absent, bodies, objects

from muster.records import Item, Member, Message, Thread
from muster.sources import github

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = github.Options(name="code", platform="github", account="octo-org/octo-repo")


def real(kind: str) -> list[Any]:
    """Every issue or comment in the recordings of GitHub that are there."""
    address = {"issue": "labels_url", "comment": "issue_url"}[kind]

    def is_meant(one: Any) -> bool:
        known = {"author_association", address, "created_at", "html_url"}
        return known <= set(one) and ("body" in one)

    found = [one for _, body in bodies("github", "fixtures") for one in objects(body, is_meant)]
    return [one for one in found if kind != "comment" or "labels_url" not in one]


def mapped(stream: str, told: Any) -> list[Any]:
    return list(github.rows(Item(stream, told, NOW, {}), OPTIONS))


@absent
def test_every_recorded_issue_is_a_message_and_a_thread() -> None:
    issues = real("issue")
    assert len(issues) >= 20
    for told in issues:
        message, thread, *members = mapped("issue", told)
        assert isinstance(message, Message) and isinstance(thread, Thread)
        assert message.message_id == message.thread_id == thread.thread_id == str(told["number"])
        assert message.created_at == datetime.fromisoformat(told["created_at"])
        assert message.author_id == str(told["user"]["id"]) and message.url == told["html_url"]
        assert thread.title == " ".join(told["title"].split())
        assert (thread.closed_at is None) == (told["closed_at"] is None)
        assert set((told["body"] or "").split()[:1]) <= set((message.text or "").split())
        assert [one.handle for one in members if isinstance(one, Member)] == [told["user"]["login"]]


@absent
def test_every_recorded_issue_found_elsewhere_names_its_repository() -> None:
    for told in real("issue"):
        if "repository_url" in told:
            (message,) = mapped("found", told)
            home, number = told["html_url"].replace("/pull/", "/issues/").split("/issues/")
            assert message.message_id == f"{home.removeprefix('https://github.com/')}#{number}"
            assert message.direction == "ambient"


@absent
def test_every_recorded_comment_stands_under_its_issue() -> None:
    comments = real("comment")
    assert len(comments) >= 5
    for told in comments:
        message = mapped("comment", told)[0]
        assert message.thread_id == told["issue_url"].rpartition("/")[2]
        assert message.message_id == told["html_url"].rpartition("#")[2]
        assert (message.author_id, message.parent_id) == (str(told["user"]["id"]), None)
        assert message.text.split()[0] == told["body"].split()[0]
