"""A file in, the same rows with predictions behind them out, in flat memory: steps, and what is asked about them.

The way in: `wishes`, `layout` (with `dialect`, `matching`), `planning` (with `records`), `preview`.
The way through: `parts` reads `ranges` and has `stretches` of them scored; `scoring` finds their `structure`, makes
values of `cells`, is `asking` the model and `writing` lines; `regular` and `irregular` are two kinds of records;
`tally` counts.
The way out: `result`, `parquet`. `steps` are docs/contract.md §4, `progress` looks at what they left; `inline` does it
all at once for the original tool's call. May import everything of predictor but handler and api_calls.
"""

from predictor.batch.preview import preview
from predictor.batch.progress import progress
from predictor.batch.result import collect
from predictor.batch.steps import BATCH_STEPS

BATCH_OPERATIONS = {"batch.preview": preview, "batch.progress": progress, "batch.collect": collect}

__all__ = ["BATCH_OPERATIONS", "BATCH_STEPS"]
