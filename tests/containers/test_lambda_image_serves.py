"""The image as a server of its own: `docker run IMAGE serve`, with a model mounted and nothing of AWS."""

import json
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

import joblib
import pytest

from tests.containers.lambda_container import LambdaContainer, docker, run_python
from tests.predictor.factories import array_model, penguin_model, penguins

pytestmark = pytest.mark.containers

Start = Callable[..., LambdaContainer]
FEATURES = ["bill_length_mm", "body_mass_g", "sex"]
STARTED = """
import sys
import predictor.handler
print([name for name in sys.modules if name.split(".")[0] == "uvicorn" or ".serving" in name])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Readable by whoever the image runs as."""
    tmp_path.chmod(0o755)
    return tmp_path


def _mounting(folder: Path) -> tuple[str, ...]:
    return ("--publish", "127.0.0.1::8080", "--volume", f"{folder}:/opt/ml/model:ro", "--env", "PORTICO_BUCKET=")


def _ask(container: LambdaContainer, path: str, body: object = None) -> tuple[bytes, str | None]:
    request = urllib.request.Request(  # noqa: S310  # our own address
        f"http://{container.address()}{path}",
        None if body is None else json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return answer.read(), answer.headers["X-Model-Version"]


def test_mounted_model_is_served_by_nobody_special_on_a_file_system_that_is_read_only(start_lambda: Start, folder):
    model, table = penguin_model(), penguins(20)[FEATURES]
    joblib.dump(model, folder / "penguins.joblib")

    container = start_lambda("serve", options=_mounting(folder))
    answer, tag = _ask(container, "/invocations", {"dataframe_split": table.to_dict(orient="split")})

    assert _ask(container, "/ping")[0] == b"\n"
    assert json.loads(answer) == {"predictions": model.predict(table).tolist()}
    assert tag is not None and tag.startswith("penguins/")
    assert docker("exec", container.id, "id", "-u").strip() == "10001"
    assert docker("inspect", "--format", "{{.HostConfig.ReadonlyRootfs}}", container.id).strip() == "true"


def test_all_protocols_answer_from_the_image(start_lambda: Start, folder):
    model = array_model([0, 1])
    joblib.dump(model, folder / "binary.pkl")
    container = start_lambda("serve", options=_mounting(folder))

    tensor = {"name": "x", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]}
    inferred = json.loads(_ask(container, "/v2/models/binary/infer", {"inputs": [tensor]})[0])
    single = json.loads(_ask(container, "/singlePrediction", {"x0": 1, "x1": 2, "x2": 3})[0])

    assert inferred["outputs"][0]["data"] == model.predict([[1, 2, 3]]).tolist()
    assert single["pred_proba"] == round(float(model.predict_proba([[1, 2, 3]])[0, -1]), 3)


def test_stop_ends_the_server_with_its_workers(start_lambda: Start, folder):
    joblib.dump(array_model([0, 1]), folder / "binary.pkl")
    container = start_lambda("serve", options=_mounting(folder))
    container.address()

    docker("stop", "--time", "10", container.id)

    assert docker("inspect", "--format", "{{.State.ExitCode}}", container.id).strip() == "0"


def test_without_a_model_the_container_ends_and_says_what_to_do(lambda_image):
    done = subprocess.run(["docker", "run", "--rm", lambda_image, "serve"], capture_output=True, text=True, check=False)  # noqa: S607

    assert done.returncode == 1
    assert done.stderr.startswith("There is no model to serve. Mount one")


def test_lambdas_own_start_imports_nothing_of_the_server(lambda_image):
    assert run_python(lambda_image, STARTED).strip() == "[]"
