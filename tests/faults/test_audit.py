"""`make audit`: what a database knows is told, and where none answers nobody is told "clean"."""

from __future__ import annotations

import json
import subprocess
from http.server import ThreadingHTTPServer

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from loopback import HERE, Quiet, served
from packaging.version import Version

from release import audit

ADVISORY = {
    "id": "PYSEC-2019-217",
    "affected": [{
        "package": {"name": "Jinja2", "ecosystem": "PyPI"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.10.1"}]}],
    }],
}  # fmt: skip


@pytest.fixture
def database(tmp_path):
    """A clone of an advisory database that knows jinja2 alone; more may be written into it."""
    write(tmp_path, "jinja2", ADVISORY)
    return tmp_path


def write(folder, package, told):
    path = folder / "vulns" / package / f"{told['id']}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(told), "utf-8")
    user = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    for words in (("init", "-q"), ("add", "."), (*user, "commit", "-qm", "x")):
        subprocess.run(["git", "-C", str(folder), *words], check=True)


def against(package, version, told_id="PYSEC-1"):
    return {"id": told_id, "affected": [{"package": {"name": package}, "versions": [version]}]}


def said(capsys, *arguments):
    return audit.main([str(one) for one in arguments]), capsys.readouterr().out


def test_nothing_known_is_told_with_the_database_and_its_day(database, capsys):
    code, text = said(capsys, database)
    assert code == 0
    assert " locked packages against pypa/advisory-database of 2" in text
    assert "(PyPI's " in text and "0 with known vulnerabilities" in text


def test_what_is_known_against_a_shipped_package_fails(database, capsys):
    name, version = next((one[1], one[2]) for one in audit.locked() if one[1] == "pyarrow")
    write(database, "PyArrow", against("PyArrow", version))
    code, text = said(capsys, database)
    assert code == 1
    assert f"pyarrow {version}: PYSEC-1; in uv.lock, layers/fetch-deps/requirements.txt" in text
    write(database, "PyArrow", {**against("PyArrow", version), "withdrawn": "2026-01-01"})
    assert said(capsys, database)[0] == 0, "an advisory that was taken back"


def test_what_only_a_server_for_tests_holds_is_told_and_excused(database, capsys):
    only = "tests/real/mastodon/requirements.txt"
    (_, name, version), _ = next(each for each in audit.locked().items() if each[1] == {only})
    write(database, name, against(name, version))
    code, text = said(capsys, database)
    assert code == 0
    assert f"{name} {version}: PYSEC-1; in {only} (excused: Takahe's" in text
    shared = next(each for each, lists in audit.locked().items() if lists > {only})
    write(database, shared[1], against(*shared[1:]))
    assert said(capsys, database)[0] == 1, "what another list holds too is not excused"


def test_a_database_that_does_not_know_the_canary_is_none(database, capsys):
    write(database, "jinja2", {**ADVISORY, "affected": []})
    code, text = said(capsys, database)
    assert code == 2 and text.startswith("NOT AUDITED: ") and "no database" in text


def test_a_folder_that_is_no_clone_is_none(tmp_path, capsys):
    code, text = said(capsys, tmp_path / "nowhere")
    assert code == 2 and "is no clone of a database" in text


def test_no_network_is_no_clean_bill(monkeypatch, capsys):
    monkeypatch.setattr(audit, "OSV", "http://127.0.0.1:9")
    code, text = said(capsys)
    assert code == 2 and text.startswith("NOT AUDITED: http://127.0.0.1:9 did not answer")


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [
        (lambda one: one["package"]["name"] == "jinja2" and one["version"] == "2.10", 0, "0 with"),
        (lambda one: one["package"]["name"] in ("jinja2", "pyarrow"), 1, "pyarrow "),
        (lambda one: "@" in one["package"]["name"] or one["version"] == "2.10", 1, "duckdb-"),
        (lambda one: False, 2, "NOT AUDITED"),
        (None, 2, "NOT AUDITED"),
    ],
)  # fmt: skip
def test_osv_is_asked_about_everything_that_is_locked(answer, code, told, monkeypatch, capsys):
    asked = []

    class Osv(Quiet):
        def do_POST(self):  # noqa: N802
            queries = json.loads(self.rfile.read(int(self.headers["content-length"])))["queries"]
            asked.extend(queries)
            found = [
                {"vulns": [{"id": "X-1"}]} if answer and answer(one) else {} for one in queries
            ]
            self.send_response(200 if answer else 503)
            self.end_headers()
            self.wfile.write(json.dumps({"results": found}).encode())

    with served(ThreadingHTTPServer(HERE, Osv)) as url:
        monkeypatch.setattr(audit, "OSV", url)
        found, text = said(capsys)
    assert found == code and told in text
    if answer:
        names = {(one["package"]["ecosystem"], one["package"]["name"]) for one in asked}
        assert names >= {("PyPI", "duckdb"), ("PyPI", "uv"), ("npm", "@duckdb/duckdb-wasm")}


@given(st.tuples(*[st.integers(0, 30)] * 3), st.integers(0, 30), st.integers(0, 30), st.booleans())
def test_a_version_is_within_a_range_as_packaging_orders_them(at, start, end, is_fixed):
    last = {"fixed" if is_fixed else "last_affected": str(end)}
    version = ".".join(map(str, at))
    inside = audit._within([{"introduced": str(start)}, last], version)
    below = Version(version) < Version(str(end)) or (
        not is_fixed and Version(version) == Version(str(end))
    )
    assert inside == (Version(version) >= Version(str(start)) and below)
