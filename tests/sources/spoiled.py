"""A record that cannot be read: the items that are it, and those nobody can ask for without it."""

from __future__ import annotations

import json
import re
from typing import Any

from editing import records
from recorded import Recorded, Rows


def roots(rows: Rows) -> set[str]:
    """The threads that begin with one of these messages."""
    told = [row for key, row in rows.items() if key[0] == "messages"]
    return {row["thread_id"] for row in told if row["thread_id"] == row["message_id"]}


def ids(one: Recorded, record: Any) -> set[str]:
    """By what a record's children, or the page after it, are asked for."""
    names = one.told.get("parent_fields", ["id"])
    found = (record.get(name) for name in names) if isinstance(record, dict) else ()
    return {str(value) for value in found if value is not None}


def asked_by(one: Recorded, record: Any) -> list[Any]:
    """The recorded answers to requests that name the record, or a record in such an answer."""
    answers: list[Any] = []
    names, exchanges = ids(one, record), list(one.told["exchanges"])
    while named := [exchange for exchange in exchanges if names & words(exchange["request"])]:
        exchanges = [exchange for exchange in exchanges if exchange not in named]
        answers += [exchange["response"].get("body") for exchange in named]
        names |= {found for exchange in named for one_more in records(exchange)
                  for found in ids(one, one_more)}  # fmt: skip
    return [answer for answer in answers if isinstance(answer, dict | list)]


def words(request: Any) -> set[str]:
    """The parts of a request's path, query and body."""
    told = json.dumps([request.get("query"), request.get("body")])
    return {*request["path"].split("/"), *re.findall(r"[\w.:-]+", told)}


def is_in(item: Any, answers: list[Any]) -> bool:
    """Whether an answer holds the item, or more of it."""
    inner = (value for answer in answers
             for value in (answer.values() if isinstance(answer, dict) else answer))  # fmt: skip
    parts = [value for value in inner if isinstance(value, dict | list)]
    return any(is_part(item.body, one) for one in [*answers, *parts]) or (
        bool(parts) and is_in(item, parts)
    )


def holds(value: Any, record: Any) -> bool:
    if value == record or (isinstance(value, str) and value == text_of(record)):
        return True
    if value and isinstance(value, dict) and is_part(value, record):
        return True
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(holds(part, record) for part in parts)


def is_part(value: Any, record: Any) -> bool:
    """Whether a value is the record without some fields: what no table may hold is left out."""
    if isinstance(value, dict) and isinstance(record, dict):
        return all(key in record and is_part(value[key], record[key]) for key in value)
    if isinstance(value, list) and isinstance(record, list):
        return len(value) == len(record) and all(map(is_part, value, record))
    return bool(value == record)


def text_of(record: Any) -> Any:
    return record["text"] if isinstance(record, dict) and set(record) == {"text"} else None
