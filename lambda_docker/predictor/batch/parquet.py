"""A batch's result as Parquet, made of the finished CSV in flat memory.

What is added has the output's types. An original column becomes whole numbers (Int64) or numbers (Float64) where each
of its cells can be written again from the number, digit by digit, but for zeros behind the decimals; otherwise it stays
text, cell by cell as it was written: codes with leading zeros, more digits than a number holds, words for what is
missing. Empty cells become null.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, cast

from predictor import bucket
from predictor.batch.column_types import find_types, typed
from predictor.batch.dialect import read_header
from predictor.batch.layout import Layout
from predictor.batch.records import QUOTE, is_blank, split_records
from predictor.errors import ObjectMissing
from predictor.features import Output
from predictor.limits import MIB

if TYPE_CHECKING:
    import polars as pl

_CONTENT_TYPE = "application/vnd.apache.parquet"
_HEADER_BYTES = 4 * MIB
_PART_BYTES = 8 * MIB
# Of CSV: a row group is held in memory as a whole, here and by whoever reads it.
_GROUP_BYTES = 32 * MIB
_HAS_BLANK_LINE = re.compile(rb"(?:^|\n)[ \r]*\n")


def write_result(
    source_key: str, target_key: str, *, layout: Layout, output: Output, metadata: Mapping[str, str]
) -> int:
    """Write the result at `source_key` to `target_key` as Parquet; its size in bytes.

    Args:   layout: of the file that was scored; output: of the model; metadata: of the new object, ASCII
    Raises: ObjectMissing: there is no result
    """
    import polars as pl
    from polars.io.plugins import register_io_source

    head = bucket.head(source_key)
    if head is None:
        raise ObjectMissing(source_key)
    names = _distinct([*layout.columns, *layout.added])
    rows = 0

    def counted() -> Iterator[pl.DataFrame]:
        nonlocal rows
        for block in _blocks(source_key, head.size_bytes, names=names, layout=layout):
            rows += block.height
            yield block

    types = find_types(counted(), names, layout=layout, output=output)
    prediction = names[len(layout.columns) + layout.contents.index("prediction")]
    columns = [
        typed(name, dtype, layout=layout, output=output, is_prediction=name == prediction)
        for name, dtype in types.items()
    ]

    def give(with_columns: list[str] | None, *_: object) -> Iterator[pl.DataFrame]:
        for block in _blocks(source_key, head.size_bytes, names=names, layout=layout):
            yield block.select(columns) if with_columns is None else block.select(columns).select(with_columns)

    table = register_io_source(give, schema={name: dtype() for name, dtype in types.items()})
    with _UploadedFile(target_key, metadata=metadata) as file:
        group_rows = max(1, rows * _GROUP_BYTES // head.size_bytes)
        # All that polars needs of a file is write().
        table.sink_parquet(cast(IO[bytes], file), row_group_size=group_rows, engine="streaming")
    return file.size_bytes


class _UploadedFile(io.RawIOBase):
    """A file that becomes an object part by part while it is written; nothing is left of it after an exception."""

    def __init__(self, key: str, *, metadata: Mapping[str, str]) -> None:
        self.size_bytes = 0
        self._key = key
        self._waiting = bytearray()
        self._etags: dict[int, str] = {}
        self._upload = bucket.start_upload(key, content_type=_CONTENT_TYPE, metadata=metadata)

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self._waiting += content
        self.size_bytes += len(content)
        if len(self._waiting) >= _PART_BYTES:
            self._send()
        return len(content)

    def __exit__(self, kind: object, *details: object) -> None:
        if kind is not None:
            bucket.abort_upload(self._key, upload=self._upload)
            return
        self._send()
        bucket.complete_upload(self._key, upload=self._upload, etags=self._etags)

    def _send(self) -> None:
        number = len(self._etags) + 1
        self._etags[number] = bucket.put_part(self._key, bytes(self._waiting), upload=self._upload, number=number)
        self._waiting.clear()


def _blocks(key: str, size_bytes: int, *, names: Sequence[str], layout: Layout) -> Iterator["pl.DataFrame"]:
    """The rows of the result as tables of text, in their order."""
    begin = bucket.read_range(key, start=0, end=min(size_bytes, _HEADER_BYTES))
    skip = read_header(begin, names=(), delimiter=layout.delimiter).size_bytes
    rest = b""
    for chunk in bucket.stream(key):
        skipped = min(skip, len(chunk))
        skip -= skipped
        table, rest = _read_block(rest + chunk[skipped:], names=names, delimiter=layout.delimiter)
        yield table
    if rest:
        # The file's last line may have no line end.
        yield _read_block(rest + b"\n", names=names, delimiter=layout.delimiter)[0]


def _read_block(block: bytes, *, names: Sequence[str], delimiter: str) -> tuple["pl.DataFrame", bytes]:
    """The complete records of a block that begins with one, and the rest of it."""
    import polars as pl

    schema = dict.fromkeys(names, pl.String())
    if QUOTE in block or _HAS_BLANK_LINE.search(block):
        # polars sees quotes where the csv module, and so the rest of a batch, sees none: in the midst of a cell.
        records, rest = split_records(block, delimiter.encode())
        texts = [record.decode().removesuffix("\r") for record in records if not is_blank(record)]
        rows = csv.reader(texts, delimiter=delimiter)
        columns = [[cell or None for cell in column] for column in zip(*rows, strict=True)]
        return pl.DataFrame(dict(zip(names, columns or [[] for _ in names], strict=True)), schema=schema), rest
    end = block.rfind(b"\n") + 1
    if not end:
        return pl.DataFrame(schema=schema), block
    lines = block[:end].replace(b"\r\n", b"\n")
    return pl.read_csv(lines, has_header=False, separator=delimiter, quote_char=None, schema=schema), block[end:]


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, the second of equals with a number behind it: a Parquet file has each name once."""
    given: dict[str, None] = {}
    for name in names:
        free, number = name, 1
        while free in given or (number > 1 and free in names):
            number += 1
            free = f"{name}_{number}"
        given[free] = None
    return list(given)
