"""How much is too much. Each limit has a default and an environment variable that overrides it."""

import os

MIB = 1024 * 1024

_DEFAULTS = {
    "PORTICO_MODEL_MAX_BYTES": 500 * MIB,
    "PORTICO_MODEL_CACHE_BYTES": 500 * MIB,
    "PORTICO_BODY_MAX_BYTES": 1 * MIB,
    # API Gateway gives up after 29 s; 25 MB of CSV is scored in well under that.
    "PORTICO_INLINE_BATCH_MAX_BYTES": 25 * MIB,
    "PORTICO_BATCH_MAX_BYTES": 1024 * 1024 * MIB,
    # Less than a function's 900 s: the step is told to go on where it stopped.
    "PORTICO_PLAN_SECONDS": 600,
    # A small file may be packed so that it fills a bucket.
    "PORTICO_UNPACKED_MAX_BYTES": 5 * 1024 * MIB,
    "PORTICO_BATCH_PART_BYTES": 16 * MIB,
    # What finish turns into Parquet within a function's 900 s, at some 20 MB/s.
    "PORTICO_PARQUET_MAX_BYTES": 10 * 1024 * MIB,
    # A workbook is opened as a whole, in up to six times its size.
    "PORTICO_WORKBOOK_MAX_BYTES": 100 * MIB,
    # What SageMaker passes on to a container; MLflow and KServe have no limit of their own.
    "PORTICO_SERVE_BODY_MAX_BYTES": 25 * MIB,
    # Kubernetes asks a container for signs of life after 30 s, where it is not told otherwise; imports take some, too.
    "PORTICO_SERVE_COMPILE_SECONDS": 15,
    # SageMaker gives up on a call after 60 s.
    "PORTICO_SERVE_SECONDS": 60,
    # Docker and Kubernetes kill after 10 and 30 s unless they are told otherwise.
    "PORTICO_SERVE_STOP_SECONDS": 25,
    "PORTICO_VERIFY_SECONDS": 60,
    # The functions' memory in deploy/template.yaml. Where Lambda tells a function how much it has, that counts.
    "PORTICO_VERIFY_MEMORY_BYTES": 3008 * MIB,
    "PORTICO_PREDICT_MEMORY_BYTES": 1769 * MIB,
}

TEXT_MAX_CHARACTERS = 10_000
RECORD_MAX_BYTES = 1 * MIB
# S3 refuses to complete an upload in which a part other than the last is smaller than this.
PART_MIN_BYTES = 5 * MIB


def limit(name: str) -> int:
    """The limit of that name: the environment's value where it is a positive number, else the default."""
    text = os.environ.get(name, "")
    return int(text) if text.isdigit() and int(text) > 0 else _DEFAULTS[name]


def in_megabytes(size_bytes: int) -> str:
    """`size_bytes` for a sentence: "25 MB", "1.5 MB"."""
    return f"{size_bytes / MIB:.1f}".removesuffix(".0") + " MB"
