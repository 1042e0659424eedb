"""A reader asks in SQL: the database runs in their browser, on the published numbers, from here."""

from __future__ import annotations

import csv
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from account_stack import signed_in
from loopback import served
from mailing import measured_project
from playwright.sync_api import Browser, Page
from published import newest
from sample import sample_view
from typer.testing import CliRunner

from muster.command_line import app
from muster.errors import BadSettings
from muster.measured import KpiValue
from muster.pipeline import browser_database, publish, putting
from muster.reports import addresses, site
from muster.reports.pages import Engine
from muster.serving import server
from muster.store import FolderStore

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "duckdb-wasm" / "package.tgz"
FIRST = date(2026, 1, 5)
VALUES = [
    KpiValue(
        kpi="messages", version=1, grain="week", period_start=FIRST + timedelta(weeks=at),
        segment="all" if at % 2 else '=1+1,"x"', value=at + 0.5, n=at, too_few=False, partial=False,
    )
    for at in range(40)
]  # fmt: skip


@pytest.fixture(scope="module")
def package() -> bytes:
    """The npm package, kept in the project's cache."""
    if not CACHE.exists():
        try:
            found = browser_database.package()
        except BadSettings as reason:
            pytest.skip(f"no database for browsers here: {reason}")
        CACHE.parent.mkdir(parents=True, exist_ok=True)
        CACHE.write_bytes(found)
    return CACHE.read_bytes()


@dataclass(frozen=True)
class Opened:
    page: Page
    said: list[str]
    asked_for: list[str]
    address: str


def muster(folder: Path, *words: str) -> str:
    ended = CliRunner().invoke(app, ["-C", str(folder), *words])
    assert ended.exit_code == 0, ended.output
    return ended.output


@dataclass(frozen=True)
class Brought:
    """The site's folder, the page before and after the command, and what the command said."""

    site: Path
    before: str
    after: str
    said: str


@pytest.fixture(scope="module")
def brought(package: bytes, tmp_path_factory: pytest.TempPathFactory) -> Brought:
    project = measured_project(tmp_path_factory.mktemp("project"))
    site = project.folder / "site"
    publish.publish_site(project)
    before = (newest(site) / "ask.html").read_text()
    said = muster(project.folder, "site", "ask", "--package", str(CACHE))
    return Brought(site, before, (newest(site) / "ask.html").read_text(), said)


@pytest.fixture(scope="module")
def folder(brought: Brought) -> Path:
    """The same site with other numbers."""
    engine = Engine(browser_database.VERSION, 8)
    made = site.render([sample_view()], values=VALUES, engine=engine)
    putting.put(FolderStore(brought.site), made)
    return brought.site


@pytest.fixture(scope="module")
def opened(browser: Browser, folder: Path) -> Iterator[Opened]:
    """The page, from the server of ``muster serve``, with its policy as header and in the page."""
    with served(server(str(folder), 0)) as address:
        yield from looked_at(browser, f"{address}/")


def looked_at(browser: Browser, address: str) -> Iterator[Opened]:
    page = browser.new_page(accept_downloads=True)
    said, asked_for = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked_for.append(request.url))
    page.goto(f"{address}index.html#ask.html")
    page.wait_for_url("**/v/*/ask.html")
    page.wait_for_load_state()
    yield Opened(page, said, asked_for, address)
    page.close()


def ask(page: Page, sql: str) -> None:
    page.locator("#question").fill(sql)
    page.get_by_role("button", name="Run").click()
    page.locator("#answer:visible, #failed:visible").first.wait_for(timeout=60_000)


def rows(page: Page) -> list[list[str]]:
    return [row.locator("th, td").all_inner_texts() for row in page.locator("#answer tr").all()]


def test_the_page_answers_from_the_published_numbers_and_asks_no_other_host(opened: Opened) -> None:
    page = opened.page
    assert not [url for url in opened.asked_for if ".gz" in url], "loaded before it was asked for"
    ask(page, "select n, value from kpi_values where n >= 37 order by n desc;")
    assert rows(page) == [["n", "value"], ["39", "39.5"], ["38", "38.5"], ["37", "37.5"]]
    ask(page, "select count(*) as weeks, sum(value) as total from kpi_values where grain = 'week'")
    assert rows(page)[1] == ["40", "800.0"]
    ask(page, "select segment, typeof(period_start), typeof(partial) from kpi_values where n = 0")
    assert rows(page)[1] == ['\'=1+1,"x"', "DATE", "BOOLEAN"]
    ask(page, "select k.title from kpi_values join kpis k using (kpi) limit 1")
    assert rows(page)[1] == ["Messages by members"]
    ask(page, "describe kpi_values")
    assert [row[0] for row in rows(page)[1:4]] == ["kpi", "version", "grain"]
    assert page.locator("#told").inner_text().startswith("Rows: 9 · ")
    assert all(url.startswith((opened.address, "blob:")) for url in opened.asked_for)
    assert opened.said == []


def test_a_mistake_is_told_in_the_database_s_words_and_the_next_question_goes_on(
    opened: Opened,
) -> None:
    ask(opened.page, "select nothing from kpi_values")
    assert "nothing" in opened.page.locator("#failed").inner_text()
    assert "Binder Error" in opened.page.locator("#failed").inner_text()
    ask(opened.page, "select 1 as one")
    assert rows(opened.page) == [["one"], ["1"]]
    assert opened.page.locator("#failed").is_hidden()


def test_nothing_is_fetched_from_elsewhere_even_if_a_question_wants_it(opened: Opened) -> None:
    with socket.socket() as elsewhere:
        elsewhere.bind(("127.0.0.1", 0))
        elsewhere.listen()
        elsewhere.settimeout(0.5)
        other = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/x"
        for sql in (
            f"from read_csv('{other}.csv')", f"from '{other}.parquet'",
            f"from '{opened.address}x.parquet'", "install spatial",
        ):  # fmt: skip
            ask(opened.page, sql)
            assert opened.page.locator("#failed").is_visible(), sql
        with pytest.raises(TimeoutError):
            elsewhere.accept()
    opened.said.clear()  # what the policy refused is told in the console, as it should be


def test_what_an_answer_holds_is_text_whatever_it_looks_like(
    opened: Opened, tmp_path: Path
) -> None:
    ask(
        opened.page,
        "select '<img src=x onerror=alert(1)>' as \"<b>a</b>\", e'a\\nb,\"c\"' as d, null",
    )
    assert rows(opened.page) == [
        ["<b>a</b>", "d", "NULL"], ["<img src=x onerror=alert(1)>", 'a b,"c"', ""],
    ]  # fmt: skip
    assert opened.page.locator("#answer img").count() == 0
    with opened.page.expect_download() as started:
        opened.page.locator("#taken a").click()
    started.value.save_as(tmp_path / "answer.csv")
    with (tmp_path / "answer.csv").open(newline="") as file:
        assert list(csv.reader(file))[1] == ["<img src=x onerror=alert(1)>", 'a\nb,"c"', ""]


def test_an_example_can_be_taken(opened: Opened) -> None:
    opened.page.get_by_role("button", name="Use this").first.click()
    assert opened.page.locator("#question").input_value().startswith("select kpi, title")


def test_only_the_pinned_package_is_brought(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="SHA-512"):
        browser_database.bring(FolderStore(tmp_path), b"another")
    assert not list(FolderStore(tmp_path).list())
    with pytest.raises(BadSettings, match="cannot be read"):
        browser_database.package(tmp_path / "none.tgz")


def test_without_npm_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(BadSettings, match="npm pack @duckdb/duckdb-wasm@1.32.0"):
        browser_database.package()


def test_the_database_is_three_files_of_8_mb(folder: Path) -> None:
    brought = {entry.key: entry.size for entry in FolderStore(folder).list(addresses.ENGINE)}
    names = ("about.json", "duckdb.wasm.gz", "worker.js.gz")
    assert list(brought) == [f"{addresses.ENGINE}{name}" for name in names]
    assert 7_000_000 < sum(brought.values()) < 9_000_000
    assert browser_database.VERSION in addresses.ENGINE


def test_the_command_brings_it_to_the_site_of_a_folder_and_shows_the_page(brought: Brought) -> None:
    assert "<form" not in brought.before and '<form id="ask"' in brought.after
    assert "DuckDB 1.32.0 (8 MB) lies on" in brought.said and "muster serve" in brought.said


def test_the_command_brings_it_to_the_site_of_a_stack(
    package: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with signed_in(monkeypatch) as account:
        account.deploy()
        said = muster(tmp_path, "site", "ask", "--package", str(CACHE), "--stack", "desk")
        assert "lies on s3://site-of-desk" in said
        assert account.keys("site-of-desk") == [
            f"{addresses.ENGINE}{name}" for name in ("about.json", "duckdb.wasm.gz", "worker.js.gz")
        ]
