"""Writes tests/recordings/github.json anew from the repository in memory."""

from __future__ import annotations

from github_repository import START, small_repository, stamp
from making import record

from muster.clock import DAY

NOW = START + 18 * DAY + DAY / 6


def known(message: str, thread: str, days: float) -> dict[str, str]:
    return {"message_id": message, "thread_id": thread, "created_at": stamp(NOW - days * DAY)}


if __name__ == "__main__":
    reset = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) + 44)}
    record("github", small_repository(), {
        "options": {"name": "code", "platform": "github", "account": "campus/desk",
                    "terms": ["eduroam"],
                    "token": "env:GITHUB_TOKEN"},
        "secret": "github_pat_0123456789abcdef_invented",
        "now": NOW.isoformat(),
        "known": [known("issuecomment-109", "3", 3.2), known("3", "3", 3.2), known("9", "9", 1.1),
                  known("city/portal#9", "city/portal#9", 3.3),
                  known("discussion-12", "discussion-12", 1.1),
                  known("discussioncomment-399", "discussion-12", 1.1)],
        "expect": {"messages": 25, "members": 4, "threads": 7, "audience": 7, "deletions": 5},
        "rate_limited": {"status": 403, "headers": reset, "wait": 45,
                         "body": {"message": "API rate limit exceeded for user ID 1."}},
        "author_fields": ["user", "author"],
        "parent_fields": ["id", "number"],
        "spec": [
            {"package": "github", "streams": {
                "issue": "issue", "found": "issue-search-result-item",
                "comment": "issue-comment", "repository": "full-repository",
                "remark": "pull-request-review-comment", "views": "view-traffic",
                "review": "pull-request-review"}},
            {"package": "github_graphql", "streams": {
                "stars": {"*": "StargazerEdge"}, "discussion": "Discussion",
                "discussed": "DiscussionComment"}},
        ],
    })  # fmt: skip
