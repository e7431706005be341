"""Files as people have them: every dialect is scored alike, every bad row and bad file says what is wrong."""

import csv
import gzip
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from predictor import bucket
from predictor.batch import steps
from predictor.errors import BatchRefused
from tests.predictor.batch.running import (
    FEATURES,
    HEADER,
    assert_equals_scikit_learn,
    penguin_csv,
    run_batch,
    summarise,
)
from tests.predictor.factories import (
    BatchRun,
    penguin_model,
    penguins,
    publish,
)


def _refusal(content: bytes) -> str:
    with pytest.raises(BatchRefused) as refused:
        BatchRun(content).step("plan")
    return str(refused.value)


@pytest.mark.parametrize(
    ("encode", "options"),
    [
        (lambda text: text.encode("utf-8-sig"), {}),
        (lambda text: text.replace("\n", "\r\n").encode(), {}),
        (lambda text: text.replace("\n", "\r").encode(), {}),
        (lambda text: text.replace(",", ";").encode(), {"sep": ";"}),
        (lambda text: text.replace(",", "\t").encode(), {"sep": "\t"}),
        (lambda text: text.replace(",", "|").encode(), {"sep": "|"}),
        (lambda text: text.replace(",", ";").replace(".", ",").encode(), {"sep": ";", "decimal": ","}),
        (lambda text: text.encode("utf-16"), {}),
        (lambda text: text.encode("utf-16-be").join([b"\xfe\xff", b""]), {}),
        (lambda text: (text + "1,1,male,café\n").encode("latin-1"), {"nrows": 40}),
        (lambda text: gzip.compress(text.encode()), {}),
        (lambda text: gzip.compress(text[:300].encode()) + gzip.compress(text[300:].encode()), {}),
        (lambda text: gzip.compress(text.encode("utf-16")), {}),
        (lambda text: text.rstrip("\n").encode(), {}),
        (lambda text: (text + "\n\r\n\n").encode(), {}),
        (lambda text: ("\n" + text).encode(), {}),
        (lambda text: text.replace("bill_length_mm", " Bill_Length_MM ").encode(), {}),
    ],
    ids=[
        "bom", "crlf", "cr", "semicolon", "tab", "pipe", "decimal-comma", "utf16", "utf16-be", "latin1", "gzip",
        "gzip-members", "gzip-utf16", "no-final-newline", "blank-end", "blank-begin", "loose-header",
    ],
)  # fmt: skip
def test_batch_file_of_any_dialect_is_scored_alike(model, encode, options):
    batch = run_batch(encode(penguin_csv().decode()))

    assert_equals_scikit_learn(batch, model, **options)


def test_batch_line_ends_of_the_input_are_kept(model):
    batch = run_batch(penguin_csv().replace(b"\n", b"\r\n"))

    assert batch.output().count(b"\r\n") == batch.output().count(b"\n") == 41


def test_batch_bom_is_kept_once(model):
    batch = run_batch(b"\xef\xbb\xbf" + penguin_csv())

    assert batch.output().startswith(b"\xef\xbb\xbfbill_length_mm")
    assert batch.output().count(b"\xef\xbb\xbf") == 1


def test_batch_latin1_is_noted_and_keeps_its_letters(model):
    summary = summarise(HEADER[:-1] + b",note\n41,4000,male,caf\xe9\x81\n")

    assert "Latin-1" in summary["notes"][0]
    assert summary["preview"][0][3] == "café\x81"


def test_batch_latin1_after_the_sample_is_found_too(model, monkeypatch):
    monkeypatch.setattr("predictor.reading.recognition.SAMPLE_BYTES", 100)
    monkeypatch.setattr("predictor.bucket.STREAM_CHUNK_BYTES", 100)

    summary = summarise(penguin_csv() + b"41,4000,male,caf\xe9\n")

    assert summary["rows"] == 41
    assert "Latin-1" in summary["notes"][0]


def test_batch_quoted_newlines_are_cells(model):
    content = HEADER[:-1] + b',note\n41,4000,male,"two\nlines, ""quoted"""\n42,4100,female,x\n'

    batch = run_batch(content)

    assert batch.table()["note"].tolist() == ['two\nlines, "quoted"', "x"]
    assert batch.table()["error"].isna().all()


def test_batch_reordered_and_extra_columns_are_kept_and_do_not_matter(model):
    table = penguins(40, seed=5)[["species", "sex", "body_mass_g", "bill_length_mm"]]
    table.insert(1, "id", range(40))

    batch = run_batch(table.to_csv(index=False).encode())

    assert_equals_scikit_learn(batch, model)
    assert list(batch.table().columns[:5]) == list(table.columns)


def test_batch_blank_line_in_the_middle_stays_and_is_no_row(model):
    batch = BatchRun(HEADER + b"41,4000,male\n\n42,4100,female\n")

    summary = batch.run()

    assert summary["rows"] == 2
    assert batch.output().splitlines()[2] == b""
    assert summary["notes"] == ["1 blank line was left where they stand and not counted as rows."]


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("abc,4000,male", "bill_length_mm: 'abc' is not a number"),
        ("abc,x,mael", "bill_length_mm: 'abc' is not a number; body_mass_g: 'x' is not a number; "
                       "sex: 'mael' is not one of the known choices (female, male)"),
        (",4000,male", "bill_length_mm: a value is needed"),
        ("41,NA,male", "body_mass_g: a value is needed"),
        ("41,4000,#N/A", "sex: a value is needed"),
        ("inf,4000,male", "bill_length_mm: 'inf' is not a finite number"),
        ("1_0,4000,male", "bill_length_mm: '1_0' is not a number"),
        ("41", "the row has 1 cell, the header has 3"),
        ("41,4000,male,x,y", "the row has 5 cells, the header has 3; left out: 'x', 'y'"),
    ],
)  # fmt: skip
def test_batch_bad_row_keeps_its_place_and_says_why(model, row, error):
    content = HEADER + b"41,4000,male\n" + row.encode() + b"\n42,4100,female\n"

    batch = BatchRun(content)
    summary = batch.run()

    table = batch.table(keep_default_na=False)
    assert table["error"].tolist() == ["", error, ""]
    assert table["prediction"].tolist()[1] == ""
    assert "" not in (table["prediction"][0], table["prediction"][2])
    assert summary["errors"] == [{"row": 2, "line": 3, "error": error}]


def test_batch_quote_open_at_the_end_is_that_rows_error(model):
    batch = run_batch(HEADER + b'41,4000,male\n42,4100,"fem\n')

    assert batch.table(keep_default_na=False)["error"].tolist() == ["", 'a quote (") opens a cell and is never closed']


def test_batch_missing_values_reach_the_imputers():
    model = penguin_model(missing=True)
    publish(model)
    content = HEADER + b"NA,4000,male\n41,,\n42, null ,female\n"

    batch = run_batch(content)

    expected = pd.DataFrame({
        "bill_length_mm": [np.nan, 41, 42], "body_mass_g": [4000, np.nan, np.nan],
        "sex": np.array(["male", np.nan, "female"], dtype=object),
    })  # fmt: skip
    assert batch.table()["probability_Gentoo"].tolist() == model.predict_proba(expected)[:, 2].tolist()


def test_batch_category_called_na_is_no_missing_value():
    table = pd.DataFrame({"country": ["NA", "DE"] * 10})
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(table, [0, 1] * 10)
    publish(model)

    batch = run_batch(b"country\nNA\nDE\n")

    assert batch.table()["prediction"].tolist() == [0, 1]


def test_batch_added_names_that_are_taken_get_a_suffix_and_a_note(model):
    summary = summarise(b"prediction,error," + HEADER + b"a,b,41,4000,male\n")

    assert summary["added"][0] == "prediction_portico"
    assert summary["added"][-1] == "error_portico"
    assert "'prediction_portico'" in summary["notes"][0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty"),
        (b" \n\n", "The file is empty"),
        (HEADER, "a header but no rows"),
        (HEADER + b"\n\r\n", "a header but no rows"),
        (HEADER.strip(), "a header but no rows"),
        (b"bill_length_mm,body_mass_g\n1,2\n", "lacks the column 'sex'."),
        (b"bill_lenght_mm,body_mass_g,sex\n1,2,male\n", "Did you mean 'bill_lenght_mm' for 'bill_length_mm'?"),
        (b"39.1,3750,male\n40,3700,male\n", "The first row must name the columns; it holds '39.1', '3750', 'male'."),
        (b"sex," + HEADER + b"male,1,2,male\n", "more than one column called 'sex'"),
        (b"Sex,SEX,bill_length_mm,body_mass_g\na,b,1,2\n", "More than one column could be 'sex': 'Sex', 'SEX'"),
        (b"PK\x03\x04rest", "The zip file is damaged"),
        (gzip.compress(b"PK\x03\x04rest", mtime=0), "holds another archive or an Excel workbook"),
        (b"\x89PNG\r\n", "a picture, not CSV. Save it as CSV, JSON Lines, Parquet or XLSX."),
        (b"  <!DOCTYPE html>", "a web page, not CSV"),
        (b"\xd0\xcf\x11\xe0rest", "an old Excel workbook"),
        (b"PAR1rest", "The Parquet file is damaged"),
        (b"%PDF-1.4", "a PDF"),
        (HEADER + b"\x00\x01\x02", "not text"),
        (gzip.compress(HEADER * 50, mtime=0)[:-12], "gzip file"),
        (b"\x1f\x8bjunk-junk-junk", "gzip file is damaged"),
        (b"\xff\xfea", "Save it as CSV with the encoding UTF-8"),
    ],
)
def test_plan_unusable_file_refused_in_one_clear_sentence(model, content, message):
    assert message in _refusal(content)


def test_plan_doubled_column_that_the_model_does_not_want_is_fine(model):
    summary = summarise(b"note,note," + HEADER + b"a,b,41,4000,male\n")

    assert summary["scored"] == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(notes=st.lists(st.text(alphabet='ab ,;"\n\té=', max_size=8), min_size=1, max_size=20), size=st.integers(30, 300))
def test_batch_whatever_stands_in_other_columns_comes_through(model, notes, size):
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(
        [[*FEATURES, "note"], *(["41", "4000", "male", n] for n in notes)]
    )
    batch = BatchRun(stream.getvalue().encode())
    steps.plan({"job": batch.job}, size_bytes=size)

    batch.run_parts()
    batch.step("finish")

    rows = list(csv.reader(io.StringIO(batch.output().decode(), newline="")))
    assert [row[3] for row in rows[1:]] == notes
    assert {row[-1] for row in rows[1:]} == {""}


def test_plan_packed_file_that_is_refused_leaves_no_upload_behind(model):
    with pytest.raises(BatchRefused, match="a header but no rows"):
        BatchRun(gzip.compress(HEADER)).step("plan")

    assert not bucket.client().list_multipart_uploads(Bucket=bucket.name()).get("Uploads")
