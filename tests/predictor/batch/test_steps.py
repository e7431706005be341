"""A batch from file to summary: exact predictions, parts that add up, and steps that may run twice."""

import io
import itertools
import time
from types import SimpleNamespace

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from predictor import bucket
from predictor.batch import steps
from predictor.errors import BatchRefused
from predictor.handler import handle
from tests.original import original_file
from tests.predictor.batch.running import (
    FEATURES,
    assert_equals_scikit_learn,
    penguin_csv,
    run_batch,
    summarise,
)
from tests.predictor.factories import (
    SPECIES,
    BatchRun,
    array_model,
    context_of,
    event,
    forest,
    original_bytes,
    penguin_model,
    publish,
    regression_model,
)


def test_batch_multiclass_equals_scikit_learn_bit_for_bit(model):
    batch = run_batch(penguin_csv())

    assert_equals_scikit_learn(batch, model)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_batch_of_the_original_data_equals_scikit_learn_and_keeps_every_line():
    publish(original_bytes())
    model = joblib.load(original_file("binary_sklearn_model.pkl"))
    content = original_file("data.csv").read_bytes()

    batch = run_batch(content)

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
    content = b"".join([penguin_csv(30), b"abc,1,male,x\n", b"41,4000,male,x\n"] * 1)
    whole, cut = BatchRun(content), BatchRun(content)
    whole.run()
    steps.plan({"job": cut.job}, size_bytes=200)

    cut.run_parts()
    cut.step("finish")

    one, many = (bucket.read_json(batch.key("summary.json")) for batch in (whole, cut))
    assert {**one, "seconds": 0} == {**many, "seconds": 0}
    assert many["errors"] == [{"row": 31, "line": 32, "error": "bill_length_mm: 'abc' is not a number"}]


def test_part_run_twice_gives_the_same(model):
    batch = BatchRun(penguin_csv())
    batch.step("plan")
    batch.run_parts()
    batch.run_parts()

    batch.step("finish")

    assert_equals_scikit_learn(batch, model)


def test_plan_run_twice_leaves_no_upload_behind(model):
    batch = BatchRun(penguin_csv())
    batch.step("plan")

    batch.step("plan")

    uploads = bucket.client().list_multipart_uploads(Bucket=bucket.name()).get("Uploads", [])
    assert len(uploads) == 1


def test_plan_of_a_file_too_large_for_one_step_goes_on_in_the_next(model, monkeypatch):
    content = penguin_csv(300)
    whole = run_batch(content)
    monkeypatch.setattr("predictor.bucket.STREAM_CHUNK_BYTES", 700)
    batch = BatchRun(content)
    clock = itertools.count()
    monkeypatch.setattr("predictor.batch.steps.time", SimpleNamespace(monotonic=lambda: next(clock), time=time.time))
    monkeypatch.setenv("PORTICO_PLAN_SECONDS", "4")

    answers = [steps.plan({"job": batch.job}, size_bytes=2000)]
    while answers[-1]["more"]:
        answers.append(steps.plan({"job": batch.job}, size_bytes=2000))
    ranges = bucket.read_json(batch.key("plan.json"))["ranges"]
    batch.run_parts()
    batch.step("finish")

    once = BatchRun(content)
    monkeypatch.setenv("PORTICO_PLAN_SECONDS", "1000000")
    steps.plan({"job": once.job}, size_bytes=2000)
    assert len(answers) > 3
    assert ranges == bucket.read_json(once.key("plan.json"))["ranges"]
    assert batch.output() == whole.output()


def test_finish_run_twice_gives_the_same(model):
    batch = BatchRun(penguin_csv())
    first = batch.run()

    second = batch.step("finish")

    assert second["rows"] == first["rows"]


def test_plan_answers_what_the_map_needs(model):
    batch = BatchRun(penguin_csv())

    answer = batch.step("plan")

    assert answer == {"more": False, "bucket": bucket.name(), "parts_key": batch.key("parts.json"), "parts": 1}
    assert bucket.read_json(batch.key("parts.json")) == [
        {"number": 1, "start": 39, "end": len(penguin_csv()), "line": 2}
    ]


def test_finish_answers_the_summary_without_the_preview(model):
    batch = BatchRun(penguin_csv())
    batch.step("plan")
    batch.run_parts()

    answer = batch.step("finish")

    written = bucket.read_json(batch.key("summary.json"))
    assert answer == {name: value for name, value in written.items() if name != "preview"}


def test_summary_tells_counts_columns_and_preview(model):
    summary = summarise(penguin_csv() + b"abc,4000,male,x\n")

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


def test_batch_row_that_makes_the_model_raise_does_not_harm_its_neighbours():
    root = FunctionTransformer(np.sqrt, validate=True)
    publish(make_pipeline(root, LogisticRegression()).fit([[1.0], [4.0]], [0, 1]))

    batch = BatchRun(b"x0\n" + b"1\n" * 5 + b"-1\n" + b"1\n" * 5)
    summary = batch.run()

    assert (summary["rows"], summary["failed"]) == (11, 1)
    assert summary["errors"][0]["row"] == 6
    assert "cannot answer for these values" in summary["errors"][0]["error"]


@pytest.mark.parametrize(
    ("label", "written"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("-1", "-1"), ("+x", "'+x"), ('a,"b"', '"a,""b"""')],
)
def test_batch_label_that_a_spreadsheet_would_run_is_made_harmless(label, written):
    publish(array_model([label, label + "z"]))

    batch = run_batch(b"x0,x1,x2\n-9,-9,-9\n")

    assert batch.output().splitlines()[1].startswith(f"-9,-9,-9,{written},".encode())


def test_plan_file_that_is_gone_refused(model):
    batch = BatchRun(penguin_csv())
    bucket.client().delete_object(Bucket=bucket.name(), Key=batch.key("input.csv"))

    with pytest.raises(BatchRefused, match="no longer there"):
        batch.step("plan")


def test_finish_with_a_part_missing_refused(model):
    batch = BatchRun(penguin_csv())
    batch.step("plan")

    with pytest.raises(BatchRefused, match="Part 1 of 1 was not scored"):
        batch.step("finish")


def test_steps_fault_of_the_model_raises_a_refusal(model):
    batch = BatchRun(penguin_csv(), version=9)

    with pytest.raises(BatchRefused, match="has no version 9"):
        batch.step("plan")


def test_batch_keeps_the_version_that_it_started_with(model):
    batch = BatchRun(penguin_csv())
    batch.step("plan")
    publish(penguin_model(estimator=LogisticRegression(C=0.001)), version=2)

    batch.run_parts()
    batch.step("finish")

    assert_equals_scikit_learn(batch, model)


def test_abandon_refusal_is_told_in_its_own_words_and_the_upload_is_kept_for_a_resume(model):
    batch = BatchRun(penguin_csv())
    batch.step("plan")
    with pytest.raises(BatchRefused):
        batch.step("finish")

    batch.step("abandon", error=event("batch_abandon")["error"])

    summary = bucket.read_json(batch.key("summary.json"))
    message = "Part 1 of 1 was not scored. Start the batch again."
    assert summary == {"ok": False, "error": {"code": "refused", "message": message}}
    assert len(bucket.client().list_multipart_uploads(Bucket=bucket.name())["Uploads"]) == 1


def test_finish_after_a_refused_part_tells_the_parts_reason(model):
    batch = BatchRun(penguin_csv())
    batch.step("plan")
    bucket.client().delete_object(Bucket=bucket.name(), Key=batch.key("input.csv"))
    with pytest.raises(BatchRefused):
        batch.step("part", part={"number": 1})

    with pytest.raises(BatchRefused, match="The file is no longer there"):
        batch.step("finish")


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


@pytest.mark.parametrize("part", [None, {}, {"number": 2}, {"number": 0}, {"number": True}, {"number": "1"}])
def test_part_of_wrong_shape_refused(model, part):
    batch = BatchRun(penguin_csv())
    batch.step("plan")

    with pytest.raises(BatchRefused):
        batch.step("part", part=part)
