"""Files in every format and packing that a batch takes, made of rows."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd
import polars as pl
import zstandard

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
# Styles by number: 1 a date, 2 a date with a time, 3 a time of day.
_STYLES = "".join(f'<xf numFmtId="{number}"/>' for number in (0, 14, 22, 21))


class Date(float):
    """A cell of a workbook with Excel's number of a date."""

    style = 1


class DateTime(Date):
    style = 2


class Time(Date):
    style = 3


class Raw(str):
    """A number of a workbook, written so."""


class Wrong(str):
    """A cell of a workbook that shows an error."""


def xlsx(sheets: Mapping[str, Sequence[Sequence[Any]]]) -> bytes:
    """A workbook of sheets, each a list of rows of cells; None is a cell that is not there."""
    names = list(sheets)
    files = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r" '
        f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>'
        + "".join(f'<sheet name="{escape(name)}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(names, start=1))
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="r{n}" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(names) + 1)
        )
        + f'<Relationship Id="s" Type="{_RELATIONS}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs count="4">{_STYLES}</cellXfs></styleSheet>',
    }
    for number, rows in enumerate(sheets.values(), start=1):
        lines = "".join(_row(place, cells) for place, cells in enumerate(rows, start=1))
        files[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{_MAIN}"><sheetData>{lines}</sheetData></worksheet>'
        )
    return zipped({name: content.encode() for name, content in files.items()})


def sheet_of(table: pd.DataFrame) -> list[list[Any]]:
    return [list(table.columns), *table.to_numpy().tolist()]


def parquet(table: pd.DataFrame, **options: Any) -> bytes:
    stream = io.BytesIO()
    pl.DataFrame({name: table[name].tolist() for name in table.columns}).write_parquet(stream, **options)
    return stream.getvalue()


def json_lines(table: pd.DataFrame) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in table.to_dict("records"))


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED, level: int | None = None) -> bytes:
    """A zip archive, with the same bytes whenever it is made."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method, level)
    return stream.getvalue()


def zstd(content: bytes, **options: Any) -> bytes:
    return zstandard.ZstdCompressor(**options).compress(content)


def _row(number: int, cells: Sequence[Any]) -> str:
    written = "".join(_cell(f"{chr(65 + place)}{number}", value) for place, value in enumerate(cells))
    return f'<row r="{number}">{written}</row>'


def _cell(at: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c r="{at}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, Wrong):
        return f'<c r="{at}" t="e"><v>{value}</v></c>'
    if isinstance(value, str) and not isinstance(value, Raw):
        return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    number = value if isinstance(value, Raw) else float.__repr__(float(value))
    return f'<c r="{at}" s="{getattr(value, "style", 0)}"><v>{number}</v></c>'
