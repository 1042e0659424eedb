"""A recorded answer and a change of its records in; the changed answer out: JSON, XML or lines."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx

Change = Callable[[Any], Any]
_XML = re.compile(r"<(item|entry)\b.*?</\1>", re.DOTALL)


def changed(response: httpx.Response, change: Change) -> httpx.Response:
    """The answer with ``change`` applied to its body: JSON as it is, else a list of its records."""
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    raw = response.read()
    if "json" in headers.get("content-type", ""):
        content = json.dumps(change(json.loads(raw))).encode()
    else:
        content = _packed(_changed_text(_unpacked(raw), change), raw)
    return httpx.Response(response.status_code, headers=headers, content=content)


def records(exchange: Any) -> Iterator[Any]:
    """Every record in an outer list of a recorded answer."""
    body = exchange["response"].get("body")
    if isinstance(body, str):
        yield from ({"text": part} for part in _parts(body) if part.strip())
        return
    yield from (record for found in lists(body) for record in found)


def is_stream(body: Any) -> bool:
    """Whether a body is a list of answers, each with results of its own (Google Ads)."""
    return (
        isinstance(body, list)
        and bool(body)
        and all(isinstance(one, dict) and isinstance(one.get("results"), list) for one in body)
    )


def lists(body: Any) -> Iterator[list[Any]]:
    if is_stream(body):
        for one in body:
            yield from lists(one)
        return
    if isinstance(body, list) and all(isinstance(one, dict) for one in body):
        yield body
    for value in body.values() if isinstance(body, dict) else ():
        yield from lists(value)


def replaced(body: Any, record: Any, bad: Any) -> Any:
    """The answer with the record spoiled wherever an outer list holds it."""
    if is_stream(body):
        return [replaced(one, record, bad) for one in body]
    if isinstance(body, list):
        return [bad if one == record else one for one in body]
    if isinstance(body, dict):
        return {key: replaced(value, record, bad) for key, value in body.items()}
    return body


def emptied(value: Any) -> Any:
    """The answer with all of its lists empty."""
    if isinstance(value, list):
        return []
    if isinstance(value, dict):
        return {key: emptied(found) for key, found in value.items()}
    return value


def without(value: Any, names: set[str]) -> Any:
    """The answer with the fields of these names null, or the XML elements gone."""
    if isinstance(value, dict) and set(value) == {"text"} and isinstance(value["text"], str):
        return {"text": _without_elements(value["text"], names)}
    if isinstance(value, dict):
        return {k: None if k in names else without(found, names) for k, found in value.items()}
    return [without(found, names) for found in value] if isinstance(value, list) else value


def _without_elements(text: str, names: set[str]) -> str:
    for name in names:
        quoted = re.escape(name)
        text = re.sub(rf"<{quoted}\b[^>]*(/>|>.*?</{quoted}>)", "", text, flags=re.DOTALL)
    return text


def _parts(text: str) -> list[str]:
    """The records of a text: the items of a feed, else its lines after the first."""
    if text.lstrip().startswith("<"):
        return [found[0] for found in _XML.finditer(text)]
    return text.splitlines()[1:]


def _changed_text(text: str, change: Change) -> str:
    parts = _parts(text)
    if not parts:
        return text
    is_xml = text.lstrip().startswith("<")
    spoiled = "<item>{}</item>" if "<item" in text else "<entry>{}</entry>"
    after = [
        one["text"]
        if isinstance(one, dict) and "text" in one
        else (spoiled.format("") if is_xml else str(one))
        for one in change([{"text": part} for part in parts])
    ]
    if not is_xml:
        return "\n".join([text.splitlines()[0], *after]) + "\n"
    begin, end = text.index(parts[0]), text.rindex(parts[-1]) + len(parts[-1])
    return text[:begin] + "\n".join(after) + text[end:]


def _unpacked(raw: bytes) -> str:
    return (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode()


def _packed(text: str, like: bytes) -> bytes:
    return gzip.compress(text.encode(), mtime=0) if like[:2] == b"\x1f\x8b" else text.encode()
