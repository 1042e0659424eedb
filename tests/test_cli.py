"""The command line as a user meets it: one clear line, the exit code, nothing half-written."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import pytest
import typer
from command_line import MESSAGES, MINIMAL, command, few, here, muster, one_line
from loopback import answering

from muster.command_line import app

SOURCE = """\
sources:
  - name: forum
    platform: discourse
    base_url: {url}
    token: env:FORUM_TOKEN
"""
GOAL = """\
goals:
  - name: Answer fast
    objective: Be trusted
    kpi: first_respons_median
    target: {at_most: 4h}
    by: 2027-12-31
"""
OWN_KPI = """\
-- title: Mine
-- question: How many?
-- definition: A count of what is not there.
-- unit: count
-- better: up
-- statistic: count
-- communities: support
-- version: 1
-- table: messages
select nope from messages
"""


@pytest.fixture
def project(tmp_path):
    """A folder with a minimal muster.yaml."""
    (tmp_path / "muster.yaml").write_text(MINIMAL)
    return tmp_path


def test_init_writes_settings_that_load_and_never_overwrites(tmp_path):
    words = ("init", "--community", 'Desk: "A"', "--platform", "discourse", "--account", "x",
             "--base-url", "https://forum.example.org", "--token", "env:FORUM")  # fmt: skip
    first = muster(tmp_path / "new", *words)
    assert first.returncode == 0, first.stderr
    written = (tmp_path / "new" / "muster.yaml").read_text()
    assert "# " in written and "token: env:FORUM" in written
    assert f"Next: python -m muster -C {tmp_path / 'new'} doctor, then " in first.stdout
    again = muster(tmp_path / "new", *words)
    assert again.returncode == 2 and "is there already" in one_line(again)
    assert (tmp_path / "new" / "muster.yaml").read_text() == written


def test_init_without_a_terminal_says_which_flags_it_needs(tmp_path):
    ended = muster(tmp_path, "init")
    assert ended.returncode == 2
    assert "--community, --platform" in one_line(ended)
    assert not (tmp_path / "muster.yaml").exists()


def test_wrong_settings_are_one_line_with_file_line_and_fix(project):
    (project / "muster.yaml").write_text(MINIMAL + "reply_limt: 3\n")
    ended = muster(project, "fetch")
    assert ended.returncode == 2
    assert "muster.yaml:3: reply_limt: unknown key" in one_line(ended)
    assert sorted(path.name for path in project.iterdir()) == ["muster.yaml"]


def test_run_tells_what_was_done_before_what_could_not_be(project, monkeypatch):
    """Its first source lacks a token, and there is no room for what is measured."""
    few(monkeypatch, "messages")
    (project / "muster.yaml").write_text(MINIMAL + SOURCE.format(url="http://127.0.0.1:9"))
    whole = here(project, "run", FORUM_TOKEN="")
    assert whole.returncode == 1 and "FORUM_TOKEN" in one_line(whole)
    assert " KPIs, 0 values" in whole.stdout and "weekly: " in whole.stdout
    told = json.loads(here(project, "run", "--json", FORUM_TOKEN="").stdout)
    assert list(told) == ["fetched", "measured", "reported"]
    assert "FORUM_TOKEN" in told["fetched"][0]["error"]
    shutil.rmtree(project / "lake" / "measured")
    (project / "lake" / "measured").write_text("a file, not a folder")
    ended = here(project, "run", FORUM_TOKEN="")
    fetched, stopped = ended.stderr.strip().splitlines()
    assert ended.returncode == 1
    assert fetched.startswith("forum: ") and stopped.startswith("muster: ")


def test_an_unset_token_costs_its_source_and_names_the_variable(project):
    (project / "muster.yaml").write_text(MINIMAL + SOURCE.format(url="http://127.0.0.1:9"))
    ended = muster(project, "fetch", FORUM_TOKEN="")
    assert ended.returncode == 1
    assert "FORUM_TOKEN" in one_line(ended)
    assert not list(project.glob("lake/tables/**/*.parquet"))


def test_an_unreachable_host_is_one_line_and_never_shows_the_token(project):
    (project / "muster.yaml").write_text(MINIMAL + SOURCE.format(url="http://127.0.0.1:9"))
    ended = muster(project, "fetch", FORUM_TOKEN="hush-hush")
    assert ended.returncode == 1
    assert "127.0.0.1:9" in one_line(ended)
    assert "hush-hush" not in ended.stdout + ended.stderr


def test_a_goal_on_an_unknown_kpi_names_the_nearest_before_any_fetch(project):
    (project / "muster.yaml").write_text(MINIMAL + SOURCE.format(url="http://127.0.0.1:9") + GOAL)
    ended = muster(project, "fetch", FORUM_TOKEN="x")
    assert ended.returncode == 2
    assert "first_respons_median" in one_line(ended)
    assert "first_response_median" in one_line(ended)
    assert not (project / "lake").exists()


def test_a_country_that_nobody_knows_is_told_before_any_fetch(project):
    hours = "[{country: de, hours: {mon-fri: ['09:00-17:00']}}]"
    source = SOURCE.format(url="http://127.0.0.1:9")
    (project / "muster.yaml").write_text(f"{MINIMAL}business_hours: {hours}\n{source}")
    ended = here(project, "fetch", FORUM_TOKEN="x")
    assert (ended.returncode, "muster.yaml:3: " in one_line(ended)) == (2, True)
    assert "'de': did you mean 'DE'?" in one_line(ended)
    (project / "muster.yaml").write_text(f"{MINIMAL}{source}    business_hours: {hours}\n")
    assert "muster.yaml:4: " in one_line(here(project, "run", FORUM_TOKEN="x"))
    assert not (project / "lake").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights_is_refused(project):
    (project / "muster.yaml").write_text(MINIMAL + SOURCE.format(url="http://127.0.0.1:9"))
    project.chmod(0o500)
    ended = muster(project, "fetch", FORUM_TOKEN="x")
    project.chmod(0o700)
    assert ended.returncode == 1 and "lake" in one_line(ended)


def test_a_lake_that_cannot_be_written_is_one_line(project):
    (project / "lake").write_text("a file, not a folder")
    (project / "muster.yaml").write_text(MINIMAL + SOURCE.format(url="http://127.0.0.1:9"))
    ended = muster(project, "fetch", FORUM_TOKEN="x")
    assert ended.returncode == 1
    assert "lake" in one_line(ended)


def test_an_import_is_merged_and_can_be_asked(project):
    (project / "messages.csv").write_text(MESSAGES)
    ended = muster(project, "import", "messages", str(project / "messages.csv"),
                   "--source", "old", "--json")  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["changed"] == {"old": 2}
    asked = muster(project, "sql", "select message_id, tags, sentiment < 0 as bad from messages"
                   " order by message_id", "--format", "json")  # fmt: skip
    assert json.loads(asked.stdout) == [
        {"message_id": "1", "tags": ["wifi", "urgent"], "bad": True},
        {"message_id": "2", "tags": [], "bad": False},
    ]


def test_an_import_without_a_needed_column_names_it_and_writes_nothing(project):
    (project / "bad.csv").write_text("message_id,thread_id\n1,1\n")
    ended = muster(project, "import", "messages", str(project / "bad.csv"), "--source", "old")
    assert ended.returncode == 2
    assert "'created_at'" in one_line(ended)
    assert not (project / "lake").exists()


def test_sql_cannot_change_or_read_anything_but_the_lake(project):
    for query in ("drop view messages", "select * from read_text('/etc/hostname')",
                  "copy (select 1) to 'x.csv'", "attach 'x.db'"):  # fmt: skip
        assert muster(project, "sql", query).returncode == 2, query
    assert sorted(path.name for path in project.iterdir()) == ["muster.yaml"]


def test_a_letter_that_the_terminal_lacks_ends_no_command(project):
    ended = muster(project, "sql", "select 'a → b' as b", "--format", "csv",
                   PYTHONIOENCODING="cp1252:strict")  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("b\na \\u2192 ")


def test_a_window_that_ends_before_it_begins_is_refused(project):
    (project / "muster.yaml").write_text(MINIMAL + SOURCE.format(url="http://127.0.0.1:9"))
    words = ("fetch", "--since", "2026-11-20", "--until", "2026-11-20")
    ended = muster(project, *words, FORUM_TOKEN="x")
    assert ended.returncode == 2
    assert "--since 2026-11-20 is not before --until 2026-11-20" in one_line(ended)


def test_csv_cells_cannot_become_formulas(project):
    ended = muster(project, "sql", "select '=HYPERLINK(1)' as a, -1 as b", "--format", "csv")
    assert ended.stdout == "a,b\n'=HYPERLINK(1),-1\n"


def test_an_import_under_an_impossible_name_is_refused_before_anything_is_written(project):
    (project / "messages.csv").write_text(MESSAGES)
    for name in ("../x", "A B=c", "", "a/b"):
        ended = muster(project, "import", "messages", str(project / "messages.csv"),
                       "--source", name)  # fmt: skip
        assert ended.returncode == 2 and "--source" in one_line(ended), name
    assert not (project / "lake").exists()


def test_rows_that_name_no_source_are_refused_one_by_one(project):
    head, first, second = MESSAGES.strip().splitlines()
    text = f"{head},source\n{first},old\n{second},\n"
    (project / "messages.csv").write_text(text)
    ended = muster(project, "import", "messages", str(project / "messages.csv"), "--json")
    assert ended.returncode == 1, ended.stderr
    told = json.loads(ended.stdout)
    assert told["changed"] == {"old": 1} and "line 3" in told["refused"][0]
    assert list(project.glob("lake/quarantine/**/*.zst"))


def test_a_goal_s_trouble_names_its_line(project):
    (project / "muster.yaml").write_text(MINIMAL + GOAL)
    ended = muster(project, "measure")
    assert ended.returncode == 2
    assert "muster.yaml:4: goal 'Answer fast'" in one_line(ended)


def test_serve_says_in_one_line_why_it_cannot(project):
    assert "muster report" in one_line(muster(project, "serve", "--port", "0"))
    (project / "site").mkdir()
    (project / "site" / "index.html").write_text("<p>Hello")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = muster(project, "serve", "--port", str(taken.getsockname()[1]))
    assert ended.returncode == 2 and "is taken" in one_line(ended)
    assert muster(project, "serve", "--port", "99999").returncode == 2


def test_ctrl_c_is_the_way_to_end_serve(project):
    (project / "site").mkdir()
    (project / "site" / "index.html").write_text("<p>Hello")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    words = command(project, "serve", "--port", "0")
    with subprocess.Popen(words, text=True, **pipes) as serving:
        assert "Ctrl-C ends" in serving.stdout.readline()
        serving.send_signal(signal.SIGINT)
        _, said = serving.communicate(timeout=20)
    assert (serving.returncode, said) == (0, "")


def test_the_version_is_what_a_bug_report_begins_with(tmp_path):
    ended = muster(tmp_path, "--version")
    assert ended.returncode == 0
    assert re.fullmatch(r"muster \d+\.\d+\.\d+\n", ended.stdout)


def test_an_answer_that_cannot_be_written_is_one_line(project):
    for form in ("csv", "json", "parquet"):
        ended = muster(project, "sql", "select 1 as a", "--format", form, "-o", "/nowhere/x")
        assert ended.returncode == 2 and "/nowhere/x cannot be written" in one_line(ended)


def test_doctor_tries_every_kpi_and_the_lake(project, monkeypatch):
    well = here(project, "doctor")
    assert "can be measured" in well.stdout and "can be read and written" in well.stdout
    few(monkeypatch, "messages")
    (project / "muster.yaml").write_text(MINIMAL + SOURCE.format(url="http://127.0.0.1:9"))
    told = here(project, "doctor", FORUM_TOKEN="x").stdout
    assert "BAD  source forum: no answer from 127.0.0.1:9" in told
    assert "ok   mail: written into the outbox only" in told
    smtp = "mail: smtp\nsmtp: {host: 127.0.0.1, port: 9}\n"
    (project / "muster.yaml").write_text(MINIMAL + smtp)
    told = here(project, "doctor").stdout
    assert "BAD  mail: mail server 127.0.0.1:9 does not take mail now" in told
    (project / "kpis").mkdir()
    (project / "kpis" / "mine.sql").write_text(OWN_KPI)
    ended = here(project, "doctor")
    assert ended.returncode == 2
    assert "BAD  KPIs: KPI mine" in ended.stdout


def test_doctor_goes_on_where_another_program_answers_for_a_platform(project):
    one = "  - {{name: {}, platform: mastodon, account: us, base_url: '{}', token: 'env:{}'}}\n"
    with answering(lambda path, body: (200, {"data": []})) as url:
        two = one.format("hall", url, "HALL_TOKEN") + one.format("desk", url, "NONE")
        (project / "muster.yaml").write_text(f"{MINIMAL}sources:\n{two}")
        told = muster(project, "doctor", HALL_TOKEN="abc-def-ghi")
    assert told.returncode == 1 and not told.stderr
    assert "BAD  source hall: an answer has a shape that Muster does not know" in told.stdout
    assert "BAD  source desk: the environment variable NONE is empty" in told.stdout


def test_doctor_names_a_state_that_cannot_be_read_and_goes_on(project, monkeypatch):
    few(monkeypatch, "messages")
    sources = "sources: [{name: old, platform: file}, {name: older, platform: file}]\n"
    (project / "muster.yaml").write_text(MINIMAL + sources)
    states = project / "lake" / "state"
    (states / "old.json").mkdir(parents=True)
    (states / "older.json").write_text("{")
    (states / "more").symlink_to(project)
    told = here(project, "doctor").stdout
    assert "BAD  source old: " in told and "old.json: Is a directory: a folder stands" in told
    assert "BAD  source older: " in told and "older.json is damaged" in told
    assert "BAD  sources of before: " in told and "state/more: is a link" in told
    assert "ok   mail: " in told


def test_doctor_looks_at_our_own_templates_and_at_no_picture_beside_them(project):
    own = project / "templates" / "site"
    own.mkdir(parents=True)
    (own / "logo.png").write_bytes(b"\x89PNG")
    (own / "style.css").write_text("@media{#a{}}")
    (own / "archive.html").write_text("<p>ä", "utf-8")
    assert "ok   templates: 1 of your own" in muster(project, "doctor").stdout
    (own / "archive.html").write_text("<p>ä", "latin-1")
    told = muster(project, "doctor").stdout
    assert "archive.html: cannot be read: save it as UTF-8 text" in told


def test_an_unknown_source_names_those_there_are(project):
    (project / "muster.yaml").write_text(MINIMAL + SOURCE.format(url="http://127.0.0.1:9"))
    ended = muster(project, "fetch", "--source", "form", FORUM_TOKEN="x")
    assert ended.returncode == 2 and "forum" in one_line(ended)


def test_ctrl_c_ends_a_fetch_at_once_and_says_that_it_goes_on_later(project):
    with socket.socket() as platform:  # It takes the call, and never answers.
        platform.bind(("127.0.0.1", 0))
        platform.listen()
        platform.settimeout(60)
        url = f"http://127.0.0.1:{platform.getsockname()[1]}"
        (project / "muster.yaml").write_text(MINIMAL + SOURCE.format(url=url))
        fetching = subprocess.Popen(
            command(project, "fetch"), env={**os.environ, "FORUM_TOKEN": "x"},
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        call, _ = platform.accept()
        with call:
            fetching.send_signal(signal.SIGINT)
            _, said = fetching.communicate(timeout=10)  # The call itself may take 30 s.
    assert fetching.returncode == 130
    assert said == "muster: interrupted; what was stored stands, run it again to continue\n"


IMPATIENT = """
import signal, sys
class Impatient:
    def find_spec(self, name, *_):
        if name == "typer":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Impatient())
"""
BEFORE_ANY_COMMAND = """
import signal
from muster import command_line
command_line.app = lambda: signal.raise_signal(signal.SIGINT)
"""


@pytest.mark.parametrize(("when", "lines"), [(IMPATIENT, 0), (BEFORE_ANY_COMMAND, 1)])
def test_ctrl_c_while_the_program_starts_is_no_traceback(when, lines):
    code = f"{when}\nfrom muster.__main__ import main\nmain()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (130, lines), ended.stderr


def test_windows_itself_is_told_where_it_runs_instead_of_a_traceback():
    code = "import sys; sys.platform = 'win32'\nfrom muster.__main__ import main\nmain()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode and "on Windows inside WSL" in one_line(ended)


def test_every_argument_of_every_command_says_what_it_is():
    def bare(command, name):
        for one in getattr(command, "commands", {}).values():
            yield from bare(one, f"{name} {one.name}")
        yield from (f"{name} {one.name}" for one in command.params if not one.help)

    assert not [*bare(typer.main.get_command(app), "muster")]


def test_the_schema_command_explains_every_column():
    ended = muster(".", "schema")
    assert "messages\tthread_id\tstring\t" in ended.stdout
    assert "by us: inbound, ambient, outbound\n" in ended.stdout, "the words that an export may use"
