"""CSV to CSV: speed and memory beside the original tool and MLflow, and what a gigabyte to a terabyte takes on AWS.

`cases` makes models and files, `storage` stands in for S3, `runs` is the process in which one variant runs, `outputs`
checks what it wrote, `processes` starts them. The benchmarks are `speed`, `memory`, `mlflow_server`, `scale` (with
`simulation`, `quotas`, `limits`) and `plot` (with `sampling`). Only the processes of `cases` and `runs` import the
predictor.
"""
