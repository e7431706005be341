"""A batch from file to summary: exact predictions, original bytes, and every kind of bad file."""

import csv
import gzip
import io

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from predictor import bucket
from predictor.batch import steps
from predictor.errors import BatchRefused
from predictor.handler import handle
from tests.predictor.factories import (
    ORIGINAL,
    SPECIES,
    BatchRun,
    array_model,
    context_of,
    event,
    forest,
    original_bytes,
    penguin_model,
    penguins,
    publish,
    regression_model,
)

HEADER = b"bill_length_mm,body_mass_g,sex\n"
FEATURES = ["bill_length_mm", "body_mass_g", "sex"]


@pytest.fixture
def model() -> object:
    fitted = penguin_model()
    publish(fitted)
    return fitted


def _csv(rows: int = 40, **options: object) -> bytes:
    return penguins(rows, seed=5).to_csv(index=False, **options).encode()


def _run(content: bytes, **options: object) -> BatchRun:
    batch = BatchRun(content, **options)
    batch.run()
    return batch


def _summary(content: bytes) -> dict:
    return BatchRun(content).run()


def _refusal(content: bytes) -> str:
    with pytest.raises(BatchRefused) as refused:
        BatchRun(content).step("plan")
    return str(refused.value)


def _equals_scikit_learn(batch: BatchRun, model, **options: object) -> None:
    table, expected = batch.table(**options), penguins(40, seed=5)[FEATURES]
    assert table["prediction"].tolist() == model.predict(expected).tolist()
    assert (
        table[[f"probability_{name}" for name in SPECIES]].to_numpy().tolist() == model.predict_proba(expected).tolist()
    )


def test_batch_multiclass_equals_scikit_learn_bit_for_bit(model):
    batch = _run(_csv())

    _equals_scikit_learn(batch, model)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_batch_of_the_original_data_equals_scikit_learn_and_keeps_every_line():
    publish(original_bytes())
    model = joblib.load(ORIGINAL / "binary_sklearn_model.pkl")
    content = (ORIGINAL / "data.csv").read_bytes()

    batch = _run(content)

    expected = pd.read_csv(io.BytesIO(content))[["var_1", "var_2", "var_3", "var_4"]]
    assert batch.table()["probability_1"].tolist() == model.predict_proba(expected)[:, 1].tolist()
    pairs = zip(content.splitlines(), batch.output().splitlines(), strict=True)
    assert all(after.startswith(before + b",") for before, after in pairs)


def test_batch_of_many_parts_equals_scikit_learn_row_for_row():
    model = forest()
    publish(model, slug="m")
    table = pd.DataFrame(np.random.default_rng(3).normal(size=(5000, 3)), columns=["x0", "x1", "x2"])
    content = table.to_csv(index=False).encode()
    batch = BatchRun(content, slug="m")
    steps.plan({"job": batch.job}, size_bytes=20_000)

    parts = batch.run_parts()
    batch.step("finish")

    assert len(parts) > 5
    assert batch.table()["probability_1"].tolist() == model.predict_proba(table.to_numpy())[:, 1].tolist()
    pairs = zip(content.splitlines(), batch.output().splitlines(), strict=True)
    assert all(after.startswith(before + b",") for before, after in pairs)
    assert bucket.read_json(batch.key("summary.json"))["rows"] == 5000


def test_batch_in_parts_counts_as_in_one(model):
    content = b"".join([_csv(30), b"abc,1,male,x\n", b"41,4000,male,x\n"] * 1)
    whole, cut = BatchRun(content), BatchRun(content)
    whole.run()
    steps.plan({"job": cut.job}, size_bytes=200)

    cut.run_parts()
    cut.step("finish")

    one, many = (bucket.read_json(batch.key("summary.json")) for batch in (whole, cut))
    assert {**one, "seconds": 0} == {**many, "seconds": 0}
    assert many["errors"] == [{"row": 31, "error": "bill_length_mm: 'abc' is not a number"}]


def test_part_run_twice_gives_the_same(model):
    batch = BatchRun(_csv())
    batch.step("plan")
    batch.run_parts()
    batch.run_parts()

    batch.step("finish")

    _equals_scikit_learn(batch, model)


def test_plan_run_twice_leaves_no_upload_behind(model):
    batch = BatchRun(_csv())
    batch.step("plan")

    batch.step("plan")

    uploads = bucket.client().list_multipart_uploads(Bucket=bucket.name()).get("Uploads", [])
    assert len(uploads) == 1


def test_finish_run_twice_gives_the_same(model):
    batch = BatchRun(_csv())
    first = batch.run()

    second = batch.step("finish")

    assert second["rows"] == first["rows"]


def test_plan_answers_what_the_map_needs(model):
    batch = BatchRun(_csv())

    answer = batch.step("plan")

    assert answer == {"bucket": bucket.name(), "parts_key": batch.key("parts.json"), "parts": 1}
    assert bucket.read_json(batch.key("parts.json")) == [{"number": 1, "start": 39, "end": len(_csv())}]


def test_finish_answers_the_summary_without_the_preview(model):
    batch = BatchRun(_csv())
    batch.step("plan")
    batch.run_parts()

    answer = batch.step("finish")

    written = bucket.read_json(batch.key("summary.json"))
    assert answer == {name: value for name, value in written.items() if name != "preview"}


def test_summary_tells_counts_columns_and_preview(model):
    summary = _summary(_csv() + b"abc,4000,male,x\n")

    assert (summary["rows"], summary["scored"], summary["failed"]) == (41, 40, 1)
    assert summary["columns"] == [*FEATURES, "species"]
    assert summary["added"] == ["prediction", *(f"probability_{name}" for name in SPECIES), "error"]
    assert len(summary["preview"]) == 20
    assert len(summary["preview"][0]) == 4 + 5
    assert sum(count for _, count in summary["distribution"]["classes"]) == 40
    assert sum(summary["distribution"]["histogram"]["counts"]) == 40


def test_summary_of_a_regression_has_a_histogram_and_no_classes():
    model = regression_model()
    publish(model)
    table = pd.DataFrame({"a": np.linspace(-1, 1, 50), "b": 0.0})

    batch = BatchRun(table.to_csv(index=False).encode())
    summary = batch.run()

    assert summary["distribution"]["classes"] is None
    assert summary["distribution"]["histogram"]["of"] == "prediction"
    assert sum(summary["distribution"]["histogram"]["counts"]) == 50
    assert batch.table()["prediction"].tolist() == model.predict(table).tolist()
    assert summary["added"] == ["prediction", "error"]


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
    batch = _run(encode(_csv().decode()))

    _equals_scikit_learn(batch, model, **options)


def test_batch_line_ends_of_the_input_are_kept(model):
    batch = _run(_csv().replace(b"\n", b"\r\n"))

    assert batch.output().count(b"\r\n") == batch.output().count(b"\n") == 41


def test_batch_bom_is_kept_once(model):
    batch = _run(b"\xef\xbb\xbf" + _csv())

    assert batch.output().startswith(b"\xef\xbb\xbfbill_length_mm")
    assert batch.output().count(b"\xef\xbb\xbf") == 1


def test_batch_latin1_is_noted_and_keeps_its_letters(model):
    summary = _summary(HEADER[:-1] + b",note\n41,4000,male,caf\xe9\x81\n")

    assert "Latin-1" in summary["notes"][0]
    assert summary["preview"][0][3] == "café\x81"


def test_batch_latin1_after_the_sample_is_found_too(model, monkeypatch):
    monkeypatch.setattr("predictor.batch.encodings.SAMPLE_BYTES", 100)
    monkeypatch.setattr("predictor.bucket.STREAM_CHUNK_BYTES", 100)

    summary = _summary(_csv() + b"41,4000,male,caf\xe9\n")

    assert summary["rows"] == 41
    assert "Latin-1" in summary["notes"][0]


def test_batch_quoted_newlines_are_cells(model):
    content = HEADER[:-1] + b',note\n41,4000,male,"two\nlines, ""quoted"""\n42,4100,female,x\n'

    batch = _run(content)

    assert batch.table()["note"].tolist() == ['two\nlines, "quoted"', "x"]
    assert batch.table()["error"].isna().all()


def test_batch_reordered_and_extra_columns_are_kept_and_do_not_matter(model):
    table = penguins(40, seed=5)[["species", "sex", "body_mass_g", "bill_length_mm"]]
    table.insert(1, "id", range(40))

    batch = _run(table.to_csv(index=False).encode())

    _equals_scikit_learn(batch, model)
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
    assert summary["errors"] == [{"row": 2, "error": error}]


def test_batch_quote_open_at_the_end_is_that_rows_error(model):
    batch = _run(HEADER + b'41,4000,male\n42,4100,"fem\n')

    assert batch.table(keep_default_na=False)["error"].tolist() == ["", 'a quote (") opens a cell and is never closed']


def test_batch_missing_values_reach_the_imputers():
    model = penguin_model(missing=True)
    publish(model)
    content = HEADER + b"NA,4000,male\n41,,\n42, null ,female\n"

    batch = _run(content)

    expected = pd.DataFrame({
        "bill_length_mm": [np.nan, 41, 42], "body_mass_g": [4000, np.nan, np.nan],
        "sex": np.array(["male", np.nan, "female"], dtype=object),
    })  # fmt: skip
    assert batch.table()["probability_Gentoo"].tolist() == model.predict_proba(expected)[:, 2].tolist()


def test_batch_category_called_na_is_no_missing_value():
    table = pd.DataFrame({"country": ["NA", "DE"] * 10})
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(table, [0, 1] * 10)
    publish(model)

    batch = _run(b"country\nNA\nDE\n")

    assert batch.table()["prediction"].tolist() == [0, 1]


def test_batch_row_that_makes_the_model_raise_does_not_harm_its_neighbours():
    root = FunctionTransformer(np.sqrt, validate=True)
    publish(make_pipeline(root, LogisticRegression()).fit([[1.0], [4.0]], [0, 1]))

    batch = BatchRun(b"x0\n" + b"1\n" * 5 + b"-1\n" + b"1\n" * 5)
    summary = batch.run()

    assert (summary["rows"], summary["failed"]) == (11, 1)
    assert summary["errors"][0]["row"] == 6
    assert "cannot answer for these values" in summary["errors"][0]["error"]


def test_batch_added_names_that_are_taken_get_a_suffix_and_a_note(model):
    summary = _summary(b"prediction,error," + HEADER + b"a,b,41,4000,male\n")

    assert summary["added"][0] == "prediction_portico"
    assert summary["added"][-1] == "error_portico"
    assert "'prediction_portico'" in summary["notes"][0]


@pytest.mark.parametrize(
    ("label", "written"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("-1", "-1"), ("+x", "'+x"), ('a,"b"', '"a,""b"""')],
)
def test_batch_label_that_a_spreadsheet_would_run_is_made_harmless(label, written):
    publish(array_model([label, label + "z"]))

    batch = _run(b"x0,x1,x2\n-9,-9,-9\n")

    assert batch.output().splitlines()[1].startswith(f"-9,-9,-9,{written},".encode())


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
        (b"PK\x03\x04rest", "an Excel workbook or a zip archive, not CSV"),
        (gzip.compress(b"PK\x03\x04rest"), "an Excel workbook or a zip archive, not CSV"),
        (b"\xd0\xcf\x11\xe0rest", "an old Excel workbook"),
        (b"PAR1rest", "a Parquet file"),
        (b"%PDF-1.4", "a PDF"),
        (HEADER + b"\x00\x01\x02", "not text"),
        (gzip.compress(HEADER * 50)[:-12], "gzip file"),
        (b"\x1f\x8bjunk-junk-junk", "gzip file is damaged"),
        (b"\xff\xfea", "Save it as CSV with the encoding UTF-8"),
    ],
)
def test_plan_unusable_file_refused_in_one_clear_sentence(model, content, message):
    assert message in _refusal(content)


def test_plan_doubled_column_that_the_model_does_not_want_is_fine(model):
    summary = _summary(b"note,note," + HEADER + b"a,b,41,4000,male\n")

    assert summary["scored"] == 1


def test_plan_file_that_is_gone_refused(model):
    batch = BatchRun(_csv())
    bucket.client().delete_object(Bucket=bucket.name(), Key=batch.key("input.csv"))

    with pytest.raises(BatchRefused, match="no longer there"):
        batch.step("plan")


def test_finish_with_a_part_missing_refused(model):
    batch = BatchRun(_csv())
    batch.step("plan")

    with pytest.raises(BatchRefused, match="Part 1 of 1 was not scored"):
        batch.step("finish")


def test_steps_fault_of_the_model_raises_a_refusal(model):
    batch = BatchRun(_csv(), version=9)

    with pytest.raises(BatchRefused, match="has no version 9"):
        batch.step("plan")


def test_batch_keeps_the_version_that_it_started_with(model):
    batch = BatchRun(_csv())
    batch.step("plan")
    publish(penguin_model(estimator=LogisticRegression(C=0.001)), version=2)

    batch.run_parts()
    batch.step("finish")

    _equals_scikit_learn(batch, model)


def test_abandon_refusal_is_told_in_its_own_words_and_the_upload_dropped(model):
    batch = BatchRun(_csv())
    batch.step("plan")

    batch.step("abandon", error=event("batch_abandon")["error"])

    summary = bucket.read_json(batch.key("summary.json"))
    assert summary == {"ok": False, "error": {"code": "refused", "message": "The file lacks the column 'sex'."}}
    assert not bucket.client().list_multipart_uploads(Bucket=bucket.name()).get("Uploads")


@pytest.mark.parametrize("error", [None, {"Error": "States.Timeout"}, {"Error": "KeyError", "Cause": "{broken"}])
def test_abandon_other_failure_says_that_the_file_is_not_to_blame(error):
    batch = BatchRun(b"")

    summary = batch.step("abandon", error=error)

    assert summary["error"]["code"] == "failed"
    assert "no fault of the file" in summary["error"]["message"]


@pytest.mark.parametrize(
    "change", [{"batch": "../x"}, {"user": "../x"}, {"user": None}, {"model": "A"}, {"version": None}, {"sha256": "x"}]
)
def test_steps_job_of_wrong_ids_refused(change):
    job = {**event("batch_plan")["job"], **change}

    with pytest.raises(BatchRefused):
        handle({"operation": "batch.plan", "job": job}, context_of("r"))


@pytest.mark.parametrize("part", [None, {}, {"number": 2, "start": 0, "end": 1}, {"number": 1, "start": 5, "end": 1}])
def test_part_of_wrong_shape_refused(model, part):
    batch = BatchRun(_csv())
    batch.step("plan")

    with pytest.raises(BatchRefused):
        batch.step("part", part=part)


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
