"""A result as Parquet: the same rows, typed where nothing is lost by it, and text where something would be."""

import io
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor import bucket
from predictor.batch import parquet
from predictor.batch.column_types import find_types
from predictor.batch.layout import Layout
from predictor.features import Output
from tests.predictor.batch.running import FEATURES, HEADER, penguin_csv
from tests.predictor.factories import SPECIES, BatchRun, array_model, penguins, publish, regression_model


def _run(content: bytes, **wishes: object) -> tuple[pl.DataFrame, dict, BatchRun]:
    batch = BatchRun(content, slug=str(wishes.pop("slug", "penguins")))
    batch.job.update(result="parquet", **wishes)
    summary = batch.run()
    body = bucket.read(batch.key("output.parquet"), limit_bytes=10**9).body
    return pl.read_parquet(io.BytesIO(body)), summary, batch


def _write(text: str, *, columns: list[str], output: Output, contents: tuple[str, ...], **layout: str) -> pl.DataFrame:
    """The CSV of a result as Parquet."""
    added = [name.replace(" ", "_") for name in contents]
    shape = Layout(
        **{"delimiter": ",", "decimal": ".", "newline": "\n", **layout},
        columns=columns, positions=[], added=added, contents=list(contents), header_bytes=0,
    )  # fmt: skip
    bucket.write("source.csv", text.encode(), content_type="text/csv")
    size_bytes = parquet.write_result("source.csv", "target", layout=shape, output=output, metadata={"portico-x": "1"})
    body = bucket.read("target", limit_bytes=10**9).body
    assert size_bytes == len(body)
    return pl.read_parquet(io.BytesIO(body))


def _types_of(cells: list[str | None], decimal: str = ".") -> pl.DataType:
    shape = Layout(
        delimiter=";", decimal=decimal, newline="\n", columns=["a"], positions=[], added=[], contents=[], header_bytes=0
    )
    table = pl.DataFrame({"a": cells}, schema={"a": pl.String})
    return find_types([table], ["a"], layout=shape, output=Output("regression"))["a"]


def test_result_as_parquet_equals_scikit_learn_and_keeps_every_column(model):
    table, summary, batch = _run(penguin_csv())

    expected = penguins(40, seed=5)
    assert table["prediction"].to_list() == model.predict(expected[FEATURES]).tolist()
    probabilities = table.select([f"probability_{name}" for name in SPECIES]).to_numpy()
    assert probabilities.tolist() == model.predict_proba(expected[FEATURES]).tolist()
    assert table.select(list(expected.columns)).to_dict(as_series=False) == expected.to_dict("list")
    assert table["error"].to_list() == [None] * 40
    assert summary["result"] == {
        "file": "output.parquet",
        "size_bytes": bucket.head(batch.key("output.parquet")).size_bytes,
    }


def test_result_as_parquet_has_the_rows_that_could_not_be_scored(model):
    table, _, _ = _run(HEADER + b"41,4000,male\nabc,4000,male\n\n41\n42,4100,female\n")

    assert table["bill_length_mm"].to_list() == ["41", "abc", "41", "42"]
    assert [error is None for error in table["error"]] == [True, False, False, True]
    assert [label is None for label in table["prediction"]] == [True] * 0 + [False, True, True, False]


def test_result_as_parquet_of_a_regression_with_bands(model):
    publish(regression_model(), slug="line")
    bands = [{"upper": 5, "label": "low"}, {"upper": None, "label": "high"}]

    table, _, _ = _run(b"a,b\n1,0\n-5,0\nx,0\n", slug="line", bands=bands)

    assert table.schema["prediction"] == pl.Float64
    assert table["band"].to_list() == ["high", "low", None]


@pytest.mark.parametrize(
    ("classes", "dtype"),
    [([0, 1], pl.Int64), ([False, True], pl.Boolean), (["x", "y"], pl.String), ([1.0, 2.0], pl.Float64)],
)
def test_result_as_parquet_prediction_has_the_classes_type(classes, dtype):
    model = array_model(classes)
    publish(model, slug="m")

    table, _, _ = _run(b"x0,x1,x2\n-9,-9,-9\n9,9,9\n", slug="m")

    assert table.schema["prediction"] == dtype
    assert table["prediction"].to_list() == model.predict(np.array([[-9.0] * 3, [9.0] * 3])).tolist()


def test_result_as_parquet_label_loses_the_apostrophe_that_spreadsheets_need():
    publish(array_model(["=1+1", "z"]), slug="m")

    table, _, _ = _run(b"x0,x1,x2\n-9,-9,-9\n", slug="m")

    assert table["prediction"].to_list() == ["=1+1"]


def test_result_as_parquet_says_what_made_it(model):
    _, _, batch = _run(penguin_csv(), file_name="people.csv")

    head = bucket.client().head_object(Bucket=bucket.name(), Key=batch.key("output.parquet"))

    assert {name: head["Metadata"][name] for name in ("portico-model", "portico-version", "portico-file")} == {
        "portico-model": "penguins", "portico-version": "1", "portico-file": "people.csv",
    }  # fmt: skip
    assert head["ContentType"] == "application/vnd.apache.parquet"


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [
        (["1", "-2", "0"], pl.Int64),
        (["1", None], pl.Int64),
        (["9223372036854775807"], pl.Int64),
        (["1.5", "2"], pl.Float64),
        (["39.10", "0.30000000000000004", "1e-05", "1E+20", "0.00001"], pl.Float64),
        (["9223372036854775808"], pl.String),
        (["12345678901234567890.5"], pl.String),
        (["9007199254740993", "0.5"], pl.String),
        (["007"], pl.String),
        (["1", "NA"], pl.String),
        (["nan"], pl.String),
        (["1e400"], pl.String),
        (["1e-400"], pl.String),
        (["+1"], pl.String),
        ([" 1"], pl.String),
        ([".5"], pl.String),
        (["1_0"], pl.String),
        (["1,5"], pl.String),
        (["true"], pl.String),
        ([None, None], pl.String),
    ],
)
def test_type_of_a_column_is_a_number_only_where_nothing_is_lost(cells, dtype):
    assert _types_of(cells) == dtype


@pytest.mark.parametrize(
    ("cells", "dtype"), [(["1,5", "2"], pl.Float64), (["1.5"], pl.String), (["1.500,5"], pl.String), (["1"], pl.Int64)]
)
def test_type_of_a_column_with_decimal_commas(cells, dtype):
    assert _types_of(cells, decimal=",") == dtype


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_type_of_any_float_is_a_number(number):
    assert _types_of([repr(number)]) == pl.Float64


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("chunk_bytes", [7, 4_000_000])
def test_result_of_any_cells_comes_through(monkeypatch, newline, chunk_bytes):
    monkeypatch.setattr(bucket, "STREAM_CHUNK_BYTES", chunk_bytes)
    lines = ["n,n,note,prediction,error", '1,007,"two\nlines, ""quoted""",1.5,', "", '2,08,5" pipe,,bad', "3,9,x,0.1,"]

    table = _write(
        newline.join(lines), columns=["n", "n", "note"], output=Output("regression"), contents=("prediction", "error"),
        newline=newline,
    )  # fmt: skip

    assert table.to_dict(as_series=False) == {
        "n": [1, 2, 3],
        "n_2": ["007", "08", "9"],
        "note": ['two\nlines, "quoted"', '5" pipe', "x"],
        "prediction": [1.5, None, 0.1],
        "error": [None, "bad", None],
    }


def test_result_with_decimal_commas_has_numbers():
    table = _write(
        "a;prediction;error\n1,5;0,25;\n", columns=["a"], output=Output("regression"), contents=("prediction", "error"),
        delimiter=";", decimal=",",
    )  # fmt: skip

    assert table.rows() == [(1.5, 0.25, None)]


def test_result_of_a_clusterer_has_whole_numbers():
    table = _write(
        "a,prediction,error\nx,-1,\n", columns=["a"], output=Output("labels"), contents=("prediction", "error")
    )

    assert table.rows() == [("x", -1, None)]


def test_result_that_breaks_off_leaves_no_upload_behind(monkeypatch):
    whole, passes = bucket.stream, []

    def broken(key):
        passes.append(key)
        yield from whole(key)
        if len(passes) == 2:
            raise OSError("away")

    monkeypatch.setattr(bucket, "stream", broken)

    with pytest.raises(OSError, match="away"):
        _write(
            "a,prediction,error\n1,2,\n", columns=["a"], output=Output("regression"), contents=("prediction", "error")
        )

    assert not bucket.client().list_multipart_uploads(Bucket=bucket.name()).get("Uploads")


# Writes a result of 200 MB that lies in no bucket; prints its rows, its parts and by how much the memory grew, in MB.
MEASURE = """
import itertools, random, resource
from predictor import bucket
from predictor.batch import parquet
from predictor.batch.layout import Layout
from predictor.features import Output
HEADER = b"id,x,note,prediction,error\\n"
BLOCK = b"".join(b"%d,%r,some words %d,%r,\\n" % (n, random.random(), n, random.random()) for n in range(70_000))
BLOCK = BLOCK.replace(b"b'", b"").replace(b"'", b"")
TIMES = 200 * 2**20 // len(BLOCK)
parts = {}
bucket.head = lambda key: bucket.Head(etag="", size_bytes=len(HEADER) + TIMES * len(BLOCK))
bucket.read_range = lambda key, start, end: (HEADER + BLOCK)[start:end]
bucket.stream = lambda key: itertools.chain([HEADER], itertools.repeat(BLOCK, TIMES))
bucket.start_upload = lambda key, **options: "upload"
bucket.put_part = lambda key, body, *, upload, number: parts.setdefault(number, str(len(body)))
bucket.complete_upload = lambda key, *, upload, etags: None
layout = Layout(delimiter=",", decimal=".", newline="\\n", columns=["id", "x", "note"], positions=[],
                added=["prediction", "error"], contents=["prediction", "error"], header_bytes=0)
import polars
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
parquet.write_result("a", "b", layout=layout, output=Output("regression"), metadata={})
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(parts), (after - before) >> 10)
"""


def test_result_of_any_size_takes_little_memory():
    said = subprocess.run(
        [sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True, cwd="lambda_docker"
    )

    parts, grown_mb = map(int, said.stdout.split())
    assert parts > 3
    assert grown_mb < 400
