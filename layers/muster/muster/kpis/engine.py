"""The address of a lake → a DuckDB connection with one view per table; nothing is written there."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb

from muster import scratch
from muster.errors import Abort, BadSettings, StoreRefused, Unavailable
from muster.folders import files_below
from muster.kpis import steps, typed
from muster.kpis.typed import quoted
from muster.measured import DERIVED
from muster.records import TABLES

Files = Callable[[str], Iterable[str]]  # the name of a table → where its files are read

_ALL = frozenset({*TABLES, *DERIVED})
_WORD = re.compile(r"\w+")
_NO_TABLE = re.compile(r"Table with name (\w+) does not exist")
_CATALOGS = ("show", "information_schema", "duckdb_", "pg_")

_FROM_S3 = """\
install httpfs; load httpfs;
create or replace secret lake (type s3, provider credential_chain);
"""


@dataclass(frozen=True)
class Answer:
    """What a question to the lake yields: column names and rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def connect(
    lake_url: str,
    *,
    environment: Mapping[str, str] = os.environ,
    threads: int = 2,
    memory: str | None = None,
    files: Files | None = None,
) -> duckdb.DuckDBPyConnection:
    """A connection whose views are the tables of the lake, typed even where no file exists yet.

    ``lake_url`` is a folder or ``s3://bucket/prefix``; ``memory`` is a limit such as ``2GB``.
    ``files`` tells where those of a table are read, if not at the address they are listed under.
    """
    connection = without_views(lake_url, environment, threads, memory)
    _make_views(connection, lake_url, TABLES, files)
    return connection


def without_views(
    lake_url: str, environment: Mapping[str, str], threads: int = 2, memory: str | None = None
) -> duckdb.DuckDBPyConnection:
    """A connection that can read the lake's objects but has looked at none."""
    connection = duckdb.connect(":memory:")
    connection.execute(f"set timezone = 'UTC'; set threads = {int(threads)}")
    # Nothing is ever downloaded, and what outgrows memory spills where a function may write.
    connection.execute("set autoinstall_known_extensions = false; set enable_progress_bar = false")
    connection.execute("set preserve_insertion_order = false")  # half the cost of a stored step
    connection.execute(f"set temp_directory = {quoted(str(scratch.own_folder()))}")
    if memory:
        connection.execute(f"set memory_limit = {quoted(memory)}")
    if lake_url.startswith("s3://"):
        _open_s3(connection, environment)
    return connection


@contextmanager
def one_thread(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """For many small statements: waking a second thread for each costs a fifth more."""
    ((threads,),) = connection.execute("select current_setting('threads')").fetchall()
    connection.execute("set threads = 1")
    try:
        yield
    finally:
        connection.execute(f"set threads = {threads}")


_FULL = "No space left on device"
_GONE = ("No files found that match", "No such file or directory", "HTTP 404", "404 (Not Found)")


class Replaced(Unavailable):
    """An object was replaced while it was read: DuckDB opens it by its name more than once."""


@contextmanager
def reached(lake_url: str) -> Iterator[None]:
    """What keeps a lake from being read, the network or who writes, may let it be read later."""
    try:
        yield
    except (duckdb.Error, UnicodeDecodeError) as error:
        if isinstance(error, duckdb.OutOfMemoryException) or _FULL in str(error):
            raise Abort(
                f"memory and {scratch.place()}, where DuckDB puts what it does not hold, are too "
                "small for this lake: set TMPDIR to a folder with half a GB for each million "
                "messages, or see docs/scaling.md"
            ) from error
        if is_replaced(error):
            raise Replaced(
                f"{lake_url} was written to while it was read, or an object of it is broken: "
                "try again, then muster lake check"
            ) from error
        if isinstance(error, duckdb.IOException) and lake_url.startswith("s3://"):
            raise _unreached(lake_url, error) from error
        raise


def is_replaced(error: Exception) -> bool:
    """Whether an object that was listed is gone, or its bytes are not where its footer said.

    Errors in SQL have types of their own. DuckDB's words about such bytes hold some of them, which
    may be no text.
    """
    is_gone = isinstance(error, duckdb.IOException) and any(one in str(error) for one in _GONE)
    return is_gone or type(error) in (duckdb.Error, UnicodeDecodeError)


def _unreached(lake_url: str, error: duckdb.Error) -> Unavailable:
    said = " ".join(str(error).partition("\nLINE ")[0].split())
    return Unavailable(f"{lake_url} could not be read: {said[:400]}: the same call may work later")


@dataclass(frozen=True)
class Reader:
    """A connection that answers questions about one lake, and can change or see nothing else.

    A table is looked at when the first question names it: of a bucket that is a request a file.
    """

    connection: duckdb.DuckDBPyConnection
    lake_url: str
    _views: set[str] = field(default_factory=set)

    def ask(self, sql: str) -> Answer:
        """The answer to one ``select`` over the tables and the derived tables, else refused."""
        question = self.question(sql)
        with _answering():
            found = self.connection.execute(plain_times(self.connection, question))
        names = tuple(column[0] for column in found.description or ())
        return Answer(names, tuple(found.fetchall()))

    def question(self, sql: str) -> str:
        """The one ``select`` it is, which can be answered now, else refused."""
        question = _one(self.connection, sql)
        self._look_at(_named(question))
        with _answering():
            try:
                self.connection.sql(question)  # reads no row
            except duckdb.CatalogException:  # which name may be meant is told from all there are
                self._look_at(_ALL)
                self.connection.sql(question)
        return question

    def names(self) -> tuple[str, ...]:
        """The tables and their columns, each once."""
        own = (column.name for name in _ALL for column in typed.columns_of(name))
        return tuple(sorted({*_ALL, *own}))

    def _look_at(self, tables: Set[str]) -> None:
        new = tables - self._views
        _make_views(self.connection, self.lake_url, new)
        self._views.update(new)


def _named(question: str) -> Set[str]:
    """The tables that a question names; all of them if it may ask which there are."""
    words = set(_WORD.findall(question.lower()))
    may_ask = any(word.startswith(_CATALOGS) for word in words)
    return words & _ALL if words & _ALL and not may_ask else _ALL


@contextmanager
def reading(
    lake_url: str,
    *,
    environment: Mapping[str, str] = os.environ,
    threads: int = 2,
    folder: str = "",
) -> Iterator[Reader]:
    """Whoever asks a lake several questions; ``folder`` may be written to beside."""
    with without_views(lake_url, environment, threads) as connection:
        allowed = [lake_url.rstrip("/") + "/", *([folder + "/"] if folder else [])]
        connection.execute(f"set allowed_directories = {typed.listed(allowed)}")
        connection.execute("set enable_external_access = false; set lock_configuration = true")
        yield Reader(connection, lake_url)


def ask(
    lake_url: str, sql: str, *, environment: Mapping[str, str] = os.environ, threads: int = 2
) -> Answer:
    """The answer to one question."""
    with reading(lake_url, environment=environment, threads=threads) as reader:
        return reader.ask(sql)


def ask_parquet(
    lake_url: str, sql: str, *, environment: Mapping[str, str] = os.environ, threads: int = 2
) -> bytes:
    """The same answer as the bytes of a Parquet file."""
    with (
        scratch.folder() as folder,
        reading(lake_url, environment=environment, threads=threads, folder=str(folder)) as reader,
    ):
        question, path = reader.question(sql), folder / "answer.parquet"
        with _answering():
            copy(reader.connection, f"select * from ({question}\n)", path)
        return path.read_bytes()


def views(
    lake_url: str, *, environment: Mapping[str, str] = os.environ, files: Files | None = None
) -> str:
    """SQL that makes every table a view in any DuckDB: ``duckdb -init`` takes it.

    Each reads the lake's own address, wherever ``files`` are looked at.
    """
    opening = _FROM_S3 if lake_url.startswith("s3://") else ""
    told = ""
    with without_views(lake_url, environment) as connection, _opening(lake_url):
        for name in sorted(_ALL):
            found = _found(connection, lake_url, name, files)
            rows = typed.rows(connection, name, found, _pattern(lake_url, name))
            told += f"create or replace view {name} as {rows};\n"
    return f"-- The tables of {lake_url} as views.\n{opening}{told}"


def copy(connection: duckdb.DuckDBPyConnection, select: str, path: Path) -> None:
    """The rows of ``select``, in its order, as a Parquet file."""
    options = "format parquet, compression zstd, compression_level 1, preserve_order true"
    connection.execute(f"copy ({select}) to {quoted(str(path))} ({options})")


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise BadSettings(f"the SQL cannot be read: {error}") from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise BadSettings("the lake is only read here: write one select statement")
    return statements[0].query.strip().rstrip(";")


def plain_times(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The same rows with every instant as a plain UTC timestamp."""
    try:
        kinds = connection.execute(f"describe select * from ({sql}\n)").fetchall()
    except duckdb.Error:
        connection.sql(sql)  # what it says shows the question as it was asked
        raise
    zoned = [row[0].replace('"', '""') for row in kinds if row[1] == "TIMESTAMP WITH TIME ZONE"]
    if not zoned:
        return sql
    casts = ", ".join(f'make_timestamp(epoch_us("{name}")) as "{name}"' for name in zoned)
    return f"select * replace ({casts}) from ({sql}\n)"


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        missing = _NO_TABLE.search(str(error))
        if missing and missing[1] in {"periods", *steps.load()}:
            raise BadSettings(
                f"{missing[1]} is no table but a step that KPIs are counted from: "
                "muster kpis show ID --period 2026-W47 --format csv tells the rows behind a value"
            ) from error
        raise BadSettings(f"the SQL cannot be answered: {error}") from error


def _make_views(
    connection: duckdb.DuckDBPyConnection,
    lake_url: str,
    tables: Iterable[str],
    files: Files | None = None,
) -> None:
    with _opening(lake_url):
        for name in tables:
            rows = typed.rows(connection, name, _found(connection, lake_url, name, files))
            connection.execute(f"create view {name} as {rows}")


def _found(
    connection: duckdb.DuckDBPyConnection, lake_url: str, table: str, files: Files | None
) -> str:
    """Where the files of a table are read, as SQL; nothing if there are none."""
    if files:
        return typed.listed(files(table))
    if "://" not in lake_url:  # of what may not be looked into DuckDB would tell nothing
        deque(files_below(Path(lake_url, "tables", table)), maxlen=0)
    pattern = _pattern(lake_url, table)
    ((number,),) = connection.execute(f"select count(*) from glob({pattern})").fetchall()
    return pattern if number else ""


def _pattern(lake_url: str, table: str) -> str:
    return quoted(f"{lake_url.rstrip('/')}/tables/{table}/**/*.parquet")


@contextmanager
def _opening(lake_url: str) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        if _is_passing(error):
            raise _unreached(lake_url, error) from error
        said = " ".join(str(error).partition("\nLINE ")[0].split())
        raise StoreRefused(
            f"{lake_url} cannot be read: {said[:400]}: check that it exists, that the credentials "
            "may list and get in it, and that every Parquet file in it is whole"
        ) from error


def _is_passing(error: duckdb.Error) -> bool:
    """Whether no answer came, or one that says later; a refusal has a status of its own."""
    is_answer = isinstance(error, duckdb.HTTPException)
    said = str(error)
    return "receiving data from the peer" in said or (is_answer and " HTTP 5" in said)


def view_of(
    connection: duckdb.DuckDBPyConnection, name: str, table: str, paths: Iterable[str]
) -> None:
    """A temporary view ``name`` of some Parquet files of a table, typed as the table's own view."""
    rows = typed.rows(connection, table, typed.listed(paths))
    connection.execute(f"create or replace temp view {name} as {rows}")


def _open_s3(connection: duckdb.DuckDBPyConnection, environment: Mapping[str, str]) -> None:
    """Load httpfs from its wheel (never downloaded) and sign in as the environment says."""
    import duckdb_extension_httpfs

    root = Path(duckdb_extension_httpfs.__file__).parent
    connection.execute(f"load {quoted(str(next(root.rglob('httpfs.duckdb_extension'))))}")
    connection.execute("set http_retries = 7; set http_retry_backoff = 2")  # 0.1 s, then doubled
    facts = {"type": "s3", **_credentials(environment), **_endpoint(environment)}
    listed = ", ".join(f"{key} {_literal(value)}" for key, value in facts.items())
    connection.execute(f"create secret lake ({listed})")


def _literal(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else quoted(value)


def _credentials(environment: Mapping[str, str]) -> dict[str, str]:
    """Keys of the environment, else whatever boto3 finds (profile, role)."""
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
    if environment.get("AWS_ACCESS_KEY_ID"):
        keys = {
            "key_id": environment["AWS_ACCESS_KEY_ID"],
            "secret": environment.get("AWS_SECRET_ACCESS_KEY", ""),
            "session_token": environment.get("AWS_SESSION_TOKEN", ""),
        }
        return {"region": region} | {key: value for key, value in keys.items() if value}
    import boto3

    found = boto3.Session().get_credentials()
    if found is None:
        return {"region": region}
    frozen = found.get_frozen_credentials()
    keys = {"key_id": frozen.access_key, "secret": frozen.secret_key}
    return {"region": region} | keys | ({"session_token": frozen.token} if frozen.token else {})


def _endpoint(environment: Mapping[str, str]) -> dict[str, str | bool]:
    url = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    if not url:
        return {}
    parts = urlsplit(url)
    return {"endpoint": parts.netloc, "url_style": "path", "use_ssl": parts.scheme == "https"}
