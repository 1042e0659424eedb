"""Questions to GitHub by GraphQL: discussions, when each star was given; how an answer is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from muster.errors import SourceFailed, Unavailable
from muster.settings import Source
from muster.sources._answer import Answer
from muster.sources._http import Api

_AUTHOR = """author {
  login __typename
  ... on User { databaseId createdAt name location websiteUrl }
  ... on Bot { databaseId createdAt }
  ... on Organization { databaseId }
  ... on Mannequin { databaseId }
} authorAssociation"""
_SAID = f"""databaseId body createdAt lastEditedAt url upvoteCount {_AUTHOR}
reactionGroups {{ content reactors {{ totalCount }} }}"""
_COMMENT = f"{_SAID} deletedAt isAnswer isMinimized minimizedReason"
_LISTED = f"{{ totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ {_COMMENT} }} }}"

#: Which discussions changed, newest first.
DISCUSSIONS = """query discussions($owner: String!, $name: String!, $after: String) {
  repository(owner: $owner, name: $name) {
    discussions(first: 25, after: $after, orderBy: {field: UPDATED_AT, direction: DESC}) {
      pageInfo { hasNextPage endCursor }
      nodes { number updatedAt }
    }
  }
}"""

#: One discussion with a page of its comments, each with its first replies (there are two levels).
DISCUSSION = f"""query discussion($owner: String!, $name: String!, $number: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    discussion(number: $number) {{
      number title closed closedAt stateReason isAnswered answerChosenAt
      category {{ name isAnswerable }}
      labels(first: 50) {{ nodes {{ name }} }}
      answer {{ databaseId {_AUTHOR} }}
      {_SAID}
      comments(first: 50, after: $after) {{
        totalCount
        pageInfo {{ hasNextPage endCursor }}
        nodes {{ id {_COMMENT} replies(first: 100) {_LISTED} }}
      }}
    }}
  }}
}}"""

#: More replies to one comment.
REPLIES = f"""query replies($id: ID!, $after: String) {{
  node(id: $id) {{ ... on DiscussionComment {{ replies(first: 100, after: $after) {_LISTED} }} }}
}}"""

#: When each star that still stands was given, oldest first.
STARS = """query stars($owner: String!, $name: String!, $after: String) {
  repository(owner: $owner, name: $name) {
    stargazers(first: 100, after: $after, orderBy: {field: STARRED_AT, direction: ASC}) {
      pageInfo { hasNextPage endCursor }
      edges { starredAt }
    }
  }
}"""


def errors(body: Any) -> list[Mapping[str, Any]]:
    """What GitHub refuses, as its answer tells."""
    found = body.get("errors") if isinstance(body, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def query(api: Api, options: Source, asked: str, **variables: Any) -> Answer:
    """The answer to a query; what GitHub refuses inside a 200 is an error too."""
    owner, _, name = str(options.account).partition("/")
    named = asked.removeprefix("query ").partition("(")[0]
    told = {
        "operationName": named,
        "query": asked,
        "variables": {"owner": owner, "name": name, **variables},
    }
    answer = api.post(f"{api.base_url.removesuffix('/v3')}/graphql", told)
    kinds = {error.get("type") for error in errors(answer.body)}
    if kinds & {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:
        raise SourceFailed(
            f"{options.name}: GitHub's token may not read this of {options.account}: give it read "
            "access to Metadata and Discussions (a classic token: the scope repo or public_repo)"
        )
    if kinds and not (answer.body.get("data") or {}).get("repository") and kinds != {"NOT_FOUND"}:
        said = str(errors(answer.body)[0].get("message"))[:200]
        raise Unavailable(f"{options.name}: GitHub fails to answer: {said}")
    return answer


def connection(answer: Answer, name: str, key: str = "nodes") -> tuple[Sequence[Any], str | None]:
    """The entries of one of the repository's lists, and the token of its next page."""
    return entries(told_of(answer).get(name), key)


def told_of(answer: Answer) -> Mapping[str, Any]:
    """What is told of the repository."""
    body = answer.body if isinstance(answer.body, Mapping) else {}
    return (body.get("data") or {}).get("repository") or {}


def entries(listed: Any, key: str = "nodes") -> tuple[Sequence[Any], str | None]:
    """The entries of a list, and the token of its next page."""
    told = listed or {}
    more = told.get("pageInfo") or {}
    return told.get(key) or (), more.get("endCursor") if more.get("hasNextPage") else None
