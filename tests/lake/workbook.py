"""Rows → the bytes of an Excel file of one or more sheets, written by hand as Excel writes it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

_XMLNS = "http://schemas.openxmlformats.org"


def workbook(sheets: Mapping[str, Iterable[Sequence[Any]]], merged: str = "") -> bytes:
    """Texts, numbers, truths; ``("day", n)`` is the n-th day as Excel counts them.

    ``merged`` is a range (``B2:B3``) that is one cell in every sheet.
    """
    one = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", _types(len(sheets)))
        packed.writestr("_rels/.rels", _links([("officeDocument", "xl/workbook.xml")]))
        packed.writestr("xl/workbook.xml", _book(sheets))
        targets = [("worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(sheets) + 1)]
        packed.writestr("xl/_rels/workbook.xml.rels", _links([*targets, ("styles", "styles.xml")]))
        packed.writestr("xl/styles.xml", _STYLES)
        for number, rows in enumerate(sheets.values(), 1):
            body = "".join(
                f'<row r="{line}">{"".join(map(_cell, cells))}</row>'
                for line, cells in enumerate(rows, 1)
            )
            packed.writestr(
                f"xl/worksheets/sheet{number}.xml",
                f'<worksheet xmlns="{_XMLNS}/spreadsheetml/2006/main"><sheetData>{body}'
                f"</sheetData>{one}</worksheet>",
            )
    return sink.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, tuple):
        return f'<c s="1"><v>{value[1]}</v></c>'
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


_STYLES = (
    f'<styleSheet xmlns="{_XMLNS}/spreadsheetml/2006/main"><cellXfs count="2">'
    '<xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'
)


def _types(count: int) -> str:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = [
        ("/xl/workbook.xml", f"{kind}.sheet.main+xml"),
        ("/xl/styles.xml", f"{kind}.styles+xml"),
    ]
    parts += [(f"/xl/worksheets/sheet{n + 1}.xml", f"{kind}.worksheet+xml") for n in range(count)]
    told = "".join(f'<Override PartName="{name}" ContentType="{of}"/>' for name, of in parts)
    rels = "application/vnd.openxmlformats-package.relationships+xml"
    return (
        f'<Types xmlns="{_XMLNS}/package/2006/content-types">'
        f'<Default Extension="rels" ContentType="{rels}"/>{told}</Types>'
    )


def _links(targets: Sequence[tuple[str, str]]) -> str:
    kind = f"{_XMLNS}/officeDocument/2006/relationships"
    told = "".join(
        f'<Relationship Id="rId{n}" Type="{kind}/{of}" Target="{target}"/>'
        for n, (of, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_XMLNS}/package/2006/relationships">{told}</Relationships>'


def _book(names: Iterable[str]) -> str:
    told = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>'
        for n, name in enumerate(names, 1)
    )
    return (
        f'<workbook xmlns="{_XMLNS}/spreadsheetml/2006/main" '
        f'xmlns:r="{_XMLNS}/officeDocument/2006/relationships"><sheets>{told}</sheets></workbook>'
    )
