"""Dollars, by hand and by the benchmark, from figures that are made up."""

import json

import pytest

from benchmarks import cost

SHARE = "With the processor's share of a function of {} MB"


@pytest.fixture
def figures(tmp_path):
    def part(memory: str, variant: str, warm_ms: float, cold_ms: float):
        row = {"model": "logreg", "variant": variant, "warm ms": warm_ms, "median ms": cold_ms}
        return {"title": SHARE.format(memory), "rows": [row]}

    line = {"fixed": 0.0, "each": 1e-8}
    written = {
        "cold-shares": {
            "machine": {"date": "2026-11-28T12:00:00+00:00"},
            "parts": [
                part("128", "Portico, compiled", 1.2, 299.5),
                part("1,769", "Portico, in full", 2.0, 1300.0),
                part("512", "original", 70.1, 7800.0),
            ],
        },
        "http": {"rows": [{"model": "logreg", "server": "MLflow", "p50 ms": 6.0}]},
        "batch": {"rows": [{"model": "logreg4", "variant": "original", "rows/s": 100_000}]},
        "batch-steps": {
            "plan_bytes_per_s": 1e9, "part_s": line, "part_peak_bytes": line, "finish_s": line, "output_share": 1.5,
            "cold_s": 1.0, "plan_requests": [2, 1], "part_requests": [3, 2], "finish_requests": [2, 1],
        },
    }  # fmt: skip
    for name, content in written.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def test_a_million_predictions_cost_their_billed_milliseconds_times_memory(figures):
    ours, _, original, sagemaker = cost.measure(figures=figures).rows

    # 99 of a hundred take 2 ms and one 300; 128 MB are an eighth of a GB.
    assert ours["mean ms"] == pytest.approx(5.0, abs=0.05)
    assert ours["compute $"] == pytest.approx(1_000_000 * 0.00498 / 8 * 0.0000166667, abs=0.001)
    assert ours["all $"] == pytest.approx(ours["compute $"] + 0.20, abs=0.01)
    assert ours["behind a REST API $"] == pytest.approx(ours["compute $"] + 0.20 + 3.50, abs=0.01)
    assert original["compute $"] == pytest.approx(1_000_000 * (0.99 * 0.071 + 0.01 * 7.8) / 2 * 0.0000166667, abs=0.001)
    assert sagemaker["warm, billed ms"] == 11
    assert sagemaker["all $"] == pytest.approx(1_000_000 * 0.011 * 0.00002, abs=0.01)


def test_a_batch_of_the_original_costs_its_seconds_file_by_file(figures):
    (batch,) = cost.measure(figures=figures).parts
    ours, original, sagemaker = batch.rows

    assert original["calls"] == 100
    assert original["GB-s"] > 100 * 10 * 1769 / 1024
    assert original["all $"] == pytest.approx(original["GB-s"] * 0.0000166667, abs=0.01)
    assert sagemaker["calls"] > 1_000
    assert sagemaker["all $"] > 100 * 10 * 2 * 0.00002
    assert ours["calls"] > 400
