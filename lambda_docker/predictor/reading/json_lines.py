"""JSON Lines → CSV: one object a line, its keys the columns, in chunks and in flat memory.

Numbers stay as they are written, digit by digit; true and false become words, null an empty cell, lists and objects
their JSON text.
Source: https://jsonlines.org
"""

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from predictor.coercion import quoted
from predictor.errors import BatchRefused
from predictor.limits import MIB, RECORD_MAX_BYTES, in_megabytes

# The columns are those of the lines in the first so many characters.
COLUMNS_CHARACTERS = 1 * MIB

_WRITTEN_CHARACTERS = 1 * MIB
_LINES_AT_ONCE = 1000
_NEEDS_QUOTES = re.compile('[",\r\n]')
_PLAIN = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)

_Entry = dict[str, Any]


def to_csv(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The lines as CSV chunks, a header first.

    Args:   chunks: UTF-8
    Raises: BatchRefused: a line is no JSON object, or has a key that none of the first lines has
    """
    entries = _read_entries(chunks)
    first = _take_first(entries)
    columns = list(dict.fromkeys(name for _, _, entry in first for name in entry))
    if not columns:
        return
    known = set(columns)
    written, size = [_write(columns)], 0
    for number, line, entry in itertools.chain(first, entries):
        if not known.issuperset(entry):
            raise _strange_key(number, next(name for name in entry if name not in known))
        written.append(_write_entry(entry, columns, number=number, line=line))
        size += len(written[-1])
        if size >= _WRITTEN_CHARACTERS:
            yield _encode(written)
            written, size = [], 0
    yield _encode(written)


def _take_first(entries: Iterator[tuple[int, str, _Entry]]) -> list[tuple[int, str, _Entry]]:
    first, size = [], 0
    for number, line, entry in entries:
        first.append((number, line, entry))
        size += len(line)
        if size >= COLUMNS_CHARACTERS:
            break
    return first


def _read_entries(chunks: Iterator[bytes]) -> Iterator[tuple[int, str, _Entry]]:
    """Number, text and values of each line that is not blank."""
    lines = (pair for pair in enumerate(_lines(chunks), start=1) if pair[1] and not pair[1].isspace())
    while some := list(itertools.islice(lines, _LINES_AT_ONCE)):
        for (number, line), entry in zip(some, _parse(some), strict=True):
            yield number, line, entry


def _lines(chunks: Iterator[bytes]) -> Iterator[str]:
    rest = b""
    is_first = True
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > RECORD_MAX_BYTES:
            raise BatchRefused(
                f"A line of the file is longer than {in_megabytes(RECORD_MAX_BYTES)}. JSON Lines has one object on "
                "each line."
            )
        for line in lines:
            yield line.decode().removeprefix("\ufeff" if is_first else "")
            is_first = False
    yield rest.decode().removeprefix("\ufeff" if is_first else "")


def _parse(lines: Sequence[tuple[int, str]]) -> list[_Entry]:
    """The objects of some lines, read in one go where that gives one for each; else line by line, to tell which."""
    try:
        found = _PLAIN.decode("[" + ",".join([line for _, line in lines]) + "]")
    except (ValueError, RecursionError):
        found = []
    if len(found) == len(lines) and all(isinstance(entry, dict) for entry in found):
        return found
    return [_parse_one(number, line) for number, line in lines]


def _parse_one(number: int, line: str) -> _Entry:
    try:
        entry = _PLAIN.decode(line)
    except (ValueError, RecursionError) as problem:
        raise _no_json(number) from problem
    if not isinstance(entry, dict):
        raise BatchRefused(f"Line {number} of the file is no JSON object. JSON Lines has one object on each line.")
    return entry


def _no_json(number: int) -> BatchRefused:
    return BatchRefused(f"Line {number} of the file is no JSON. JSON Lines has one object on each line.")


def _strange_key(number: int, name: str) -> BatchRefused:
    return BatchRefused(
        f"Line {number} has the key {quoted(name)}, which is on none of the file's first lines. Put every key on the "
        "first line, with null where there is no value."
    )


def _write_entry(entry: _Entry, columns: Sequence[str], *, number: int, line: str) -> str:
    cells: list[Any] = list(map(entry.get, columns))
    try:
        text = ",".join(cells)
    except TypeError:
        nested = _read_nested(number, line) if any(isinstance(cell, dict | list) for cell in cells) else {}
        return _write([_as_text(nested.get(name, cell)) for name, cell in zip(columns, cells, strict=True)])
    # Most lines hold nothing that wants quotes, which is told at once.
    if text.count(",") == len(cells) - 1 and '"' not in text and "\n" not in text and "\r" not in text and text:
        return text + "\n"
    return _write(cells)


def _read_nested(number: int, line: str) -> _Entry:
    """The lists and objects of the line, once more with numbers as numbers, which is how they are written in them."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as problem:
        raise _no_json(number) from problem
    return {name: value for name, value in entry.items() if isinstance(value, dict | list)}


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _write(cells: Sequence[str]) -> str:
    """A CSV line. Python's own writer leaves a lone carriage return without quotes."""
    texts = ['"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell for cell in cells]
    # An empty line would be no row.
    return (",".join(texts) or '""') + "\n"


def _encode(lines: Sequence[str]) -> bytes:
    # Half of a surrogate pair can be written in JSON, and is no character.
    return "".join(lines).encode(errors="replace")
