"""Small files that unfold into large ones, deep or endless: refused in little memory and time."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import at_files
import at_platforms
import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from at_platforms import NOW, PLATFORMS, recorded
from thorough import tries

from muster import settings_file
from muster.errors import BadImport, BadSettings, MusterError, SourceFailed
from muster.lake import importing, raw
from muster.lake.taken import Refusal, Taken
from muster.pipeline.mapping import mapped
from muster.project import options_of
from muster.records import Page
from muster.sources._answer import json_body, text_body, xml_body
from muster.sources._http import Api, Http

MB = 1024 * 1024
ROW = {"message_id": "1", "thread_id": "1", "created_at": "2026-03-01T09:00:00Z"}


def asked(body: bytes, **headers: str) -> Any:
    told = {"content-type": "application/json", **headers}
    handle = httpx.MockTransport(
        lambda _: httpx.Response(200, headers=told, stream=httpx.ByteStream(body))
    )
    http = Http(transport=handle, clock=lambda: NOW, sleep=lambda _: None)
    return Api(http, "https://x.example", {}, name="forum").get("/")


def zeros(count: int) -> bytes:
    """So many megabytes of zeros, gzipped piece by piece."""
    return gzip.compress(bytes(MB)) * count


def test_an_answer_packed_once_is_measured_as_it_unfolds() -> None:
    with pytest.raises(SourceFailed, match=r"forum: x\.example/ sends more than 67,108,864 bytes"):
        asked(gzip.compress(bytes(65 * MB), 1), **{"content-encoding": "gzip"})


@pytest.mark.parametrize("packed", ["gzip, gzip", "br", "zstd", "gzip,deflate", "compress"])
def test_an_answer_packed_as_nobody_asked_is_not_unpacked(packed: str) -> None:
    twice = gzip.compress(gzip.compress(bytes(MB)))
    with pytest.raises(SourceFailed, match="only gzip and deflate were asked for"):
        asked(twice, **{"content-encoding": packed})


def test_a_gzipped_report_stops_where_it_gets_too_large() -> None:
    body, flaw = text_body("application/gzip", zeros(300))
    assert body is None and flaw == "a file that unpacks to more than 268,435,456 bytes"
    assert text_body("application/gzip", gzip.compress(b"a;b\n") * 2) == ("a;b\na;b\n", "")


@pytest.mark.parametrize("kind", ["text/csv; charset=punycode", "text/csv; charset=idna"])
def test_an_encoding_of_host_names_is_no_text(kind: str) -> None:
    assert text_body(kind, b"a." * MB)[1] == "a cut or broken file"


def test_xml_that_multiplies_itself_is_refused_in_any_encoding() -> None:
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    text = f'<!DOCTYPE x [<!ENTITY a0 "ha">{laughs}]><x>&a11;</x>'
    for encoding in ("utf-8", "utf-16", "utf-16-le"):
        assert xml_body("application/xml", text.encode(encoding))[0] is None


@pytest.mark.parametrize("text", ["[" * 10**6, '{"a":' * 10**6, "[" * 10**5 + "]" * 10**5,
                                  "9" * 10**6, '"\\ud800', "nul"])  # fmt: skip
def test_json_that_no_reader_follows_is_broken(text: str) -> None:
    assert json_body("application/json", text.encode()) == (None, "cut or broken JSON")


@pytest.mark.parametrize("depth", [201, 900])
@pytest.mark.parametrize("name", PLATFORMS[:: tries(6, 1)])
def test_a_record_nested_too_deeply_costs_only_itself(name: str, depth: int) -> None:
    (item, body), (other, _) = at_platforms._items(name)[0], at_platforms._items(name)[-1]
    deep: Any = "x"
    for _ in range(depth):
        deep = [deep]
    bad = replace(item, body={**json.loads(body), "extra": deep})
    lines = [one.line for one in at_platforms.fetched(recorded(name), [Page((bad, other), {})])]
    assert lines[1] == raw.encoded(other)
    assert b"nested more than 200 levels deep" in lines[0]
    rows, refused = mapped(recorded(name).options, [bad, other])
    assert [raw.encoded(one) for one, _ in refused] == lines[:1]
    assert rows == mapped(recorded(name).options, [other])[0]


LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40)
)
YAML = {
    "aliases of aliases": (LAUGHS, "its aliases unfold to more than 100,000 values"),
    "merged maps": (MERGES, "its aliases unfold to more than 100,000 values"),
    "an alias in itself": ("community: &a [*a]", "an alias holds itself"),
    "brackets": ("community: " + "[" * 200_000, "muster.yaml:1: nested more than 50 levels deep"),
    "lists in a line": ("- " * 200_000, "nested more than 50 levels deep"),
    "an endless number": ("min_n: " + "9" * 5_000, "muster.yaml:1: not YAML"),
    "a tag that is not meant": ("community: !!int x", "'x' cannot be read as int"),
    "no time": ("community: !!timestamp x", "muster.yaml:1: "),
    "an age": ("community: a\nwindows: {answer: 99999999999999d}", "longer than a hundred years"),
    "a pattern without end": ("community: a\nauto_replies: ['a{99999999999}']", "is no pattern"),
    "nested groups": ("community: a\nauto_replies: ['" + "(" * 5_000 + "']", "is no pattern"),
    "before all times": (
        "community: a\nsources: [{name: a, platform: file, since: 0001-01-01}]",
        "is no day that a community has seen",
    ),
}


@pytest.mark.parametrize("what", YAML)
def test_settings_that_unfold_or_overflow_are_refused_with_their_line(what: str) -> None:
    text, said = YAML[what]
    with pytest.raises(BadSettings) as caught:
        settings_file.parse(text, "muster.yaml", options_of)
    assert said in str(caught.value) and len(str(caught.value)) < 500


def read(path: Path) -> tuple[list[Taken], list[Refusal]]:
    found = [*importing.read(path, "messages")]
    return ([one for one in found if isinstance(one, Taken)],
            [one for one in found if isinstance(one, Refusal)])  # fmt: skip


def test_ten_megabytes_in_a_cell_are_a_text_like_any_other(tmp_path: Path) -> None:
    text = "word " * (2 * MB)
    for name in ("a.jsonl", "a.json", "a.csv"):
        path = tmp_path / name
        rows = [ROW | {"text": text}, ROW | {"text": "x", "message_id": "2"}]
        if name == "a.csv":
            lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
        else:
            lines = [json.dumps(row) for row in rows]
        path.write_text("[" + ",\n".join(lines) + "]" if name == "a.json" else "\n".join(lines))
        taken, refused = read(path)
        assert [one.row.text for one in taken] == [text, "x"] and not refused


NUMBERS = ("1e999999999", "-1e999999999", "1e-999999999", "NaN", "sNaN", "Infinity", "9" * 5_000,
           10**400, float("inf"), float("nan"), [], {}, "٣.٣")  # fmt: skip


def test_numbers_that_no_column_holds_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(ROW | {"likes": one}) for one in NUMBERS))
    taken, refused = read(path)
    assert not taken and len(refused) == len(NUMBERS)
    assert all("likes" in one.reason or "no JSON" in one.reason for one in refused)


def test_one_record_over_a_million_lines_takes_no_square_of_the_time(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[" + json.dumps(ROW | {"extra": [1] * 500_000}, indent=0) + "]")
    taken, refused = read(path)
    assert len(taken) == 1 and not refused


DEEP = '{"a":' * 10**5 + "1" + "}" * 10**5
BARELY = json.dumps(ROW)[:-1] + ', "x": ' + "[" * 201 + "1" + "]" * 201 + "}"


def test_a_line_nested_too_deeply_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for text in (
        f"{json.dumps(ROW)}\n{BARELY}\n{json.dumps(ROW)}",
        f"[{json.dumps(ROW)},{BARELY}]",
    ):
        path.write_text(text)
        _, (refused,) = read(path)
        assert refused.reason == "nested more than 200 levels deep"
    path.write_text("\n".join([json.dumps(ROW), DEEP, json.dumps(ROW)]))
    taken, (refused,) = read(path)
    assert [one.line for one in taken] == [1, 3] and refused.line == 2
    path.write_text(f"[{json.dumps(ROW)},{DEEP}]")
    taken, (refused,) = read(path)
    assert len(taken) == 1 and refused.reason.startswith("no JSON from here on")


def sheet(path: Path, body: str) -> Path:
    """A workbook whose sheet is this XML."""
    with (
        zipfile.ZipFile(io.BytesIO(at_files.workbook({"A": []}))) as empty,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in empty.namelist():
            data = empty.read(name)
            packed.writestr(name, data.replace(b"<sheetData>", b"<sheetData>" + body.encode()))
    return path


def test_two_cells_in_far_corners_do_not_ask_for_half_a_terabyte(tmp_path: Path) -> None:
    far = '<row r="{0}"><c r="{1}{0}" t="inlineStr"><is><t>a</t></is></c></row>'
    path = sheet(tmp_path / "a.xlsx", far.format(1, "A") + far.format(1048576, "XFD"))
    assert path.stat().st_size < 3_000
    with pytest.raises(BadImport, match="takes more memory or time to read than there is"):
        read(path)


def test_a_workbook_that_says_it_is_gigabytes_or_is_broken_is_refused(tmp_path: Path) -> None:
    path = sheet(tmp_path / "a.xlsx", "")
    with zipfile.ZipFile(path) as packed:
        size = packed.getinfo("xl/styles.xml").file_size
    at = path.read_bytes().rindex(b"xl/styles.xml") - 46 + 24  # where the directory says its size
    data = bytearray(path.read_bytes())
    assert data[at : at + 4] == size.to_bytes(4, "little")
    data[at : at + 4] = (600 * MB).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(BadImport, match="unpacks to 600 MB, more than 512"):
        read(path)
    path.write_bytes(data[:-30])
    with pytest.raises(BadImport, match="no readable Excel file|takes more memory"):
        read(path)


def test_a_text_in_each_row_of_a_parquet_is_unfolded_piece_by_piece(
    tmp_path: Path,
) -> None:
    """Two gigabytes of texts in a few kilobytes, read with less memory than they take."""
    count, path = 2_000, tmp_path / "a.parquet"
    one = pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), ["x" * MB])
    ids = pa.array(map(str, range(count)))
    times = pa.array([ROW["created_at"]] * count)
    rows = {"message_id": ids, "thread_id": ids, "created_at": times, "text": one}
    pq.write_table(pa.table(rows), path, compression="zstd", store_schema=False)
    assert path.stat().st_size < 100_000
    code = """
import resource, sys
from pathlib import Path
from muster.lake import importing
import pyarrow.parquet
resource.setrlimit(resource.RLIMIT_AS, (5 << 29, 5 << 29))
print(sum(len(one.row.text) for one in importing.read(Path(sys.argv[1]), "messages")))
"""
    ended = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert ended.stdout.strip() == str(count * MB), ended.stderr[-500:]


def foreign() -> Iterator[tuple[str, Any]]:
    """Columns of types that Python, or a community, has no value for."""
    yield "link", pa.array([2**31 - 1], pa.date32())
    yield "link", pa.array([2**60], pa.duration("s"))
    yield "link", pa.array([2**60], pa.timestamp("ns", "Foo/Bar"))
    yield "likes", pa.array([[{"a": [1]}]])
    yield "tags", pa.array([[[b"\xff"]]])
    yield "created_at", pa.array([2**62], pa.timestamp("us"))
    yield "text", pa.array([b"\xff\xfe"], pa.binary())


@pytest.mark.parametrize(("name", "column"), [*foreign()])
def test_a_parquet_of_foreign_types_is_refused_row_by_row(
    tmp_path: Path, name: str, column: Any
) -> None:
    path = tmp_path / "a.parquet"
    good = {key: pa.array([value]) for key, value in ROW.items()}
    first, second = pa.table(good), pa.table(good | {name: column})
    both = (
        pa.concat_tables([first, second], promote_options="permissive")
        if name == "link"
        else second
    )
    pq.write_table(both, path)
    taken, (refused,) = read(path)
    assert name in refused.reason or "a cell cannot be read" in refused.reason
    assert len(taken) == both.num_rows - 1


def test_a_parquet_of_another_schema_or_cut_off_is_refused_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"foo\x1b[2J" + "x" * 5_000: [1]}), path)
    with pytest.raises(BadImport, match="no column 'message_id'") as caught:
        read(path)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 500
    path.write_bytes(b"PAR1" + path.read_bytes()[-20:])
    with pytest.raises(MusterError, match="no readable Parquet"):
        read(path)
