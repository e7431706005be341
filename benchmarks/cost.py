"""What predictions cost on AWS: measured milliseconds and memory, times dated prices. No AWS account is asked.

It reads what other benchmarks wrote: `cold` with functions' shares of a processor, `http`, `batch`, `batch-scale`.
"""

import json
import math
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.batch import quotas, simulation
from benchmarks.batch.cases import CASES
from benchmarks.batch.processes import ROOT, Processes
from benchmarks.batch.speed import ORIGINAL
from benchmarks.processor_share import ONE_PROCESSOR_MB
from benchmarks.report import Report
from deploy.costs.batches import Cloud, cost_batch, plan_batch
from deploy.costs.measured import COLD_SHARE, MODEL, SMALL_MB, Call, read_call, read_steps
from deploy.costs.prices import read_compared, read_prices

FIGURES = ROOT / "docs" / "figures"
MB, GB = 10**6, 10**9

PREDICTIONS, BATCH_ROWS = 1_000_000, 100_000_000
_BATCH_MODEL = "logreg4"
# The memory that each is given; Portico's are the template's.
_LARGE_MB, _ORIGINAL_MB = 1_769, 512
_PRICES = read_prices("us-east-1")
_SAGEMAKER_GB_SECOND = read_compared("sagemaker_gb_second")
_SAGEMAKER_GB_PROCESSED = read_compared("sagemaker_gb_processed")
# What the original is given at a time.
_FILE_ROWS = 1_000_000


def measure(*, figures: Path = FIGURES) -> Report:
    """A million predictions and a batch of 100 million rows, in dollars.

    Args:   figures: the folder with cold-shares.json, http.json, batch.json and batch-steps.json
    Raises: FileNotFoundError, KeyError: a benchmark has not been run
    """
    names = ("cold-shares", "http", "batch")
    read = {name: json.loads((figures / f"{name}.json").read_text("utf-8")) for name in names}
    singles = [
        _function("Portico, compiled", read["cold-shares"], "Portico, compiled", SMALL_MB),
        _function("Portico, in full", read["cold-shares"], "Portico, in full", _LARGE_MB),
        _function("original", read["cold-shares"], "original", _ORIGINAL_MB),
        _sagemaker(read["http"]),
    ]
    steps = (figures / "batch-steps.json").read_text("utf-8")
    return Report(
        title=f"{PREDICTIONS:,} single predictions, dollars",
        rows=singles,
        notes=_about_singles(read["cold-shares"]),
        parts=[_batch(read["batch"], steps)],
    )


def _function(label: str, cold: dict[str, Any], variant: str, memory_mb: int) -> dict[str, Any]:
    """A Lambda function's row, by the times that were measured with its share of a processor."""
    call = read_call(cold, variant, memory_mb)
    return _priced(label, call, gb_second=_PRICES.lambda_gb_second, request=_PRICES.lambda_request)


def _sagemaker(http: dict[str, Any]) -> dict[str, Any]:
    """SageMaker's serverless endpoint, as fast as MLflow's server on its share of a processor."""
    served = next(row for row in http["rows"] if row["model"] == MODEL and row["server"].startswith("MLflow"))
    share = quotas.SAGEMAKER_LEAST_MB / ONE_PROCESSOR_MB
    call = Call(quotas.SAGEMAKER_LEAST_MB, math.ceil(served["p50 ms"] / share), None)
    return _priced("SageMaker Serverless", call, gb_second=_SAGEMAKER_GB_SECOND, request=0.0)


def _priced(label: str, call: Call, *, gb_second: float, request: float) -> dict[str, Any]:
    compute = PREDICTIONS * call.gb_seconds * gb_second
    asked = PREDICTIONS * request
    return {
        "variant": label,
        "MB": call.memory_mb,
        "warm, billed ms": call.warm_ms,
        "cold, billed ms": call.cold_ms,
        "mean ms": round(call.mean_ms, 1),
        "compute $": round(compute, 3),
        "requests $": round(asked, 2),
        "all $": round(compute + asked, 2),
        "behind a REST API $": round(compute + asked + PREDICTIONS * _PRICES.api_request, 2),
    }


def _batch(batch: dict[str, Any], steps_text: str) -> Report:
    cloud, steps = Cloud(), read_steps(steps_text)
    size = round(BATCH_ROWS * _row_bytes())
    planned = plan_batch(size, steps, cloud)
    concurrency = 100
    run = simulation.run_parts(planned.parts, part_s=planned.part_s, cold_s=steps.cold_s, concurrency=concurrency)
    ours = cost_batch(
        planned, cold_starts=run.environments, cold_s=steps.cold_s, memory_mb=cloud.memory_mb, prices=_PRICES
    )
    minutes = (steps.cold_s + planned.plan_s + run.wall_s + planned.finish_s) / 60
    original = next(row for row in batch["rows"] if row["model"] == _BATCH_MODEL and row["variant"] == ORIGINAL)
    files, seconds = BATCH_ROWS // _FILE_ROWS, _FILE_ROWS / original["rows/s"]
    moved = size / files * (1 + steps.output_share)
    file_s = seconds + cloud.network.seconds(requests=2, size_bytes=moved)
    theirs = files * file_s * cloud.memory_mb / 1024 * _PRICES.lambda_gb_second
    requests = math.ceil(size / quotas.SAGEMAKER_PAYLOAD_BYTES)
    # Two GB have a processor, and a bit more.
    sagemaker_s = files * seconds
    processed = size * (1 + steps.output_share) / GB * _SAGEMAKER_GB_PROCESSED
    return Report(
        title=f"A batch of {BATCH_ROWS:,} rows, {size / GB:.1f} GB of CSV, dollars",
        rows=[
            {
                "variant": f"Portico, {concurrency} at a time",
                "calls": planned.parts,
                "GB-s": round(planned.gb_s),
                "wall, minutes": round(minutes, 1),
                "all $": round(ours["all"], 3),
            },
            {
                "variant": f"original, {files} files of {_FILE_ROWS:,} rows by hand",
                "calls": files,
                "GB-s": round(files * file_s * cloud.memory_mb / 1024),
                "wall, minutes": None,
                "all $": round(theirs, 3),
            },
            {
                "variant": "SageMaker Serverless, in pieces of 4 MB",
                "calls": requests,
                "GB-s": round(sagemaker_s * 2),
                "wall, minutes": None,
                "all $": round(sagemaker_s * 2 * _SAGEMAKER_GB_SECOND + processed, 3),
            },
        ],
        notes=[
            f"Portico: as `batch-scale` computes it, all of Lambda ({ours['Lambda']:.2f}), Step Functions"
            f" ({ours['Step Functions']:.2f}) and S3's requests ({ours['S3']:.2f}).",
            f"The original takes one file a call, all of it in memory: a file of {BATCH_ROWS:,} rows is more than a"
            f" function can have. {_FILE_ROWS:,} rows take {seconds:.1f} s as measured here, with what S3 takes"
            f" {file_s:.1f} s, at {cloud.memory_mb:,} MB. Cutting, starting and joining the files is not in it.",
            "SageMaker: the original's seconds at 2 GB, and the data in and out; again without cutting and joining.",
        ],
    )


def _row_bytes() -> float:
    rows = 20_000
    with tempfile.TemporaryDirectory(prefix="portico-benchmark-") as made:
        prepared = Processes(Path(made), None, ROOT / "lambda_docker").prepare(CASES[_BATCH_MODEL], rows)
        return Path(prepared.csv).stat().st_size / rows


def _about_singles(cold: dict[str, Any]) -> list[str]:
    return [
        f"Times were measured ({cold['machine']['date'][:10]}, `python -m benchmarks cold`) with the share of a"
        " processor that AWS gives such a function, its start included, which on AWS has a whole one: cold starts are"
        " over- and not understated. Milliseconds are rounded up, as they are billed. Logistic regression, 4 columns.",
        f"mean ms: one call in {1 / COLD_SHARE:.0f} is a cold start. compute $ = predictions x mean ms / 1000 x MB /"
        f" 1024 x ${_PRICES.lambda_gb_second:.10f} a GB-second; requests $0.20 a million. Behind a REST API of API"
        " Gateway, $3.50 a million more; what the portal asks goes to Lambda without it.",
        "SageMaker Serverless has at least 1,024 MB, at $0.00002 a GB-second. Its container is taken to be as fast as"
        " MLflow's server was in `http`, on its share of a processor; its cold starts were not measured, and are left"
        " out in its favour.",
        "Prices of November 2026, us-east-1, x86, without free tiers: AWS Lambda Pricing, Amazon API Gateway Pricing,"
        " Amazon SageMaker Pricing. Logs, storage and transfer are left out for all.",
    ]
