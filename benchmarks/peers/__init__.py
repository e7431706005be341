"""Those that Portico is compared with, each in an environment of its own, never in the product's.

`environments` makes them from the pins beside it, `servers` has their own servers answer over HTTP, `in_process` asks
one within its process, over a pipe. `mlflow.in` and `bentoml.in` are compiled by requirements/compile.sh.
"""

PEERS = ("mlflow", "bentoml")
