"""JSON Lines become CSV in which nothing is rounded, dropped or guessed."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.reading import json_lines
from tests.predictor.reading.reading_files import read_all, refusal_of

CELLS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8))
NAMES = st.sampled_from(["a", "b c", 'd"', "e,f"])


def _rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_read_json_lines_columns_are_the_keys_in_order_of_appearance():
    content = b'{"b": 1, "a": "x"}\n\n{"c": null, "a": "y, z"}\n'

    assert read_all(content) == 'b,a,c\n1,x,\n,"y, z",\n'


@pytest.mark.parametrize(
    ("written", "cell"),
    [
        ("0.30000000000000004", "0.30000000000000004"),
        ("1.10", "1.10"),
        ("1E5", "1E5"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ('"007"', "007"),
        ("true", "true"),
        ("false", "false"),
        ("null", ""),
        ("NaN", "NaN"),
        ('"two\\nlines"', "two\nlines"),
        ('"caf\\u00e9"', "café"),
        ('[1, {"x": 0.10}]', '[1, {"x": 0.1}]'),
        ('{"y": "é"}', '{"y": "é"}'),
    ],
)
def test_read_json_lines_value_stands_in_its_cell_as_written(written, cell):
    rows = _rows(read_all(f'{{"a": {written}, "b": 1}}\n'.encode()))

    assert rows == [["a", "b"], [cell, "1"]]


@given(rows=st.lists(st.dictionaries(NAMES, CELLS, min_size=1), min_size=1, max_size=8))
def test_read_json_lines_of_any_rows_comes_through(rows):
    content = "\n".join(json.dumps(row) for row in rows).encode()

    header, *cells = _rows(read_all(content))

    assert header == list(dict.fromkeys(name for row in rows for name in row))
    assert cells == [[_written(row.get(name)) for name in header] for row in rows]


def test_read_json_lines_in_another_encoding_and_with_a_mark():
    content = '{"a": "é"}\n'

    assert read_all(content.encode("utf-8-sig")) == "a\né\n"
    assert read_all(content.encode("utf-16")) == "a\né\n"
    assert read_all(content.encode("latin-1")) == "a\né\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1}\n{"a": \n', "Line 2 of the file is no JSON."),
        (b'{"a": 1}\n[1]\n', "Line 2 of the file is no JSON object."),
        (b'{"a": 1} {"a": 2}\n', "Line 1 of the file is no JSON."),
        (b'{"a": ' + b"[" * 100_000 + b"\n", "Line 1 of the file is no JSON."),
        (b'{"a": [' + b"9" * 5000 + b"]}\n", "Line 1 of the file is no JSON."),
        (b'{"a": 1}\n{"a": "' + b"x" * 3_000_000, "A line of the file is longer than 1 MB."),
        (b'[{"a": 1}]', "The file is one JSON array. Save it as JSON Lines"),
        (b"{}\n{}\n", "The file is empty"),
    ],
)
def test_read_json_lines_that_are_none_refused_in_one_clear_sentence(content, message):
    assert message in refusal_of(content)


def test_read_json_lines_key_that_comes_late_refused(monkeypatch):
    monkeypatch.setattr(json_lines, "COLUMNS_CHARACTERS", 100)
    content = b'{"a": 1}\n' * 50 + b'{"a": 1, "late": 2}\n'

    assert "Line 51 has the key 'late', which is on none of the file's first lines." in refusal_of(content)


def test_read_csv_that_begins_with_a_brace_is_csv():
    assert read_all(b"{id},a\n1,2\n") == "{id},a\n1,2\n"


def _written(value: object) -> str:
    if value is None:
        return ""
    # Half of a surrogate pair is no character.
    return value.encode(errors="replace").decode() if isinstance(value, str) else json.dumps(value)
