"""Records taken by the thousand come out as they do one by one, whatever stands in them."""

import csv
import io
import itertools
from types import SimpleNamespace
from unittest import mock

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier

from predictor import native
from predictor.batch import scoring, stretches
from predictor.batch.asking import rows_at_once
from predictor.batch.layout import columns_of, read_layout
from predictor.batch.regular import begins_oddly
from predictor.batch.scoring import Scorer
from predictor.batch.stretches import PartScorer
from predictor.batch.wishes import Band, Wishes
from predictor.coercion import BadValue, read_number
from predictor.discovery import inspect
from predictor.engines import TableAnswers
from predictor.engines.sklearn_engine import SklearnEngine
from predictor.features import Feature, Output

BANDS = (Band(0.25, "low"), Band(0.5, "middle, so to say"), Band(None, "=high"))


WITH_BANDS = Wishes(bands=BANDS)


def _loaded(*, kinds: tuple[str, ...] = ("number", "number", "number"), missing: bool = False):
    """A model of three columns as the store gives it: its engine, features and output."""
    rng = np.random.default_rng(4)
    table = rng.normal(size=(80, 3))
    # A tree: what BLAS adds up differs in the last digit by where a row stands in its table.
    estimator = DecisionTreeClassifier(max_depth=4).fit(table, (table.sum(axis=1) > 0).astype(int))
    features = tuple(
        Feature(name=name, kind=kind, accepts_missing=missing) for name, kind in zip("abc", kinds, strict=True)
    )
    output = Output("binary", (0, 1), probabilities=True)
    engine = SklearnEngine(estimator, inputs=inspect(estimator), features=features, output=output)
    return SimpleNamespace(engine=engine, features=features, output=output)


MODEL = _loaded()


def _score(content: bytes, *, model=MODEL, piece: int = 10**9, wishes: Wishes = WITH_BANDS):
    layout = read_layout(
        content, features=model.features, wanted=columns_of(model.output, bands=wishes.bands), wishes=wishes
    )
    scorer = Scorer(model, layout, bands=wishes.bands, line=content.count(b"\n", 0, layout.header_bytes) + 1)
    body = content[layout.header_bytes :]
    starts = range(0, max(len(body), 1), piece)
    output = b"".join(
        line for start in starts for line in scorer.score(body[start : start + piece], is_last=start == starts[-1])
    )
    return output, scorer.tally.to_json()


def _score_one_by_one(content: bytes, **options):
    with (
        mock.patch.object(scoring, "look_at", lambda *_, **__: None),
        mock.patch.object(scoring, "plain_rows", lambda *_, **__: None),
    ):
        return _score(content, **options)


def _score_without_kernels(content: bytes, **options):
    with mock.patch.object(native, "kernels", lambda: None):
        return _score(content, **options)


CELL = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(
        ["", "NA", " 1", "1 ", "1_0", "inf", "nan", "1e400", "0x1", "+1", ".5", "5.", "1,5", "abc", "x\x01y", '5" pipe',
         "\ufeff1", "٣", "two\nlines", "a\r", "-", "1e-400", "true", "1d3", "00012", "#", "\t1",
         "x^2"]
    ),
)  # fmt: skip
ROW = st.lists(CELL, min_size=0, max_size=5)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(ROW, min_size=1, max_size=12),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    newline=st.sampled_from(["\n", "\r\n"]),
    piece=st.integers(1, 300),
    has_final_newline=st.booleans(),
)
def test_rows_of_any_kind_come_out_as_one_by_one(rows, quoting, newline, piece, has_final_newline):
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator=newline, quoting=quoting).writerows([["a", "b", "c", "note"], *rows])
    content = stream.getvalue().encode()
    content = content if has_final_newline else content.removesuffix(newline.encode())

    output, tally = _score(content)
    in_pieces, tally_of_pieces = _score(content, piece=piece)

    expected, counted = _score_one_by_one(content)
    assert output == expected
    assert tally == counted
    assert _score_without_kernels(content) == (expected, counted)
    assert in_pieces == expected
    assert {**tally_of_pieces, "preview": []} == {**counted, "preview": []}


@settings(max_examples=300, deadline=None)
@given(junk=st.text(alphabet='1.,"\n\r a\x01é', max_size=60))
@example(junk='1,2,3\n"\n"1,2,3\n')
@example(junk='1,2,""3\n1,2,3\n')
@example(junk='1,"2",3\r\n1,2,3\n\n')
def test_junk_comes_out_as_one_by_one(junk):
    content = f"a,b,c\n{junk}".encode()

    assert _score(content) == _score_one_by_one(content) == _score_without_kernels(content)


@settings(max_examples=300, deadline=None)
@given(cells=st.lists(st.one_of(CELL, st.text(max_size=8)), min_size=1, max_size=20))
def test_number_that_polars_takes_is_the_one_that_python_takes(cells):
    plain = [cell for cell in cells if not any(mark in cell for mark in '",\n\r')]
    body = "".join(f"{cell},x\n" for cell in plain).encode()
    assume(not begins_oddly(body))

    read = (
        pl.read_csv(
            body, has_header=False, quote_char=None, ignore_errors=True, schema={"0": pl.Float64, "1": pl.String}
        )["0"].to_list()
        if plain
        else []
    )

    for cell, number in zip(plain, read, strict=True):
        if number is None or not np.isfinite(number):
            continue
        try:
            expected = read_number(cell.strip())
        except BadValue:
            expected = None
        assert repr(expected) == repr(number)


@settings(max_examples=100, deadline=None)
@given(numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_written_float_reads_back_as_the_same_bits(numbers):
    as_they_come = SimpleNamespace(predict_table=lambda columns: TableAnswers(values=columns[0]))
    model = SimpleNamespace(features=(Feature(name="a"),), output=Output("regression"), engine=as_they_come)
    content = ("a\n" + "".join(f"{number!r}\n" for number in numbers)).encode()

    output, _ = _score(content, model=model, wishes=Wishes())

    written = [line.split(",")[1] for line in output.decode().splitlines()]
    assert [float(text).hex() for text in written] == [number.hex() for number in numbers]


def test_missing_values_that_a_model_takes_are_given_to_it():
    seen = []
    model = _tolerant(seen)

    _score(b"a,b,c\nNA,1, \n2,-,null\n", model=model, wishes=Wishes(nulls=("-", "NA")))

    first, second, third = (column[:1].tolist() for column in seen[0])
    assert np.isnan(first[0])
    assert second == [1.0]
    assert np.isnan(third[0])


def _tolerant(seen: list):
    """A model that takes missing values; `seen` gets what it is given."""
    model = _loaded(missing=True)
    model.engine = SimpleNamespace(
        is_thread_safe=False, predict_table=lambda columns: seen.append(columns) or _half(len(columns[0]))
    )
    return model


def _half(count: int) -> TableAnswers:
    return TableAnswers(label_words=[0], label_codes=np.zeros(count, np.intp), probabilities=np.full((count, 2), 0.5))


def test_words_for_missing_that_were_chosen_replace_the_usual_ones():
    _, tally = _score(b"a,b,c\nNA,1,2\n-,1,2\n", model=_tolerant([]), wishes=Wishes(nulls=("-",)))

    assert [error["line"] for error in tally["errors"]] == [2]
    assert "'NA' is not a number" in tally["errors"][0]["error"]


def test_bands_are_written_quoted_where_csv_needs_it_and_counted():
    output, tally = _score(b"a,b,c\n-9,-9,-9\n9,9,9\n")

    rows = list(csv.reader(io.StringIO(output.decode())))
    assert [row[6] for row in rows] == ["low", "'=high"]
    assert tally["bands"] == {"low": 1, "middle, so to say": 0, "=high": 1}


def test_lines_of_errors_count_newlines_within_quotes():
    _, tally = _score(b'a,b,c,note\n1,2,3,"x\ny\nz"\nbad,2,3,w\n\n1,2,3\n')

    assert [(error["row"], error["line"]) for error in tally["errors"]] == [(2, 5), (3, 7)]


def test_decimal_commas_are_read_and_written():
    content = b"a;b;c\n1,5;2;-3,25\n1.5;2;3\n"

    output, tally = _score(content, wishes=Wishes(bands=BANDS, decimal=","))

    first = output.decode().splitlines()[0].split(";")
    expected = MODEL.engine.predict([[1.5], [2.0], [-3.25]]).probabilities[0]
    assert [float(cell.replace(",", ".")) for cell in first[4:6]] == expected
    assert "not a number with a decimal comma" in tally["errors"][0]["error"]


@pytest.mark.parametrize("rows", [1, 63, 64, 65, 5000, 70_000])
def test_any_number_of_rows_equals_scikit_learn(rows):
    table = np.random.default_rng(rows).normal(size=(rows, 3))
    content = b"a,b,c\n" + "".join(f"{a!r},{b!r},{c!r}\n" for a, b, c in table.tolist()).encode()

    output, tally = _score(content)

    written = [line.split(",")[5] for line in output.decode().splitlines()]
    expected = MODEL.engine.predict_table(list(table.T)).probabilities[:, 1]
    assert tally["scored"] == rows
    assert [float(text) for text in written] == expected.tolist()


@settings(max_examples=60, deadline=None)
@given(
    junk=st.text(alphabet='1.,"\n a', max_size=120),
    threads=st.integers(2, 5),
    quoted=st.booleans(),
    piece=st.integers(20, 200),
)
def test_stretches_of_any_number_come_out_as_one(junk, threads, quoted, piece):
    rows = "".join(f'1,{number},"3"\n' if quoted else f"1,{number},3\n" for number in range(20))
    content = f"a,b,c\n{rows}{junk}".encode()
    expected, counted = _score(content)
    layout = read_layout(content, features=MODEL.features, wanted=columns_of(MODEL.output, bands=BANDS))
    body = content[layout.header_bytes :]

    with mock.patch.multiple(stretches, _processors=lambda: threads, _STRETCH_MIN_BYTES=10):
        scorer = PartScorer(MODEL, layout, bands=BANDS, line=2, before=0, ends_file=True)
        pieces = [(body[at : at + piece], at + piece >= len(body)) for at in range(0, len(body), piece)]
        output = b"".join(scorer.score(pieces))

    assert output == expected
    tally = scorer.tally.to_json()
    assert {**tally, "preview": []} == {**counted, "preview": []}


@pytest.mark.parametrize("begin", ["x^2", "x\x01", "\ufeff1", "#", "PK\x03\x04"])
def test_row_that_begins_like_something_packed_is_a_row(begin):
    content = f"note,a,b,c\n{begin},1,2,3\nz,1,2,3\n".encode()

    output, tally = _score(content)

    assert output.splitlines()[0].startswith(f"{begin},1,2,3,".encode())
    assert tally["scored"] == 2


def test_more_odd_rows_than_runs_are_taken_one_by_one(monkeypatch):
    monkeypatch.setattr(scoring, "_RUNS_AT_MOST", 2)
    content = b"a,b,c\n" + b"".join(itertools.chain.from_iterable([(b"1,2,3\n", b"1,2\n")] * 20))

    output, tally = _score(content)

    assert (tally["rows"], tally["scored"]) == (40, 20)
    assert output == _score_one_by_one(content)[0]


def test_rows_at_once_are_full_multiples_for_any_width():
    assert {rows_at_once(features) % 64 for features in (0, 1, 7, 100, 10_000)} == {0}
    assert rows_at_once(10_000) < rows_at_once(10) <= 65_536
