"""JSON Lines → CSV: one object a line, its keys the columns, in chunks and in flat memory.

Numbers stay as they are written, digit by digit; true and false become words, null an empty cell, lists and objects
their JSON text.
Source: https://jsonlines.org
"""

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from predictor.coercion import quoted
from predictor.errors import BatchRefused
from predictor.limits import MIB, RECORD_MAX_BYTES, in_megabytes

# The columns are those of the lines in the first so many bytes.
COLUMNS_BYTES = 1 * MIB

_WRITTEN_CHARACTERS = 1 * MIB
_NEEDS_QUOTES = re.compile('[",\r\n]')
_PLAIN = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)


def to_csv(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The lines as CSV chunks, a header first.

    Args:   chunks: UTF-8
    Raises: BatchRefused: a line is no JSON object, or has a key that none of the first lines has
    """
    lines = _objects(chunks)
    first: list[tuple[int, dict[str, Any]]] = []
    read_bytes = 0
    for number, line, entry in lines:
        first.append((number, entry))
        read_bytes += len(line)
        if read_bytes >= COLUMNS_BYTES:
            break
    columns = list(dict.fromkeys(name for _, entry in first for name in entry))
    if not columns:
        return
    written = [_write(columns)]
    size = 0
    known = dict.fromkeys(columns, "")
    rest = ((number, entry) for number, _, entry in lines)
    for number, entry in itertools.chain(first, rest):
        if not entry.keys() <= known.keys():
            raise _strange_key(number, next(name for name in entry if name not in known))
        written.append(_write({**known, **entry}.values()))
        size += len(written[-1])
        if size >= _WRITTEN_CHARACTERS:
            yield _encode(written)
            written, size = [], 0
    yield _encode(written)


def _objects(chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes, dict[str, Any]]]:
    """Number, text and cells of each line that is not blank."""
    for number, line in enumerate(_lines(chunks), start=1):
        if line and not line.isspace():
            yield number, line, _read(line, number)


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if len(rest) > RECORD_MAX_BYTES:
            raise BatchRefused(
                f"A line of the file is longer than {in_megabytes(RECORD_MAX_BYTES)}. JSON Lines has one object on "
                "each line."
            )
        yield from lines
    yield rest


def _read(line: bytes, number: int) -> dict[str, Any]:
    """A line's cells: text, or None where there is no value."""
    text = line.decode().removeprefix("\ufeff")
    try:
        entry = _PLAIN.decode(text)
        if isinstance(entry, dict) and any(isinstance(value, dict | list) for value in entry.values()):
            # Once more with numbers as numbers, which is how they are written in a list.
            plainly = json.loads(text)
            nested = {name: value for name, value in plainly.items() if isinstance(value, dict | list)}
            entry.update((name, json.dumps(value, ensure_ascii=False)) for name, value in nested.items())
    except (ValueError, RecursionError) as problem:
        raise BatchRefused(
            f"Line {number} of the file is no JSON. JSON Lines has one object on each line."
        ) from problem
    if not isinstance(entry, dict):
        raise BatchRefused(f"Line {number} of the file is no JSON object. JSON Lines has one object on each line.")
    for name, value in entry.items():
        if isinstance(value, bool):
            entry[name] = "true" if value else "false"
    return entry


def _strange_key(number: int, name: str) -> BatchRefused:
    return BatchRefused(
        f"Line {number} has the key {quoted(name)}, which is on none of the file's first lines. Put every key on the "
        "first line, with null where there is no value."
    )


def _write(cells: Iterable[str | None]) -> str:
    """A CSV line. Python's own writer leaves a lone carriage return without quotes."""
    line = ",".join(
        '"' + cell.replace('"', '""') + '"' if cell and _NEEDS_QUOTES.search(cell) else cell or "" for cell in cells
    )
    # An empty line would be no row.
    return line + "\n" if line else '""\n'


def _encode(lines: list[str]) -> bytes:
    # Half of a surrogate pair can be written in JSON, and is no character.
    return "".join(lines).encode(errors="replace")
