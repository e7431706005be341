"""CSV in, the same CSV with predictions out, in flat memory: the steps plan, part, finish and abandon.

`encodings` makes UTF-8 of what comes, `layout` reads the header and the dialect, `records` finds where records end,
`cells` makes values of cells, `scoring` makes output lines of records, `tally` counts, `steps` are docs/contract.md §4,
`inline` does it all at once for the original tool's call. May import everything of predictor but handler and api_calls.
"""

from predictor.batch.steps import BATCH_STEPS

__all__ = ["BATCH_STEPS"]
