"""A recording holds no secret, and plays back what was answered."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import Wire

from muster.errors import Rejected
from muster.sources._http import Api, Http
from muster.sources._recording import Recorder, Replay, scrub

SECRET = 'tok"en-ä-0123'


def server(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/limited":
        return httpx.Response(404, json={"errors": ["no"]})
    body = {
        "accessJwt": "abc", "nested": [{"refreshJwt": "def", "email": "a@example.org"}],
        "text": f"echo {SECRET}", "page": request.url.params.get("page"),
    }  # fmt: skip
    headers = {"set-cookie": "session=1", "x-rate-limit-remaining": "9", "server": "x"}
    return httpx.Response(200, json=body, headers=headers)


def record(path: Path) -> str:
    recorder = Recorder(httpx.MockTransport(server), path, [SECRET, None])
    headers = {"Authorization": f"Bearer {SECRET}".encode("ascii", "ignore").decode()}
    with Api(Http(transport=recorder), "https://x.org", headers, name="x") as api:
        api.get("/p", {"access_token": SECRET, "page": "1"})
        api.get("/p", {"page": "2"})
    return path.read_text("utf-8")


def test_secrets_never_reach_the_file(tmp_path: Path) -> None:
    text = record(tmp_path / "x.json")
    for secret in (json.dumps(SECRET, ensure_ascii=False)[1:-1], "abc", "def", "a@example.org",
                   "session", "Bearer", "authorization"):  # fmt: skip
        assert secret not in text
    assert "x-rate-limit-remaining" in text


def test_a_recording_keeps_what_was_written_beside_the_exchanges(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"options": {"name": "x"}, "exchanges": []}')
    told = json.loads(record(path))
    assert told["options"] == {"name": "x"}
    assert len(told["exchanges"]) == 2


def test_plays_back_by_path_and_query(tmp_path: Path) -> None:
    record(tmp_path / "x.json")
    with Api(Http(transport=Replay.of(tmp_path / "x.json")), "https://x.org", {}, name="x") as api:
        assert api.get("/p", {"page": 2}).body["page"] == "2"
        assert api.get("/p", {"page": 1, "access_token": "another"}).body["page"] == "1"
        with pytest.raises(LookupError, match="not in the recording: GET /p.page=3"):
            api.get("/p", {"page": 3})


def test_a_page_after_a_spoiled_record_is_asked_for_by_another() -> None:
    """As a server would answer; not twice, and not to a request that is of another kind."""
    exchanges = [
        {"request": {"method": "GET", "path": "/p", "query": {"before": before}},
         "response": {"status": 200, "body": {"records": records}}}
        for before, records in (("newest", [9, 8]), ("8", [7]))
    ]  # fmt: skip
    wire = Wire(exchanges, is_spoiled=True)
    with Api(Http(transport=wire), "https://x.org", {}, name="x") as api:
        asked = [api.get("/p", {"before": before}).body["records"] for before in ("newest", "9")]
        assert asked == [[9, 8], [7]]
        for path, query in (("/p", {"before": "7"}), ("/p", {"after": "9"}), ("/q", {})):
            with pytest.raises(Rejected, match=f"not in the recording: GET {path}"):
                api.get(path, query)


def test_the_same_request_gets_its_answers_in_order() -> None:
    asked = {"method": "GET", "path": "/p", "query": {}}
    answers = [{"status": 200, "body": n} for n in (1, 2)]
    replay = Replay([{"request": asked, "response": answer} for answer in answers])
    with Api(Http(transport=replay), "https://x.org", {}, name="x") as api:
        assert [api.get("/p").body for _ in range(3)] == [1, 2, 2]


@given(st.recursive(st.text(), lambda more: st.lists(more) | st.dictionaries(st.text(), more)))
def test_scrubbing_leaves_all_else_alone(value: object) -> None:
    text = json.dumps(scrub({"kept": value, "token": "t"}))
    assert json.loads(text)["token"] == "***"
    assert scrub(scrub(value)) == scrub(value)
