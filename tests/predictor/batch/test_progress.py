"""How far a batch is, at every moment of its life, and what is left of one that was cancelled."""

import io
from urllib.parse import unquote

import pandas as pd
import pytest

from predictor import bucket
from predictor.batch import steps
from predictor.errors import BatchRefused
from predictor.handler import handle
from tests.predictor.batch.running import penguin_csv, run_batch
from tests.predictor.factories import BatchRun, context_of, publish, regression_model

# Of 800 bytes: some parts.
CONTENT = penguin_csv(60) + b"abc,4000,male,x\n" + penguin_csv(30).split(b"\n", 1)[1]


def _ask(batch: BatchRun, operation: str) -> dict:
    return handle({"operation": f"batch.{operation}", "job": batch.job}, context_of("r"))


def _planned() -> tuple[BatchRun, list[dict]]:
    batch = BatchRun(CONTENT)
    steps.plan({"job": batch.job}, size_bytes=800)
    return batch, bucket.read_json(batch.key("parts.json"))


def test_progress_before_anything_runs_is_queued(model):
    answer = _ask(BatchRun(CONTENT), "progress")

    assert (answer["ok"], answer["stage"], answer["rows"], answer["parts"]) == (True, "queued", 0, 0)


def test_progress_while_the_file_is_looked_through_says_how_far(model):
    batch = BatchRun(CONTENT)
    stage = {"stage": "planning", "planned_bytes": 400, "size_bytes": len(CONTENT), "began": 1.0}
    bucket.write_json(batch.key("stage.json"), stage)

    answer = _ask(batch, "progress")

    assert (answer["stage"], answer["planned_bytes"], answer["size_bytes"]) == ("planning", 400, len(CONTENT))


def test_progress_counts_parts_in_any_order_and_errors_by_line(model):
    batch, parts = _planned()
    before = _ask(batch, "progress")
    for part in reversed(parts[1:]):
        batch.step("part", part=part)
        among = _ask(batch, "progress")
    batch.step("part", part=parts[0])

    after = _ask(batch, "progress")

    assert (before["stage"], before["parts"], before["parts_done"]) == ("running", len(parts), 0)
    assert (among["stage"], among["parts_done"]) == ("running", len(parts) - 1)
    assert (after["stage"], after["rows"], after["scored"], after["failed"]) == ("finishing", 91, 90, 1)
    assert after["errors"] == [{"line": 62, "error": "bill_length_mm: 'abc' is not a number"}]
    assert after["bytes_done"] == len(CONTENT) - parts[0]["start"]
    batch.step("finish")
    summary = bucket.read_json(batch.key("summary.json"))
    assert after["distribution"] == summary["distribution"]


def test_progress_asked_again_and_again_counts_each_part_once(model):
    batch, parts = _planned()
    for part in parts:
        batch.step("part", part=part)
        first, second = _ask(batch, "progress"), _ask(batch, "progress")
        assert {**first, "seconds": 0} == {**second, "seconds": 0}

    assert first["rows"] == 91


def test_collect_after_a_cancel_has_the_parts_that_were_scored_and_names_the_others(model):
    batch, parts = _planned()
    whole = run_batch(CONTENT)
    for part in parts[2:]:
        batch.step("part", part=part)

    summary = _ask(batch, "collect")

    # The first part holds the header, so it is scored now.
    lines = whole.output().splitlines(keepends=True)
    first, last = parts[1]["line"], parts[2]["line"] - 1
    assert batch.output() == b"".join(lines[: first - 1] + lines[last:])
    assert summary["partial"] is True
    assert summary["rows"] == 91 - (last - first + 1)
    assert f"lines {first} to {last}" in summary["notes"][-1]
    assert bucket.read_json(batch.key("summary.json")) == summary


def test_batch_that_was_collected_in_part_can_still_be_started_again(model):
    batch, parts = _planned()
    batch.step("part", part=parts[0])
    _ask(batch, "collect")

    steps.plan({"job": batch.job}, size_bytes=800)
    batch.run_parts()
    batch.step("finish")

    assert batch.output() == run_batch(CONTENT).output()
    assert bucket.read_json(batch.key("summary.json"))["partial"] is False


def test_collect_with_nothing_scored_is_refused_in_words(model):
    batch, _ = _planned()

    answer = _ask(batch, "collect")

    assert answer["ok"] is False
    assert "Nothing was scored" in answer["error"]["message"]


def test_collect_of_all_parts_is_the_whole_result(model):
    batch, _ = _planned()
    batch.run_parts()

    summary = _ask(batch, "collect")

    assert summary["partial"] is False
    assert batch.output() == run_batch(CONTENT).output()


def test_share_of_bad_rows_over_the_limit_ends_the_batch_with_the_first_of_them(model):
    content = penguin_csv(10) + b"abc,4000,male,x\n" * 1500
    batch = BatchRun(content)
    batch.job["give_up_share"] = 0.9
    batch.step("plan")

    with pytest.raises(BatchRefused, match=r"1,500 of 1,510 rows .* The first, in line 12: bill_length_mm: 'abc'"):
        batch.run_parts()


def test_share_of_bad_rows_of_a_small_part_is_no_reason_to_give_up(model):
    batch = BatchRun(b"abc,4000,male,x\n".join([penguin_csv(1), b"", b""]))
    batch.job["give_up_share"] = 0.1

    assert batch.run()["failed"] == 2


def test_result_says_which_model_made_it_of_which_file(model):
    batch = BatchRun(penguin_csv())
    batch.job["file_name"] = "Köln, März.csv"
    batch.run()

    head = bucket.client().head_object(Bucket=bucket.name(), Key=batch.key("output.csv"))

    metadata = head["Metadata"]
    assert (metadata["portico-model"], metadata["portico-version"]) == ("penguins", "1")
    assert metadata["portico-sha256"] == bucket.read_json("models/penguins/1/manifest.json")["sha256"]
    assert unquote(metadata["portico-file"]) == "Köln, März.csv"


def test_bands_of_the_job_are_written_and_counted():
    publish(regression_model())
    table = pd.DataFrame({"a": [-9.0, 9.0, 0.0], "b": 0.0})
    batch = BatchRun(table.to_csv(index=False).encode())
    batch.job["bands"] = [{"upper": 0.0, "label": "low"}, {"upper": None, "label": "high"}]

    summary = batch.run()

    assert summary["added"] == ["prediction", "band", "error"]
    assert batch.table()["band"].tolist() == ["low", "high", "high"]
    assert summary["distribution"]["bands"] == [["low", 1], ["high", 2]]


def test_parquet_result_holds_the_same_rows(model):
    batch = BatchRun(CONTENT)
    batch.job["result"] = "parquet"

    summary = batch.run()

    body = bucket.read(batch.key("output.parquet"), limit_bytes=10**9).body
    import polars as pl

    table = pl.read_parquet(io.BytesIO(body))
    assert summary["result"] == {"file": "output.parquet", "size_bytes": len(body)}
    assert table.height == 91
    assert (
        table["probability_Gentoo"].to_list()
        == batch.table()["probability_Gentoo"].replace({float("nan"): None}).tolist()
    )


def test_result_too_large_for_parquet_stays_csv_and_says_so(model, monkeypatch):
    monkeypatch.setenv("PORTICO_PARQUET_MAX_BYTES", "100")
    batch = BatchRun(CONTENT)
    batch.job["result"] = "parquet"

    summary = batch.run()

    assert summary["result"]["file"] == "output.csv"
    assert "too large to be written as Parquet" in summary["notes"][-1]
