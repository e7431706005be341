"""The same predictor behind an HTTP server of its own, wherever a container runs: `docker run IMAGE serve`.

`__main__` reads the settings, has `models` load and `compiling` compile what is served, and starts `workers`; `app`
receives calls and `routes` names whose they are: `mlflow` (MLflow and SageMaker), `open_inference` or `original`. These
are plain functions from a Call to an Answer. `pace` has them run, on the event loop or off it. Only this package
imports a server; nothing of Lambda's imports this package.
"""

VERSION = "0.1.0"
